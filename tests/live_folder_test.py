#!/usr/bin/env python3
"""Exactly once from a folder that people work in: a writer delivers, replaces, renames, appends to, rotates and locks
files while a topology watches the folder and is killed again and again, at random moments and at named steps. What
came out is read without huiliu, from a file and from SQLite: every row that the writer counts on is there once.

usage: live_folder_test.py HUILIU [--seed N] [--seconds N] [--only complete|append]
"""
import argparse
import collections
import gzip
import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NOBODY = 65534
STEPS = ["epoch.begin", "epoch.before_prepare", "epoch.prepared", "commit.before_write", "commit.after_write",
         "epoch.committed", "outbox.before_apply", "outbox.after_apply", "file.before_sync", "file.after_sync",
         "sqlite.before_commit", "sqlite.after_commit"]
LEFT_OUT, INTERRUPTED = 4, 130

TOPOLOGY = """
topology: live
epoch: 20ms
parallelism: 2
sources:
SOURCES
operators:
  located: {type: origin, input: [INPUTS]}
  refused: {type: origin, input: [REJECTS]}
sinks:
  rows: {type: file, input: located, path: out/rows.ndjson}
  table: {type: sqlite, input: located, path: out/rows.db, table: rows}
  refused_rows: {type: file, input: refused, path: out/rejects.ndjson}
  refused_table: {type: sqlite, input: refused, path: out/rejects.db, table: rejects}
"""
COMMON = "watch: WATCH, poll: 30ms, fields: [id, text]"
COMPLETE = {"lines": f"path: in, last_line: 5s, pattern: ['*.csv', '*.json*'], unclaimed: reject, {COMMON}",
            "marked": f"path: marked, last_line: 5s, marker: .ok, {COMMON}"}
APPEND = {"logs": f"path: in, append: true, pattern: ['*.log', '*.log.[0-9]', '*.csv', '*.csv.[0-9]'], {COMMON}"}


def text_of(key):
    """Longer than a buffer now and then, with the letters that are cut in halves."""
    number = int(key.rsplit("-", 1)[1])
    return f"行 {key} " + "长" * (number * 7919 % (4000 if number % 50 == 7 else 30))


class Writer:
    """What people and programs do in the folder. Notes what must come out once and what may come out, but not twice."""

    def __init__(self, folder, seed):
        self.folder, self.rng = folder, random.Random(seed)
        self.inbox, self.outside = folder / "in", folder / "outside"
        self.must, self.may = [], []
        self.said = collections.Counter()   # (code, file) that must be refused once
        self.sayable = set()                # (code, file) that may be refused once
        self.done = collections.Counter()   # what was done how often
        self.number = 0

    def pause(self, most=0.05):
        time.sleep(self.rng.uniform(0, most))

    def keys(self, count):
        self.number += 1
        return [f"{self.number}-{n}" for n in range(count)]

    @staticmethod
    def lines(name, keys):
        if ".csv" in name:
            return "".join(f'{key},"{text_of(key)}"\n' for key in keys).encode()
        return "".join(json.dumps({"id": key, "text": text_of(key)}, ensure_ascii=False) + "\n" for key in keys).encode()

    def content(self, name, keys):
        return (b"id,text\n" if ".csv" in name else b"") + self.lines(name, keys)

    def in_pieces(self, path, content, mode, most=0.03):
        """Written in pieces that end anywhere."""
        with open(path, mode, buffering=0) as file:
            at = 0
            for _ in range(self.rng.randint(1, 6)):
                end = self.rng.randint(at, len(content))
                file.write(content[at:end])
                at = end
                self.pause(most)
            file.write(content[at:])

    def wait_for(self, keys):
        """Until they are committed: only then may what they were read from go."""
        until = time.monotonic() + 60
        wanted = set(keys)
        while True:
            try:
                with sqlite3.connect(f"file:{self.folder}/out/rows.db?mode=ro", uri=True, timeout=10) as database:
                    found = {row[0] for row in database.execute("select id from rows")}
                database.close()
                if wanted <= found:
                    return
            except sqlite3.OperationalError:
                pass
            if time.monotonic() > until:
                raise SystemExit(f"not read in 60 s: {sorted(wanted - found)[:5]} of {len(wanted)}")
            time.sleep(0.03)

    def work(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.step()
        self.finish()

    def finish(self):
        pass

    def report(self):
        return {"must": self.must, "may": self.may, "said": list(self.said.items()), "sayable": list(self.sayable),
                "done": dict(self.done)}


class Deliveries(Writer):
    """Files that are complete when they are read."""

    def __init__(self, folder, seed):
        super().__init__(folder, seed)
        self.finished = []  # (path, keys) that were delivered and stay as they are
        (folder / "marked").mkdir()
        (folder / "elsewhere").mkdir()
        os.symlink(folder / "elsewhere", self.inbox / "a-linked")
        os.symlink(".", self.inbox / "loop")

    def step(self):
        kinds = ["rename", "pieces", "part", "marked", "replaced", "replaced_soon", "grown", "again", "renamed",
                 "renamed_soon", "renamed_and_grown", "deleted_soon", "deleted", "locked", "subfolder", "locked_folder",
                 "linked", "linked_inside", "unclaimed", "dangling", "pipe", "large", "no_end", "shorter_then_grown"]
        kind = self.rng.choice(kinds)
        self.done[kind] += 1
        getattr(self, kind)()
        self.pause()

    def name(self, folder=""):
        self.number += 1
        return f"{folder}{self.rng.choice('abcxyz')}{self.number}.{self.rng.choice(['csv', 'csv', 'jsonl'])}"

    def some(self):
        return self.keys(self.rng.choice([1, 3, 20, 60]))

    def drop(self, path, keys, content=None):
        outside = self.outside / path.name
        outside.write_bytes(self.content(path.name, keys) if content is None else content)
        os.rename(outside, path)

    def rename(self, folder=""):
        path, keys = self.inbox / self.name(folder), self.some()
        self.drop(path, keys)
        self.must += keys
        self.finished.append((path, keys))
        return path, keys

    def pieces(self):
        path, keys = self.inbox / self.name(), self.some()
        self.in_pieces(path, self.content(path.name, keys), "wb")
        self.must += keys

    def part(self):
        path, keys = self.inbox / self.name(), self.some()
        part = path.with_name(path.name + ".part")
        self.in_pieces(part, self.content(path.name, keys), "wb", 0.15)
        os.rename(part, path)
        self.must += keys

    def marked(self):
        path, keys = self.folder / "marked" / self.name(), self.some()
        self.in_pieces(path, self.content(path.name, keys), "wb", 0.15)
        path.with_name(path.name + ".ok").touch()
        self.must += keys

    def large(self):
        path, keys = self.inbox / self.name(), self.keys(12000)
        self.drop(path, keys)
        self.must += keys

    def no_end(self):
        path, keys = self.inbox / self.name(), self.some()
        self.drop(path, keys, self.content(path.name, keys)[:-1])
        self.must += keys

    def replaced(self):
        path, keys = self.rename()
        self.wait_for(keys)
        self.finished.pop()
        keys = self.some()
        if self.rng.random() < 0.5:
            self.drop(path, keys)
        else:
            self.in_pieces(path, self.content(path.name, keys), "wb", 0.01)
        self.must += keys

    def replaced_soon(self):
        path, keys = self.inbox / self.name(), self.some()
        self.drop(path, keys)
        self.pause(0.2)
        self.may += keys
        keys = self.some()
        self.drop(path, keys)
        self.must += keys

    def shorter_then_grown(self):
        path, keys = self.inbox / self.name(), self.keys(40)
        self.drop(path, keys)
        self.must += keys
        self.wait_for(keys)
        keys = self.keys(5)
        self.drop(path, keys)
        self.must += keys
        self.wait_for(keys)
        self.grow(path)

    def grow(self, path):
        keys = self.some()
        self.in_pieces(path, self.lines(path.name, keys), "ab")
        self.must += keys

    def grown(self):
        path, _ = self.rename()
        self.finished.pop()
        for _ in range(self.rng.randint(1, 3)):
            self.pause(0.3)
            self.grow(path)

    def again(self):
        if not self.finished:
            return
        path, keys = self.rng.choice(self.finished)
        if not path.exists() or self.rng.random() < 0.5:
            path, keys = self.rename()
        else:
            self.wait_for(keys)
        other = self.inbox / ("zz" + self.name())
        other = other.with_suffix(path.suffix)
        self.wait_for(keys)  # else it is the other that was delivered again
        shutil.copy(path, self.outside / other.name)
        if self.rng.random() < 0.3:
            shutil.copystat(path, self.outside / other.name)
        os.rename(self.outside / other.name, other)
        self.said["E809_DELIVERED_AGAIN", other.name] += 1

    def renamed(self):
        path, keys = self.rename()
        self.finished.pop()
        self.wait_for(keys)
        to = path.with_name("r" + path.name)
        os.rename(path, to)
        return to

    def renamed_soon(self):
        path, keys = self.rename()
        self.finished.pop()
        self.pause(0.2)
        os.rename(path, path.with_name("r" + path.name))

    def renamed_and_grown(self):
        path = self.renamed()
        # Its new name is known when what lies behind it is read.
        behind, keys = self.inbox / ("zz" + self.name()), self.some()
        self.drop(behind, keys)
        self.must += keys
        self.wait_for(keys)
        self.grow(path)

    def deleted_soon(self):
        path, keys = self.inbox / self.name(), self.some()
        self.drop(path, keys)
        self.may += keys
        self.pause(0.1)
        path.unlink()

    def deleted(self):
        path, keys = self.rename()
        self.finished.pop()
        self.wait_for(keys)
        path.unlink()

    def locked(self):
        path, keys = self.inbox / self.name(), self.some()
        outside = self.outside / path.name
        outside.write_bytes(self.content(path.name, keys))
        outside.chmod(0)
        os.rename(outside, path)
        if self.rng.random() < 0.2:
            self.said["E808_NOT_READ", path.name] += 1
            return
        self.sayable.add(("E808_NOT_READ", path.name))
        self.pause(0.5)
        path.chmod(0o644)
        self.must += keys

    def subfolder(self):
        self.number += 1
        folder = f"s{self.number}/{self.rng.choice(['t', 'u'])}/"
        (self.inbox / folder).mkdir(parents=True)
        self.pause()
        self.rename(folder)
        self.finished.pop()

    def locked_folder(self):
        self.number += 1
        folder = self.inbox / f"l{self.number}"
        folder.mkdir()
        self.rename(folder.name + "/")
        self.finished.pop()
        self.sayable.add(("E808_NOT_READ", folder.name))
        folder.chmod(0)
        self.pause(0.4)
        folder.chmod(0o755)

    def linked(self):
        path, keys = self.folder / "elsewhere" / self.name(), self.some()
        self.drop(path, keys)
        self.must += keys

    def linked_inside(self):
        """A link to what was read already is no second delivery, whatever its name."""
        self.number += 1
        folder = f"m{self.number}/"
        (self.inbox / folder).mkdir()
        path, keys = self.rename(folder)
        self.finished.pop()
        self.wait_for(keys)
        (self.inbox / f"k{self.number}").mkdir()
        os.symlink(path.parent, self.inbox / f"k{self.number}" / "link")

    def unclaimed(self):
        self.number += 1
        name = f"notes{self.number}.doc"
        (self.inbox / name).write_text("nothing\n")
        self.said["E810_UNCLAIMED_FILE", name] += 1

    def dangling(self):
        name = self.name()
        os.symlink("nothing", self.inbox / name)
        self.said["E808_NOT_READ", name] += 1

    def pipe(self):
        name = self.name()
        os.mkfifo(self.inbox / name)
        self.said["E808_NOT_READ", name] += 1


class Logs(Writer):
    """Logs that grow in pieces and are rotated: every whole line comes out once."""

    def __init__(self, folder, seed):
        super().__init__(folder, seed)
        self.logs = ["a.log", "b.log", "c.csv", "d.csv", "t.log", "u.csv"]  # the last two are copied and emptied
        self.files = {name: {} for name in self.logs}  # number behind the name (0: none) → keys
        self.owed = {name: b"" for name in self.logs}  # of a line that is written in part
        for name in self.logs:
            self.begin(name)

    def path(self, name, number=0):
        return self.inbox / (f"{name}.{number}" if number else name)

    def write(self, path, content):
        with open(path, "ab", buffering=0) as file:
            file.write(content)

    def begin(self, name):
        self.files[name][0] = []
        self.path(name).touch()
        if self.rng.random() < 0.5:
            self.write(self.path(name), self.content(name, []))
        else:
            self.owed[name] = self.content(name, [])

    def step(self):
        name = self.rng.choice(self.logs)
        kind = self.rng.random()
        if kind < 0.90:
            self.append(name)
        elif kind < 0.98:
            self.copy_and_empty(name) if name in self.logs[-2:] else self.rotate(name)
        else:
            self.delete(name)
        self.pause(0.01)

    def append(self, name):
        self.done["append"] += 1
        keys = self.keys(self.rng.choice([0, 1, 1, 2, 10]))
        self.files[name][0] += keys
        self.must += keys
        self.owed[name] += self.lines(name, keys)
        cut = self.rng.randint(0, len(self.owed[name]))
        self.write(self.path(name), self.owed[name][:cut])
        self.owed[name] = self.owed[name][cut:]

    def end_line(self, name):
        self.write(self.path(name), self.owed[name])
        self.owed[name] = b""

    def shift(self, name):
        """name.1 becomes name.2, and what was that is packed: all of it was read."""
        files = self.files[name]
        if 2 in files:
            self.wait_for(files.pop(2))
            with gzip.open(self.path(name, 2).with_name(f"{name}.{self.number}.gz"), "wb") as packed:
                packed.write(self.path(name, 2).read_bytes())
            self.path(name, 2).unlink()
            self.done["gzip"] += 1
        if 1 in files:
            os.rename(self.path(name, 1), self.path(name, 2))
            files[2] = files.pop(1)

    def rotate(self, name):
        self.done["rotate"] += 1
        self.shift(name)
        os.rename(self.path(name), self.path(name, 1))
        self.files[name][1] = self.files[name].pop(0)
        rest, self.owed[name] = self.owed[name], b""
        # The program has the file open still and ends its line there.
        late = self.rng.random() < 0.5
        if not late:
            self.write(self.path(name, 1), rest)
        self.begin(name)
        if late:
            self.pause(0.1)
            self.write(self.path(name, 1), rest)

    def copy_and_empty(self, name):
        """The known race: what is written between the copy and the truncation is lost by whoever writes, not by whoever
        reads. So the writer pauses for that moment."""
        self.done["copytruncate"] += 1
        self.end_line(name)
        self.shift(name)
        self.in_pieces(self.path(name, 1), self.path(name).read_bytes(), "wb", 0.02)
        self.pause(0.1)
        os.truncate(self.path(name), 0)
        self.files[name][1] = self.files[name].pop(0)
        self.begin(name)

    def delete(self, name):
        self.done["delete"] += 1
        self.end_line(name)
        self.wait_for(self.files[name].pop(0))
        self.path(name).unlink()
        self.begin(name)

    def finish(self):
        for name in self.logs:
            self.end_line(name)


def wait_until_it_heeds(process, number):
    """On a busy machine a process may take seconds until it waits for signals; before, they just end it."""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        masks = re.findall(r"^Sig(?:Blk|Cgt):\s*(\w+)", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE)
        if any(int(mask, 16) >> (number - 1) & 1 for mask in masks):
            return
        time.sleep(0.02)


class Life:
    """The topology, run by many processes one after the other."""

    def __init__(self, huiliu, folder, sources):
        self.folder, self.sources, self.kills = folder, sources, collections.Counter()
        self.huiliu = folder / "huiliu"
        shutil.copy(huiliu, self.huiliu)  # where nobody may read it
        self.write_topology(watch=True)

    def write_topology(self, watch):
        text = TOPOLOGY.replace("SOURCES", "\n".join(f"  {name}: {{type: file, {options}}}" for name, options in self.sources.items()))
        text = text.replace("INPUTS", ", ".join(self.sources)).replace("REJECTS", ", ".join(f"{name}.rejects" for name in self.sources))
        if not watch:
            text = text.replace("last_line: 5s, ", "")
        (self.folder / "t.yaml").write_text(text.replace("WATCH", "true" if watch else "false"))

    def start(self, crash=None):
        env = {key: value for key, value in os.environ.items() if key != "HUILIU_CRASH_AT"}
        env |= {"HUILIU_CRASH_AT": crash} if crash else {}
        rights = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        with open(self.folder / "log.txt", "ab") as log:
            return subprocess.Popen([self.huiliu, "run", self.folder / "t.yaml"], env=env, cwd=self.folder, stdout=log, stderr=log, **rights)

    def log_tail(self):
        return "\n".join((self.folder / "log.txt").read_text(errors="replace").splitlines()[-20:])

    def one(self, rng):
        step = f"{rng.choice(STEPS)}:{rng.randint(1, 12)}" if rng.random() < 0.5 else None
        process = self.start(step)
        try:
            code = process.wait(timeout=4 if step else rng.uniform(0.03, 1.5))
        except subprocess.TimeoutExpired:
            process.kill()
            code, step = process.wait(), None
        if code != -signal.SIGKILL:
            raise SystemExit(f"FAILED: a life ended with code {code}:\n{self.log_tail()}")
        self.kills[step.split(":")[0] if step else "random"] += 1

    def end(self, seconds):
        """A quiet life that is interrupted, then one that ends with what is there."""
        process = self.start()
        time.sleep(seconds)
        wait_until_it_heeds(process, signal.SIGINT)
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=60)
        if code != INTERRUPTED:
            raise SystemExit(f"FAILED: interrupted, the exit code is {code}:\n{self.log_tail()}")
        self.write_topology(watch=False)
        return self.start().wait(timeout=120)


def work(kind, folder, seed, seconds, results):
    try:
        writer = kind(folder, seed)
        writer.work(seconds)
        results.put(writer.report())
    except BaseException as error:
        results.put(repr(error))
        raise


def column(database, query):
    with sqlite3.connect(database) as connection:
        return connection.execute(query).fetchall()


def ndjson(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def faults(folder, told):
    """What is wrong with the output."""
    must, may = collections.Counter(told["must"]), set(told["may"])
    out = folder / "out"
    found = []
    for sink, rows in (("file", [(row.get("id"), row.get("text")) for row in ndjson(out / "rows.ndjson")]),
                       ("sqlite", column(out / "rows.db", "select id, text from rows"))):
        counts = collections.Counter(key for key, _ in rows)
        found += [f"{sink}: {key} is missing" for key in must if key not in counts]
        found += [f"{sink}: {key} came {count} times" for key, count in counts.items() if count > 1]
        found += [f"{sink}: {key} was never written" for key in counts if key not in must and key not in may]
        found += [f"{sink}: {key} has another text" for key, text in rows if key and text != text_of(key)]
    said, sayable = collections.Counter(dict((tuple(key), count) for key, count in told["said"])), set(map(tuple, told["sayable"]))
    for sink, rows in (("file", [(row["reject_code"], row["source_file"]) for row in ndjson(out / "rejects.ndjson")]),
                       ("sqlite", column(out / "rejects.db", "select reject_code, source_file from rejects") if (out / "rejects.db").exists() else [])):
        counts = collections.Counter(rows)
        found += [f"{sink}: {key} is not refused" for key in said if key not in counts]
        found += [f"{sink}: {key} is refused {count} times" for key, count in counts.items() if count > 1]
        found += [f"{sink}: {key} is refused" for key in counts if key not in said and key not in sayable]
    return found


def run(huiliu, name, seed, seconds):
    folder = Path(tempfile.mkdtemp(prefix=f"huiliu-live-{name}-"))
    folder.chmod(0o755)
    for part in ("in", "outside", "out"):
        (folder / part).mkdir()
    for part in (".", "out"):
        if os.geteuid() == 0:
            os.chown(folder / part, NOBODY, NOBODY)
    kind, sources = (Deliveries, COMPLETE) if name == "complete" else (Logs, APPEND)
    life, rng = Life(huiliu, folder, sources), random.Random(seed + 1)
    results = multiprocessing.Queue()
    writer = multiprocessing.Process(target=work, args=(kind, folder, seed, seconds, results), daemon=True)
    writer.start()
    told = None
    try:
        while told is None:
            life.one(rng)
            if not results.empty():
                told = results.get()
        if isinstance(told, str):
            raise SystemExit(f"FAILED {name}: seed {seed}, the writer: {told}\n{life.log_tail()}\nsee {folder}")
        code = life.end(rng.uniform(0, 2))
        wrong = faults(folder, told)
        wanted = LEFT_OUT if any(key[0] == "E808_NOT_READ" for key, _ in told["said"]) else 0
        if code != wanted:
            wrong.append(f"the last exit code is {code}, not {wanted}")
        print(f"{name}: seed {seed}, {sum(life.kills.values())} kills {dict(life.kills)}, {len(told['must'])} rows, did {told['done']}")
        if wrong:
            for line in wrong[:20]:
                print("  " + line)
            raise SystemExit(f"FAILED {name}: seed {seed}, {len(wrong)} faults, see {folder}")
    finally:
        writer.kill()
        writer.join()
    shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("huiliu", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=45)
    parser.add_argument("--only", choices=["complete", "append"])
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    for name in ("complete", "append"):
        if args.only in (None, name):
            run(args.huiliu.resolve(), name, args.seed, args.seconds)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
