#!/usr/bin/env python3
"""Upgrade under load: a topology is stopped by SIGTERM, goes on with another build of the program and another configuration, and
goes back. What comes out must be exact, and each stop must end within the bound that docs/guides/upgrade-a-topology.md states.

    upgrade_test.py HUILIU [OTHER]

OTHER is another build; without it a copy of HUILIU without its symbols is one.
"""
import itertools
import json
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

STOP_BOUND_S = 10  # of docs/guides/upgrade-a-topology.md
COUNT, RATE = 400_000, 40_000
TOPOLOGY = """topology: upgraded
version: "{version}"
epoch: {epoch}
parallelism: {parallelism}
sources:
  rows: {{type: generate, rate: {rate}/s, count: {count}, fields: [{{name: n, sequence: {{}}}}, {{name: key, zipf: {{keys: 5000}}}}]}}
operators:
  once: {{type: dedupe, input: rows, key: [n]}}
  seen: {{type: count, input: once, key: key}}
sinks:
  out: {{type: file, input: once, path: out.ndjson}}
  store: {{type: sqlite, input: once, path: out.db, table: rows}}
  counts: {{type: blackhole, input: seen}}
{neighbour}"""
NEIGHBOUR = "  beside: {type: file, input: once, path: beside.ndjson}\n"
CONFIGURATIONS = (dict(version="1", epoch="100ms", parallelism=1, neighbour=""),
                  dict(version="2", epoch="500ms", parallelism=2, neighbour=NEIGHBOUR))


def written(folder, name):
    path = folder / name
    return [json.loads(line)["n"] for line in path.read_text().splitlines()] if path.exists() else []


def size(folder):
    path = folder / "out.ndjson"
    return path.stat().st_size if path.exists() else 0


def install(folder, build, configuration):
    """As a package does it: another file under the same name, since the old one may still run."""
    shutil.copy(build, folder / "huiliu.new")
    (folder / "huiliu.new").rename(folder / "huiliu")
    (folder / "t.yaml").write_text(TOPOLOGY.format(rate=RATE, count=COUNT, **configuration))


def start(folder):
    return subprocess.Popen([folder / "huiliu", "run", "-q", "t.yaml"], cwd=folder, stdout=subprocess.DEVNULL)


def run_a_while(folder, seconds=1.5):
    """Seconds that the stop took, or nothing if all rows were there before."""
    before, run = size(folder), start(folder)
    end = time.monotonic() + 60
    while size(folder) == before and run.poll() is None:
        assert time.monotonic() < end, "nothing was written within a minute"
        time.sleep(0.05)
    try:
        assert run.wait(seconds) == 0, run.returncode
        return None
    except subprocess.TimeoutExpired:
        pass
    started = time.monotonic()
    run.send_signal(signal.SIGTERM)
    code = run.wait(120)
    assert code in (0, 130), code
    return time.monotonic() - started


def check_so_far(folder):
    rows = written(folder, "out.ndjson")
    assert rows == list(range(1, len(rows) + 1)), f"gaps or doubles among {len(rows)} rows"
    with sqlite3.connect(folder / "out.db") as store:
        stored = [n for n, in store.execute("select n from rows order by rowid")]
    assert stored == rows[:len(stored)], (len(stored), len(rows))
    return rows, stored


def check_end(folder):
    rows, stored = check_so_far(folder)
    assert len(rows) == len(stored) == COUNT, (len(rows), len(stored))
    # The neighbour has what came while the second configuration ran, each row once and in order.
    beside = written(folder, "beside.ndjson")
    assert beside and all(a < b for a, b in itertools.pairwise(beside)), len(beside)
    return len(beside)


def main(folder, builds):
    stops, swaps = [], 0
    for number in itertools.count():
        if number % 2:
            swaps += 1
        install(folder, builds[number % 2], CONFIGURATIONS[number % 2])
        stop = run_a_while(folder)
        check_so_far(folder)
        if stop is None:
            break
        stops.append(stop)
        assert stop < STOP_BOUND_S, f"stop {number} took {stop:.1f} s"
    assert swaps >= 2 and len(stops) >= 3, (swaps, stops)
    beside = check_end(folder)
    print(f"upgrade: ok, {COUNT} rows over {len(stops)} stops, the longest took {max(stops):.2f} s of {STOP_BOUND_S}; {beside} rows beside")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        huiliu, *other = (pathlib.Path(path).resolve() for path in sys.argv[1:])
        if not other:
            other = [pathlib.Path(scratch) / "other_build"]
            subprocess.run(["strip", "-o", other[0], huiliu], check=True)
        work = pathlib.Path(scratch) / "work"
        work.mkdir()
        main(work, (huiliu, other[0]))
