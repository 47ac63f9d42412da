"""Snapshots: taken beside a running process they are of one epoch; a changed topology that starts from one goes on
exactly where it was, also when the start is killed; what does not fit is refused."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter

HUILIU = str(pathlib.Path(sys.argv[1]).resolve())
ROWS, KEYS = 400_000, 97

OLD = """
topology: visits
rejects: bad
epoch: 20ms
state: {path: state-old, memory: 1MiB}
sources:
  visits:
    type: file
    path: "in/*.ndjson"
    format: ndjson
    fields: [{name: who, type: string}, {name: n, type: int64}]
operators:
  once: {type: dedupe, input: visits, key: [who, n]}
  totals: {type: count, input: once, key: [who], sum: n}
sinks:
  out: {type: file, input: once, path: out.ndjson}
  sums: {type: file, input: totals, path: sums.ndjson}
  bad: {type: file, path: bad.ndjson}
"""
NEW = OLD.replace("topology: visits", "topology: visits-new").replace("state-old", "state-new").replace(
    "sinks:", """  numbers: {type: dedupe, input: once, key: [n]}
sinks:
  first: {type: file, input: numbers, path: first.ndjson}""")


def rows(first, last):
    return "".join(f'{{"who":"w{i % KEYS}","n":{i // 2}}}\n' for i in range(first, last))


def huiliu(*arguments, crash=None, code=0):
    environment = dict(os.environ, **({"HUILIU_CRASH_AT": crash} if crash else {}))
    ended = subprocess.run([HUILIU, *arguments], capture_output=True, text=True, env=environment)
    assert ended.returncode == code, f"{arguments}: {ended.returncode}, not {code}\n{ended.stdout}{ended.stderr}"
    return ended


def table(topology, name, *more):
    lines = huiliu("state", topology, name, "--json", "--limit", "100000000", *more).stdout.splitlines()
    return [json.loads(line) for line in lines]


def check_one_epoch(folder):
    """A dedupe with all rows and counts of them must agree, or the view is of no one epoch."""
    tables = {}
    for line in huiliu("snapshot", "--show", folder).stdout.splitlines()[2:]:
        name, count, _ = line.split()
        tables[name] = int(count)
    if tables.get("once.seen", 0) == 0:
        return 0
    pathlib.Path("check/in").mkdir(parents=True)
    huiliu("run", "--from", folder, "--quiet", "check.yaml")
    counted = sum(int(row["count"]) for row in table("check.yaml", "totals"))
    assert counted == tables["once.seen"], f"{folder}: {counted} rows counted, {tables['once.seen']} seen"
    shutil.rmtree("check")
    return counted


def snapshots_of_a_running_topology():
    process = subprocess.Popen([HUILIU, "run", "--quiet", "old.yaml"], stdout=subprocess.DEVNULL)
    taken = 0
    while process.poll() is None:
        ended = subprocess.run([HUILIU, "snapshot", "old.yaml", "--to", "live", "--name", str(taken)],
                               capture_output=True, text=True)
        taken += ended.returncode == 0
        assert ended.returncode in (0, 1), ended.stderr  # 1: not there yet, or too fast to be read
        if taken == 12 and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait()
    seen = [check_one_epoch(f"live/{number}") for number in range(taken)]
    assert taken >= 2 and seen == sorted(seen), seen
    print(f"{taken} snapshots of a running topology, {seen[0]} to {seen[-1]} rows: each of one epoch")


def changed_topology_goes_on():
    ended = subprocess.run([HUILIU, "run", "--quiet", "old.yaml"], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    huiliu("snapshot", "old.yaml", "--to", "snapshots", "--name", "upgrade")
    pathlib.Path("in/2.ndjson").write_text(rows(ROWS, 2 * ROWS))
    for step in ("import.after_step:1", "import.after_step:2", "import.before_last:1"):
        ended = huiliu("run", "--from", "snapshots/upgrade", "--quiet", "new.yaml", crash=step, code=-signal.SIGKILL)
        assert "taken over   table once.seen" in ended.stderr and "starts empty table numbers.seen" in ended.stderr
        assert "was not finished" in huiliu("run", "new.yaml", code=2).stderr
    huiliu("run", "--from", "snapshots/upgrade", "--quiet", "new.yaml", crash="epoch.committed:2",
           code=-signal.SIGKILL)
    huiliu("run", "--from", "snapshots/upgrade", "--quiet", "new.yaml")
    huiliu("run", "--quiet", "new.yaml")
    expected = [json.loads(line) for line in rows(0, 2 * ROWS).splitlines()]
    written = [json.loads(line) for line in pathlib.Path("out.ndjson").read_text().splitlines()]
    assert written == expected, f"{len(written)} rows, not {len(expected)} or in another order"
    counts = Counter(row["who"] for row in expected)
    assert {row["who"]: int(row["count"]) for row in table("new.yaml", "totals")} == counts
    one = table("new.yaml", "once", "--where", "who=w5", "--where", "n=2")
    assert one == [{"who": "w5", "n": "2"}], one
    print("a changed topology goes on where the snapshot was, killed 4 times on its way")


def refusals():
    def refused(topology, *words, more=()):
        pathlib.Path("wrong.yaml").write_text(topology)
        message = huiliu("run", "--from", "snapshots/upgrade", *more, "wrong.yaml", code=2).stderr
        assert all(word in message for word in words), message

    fresh = NEW.replace("state-new", "state-wrong")
    refused(fresh, "out.ndjson has", "came since")
    elsewhere = fresh.replace("path: ", "path: elsewhere/").replace('elsewhere/"in', '"in')
    refused(elsewhere.replace("key: [who], sum", "key: [n], sum"), "'totals.totals'", "key=(who string)", "another name")
    refused(elsewhere.replace("once", "single"), "table once.seen", "--leave-out")
    refused(elsewhere.replace("state-wrong", "state-32") + "shards: 32\n", "16 shards", "32")
    refused(OLD, "there is state already")
    for name in ("meta.sst", "table-001.sst"):
        file = pathlib.Path("snapshots/upgrade", name)
        file.rename("aside")
        message = huiliu("run", "--from", "snapshots/upgrade", "wrong.yaml", code=3).stderr
        assert name in message and "not whole" in message, message
        pathlib.Path("aside").rename(file)
    pathlib.Path("snapshots/upgrade/table-001.sst").write_bytes(b"torn")
    message = huiliu("run", "--from", "snapshots/upgrade", "wrong.yaml", code=3).stderr
    assert "not whole" in message, message
    print("what does not fit is refused")


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    pathlib.Path("in").mkdir()
    pathlib.Path("in/1.ndjson").write_text(rows(0, ROWS))
    pathlib.Path("old.yaml").write_text(OLD)
    pathlib.Path("new.yaml").write_text(NEW)
    elsewhere = OLD.replace("path: ", "path: check/").replace('check/"in/*.ndjson"', "check/in")
    pathlib.Path("check.yaml").write_text(elsewhere)
    started = time.monotonic()
    snapshots_of_a_running_topology()
    changed_topology_goes_on()
    refusals()
    print(f"{time.monotonic() - started:.0f} s")
