#!/usr/bin/env python3
"""Kills a running topology again and again and compares what it made with an undisturbed run.

Every life of the process ends by SIGKILL: at a random moment, or at a named step of the commit
(HUILIU_CRASH_AT); with --disk also in the middle of a write, by loss of power, and on a disk that
fills up. After the wanted number of kills it may run to its end. Files must be equal byte for byte
and SQLite tables row for row.
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
FAILED = 1  # exit code when something outside failed
ENDS_ON_FULL_DISK = (FAILED, -signal.SIGABRT)


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
        self.folder.mkdir(parents=True)

    def start(self, crash_at=None, disk=None) -> subprocess.Popen:
        env = dict(os.environ, INPUT=str(self.args.input), OUTPUT=str(self.output),
                   STATE=str(self.state))
        env.pop("HUILIU_CRASH_AT", None)
        if crash_at:
            env["HUILIU_CRASH_AT"] = crash_at
        if disk:
            env |= {"LD_PRELOAD": str(self.args.disk), "HUILIU_DISK": disk,
                    "HUILIU_DISK_FOLDER": str(self.folder.resolve())}
        if self.args.memory:
            env["MEMORY"] = self.args.memory
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


def one_life(run: Run, rng: random.Random, longest: float) -> tuple[str, int]:
    """How the life was to end, and its exit code."""
    kind = rng.choice(["step", "random"] + (["torn", "power", "full"] if run.args.disk else []))
    if kind == "random":
        return kind, kill_at_random(run, rng, longest)
    if kind == "step":
        step = rng.choice(STEPS)
        return step, run.start(f"{step}:{rng.randint(1, 4)}").wait(timeout=120)
    # A run syncs files and folders some 40 times and writes some hundreds of times.
    number = rng.randint(1, 50) if kind == "power" else int(2 ** rng.uniform(0, 8))
    more = f":{rng.randint(1, 5)}" if kind == "full" else ""
    return f"disk {kind}", run.start(disk=f"{kind}:{number}{more}").wait(timeout=120)


def disturb(run: Run, rng: random.Random, kills: int, longest: float) -> dict:
    """Kills `kills` times, fewer if the job gets to its end before that."""
    counts: dict = {}
    done = 0
    while done < kills:
        kind, code = one_life(run, rng, longest)
        if kind == "disk full" and code == -signal.SIGABRT:
            kind = "disk full, RocksDB aborts"  # Debian's is built with assertions
        if code == -signal.SIGKILL or (kind.startswith("disk full") and code in ENDS_ON_FULL_DISK):
            done += 1
        elif code != 0:
            raise SystemExit(f"a life ({kind}) ended with code {code}:\n{run.log_tail()}")
        if code != 0 or kind.startswith("disk full"):
            counts[kind] = counts.get(kind, 0) + 1
        if code == 0:
            return counts | {"kills": done, "ended": True}
    return counts | {"kills": done, "ended": False}


def kill_at_steps(args, work: Path, expected: dict, steps: list) -> None:
    """Each of `steps` once, on a run of its own; SystemExit if one is never reached."""
    for step in steps:
        run = Run(args, work, step)
        code = run.start(f"{step}:1").wait(timeout=120)
        if code != -signal.SIGKILL:
            raise SystemExit(f"{step} was never reached (code {code})")
        if run.start().wait(timeout=600) != 0:
            raise SystemExit(f"the life after {step} failed:\n{run.log_tail()}")
        check_balance(run)
        compare(expected, outputs(run.output), run.folder)
        shutil.rmtree(run.folder)


def check_balance(run: Run) -> None:
    if "not balance" in (run.folder / "log.txt").read_text(errors="replace").lower():
        raise SystemExit(f"rows are missing or counted twice:\n{run.log_tail()}")


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
    parser.add_argument("--memory", help="budget of the tables, MEMORY in the topology")
    parser.add_argument("--disk", type=Path, help="libhuiliu_faulty_disk.so: faults of the disk too")
    parser.add_argument("--every-step", action="store_true",
                        help="each named step at least once; it must be reached")
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
            check_balance(run)
            compare(expected, outputs(run.output), run.folder)
            shutil.rmtree(run.folder)
        if args.every_step:
            steps = [step for step in STEPS if step not in totals]
            kill_at_steps(args, work, expected, steps)
            totals |= dict.fromkeys(steps, 1)
            total += len(steps)
        print(f"{total} kills in {passes} passes, outputs equal; by moment: "
              + ", ".join(f"{key} {value}" for key, value in sorted(totals.items())))
        shutil.rmtree(work)
        return 0
    except subprocess.TimeoutExpired as error:
        raise SystemExit(f"hangs: {error}")


if __name__ == "__main__":
    sys.exit(main())
