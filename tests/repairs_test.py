"""Faults that reading and new users found, each as its user met it, with the real program."""
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

HUILIU = str(pathlib.Path(sys.argv[1]).resolve())


def huiliu(*arguments, code=0, text=None, **options):
    if text is not None:
        pathlib.Path("t.yaml").write_text(text, encoding="utf-8")
    ended = subprocess.run([HUILIU, *arguments], capture_output=True, text=True, timeout=120, **options)
    assert ended.returncode == code, f"{arguments}: {ended.returncode}, not {code}\n{ended.stdout}{ended.stderr}"
    return ended.stdout + ended.stderr


def wait_until(holds, seconds=30):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def rows(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


def an_outbox_is_its_own():
    """`outbox/db` was looked up by prefix: a sink `db` without rows took the position of `db2`."""
    topology = """
topology: t
rejects: bad
state: {path: state}
sources: {in: {type: file, path: in, pattern: ["*.ndjson"], fields: [to, {name: n, type: int64}]}}
operators:
  none: {type: filter, input: in, when: {to: db}}
  some: {type: filter, input: in, when: {to: db2}}
sinks:
  db: {type: sqlite, input: none, path: out/a.sqlite, table: t, key: [n]}
  db2: {type: sqlite, input: some, path: out/b.sqlite, table: t, key: [n]}
  bad: {type: file, path: out/bad.ndjson}
"""
    pathlib.Path("in").mkdir()
    for number in range(3):
        pathlib.Path(f"in/{number}.ndjson").write_text(f'{{"to":"db2","n":{number}}}\n')
        huiliu("run", "--quiet", "t.yaml", text=topology)
    pathlib.Path("in/9.ndjson").write_text('{"to":"db","n":9}\n')
    huiliu("run", "--quiet", "t.yaml")
    assert [n for n, in sqlite3.connect("out/b.sqlite").execute("select n from t order by n")] == [0, 1, 2]
    assert [n for n, in sqlite3.connect("out/a.sqlite").execute("select n from t")] == [9]


def two_sinks_do_not_write_one_table():
    topology = """
topology: t
rejects: bad
sources: {in: {type: file, path: in, fields: [n]}}
sinks:
  a: {type: sqlite, input: in, path: out/o.sqlite, table: t}
  b: {type: sqlite, input: in, path: out/o.sqlite, table: %s}
  bad: {type: file, path: out/bad.ndjson}
"""
    pathlib.Path("in").mkdir()
    huiliu("validate", "t.yaml", text=topology % "u")
    assert "table 't' of 'out/o.sqlite' like sink 'a'" in huiliu(
        "validate", "t.yaml", text=topology % "T", code=2)


def a_mistake_makes_no_second_one():
    """An unset variable or a wrong duration kept nodes from seeing the backend's `bootstrap`."""
    topology = """
topology: t
epoch: %s
backend: {type: kafka, bootstrap: "%s"}
sources: {s: {type: kafka, topic: a, fields: [k]}}
rejects: bad
sinks:
  o: {type: kafka, input: s, topic: b}
  bad: {type: kafka, topic: c}
"""
    for epoch, brokers, wrong in (("1sec", "b:1", "'epoch' expects a duration"),
                                  ("1s", "${HUILIU_NONE}", "has no variable 'HUILIU_NONE'")):
        said = huiliu("validate", "t.yaml", text=topology % (epoch, brokers), code=2)
        assert wrong in said and "1 error\n" in said and "bootstrap" not in said, said


def output_that_cannot_be_written_is_an_error():
    """Help, lists and pages into a full disk ended with 0."""
    for command in ["--help"], ["--version"], ["run", "--help"], ["list"], ["completion", "bash"], ["schema", "--topology"]:
        with open("/dev/full", "w", encoding="utf-8") as full:
            ended = subprocess.run([HUILIU, *command], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert ended.returncode == 1 and "the output cannot be written" in ended.stderr, (command, ended)


def a_window_without_event_time_is_refused():
    """It validated, and refused every record at run time."""
    topology = """
topology: t
rejects: bad
sources:
  s: {type: file, path: in, fields: [id, {name: at, type: timestamp}]%s}
operators:
  w: {type: window_count, input: s, key: [id], window: 1h}
sinks:
  o: {type: file, input: w, path: out/o.ndjson}
  bad: {type: file, path: out/bad.ndjson}
"""
    pathlib.Path("in").mkdir()
    said = huiliu("validate", "t.yaml", text=topology % "", code=2)
    assert "t.yaml:7:3: error: 'w' needs event time, and the source " in said, said
    huiliu("validate", "t.yaml", text=topology % ", event_time: at")


def a_window_before_a_keyed_operator_is_taken_by_several_workers():
    """A window waits for the sources it reads from only: it waited for the topic behind itself."""
    topology = """
topology: t
rejects: bad
backend: {type: kafka, bootstrap: "127.0.0.1:1", workers: %s}
sources: {in: {type: kafka, topic: in, event_time: at, fields: [a, {name: at, type: timestamp}]}}
operators:
  hours: {type: window_count, input: in, key: [a], window: 1h}
  once: {type: dedupe, input: hours, key: [a]}
sinks:
  out: {type: kafka, input: once, topic: out}
  late: {type: kafka, input: hours.late, topic: late}
  bad: {type: kafka, topic: bad}
"""
    huiliu("validate", "t.yaml", text=topology % "one")
    huiliu("validate", "t.yaml", text=topology % "several")


def state_shows_keys_and_nothing_else():
    """Windows keep how far their time has come beside the counts: it was shown and counted as a key."""
    topology = """
topology: t
rejects: bad
state: {path: state}
sources:
  s: {type: file, path: in, fields: [id, {name: at, type: timestamp}], event_time: at, watch: true}
operators:
  w: {type: window_count, input: s, key: [id], window: 1h}
sinks:
  o: {type: file, input: w, path: out/o.ndjson}
  bad: {type: file, path: out/bad.ndjson}
"""
    pathlib.Path("in").mkdir()
    pathlib.Path("in/a.csv").write_text("id,at\na,2026-01-31T10:00:00Z\nb,2026-01-31T12:10:00Z\nc,2026-01-31T12:20:00Z\n")
    pathlib.Path("t.yaml").write_text(topology)
    run = subprocess.Popen([HUILIU, "run", "--quiet", "--epoch", "50ms", "t.yaml"], stderr=subprocess.DEVNULL)
    wait_until(lambda: pathlib.Path("out/o.ndjson").exists() and rows("out/o.ndjson"))
    run.send_signal(signal.SIGTERM)
    assert run.wait(30) == 130
    assert '"rows":"2"' in huiliu("state", "t.yaml", "--json").replace(" ", "").replace(":2", ':"2"')
    shown = huiliu("state", "t.yaml", "w", "--json").splitlines()
    assert sorted(json.loads(line)["id"] for line in shown) == ["b", "c"], shown


def completions_of_fish_are_its_language():
    """An apostrophe in a description ended its quotes: fish loaded nothing."""
    for line in huiliu("completion", "fish").splitlines():
        bare = re.sub(r"'([^'\\]|\\.)*'", "", line)
        assert "'" not in bare and re.fullmatch(r"complete -c huiliu -n (\w+)?( -[al] [\w-]+)+ -d ", bare), line


def a_second_process_is_told_of_the_first():
    """It said "IO error: While lock file: ...: Resource temporarily unavailable"."""
    topology = """
topology: t
rejects: bad
state: {path: state}
sources: {s: {type: file, path: in, fields: [id], watch: true}}
sinks:
  o: {type: file, input: s, path: out/o.ndjson}
  bad: {type: file, path: out/bad.ndjson}
"""
    pathlib.Path("in").mkdir()
    pathlib.Path("in/a.csv").write_text("id\n1\n")
    pathlib.Path("t.yaml").write_text(topology)
    first = subprocess.Popen([HUILIU, "run", "--quiet", "--epoch", "50ms", "t.yaml"], stderr=subprocess.DEVNULL)
    wait_until(lambda: pathlib.Path("out/o.ndjson").exists() and rows("out/o.ndjson"))
    said = huiliu("run", "--quiet", "t.yaml", code=1)
    first.send_signal(signal.SIGTERM)
    assert first.wait(30) == 130
    assert f"another process runs here: process {first.pid} holds the state" in said, said


STORED = """
topology: t
rejects: bad
sources: {s: {type: file, path: in, fields: [id]}}
sinks:
  o: {type: sqlite, input: s, path: out/o.sqlite, table: t, busy: 60s}
  bad: {type: file, path: out/bad.ndjson}
"""


def a_signal_ends_the_wait_for_a_store():
    """A store that is away at the start kept the process deaf to SIGTERM."""
    pathlib.Path("in").mkdir()
    pathlib.Path("out").mkdir()
    pathlib.Path("in/a.csv").write_text("id\n1\n")
    pathlib.Path("t.yaml").write_text(STORED)
    store = sqlite3.connect("out/o.sqlite", isolation_level=None)
    store.execute("create table other(x)")
    store.execute("begin exclusive")
    run = subprocess.Popen([HUILIU, "run", "--quiet", "t.yaml"], stderr=subprocess.DEVNULL)
    wait_until(lambda: any(os.path.realpath(file).endswith("o.sqlite")
                           for file in pathlib.Path(f"/proc/{run.pid}/fd").iterdir()))
    run.send_signal(signal.SIGTERM)
    try:
        assert run.wait(5) == 130
    finally:
        run.kill()
    store.execute("rollback")
    huiliu("run", "--quiet", "t.yaml")
    assert store.execute("select id from t").fetchall() == [("1",)]


def what_a_database_is_still_to_be_given_is_not_read_with_other_fields():
    """Entries of an outbox were read by the fields of now, so that values went into wrong columns."""
    topology = """
topology: t
rejects: bad
epoch: 50ms
state: {path: state}
sources: {in: {type: file, path: in, watch: %s, poll: 50ms, format: ndjson, fields: [%s]}}
sinks:
  db: {type: sqlite, input: in, path: out/o.sqlite, table: t}
  bad: {type: file, path: out/bad.ndjson}
"""
    pathlib.Path("in").mkdir()
    pathlib.Path("in/1.ndjson").write_text('{"a":"1"}\n')
    pathlib.Path("t.yaml").write_text(topology % ("true", "a"))
    process = subprocess.Popen([HUILIU, "run", "--quiet", "t.yaml"], stdout=subprocess.DEVNULL, stderr=open("log", "w"))

    def delivered():
        with sqlite3.connect("file:out/o.sqlite?mode=ro", uri=True) as database:
            return database.execute("select count(*) from t").fetchone()[0]

    def came(number):
        try:
            return delivered() == number
        except sqlite3.OperationalError:
            return False

    wait_until(lambda: came(1))
    other = sqlite3.connect("out/o.sqlite", isolation_level=None)
    other.execute("begin immediate")
    pathlib.Path("in/2.ndjson").write_text('{"a":"2"}\n')
    wait_until(lambda: "2.ndjson: 1 rows read" in pathlib.Path("log").read_text())
    time.sleep(1)
    process.kill()
    process.wait()
    other.execute("rollback")
    other.close()
    said = huiliu("run", "--quiet", "t.yaml", text=topology % ("false", "a, b"), code=2)
    assert "db: 1 entries of its outbox are not delivered yet and were written with other fields" in said, said
    assert delivered() == 1
    huiliu("run", "--quiet", "t.yaml", text=topology % ("false", "a"))
    assert delivered() == 2
    huiliu("run", "--quiet", "t.yaml", text=topology % ("false", "a, b"))


def a_signal_ends_the_wait_for_brokers():
    """A process that brokers did not answer heard of SIGTERM after 25 s."""
    pathlib.Path("t.yaml").write_text("""
topology: t
rejects: bad
backend: {type: kafka, bootstrap: "127.0.0.1:1"}
sources: {in: {type: kafka, topic: in, fields: [a]}}
sinks:
  out: {type: kafka, input: in, topic: out}
  bad: {type: kafka, topic: bad}
""")
    for signals in (1, 2):
        process = subprocess.Popen([HUILIU, "run", "--quiet", "t.yaml"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: pathlib.Path("state/CURRENT").exists())
        time.sleep(0.5)
        started = time.monotonic()
        for _ in range(signals):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
        assert process.wait(20) == 130
        assert time.monotonic() - started < (6 if signals == 1 else 1)


def a_table_of_somebody_else_is_refused_with_a_remedy():
    """A sink without a key said "table t has no column named _position", and no more."""
    pathlib.Path("in").mkdir()
    pathlib.Path("out").mkdir()
    pathlib.Path("in/a.csv").write_text("id\n1\n")
    sqlite3.connect("out/o.sqlite").execute("create table t(id text)")
    said = huiliu("run", "--quiet", "t.yaml", text=STORED, code=2)
    assert "the table 't' is there already and has no column '_position'" in said and "Give the sink a `key`" in said, said


def a_summary_is_of_its_run():
    """It gave the totals of all time after every run."""
    topology = """
topology: t
rejects: bad
sources: {s: {type: file, path: in, fields: [id]}}
sinks:
  o: {type: file, input: s, path: out/o.ndjson}
  bad: {type: file, path: out/bad.ndjson}
"""
    pathlib.Path("in").mkdir()
    pathlib.Path("in/a.csv").write_text("id\n1\n2\n")
    first = huiliu("run", "--quiet", "t.yaml", text=topology)
    assert re.search(r"source +s +0 +2 ", first) and "earlier runs" not in first, first
    pathlib.Path("in/b.csv").write_text("id\n3\n")
    second = huiliu("run", "--quiet", "t.yaml")
    assert re.search(r"source +s +0 +1 ", second), second
    assert "with all earlier runs: 3 read, 0 rejected, 3 written" in second, second


PLAIN = """
topology: t
rejects: bad
sources: {s: {type: file, path: in, pattern: ["*.csv"], fields: [id]}}
sinks:
  o: {type: file, input: s, path: out/o.ndjson}
  bad: {type: file, path: out/bad.ndjson}
"""


def mistakes_of_yaml_are_named():
    """A tab was "end of map not found"; a folder, a second document and Latin-1 passed or were something else."""
    pathlib.Path("rules").mkdir()
    for text, place, words in (
            (PLAIN.replace("\n  o:", "\n\to:"), ":6:1", "indented with a tab"),
            (PLAIN.replace('["*.csv"]', "[*.csv]"), ":4:47", 'needs quotes: "*.csv"'),
            (PLAIN.replace("  o: {type", "  o: {<<: b, type"), ":6:11", "expected a map after the merge key"),
            (PLAIN.replace("[id]", "!include rules"), ":4:", "it is a folder"),
            (PLAIN + "---\n" + PLAIN, ":10:1", "a second document begins here"),
            (PLAIN + "epoch: 0s\n", ":8:8", "'epoch' expects at least 1ms")):
        said = huiliu("validate", "t.yaml", text=text, code=2)
        assert f"t.yaml{place}" in said and words in said and "1 error\n" in said, said
    pathlib.Path("t.yaml").write_bytes((PLAIN + "description: caf\u00e9\n").encode("latin-1"))
    said = huiliu("validate", "t.yaml", code=2)
    assert "t.yaml:8:17: error: the byte here is no character of UTF-8" in said, said
    for encoding in "utf-8-sig", "utf-16":
        pathlib.Path("t.yaml").write_bytes(PLAIN.encode(encoding))
        huiliu("validate", "t.yaml")


def a_pattern_that_fits_nothing_is_told_at_the_end():
    pathlib.Path("in").mkdir()
    pathlib.Path("in/a.txt").write_text("id\n1\n")
    said = huiliu("run", "--quiet", "t.yaml", text=PLAIN)
    assert "source s has read nothing yet: does its `pattern` fit" in said, said


def a_reject_says_where_its_record_was_read():
    """Neither file nor row, and a number beyond 64 bits was masked like somebody's identity."""
    pathlib.Path("in").mkdir()
    pathlib.Path("in/a.csv").write_text("id,n\na,1\nb,99999999999999999999\n")
    pathlib.Path("in/b.ndjson").write_text('{"id":"a","n":9223372036854775808}\n')
    huiliu("run", "--quiet", "t.yaml", text=PLAIN.replace("[id]", "[id, {name: n, type: int64}]").replace(
        ', pattern: ["*.csv"]', ""))
    refused = [(row["reject_origin"], row["reject_field"], row["reject_value"]) for row in rows("out/bad.ndjson")]
    assert refused == [("a.csv:2", "n", "99999999999999999999"), ("b.ndjson:1", "n", "9223372036854775808")], refused
    for at, _, _ in refused:
        assert "REJECTED" in huiliu("explain", "t.yaml", "--at", at)


def main():
    chosen = sys.argv[2:]
    for name, test in list(globals().items()):
        if not callable(test) or test.__module__ != "__main__" or name in ("huiliu", "rows", "wait_until", "main"):
            continue
        if chosen and name not in chosen:
            continue
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            test()
            os.chdir("/")
        print(name.replace("_", " "))


if __name__ == "__main__":
    main()
