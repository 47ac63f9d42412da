#!/usr/bin/env python3
"""Open windows of a version whose rows lay by key, not by window, go over by `huiliu run --from`.

The snapshot in first_windows/ was made by that version: windows up to 10 s are closed; A and B have one record each in
the window from 10 s on.

usage: adopt_windows_test.py HUILIU
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HUILIU = str(Path(sys.argv[1]).resolve())
SNAPSHOT = Path(__file__).resolve().parent / "first_windows"
TOPOLOGY = """
topology: windows
shards: 4
rejects: bad
state: {path: state}
sources:
  rows: {type: file, path: in, event_time: at, fields: [dept, {name: at, type: int64}]}
operators:
  windowed: {type: window_count, input: rows, key: [dept], window: 10s}
sinks:
  out: {type: file, input: windowed, path: out.ndjson, format: ndjson}
  late: {type: file, input: windowed.late, path: late.ndjson, format: ndjson}
  bad: {type: file, path: bad.ndjson}
"""


def huiliu(*arguments: str, code: int = 0) -> str:
    ended = subprocess.run([HUILIU, *arguments], capture_output=True, text=True, timeout=60)
    assert ended.returncode == code, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        topology = str(folder / "topology.yaml")
        (folder / "in").mkdir()
        (folder / "in" / "2.csv").write_text("dept,at\nA,17000\nC,18000\nB,9999\n")
        Path(topology).write_text(TOPOLOGY)
        said = huiliu("run", topology, "--quiet", "--from", str(SNAPSHOT))
        assert "table windowed.open (6 rows: goes over to this layout)" in said, said
        out = [json.loads(line) for line in (folder / "out.ndjson").read_text().splitlines()]
        rows = {(row["dept"], row["window_start"], row["count"]) for row in out}
        assert rows == {("A", 10000, 2), ("B", 10000, 1), ("C", 10000, 1)}, out
        late = [json.loads(line) for line in (folder / "late.ndjson").read_text().splitlines()]
        assert [row["dept"] for row in late] == ["B"], late
        # Goes on in place from now on.
        (folder / "in" / "3.csv").write_text("dept,at\nA,27000\n")
        huiliu("run", topology, "--quiet")
        out = [json.loads(line) for line in (folder / "out.ndjson").read_text().splitlines()]
        assert [(row["dept"], row["window_start"]) for row in out[3:]] == [("A", 20000)], out
    print("open windows of before go over: nothing lost, nothing opened again")
    return 0


if __name__ == "__main__":
    sys.exit(main())
