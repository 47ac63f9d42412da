#!/usr/bin/env python3
"""Kills a running topology again and again and compares what it made with an undisturbed run.

Every life of the process ends by SIGKILL: at a random moment, or at a named step of the commit
(HUILIU_CRASH_AT). After the wanted number of kills it may run to its end. Files must be equal byte
for byte, SQLite tables row for row, and the state's totals must balance.
"""
import argparse
import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STEPS = [
    "epoch.begin", "epoch.before_prepare", "epoch.prepared", "commit.before_write",
    "commit.after_write", "epoch.committed", "outbox.before_apply", "outbox.after_apply",
    "file.before_sync", "file.after_sync", "sqlite.before_commit", "sqlite.after_commit",
    "flush.before_sst", "flush.after_sst", "flush.after_ingest", "flush.after_trim",
]


def dump(path: Path) -> str:
    """Content of an output file in a comparable form."""
    if path.suffix in (".sqlite", ".db"):
        with sqlite3.connect(path) as database:
            lines = []
            tables = [row[0] for row in database.execute(
                "select name from sqlite_master where type='table' and name not like '\\_huiliu%'"
                " escape '\\' order by name")]
            for table in tables:
                rows = sorted(repr(row) for row in database.execute(f'select * from "{table}"'))
                lines.append(table + "\n" + "\n".join(rows))
        return "\n".join(lines)
    return path.read_bytes().decode("utf-8", "replace")


def outputs(folder: Path) -> dict:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".ndjson", ".csv", ".sqlite", ".db"):
            found[str(path.relative_to(folder))] = dump(path)
    return found


class Run:
    """One place with state and outputs, run by many processes one after the other."""

    def __init__(self, args, work: Path, name: str):
        self.args = args
        self.folder = work / name
        self.state = self.folder / "state"
        self.output = self.folder / "out"
        self.output.mkdir(parents=True)

    def start(self, crash_at=None) -> subprocess.Popen:
        env = dict(os.environ, INPUT=str(self.args.input), OUTPUT=str(self.output),
                   STATE=str(self.state))
        env.pop("HUILIU_CRASH_AT", None)
        if crash_at:
            env["HUILIU_CRASH_AT"] = crash_at
        command = [self.args.huiliu, "run", self.args.topology, "--state", str(self.state),
                   "--parallelism", str(self.args.threads), "--epoch", self.args.epoch]
        log = open(self.folder / "log.txt", "ab")
        return subprocess.Popen(command, env=env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def log_tail(self) -> str:
        return "\n".join((self.folder / "log.txt").read_text(errors="replace").splitlines()[-25:])


def kill_at_random(run: Run, rng: random.Random, longest: float) -> int:
    process = run.start()
    deadline = time.monotonic() + rng.uniform(0.0, longest)
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.001)
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    return process.wait()


def disturb(run: Run, rng: random.Random, kills: int, longest: float) -> dict:
    """Kills `kills` times; starts again from nothing when the job got to its end before that."""
    counts = {"random": 0}
    done = 0
    while done < kills:
        if rng.random() < 0.5:
            step = rng.choice(STEPS)
            code = run.start(f"{step}:{rng.randint(1, 4)}").wait(timeout=120)
            kind = step
        else:
            code = kill_at_random(run, rng, longest)
            kind = "random"
        if code == -signal.SIGKILL:
            done += 1
            counts[kind] = counts.get(kind, 0) + 1
        elif code != 0:
            raise SystemExit(f"a life ended with code {code}:\n{run.log_tail()}")
        else:
            return counts | {"kills": done, "ended": True}
    return counts | {"kills": done, "ended": False}


def compare(expected: dict, found: dict, folder: Path) -> None:
    if expected == found:
        return
    for name in sorted(set(expected) | set(found)):
        if expected.get(name) != found.get(name):
            a = expected.get(name, "").splitlines()
            b = found.get(name, "").splitlines()
            at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            print(f"{name}: {len(a)} lines expected, {len(b)} found; first difference in line "
                  f"{at + 1}:\n  {a[at:at + 1]}\n  {b[at:at + 1]}", file=sys.stderr)
    raise SystemExit(f"the outputs differ from the undisturbed run, see {folder}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--huiliu", required=True)
    parser.add_argument("--topology", required=True)
    parser.add_argument("--input", required=True, type=Path)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epoch", default="20ms")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.input = args.input.resolve()
    rng = random.Random(args.seed)
    work = Path(tempfile.mkdtemp(prefix="huiliu-crash-"))
    try:
        whole = Run(args, work, "whole")
        started = time.monotonic()
        if whole.start().wait(timeout=600) != 0:
            raise SystemExit(f"the undisturbed run failed:\n{whole.log_tail()}")
        took = time.monotonic() - started
        expected = outputs(whole.output)
        if not expected:
            raise SystemExit("the undisturbed run made no output")
        digest = hashlib.sha256(repr(sorted(expected.items())).encode()).hexdigest()[:16]
        print(f"undisturbed: {took:.2f} s, {len(expected)} outputs, digest {digest}")
        total, passes = 0, 0
        totals: dict = {}
        while total < args.kills:
            passes += 1
            run = Run(args, work, f"pass{passes}")
            counts = disturb(run, rng, args.kills - total, max(0.05, took))
            if not counts.pop("ended") and run.start().wait(timeout=600) != 0:
                raise SystemExit(f"the last life failed:\n{run.log_tail()}")
            total += counts.pop("kills")
            for key, value in counts.items():
                totals[key] = totals.get(key, 0) + value
            compare(expected, outputs(run.output), run.folder)
            shutil.rmtree(run.folder)
        print(f"{total} kills in {passes} passes, outputs equal; by moment: "
              + ", ".join(f"{key} {value}" for key, value in sorted(totals.items())))
        shutil.rmtree(work)
        return 0
    except subprocess.TimeoutExpired as error:
        raise SystemExit(f"hangs: {error}")


if __name__ == "__main__":
    sys.exit(main())
