#!/usr/bin/env python3
"""A state of the first form of `compare` goes over to identities by `huiliu run --from`, and counts of versions start anew.

usage: adopt_test.py HUILIU
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HUILIU = str(Path(sys.argv[1]).resolve())
COMMON = """
topology: adopt
state: {path: STATE}
sources:
  rows: {type: file, path: IN, fields: [kind, doc, subject_key, org, reg, v, status, text, note, day]}
"""
BEFORE = COMMON + """
operators:
  compare:
    type: compare
    input: rows
    key: [kind, doc, subject_key]
    version: [v]
    withdrawn: {status: gone}
    content: [status, text]
  totals: {type: count, input: compare, key: [kind, day]}
sinks:
  out: {type: file, input: compare.outcomes, path: OUT, format: ndjson}
  counts: {type: file, input: totals, path: COUNTS, format: ndjson}
  bad: {type: file, input: [rows.rejects, compare.rejects], path: BAD, format: ndjson}
"""
AFTER = BEFORE.replace("    key: [kind, doc, subject_key]\n", """    key: [kind, doc]
    identity: [org, reg]
    identity_as: known_as
    changes: [day]
    ignore: [subject_key]
    content_before: [status, text]
""").replace("    content: [status, text]\n", "").replace("input: compare, key: [kind, day]", "input: compare.changes, key: [kind, day], retract: {change: delete}")


def run(folder: Path, topology: str, rows: list, *options: str) -> str:
    """Runs the topology on one more file; what it printed."""
    (folder / "in").mkdir(exist_ok=True)
    number = len(list((folder / "in").iterdir())) + 1
    with open(folder / "in" / f"{number}.ndjson", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    for word in ("STATE", "IN", "OUT", "COUNTS", "BAD"):
        topology = topology.replace(word, str(folder / word.lower()))
    (folder / "topology.yaml").write_text(topology)
    ended = subprocess.run([HUILIU, "run", str(folder / "topology.yaml"), "--quiet", *options], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def lines(path: Path) -> list:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def row(doc: str, text: str, v: str, **more: str) -> dict:
    return {"kind": "k", "doc": doc, "v": v, "text": text, "day": "d1", "status": "on"} | more


def main() -> int:
    # Where the key of before was `subject_key`, the identity is made of it: the name of the field stays.
    after = AFTER.replace("identity_as: known_as", "identity_as: subject_key").replace("    ignore: [subject_key]\n", "")
    after = after.replace("doc, subject_key, org", "doc, org").replace("    changes:", "    identity_before: subject_identity\n    changes:")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        body = "91350803MAGBQ59331"
        run(folder, BEFORE, [row("1", "a", "1", subject_key=body), row("2", "a", "1", subject_key="org:MAGBQ5933"),
                             row("3", "a", "1", subject_key=body), row("3", "a", "2", subject_key=body, status="gone")])
        assert [r["outcome"] for r in lines(folder / "out")] == ["ACCEPTED", "ACCEPTED", "ACCEPTED", "WITHDRAWN"]
        subprocess.run([HUILIU, "snapshot", str(folder / "topology.yaml"), "--to", str(folder / "snap"), "--name", "s"],
                       check=True, stdout=subprocess.DEVNULL)
        (folder / "out").unlink()
        (folder / "counts").unlink()
        subprocess.run(["rm", "-r", str(folder / "state")], check=True)
        said = run(folder, after, [
            row("1", "a", "1", org="org:MAGBQ5933"),                 # as it was: a duplicate, counted now
            row("2", "b", "2", org="org:MAGBQ5933", reg="reg:9"),    # newer
            row("2", "c", "3", reg="reg:9"),                         # under its other code
            row("3", "a", "1", org="org:MAGBQ5933"),                 # withdrawn before
            row("3", "b", "3", org="org:MAGBQ5933"),                 # and comes back
            row("4", "a", "1", org="org:MAGBQ5933")], "--from", str(folder / "snap" / "s"))
        assert "goes over to this layout" in said and "starts empty: what it counted" in said, said
        out = lines(folder / "out")
        assert [r["outcome"] for r in out] == ["DUPLICATE", "UPDATED", "UPDATED", "STALE", "REACTIVATED", "ACCEPTED"], out
        # What a record was called stays, so that its row in a library is replaced and not doubled.
        assert [r["subject_key"] for r in out] == [body, "org:MAGBQ5933", "org:MAGBQ5933", body, body, "org:MAGBQ5933"], out
        assert lines(folder / "counts")[-1]["count"] == 4, lines(folder / "counts")
        assert not lines(folder / "bad")
    print("a state of before goes over: nothing lost, nothing doubled")
    return 0


if __name__ == "__main__":
    sys.exit(main())
