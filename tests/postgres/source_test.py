#!/usr/bin/env python3
"""The source `postgres` against a real server: transactions that commit late, equal stamps over the ends of pages, rows that
change while they are read, nightly reloads, deletes, kills of the process (at random and between a commit and the flags'
write-back) and of the server, a column that is dropped and comes back. At the end what came out equals the table, and no
version of a row came twice.

    source_test.py HUILIU [SCENARIO ...]
"""
import collections
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from server import PASSWORD, Postgres

TOPOLOGY = """\
topology: front
epoch: 50ms
state: {{path: state, memory: 16MiB}}
rejects: refused
sources:
  rows: {{type: postgres, host: 127.0.0.1, port: {port}, database: postgres, user: {user}, password: '{password}', timeout: 3s,
    table: {table}, fields: [id, name, {{name: amount, type: int64}}], key: [id], interval: 100ms, page_rows: 50, {mode}}}
sinks:
  out: {{type: file, input: rows, path: out.ndjson, format: ndjson}}
  refused: {{type: file, path: refused.ndjson, format: ndjson}}
"""
INCREMENT = "mode: increment, column: at, overlap: 20s"
FLAG = "mode: flag, flag: {column: status, unread: 0, read: 1}"
SNAPSHOT = "mode: snapshot, deletes: true"


class Job:
    def __init__(self, huiliu, folder, server, table, mode, **other):
        self.huiliu, self.folder, self.process, self.lives = huiliu, folder, None, 0
        folder.mkdir()
        values = {"port": server.port, "table": table, "mode": mode, "user": "huiliu", "password": PASSWORD, **other}
        (folder / "t.yaml").write_text(TOPOLOGY.format(**values))

    def start(self, step=""):
        self.lives += 1
        environment = dict(os.environ, **({"HUILIU_CRASH_AT": step} if step else {}))
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", self.huiliu, "run", "-q", "t.yaml"], cwd=self.folder,
                                        env=environment, stdout=subprocess.DEVNULL, stderr=open(self.folder / "log.txt", "a"))

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        assert self.process.wait() == -signal.SIGKILL, self.log()

    def stop(self):
        self.process.terminate()
        code = self.process.wait(20)
        assert code in (0, 130), (code, self.log())

    def log(self):
        return (self.folder / "log.txt").read_text()[-3000:]

    def rows(self):
        path = self.folder / "out.ndjson"
        text = path.read_bytes() if path.exists() else b""
        return [json.loads(line) for line in text[:text.rfind(b"\n") + 1].splitlines()]

    def last(self):
        """The table as the rows that came out say."""
        table = {}
        for row in self.rows():
            change = row.pop("change", "insert")
            if change == "delete":
                table.pop(row["id"], None)
            else:
                table[row["id"]] = (row.get("name"), row.get("amount"))
        return table

    def wait_for(self, expected, seconds=30):
        end = time.monotonic() + seconds
        while (found := self.last()) != (wanted := expected()):
            if time.monotonic() > end:
                differ = [key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key)]
                raise AssertionError(f"DIFFERENCE: {len(differ)} rows, such as "
                                     f"{[(key, found.get(key), wanted.get(key)) for key in sorted(differ)[:3]]}\n{self.log()}")
            if self.process.poll() is not None:
                raise AssertionError(f"it ended with {self.process.returncode}: {self.log()}")
            time.sleep(0.1)


def table_of(server, table):
    return {line.split("|")[0]: (line.split("|")[1], int(line.split("|")[2]))
            for line in server.ask(f"SELECT id, name, amount FROM {table}").splitlines()}


def with_kills(job, steps, seconds, rng, server=None):
    """Lives that end by kills; the server is killed now and then."""
    end = time.monotonic() + seconds
    kills = collections.Counter()
    steps = list(steps)
    while time.monotonic() < end:
        step = steps.pop() if steps else rng.choice(["", "", "epoch.prepared", "epoch.committed"])
        job.start(f"{step}:{rng.randrange(1, 4)}" if step else "")
        life = time.monotonic() + rng.uniform(0.4, 2)
        while time.monotonic() < life and job.process.poll() is None:
            time.sleep(0.02)
        if server is not None and rng.random() < 0.3:
            server.kill()
            time.sleep(0.3)
            server.start()
            kills["server"] += 1
        kills[step if job.process.poll() is not None else "at random"] += 1
        job.kill()
    job.start()
    return dict(kills)


def once(job, versions_differ=True):
    """No version of a row came twice: the amount grows with each change."""
    seen = collections.Counter((row["id"], row.get("amount")) for row in job.rows() if row.get("change") != "delete")
    twice = [key for key, count in seen.items() if count > 1]
    assert not twice, f"DIFFERENCE: {len(twice)} versions came twice, such as {twice[:5]}"
    return len(seen)


class Department(threading.Thread):
    """Writes as departments do, some transactions being open for long while others commit."""

    def __init__(self, server, seed, flag):
        super().__init__(daemon=True)
        self.server, self.rng, self.flag, self.ended, self.failures = server, random.Random(seed), flag, False, 0

    def statements(self):
        start = self.rng.randrange(0, 3000)
        stamp = "clock_timestamp()" if self.rng.random() < 0.5 else "date_trunc('second', clock_timestamp())"
        status = ", status = '0'" if self.flag else ""
        return [f"INSERT INTO t SELECT g::text, 'n' || g, nextval('version'), {stamp}, '0' FROM generate_series({start}, {start} + 40) g "
                f"ON CONFLICT (id) DO NOTHING",
                f"UPDATE t SET name = name || 'x', amount = nextval('version'), at = {stamp}{status} WHERE id::int % 97 = {start % 97}"]

    def run(self):
        while not self.ended:
            sql = "; ".join(self.statements())
            wait = f"SELECT pg_sleep({self.rng.uniform(0.5, 4):.2f})" if self.rng.random() < 0.15 else "SELECT 1"
            if not self.server.ask(f"BEGIN; {sql}; {wait}; COMMIT; SELECT 1", check=False).endswith("1\n"):
                self.failures += 1  # the server was killed, or a deadlock
            time.sleep(0.02)


def make_table(server):
    server.empty()
    server.ask("CREATE SEQUENCE version; CREATE TABLE t (id text PRIMARY KEY, name text, amount bigint, at timestamptz, status text "
               "DEFAULT '0'); CREATE INDEX ON t (at, id); CREATE INDEX ON t (status, id)")


def changing(huiliu, folder, server, mode, steps, flag, seed):
    make_table(server)
    writers = [Department(server, seed + i, flag) for i in range(4)]
    for writer in writers:
        writer.start()
    job = Job(huiliu, folder / "job", server, "t", mode)
    kills = with_kills(job, steps, 12, random.Random(seed), server)
    for writer in writers:
        writer.ended = True
    for writer in writers:
        writer.join()
    job.wait_for(lambda: table_of(server, "t"))
    versions = once(job)
    if flag:
        end = time.monotonic() + 10
        while (left := server.ask("SELECT count(*) FROM t WHERE status <> '1'").strip()) != "0":
            assert time.monotonic() < end, f"DIFFERENCE: {left} rows have no flag"
            time.sleep(0.1)
    job.stop()
    return f"{len(job.last())} rows, {versions} versions, {job.lives} lives, killed {kills}"


def increment(huiliu, folder, server, seed):
    return changing(huiliu, folder, server, INCREMENT, ["epoch.prepared"], False, seed)


def flag(huiliu, folder, server, seed):
    steps = ["postgres.before_write_back", "postgres.after_write_back"] * 2
    return changing(huiliu, folder, server, FLAG, steps, True, seed)


def snapshot(huiliu, folder, server, seed):
    """Reloads each night, with few changes and deletes; killed meanwhile."""
    rng = random.Random(seed)
    make_table(server)
    rows = {i: ("n", i) for i in range(3000)}
    version = 3000

    def load():
        values = ",".join(f"('{key}','{name}',{amount},now(),'0')" for key, (name, amount) in rows.items())
        (folder / "load.sql").write_text(f"BEGIN; TRUNCATE t; INSERT INTO t VALUES {values}; COMMIT")
        server.ask_file(folder / "load.sql")

    load()
    job = Job(huiliu, folder / "job", server, "t", SNAPSHOT)
    job.start()
    job.wait_for(lambda: table_of(server, "t"))
    written = len(job.rows())
    assert written == 3000, written
    changes = 0
    for _ in range(5):
        for key in rng.sample(sorted(rows), 60):
            version += 1
            rows[key] = ("changed", version)
        for key in rng.sample(sorted(rows), 30):
            del rows[key]
        changes += 90
        load()
        for _ in range(3):
            time.sleep(rng.uniform(0.1, 0.7))
            job.kill()
            job.start()
        job.wait_for(lambda: table_of(server, "t"))
    came = len(job.rows()) - written
    assert came <= changes, f"DIFFERENCE: {came} rows for {changes} changes"
    once(job)
    server.ask("TRUNCATE t")
    time.sleep(1)
    assert len(job.last()) == len(rows), "a table that was emptied is believed"
    load()
    time.sleep(1)
    assert len(job.rows()) - written == came, "a reload of the same rows gave some"
    job.stop()
    return f"{written} rows, then {came} for {changes} changes in 5 reloads, {job.lives} lives"


def drift(huiliu, folder, server, _):
    make_table(server)
    server.ask("INSERT INTO t VALUES ('a', 'n', 1, now(), '0'), ('b', 'n', 2, NULL, '0')")
    job = Job(huiliu, folder / "job", server, "t", INCREMENT)
    job.start()
    job.wait_for(lambda: {"a": ("n", 1)})
    server.ask("ALTER TABLE t RENAME COLUMN amount TO amounts")
    time.sleep(1)
    assert "amount" in job.log() and "it waits" in job.log(), job.log()
    server.ask("ALTER TABLE t RENAME COLUMN amounts TO amount; INSERT INTO t VALUES ('c', 'n', 3, now(), '0')")
    job.wait_for(lambda: {"a": ("n", 1), "c": ("n", 3)})
    assert "1 rows have no key or no `column`" in job.log(), job.log()
    server.freeze()
    time.sleep(1)
    began = time.monotonic()
    job.stop()
    assert time.monotonic() - began < 6, "a frozen server holds up the stop"
    server.thaw()
    return "parked, went on, stopped beside a frozen server"


def mistakes(huiliu, folder, server, _):
    make_table(server)
    server.ask("CREATE TABLE no_key (id text NOT NULL, name text, amount bigint, at timestamptz); CREATE TABLE null_key (id text UNIQUE, name "
               "text, amount bigint, at timestamptz); CREATE ROLE poor LOGIN "
               f"PASSWORD '{PASSWORD}'; GRANT SELECT ON t TO poor; GRANT USAGE ON SCHEMA public TO poor")
    cases = [({"password": "wrong"}, INCREMENT, "t", "password"), ({}, INCREMENT, "nothing", "it is not there"),
             ({}, INCREMENT, "no_key", "no unique index"), ({}, INCREMENT, "null_key", "column 'id' of the key may be null"), ({}, INCREMENT.replace("column: at", "column: name"), "t", "`column` name is text"),
             ({}, INCREMENT.replace("column: at", "column: a"), "t", "no column 'a'"),
             ({"user": "poor"}, FLAG, "t", "may not set column 'status'"), ({}, INCREMENT + ", deletes: true", "t", "`deletes` is of no use"),
             ({}, "mode: increment, column: at", "t", "needs `overlap`"), ({}, INCREMENT + ", hours: 25-26", "t", "are no hours")]
    for number, (other, mode, table, words) in enumerate(cases):
        job = Job(huiliu, folder / f"job{number}", server, table, mode, **other)
        job.start()
        assert job.process.wait(20) == 2, (words, job.log())
        assert words in job.log(), (words, job.log())
    return f"{len(cases)} mistakes"


def ends(huiliu, folder, server, _):
    """A run that ends by itself, with flags set."""
    make_table(server)
    server.ask("INSERT INTO t SELECT g::text, 'n', g, now(), '0' FROM generate_series(1, 500) g")
    for number, mode in enumerate([INCREMENT, FLAG, SNAPSHOT]):
        job = Job(huiliu, folder / f"job{number}", server, "t", mode + ", until: end")
        job.start()
        assert job.process.wait(20) == 0, job.log()
        assert len(job.rows()) == 500, (mode, len(job.rows()))
    assert server.ask("SELECT count(*) FROM t WHERE status = '1'") == "500\n"
    return "3 runs that end"


SCENARIOS = {name: globals()[name] for name in ["increment", "flag", "snapshot", "drift", "mistakes", "ends"]}


def main():
    huiliu, seed = str(Path(sys.argv[1]).resolve()), int(os.environ.get("SEED", time.time()))
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="huiliu-front-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = Postgres(folder / "server")
        try:
            server.start()
            for scenario in sys.argv[2:] or SCENARIOS:
                (folder / scenario).mkdir()
                began = time.monotonic()
                said = SCENARIOS[scenario](huiliu, folder / scenario, server, seed)
                print(f"{scenario}: {said} ({time.monotonic() - began:.0f} s)", flush=True)
        finally:
            server.kill()


if __name__ == "__main__":
    sys.exit(main())
