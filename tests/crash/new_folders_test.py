#!/usr/bin/env python3
"""A loss of power after which new folders are gone, unless the folders above them were synced.

The power fails at the first sync of a run, at the second, and so on to the last; the state lies in
new folders and the outputs in old ones, or the other way round. The next run must go on, and the
outputs be what they are without a loss of power: neither a committed state nor a committed output
was in a folder that is gone.

usage: new_folders_test.py HUILIU FAULTY_DISK
"""
import itertools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

HUILIU, DISK = (str(Path(argument).resolve()) for argument in sys.argv[1:3])
TOPOLOGY = """
topology: folders
epoch: 10ms
state: {path: STATE}
sources:
  rows: {type: file, path: IN, format: ndjson, fields: [id, who]}
operators:
  once: {type: dedupe, input: rows, key: [id]}
sinks:
  lines: {type: file, input: once, path: OUT/lines/of/today.ndjson, format: ndjson}
  store: {type: sqlite, input: once, path: OUT/store/of/today.db, table: rows, key: [id]}
  bad: {type: file, input: rows.rejects, path: OUT/bad/today.ndjson, format: ndjson}
"""


class Run:
    """One place with a topology, its state and its outputs."""

    def __init__(self, folder: Path, rows: Path, new: str):
        self.folder = folder
        self.state = folder / ("new/folders/state" if new == "state" else "state")
        self.out = folder / ("new/folders/out" if new == "outputs" else "out")
        old = [self.state] if new == "outputs" else [self.out / "lines/of", self.out / "store/of", self.out / "bad"]
        for path in [folder, *old]:
            path.mkdir(parents=True, exist_ok=True)
        text = TOPOLOGY.replace("STATE", str(self.state)).replace("OUT", str(self.out))
        self.topology = folder / "topology.yaml"
        self.topology.write_text(text.replace("IN", str(rows)))

    def huiliu(self, *arguments: str, power: int = -1) -> subprocess.CompletedProcess:
        env = dict(os.environ)
        if power >= 0:
            env |= {"LD_PRELOAD": DISK, "HUILIU_DISK": f"power:{power}", "HUILIU_DISK_FOLDER": str(self.folder.resolve())}
        return subprocess.run([HUILIU, *arguments], env=env, capture_output=True, text=True, timeout=120)

    def run(self, power: int = -1) -> subprocess.CompletedProcess:
        return self.huiliu("run", "--quiet", "--parallelism", "1", str(self.topology), power=power)

    def outputs(self) -> tuple:
        if not (self.out / "store/of/today.db").exists() or not (self.out / "lines/of/today.ndjson").exists():
            return "files are gone", []
        with sqlite3.connect(self.out / "store/of/today.db") as database:
            stored = sorted(database.execute("select id, who from rows"))
        return (self.out / "lines/of/today.ndjson").read_text(), stored


def lose_power_at_each_sync(work: Path, rows: Path, new: str, expected: tuple) -> int:
    """How many syncs a run has."""
    for number in itertools.count(1):
        run = Run(work / f"{new}-{number}", rows, new)
        ended = run.run(power=number)
        if ended.returncode == 0:
            return number - 1
        assert ended.returncode == -signal.SIGKILL, ended.stdout + ended.stderr
        again = run.run()
        assert again.returncode == 0, f"DIFFERENCE: new {new}, power lost at sync {number}: {again.stderr}"
        assert run.outputs() == expected, f"DIFFERENCE: new {new}, power lost at sync {number}: other outputs"
        shutil.rmtree(run.folder)
    return 0


def lose_power_at_the_end(work: Path, rows: Path, new: str, expected: tuple) -> None:
    run = Run(work / f"{new}-end", rows, new)
    ended = run.run(power=0)
    assert ended.returncode == -signal.SIGKILL, ended.stdout + ended.stderr
    assert run.state.is_dir(), f"DIFFERENCE: new {new}: the state of a run that has ended is gone"
    assert run.outputs() == expected, f"DIFFERENCE: new {new}: outputs of a run that has ended are gone"
    ended = run.huiliu("snapshot", str(run.topology), "--to", str(run.folder / "snapshots/of/today"), "--name", "one", power=0)
    shown = run.huiliu("snapshot", "--show", str(run.folder / "snapshots/of/today/one"))
    assert ended.returncode == -signal.SIGKILL, ended.stdout + ended.stderr
    assert shown.returncode == 0, f"DIFFERENCE: a snapshot that was done is gone: {shown.stderr}"


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="huiliu-folders-") as name:
        work = Path(name)
        rows = work / "in"
        rows.mkdir()
        for number in range(3):
            lines = [json.dumps({"id": str(number * 200 + i), "who": f"w{i % 7}"}) for i in range(300)]
            (rows / f"{number}.ndjson").write_text("\n".join(lines) + "\n")
        whole = Run(work / "whole", rows, "outputs")
        ended = whole.run()
        assert ended.returncode == 0, ended.stdout + ended.stderr
        for new in ("outputs", "state"):
            lose_power_at_the_end(work, rows, new, whole.outputs())
            syncs = lose_power_at_each_sync(work, rows, new, whole.outputs())
            assert syncs > 10, syncs
            print(f"new folders of the {new}: power lost at each of {syncs} syncs and at the end, outputs equal")
    return 0


if __name__ == "__main__":
    sys.exit(main())
