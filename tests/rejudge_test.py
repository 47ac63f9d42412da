#!/usr/bin/env python3
"""`huiliu rejudge`: refused rows are judged again under mended rules, each once, also when the
process is killed meanwhile.

usage: rejudge_test.py HUILIU CREDIT_SAMPLE [KILLS]
"""
import collections
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
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "crash"))
from crash_test import STEPS, outputs  # noqa: E402

HUILIU, SAMPLE = (str(Path(arg).resolve()) for arg in sys.argv[1:3])
KILLS = int(sys.argv[3]) if len(sys.argv) > 3 else 12
CREDIT = Path(__file__).resolve().parent.parent / "topologies" / "credit"

SMALL = """
topology: small
epoch: 5ms
parallelism: 2
rejects: bad
sources:
  lines: {type: file, path: in, watch: false, fields: [name, colour]}
operators:
  located: {type: origin, input: lines}
  unreadable: {type: origin, input: lines.rejects}
  check:
    type: validate
    input: located
    rules: {version: "1", rules: [
      {id: name, check: required, field: name},
      {id: colour, check: one_of, field: colour, values: [COLOURS]}]}
  verdict_good: {type: map, input: check, set: {outcome: ACCEPTED, code: "", rule: ""}, keep: [source_file, source_row]}
  verdict_bad: {type: map, input: check.rejects, set: {outcome: REJECTED, code: "{reject_code}", rule: "{reject_rule}"}, keep: [source_file, source_row]}
  verdict_unreadable: {type: map, input: unreadable, set: {outcome: REJECTED, code: "{reject_code}", rule: "{reject_rule}"}, keep: [source_file, source_row]}
  refused: {type: refused, input: [verdict_good, verdict_bad, verdict_unreadable], key: [source_file, source_row]}
  read_good: {type: map, input: located, keep: [source_file, source_row]}
  read_unreadable: {type: map, input: unreadable, keep: [source_file, source_row]}
  entered: {type: entry, input: [read_good, read_unreadable], field: outcome}
  verdicts: {type: map, input: [verdict_good, verdict_bad, verdict_unreadable], drop: [code, rule]}
  reconciliation: {type: count, input: [entered, verdicts], key: [source_file, outcome]}
sinks:
  good: {type: sqlite, input: check, path: out/db.sqlite, table: good}
  bad: {type: file, input: [unreadable], path: out/bad.csv, format: csv, fields: [source_file, source_row, reject_rule]}
  counted: {type: sqlite, input: reconciliation, path: out/db.sqlite, table: reconciliation, key: [source_file, outcome]}
"""


def command(*args, env=None, code=0):
    ended = subprocess.run([HUILIU, *map(str, args)], capture_output=True, text=True, timeout=120,
                           env=dict(os.environ, **(env or {})))
    assert ended.returncode == code, f"{args}: {ended.returncode}\n{ended.stdout}{ended.stderr}"
    return ended.stdout + ended.stderr


def numbers(text):
    """The summary's lines: name → number."""
    return {name: int(number) for name, number in re.findall(r"^ *([A-Za-z ]+?) +(\d+)(?:  .*)?$", text, re.M)}


def query(path, sql):
    with sqlite3.connect(path) as database:
        return database.execute(sql).fetchall()


def check_reconciliation(test, database):
    """READ + REJUDGED = the sum of the verdicts, for each file."""
    sums = collections.defaultdict(lambda: [0, 0])
    for file, outcome, count in query(database, "select source_file, outcome, count from reconciliation"):
        sums[file][0 if outcome in ("READ", "REJUDGED") else 1] += count
    test.assertTrue(sums)
    for file, (entered, judged) in sums.items():
        test.assertEqual(entered, judged, file)


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="huiliu-rejudge-"))
        self.addCleanup(shutil.rmtree, self.folder)


class Small(Folder):
    def setUp(self):
        super().setUp()
        self.write("in/a.csv", "name,colour\nn1,red\nn2,green\n,red\nn4,blue\n")
        self.write("in/b.csv", "name,colour\nn5,green\nn6,red,7\nn7,red\n")
        self.write("in/d/c.ndjson", '{"name":"n8","colour":"green"}\n{"name":"n9","colour":"blue"}\n')
        self.rules("red")

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def rules(self, colours):
        self.topology = self.folder / "topology.yaml"
        self.topology.write_text(SMALL.replace("COLOURS", colours))

    def run_(self, **more):
        return command("run", "-q", self.topology, **more)

    def rejudge(self, *args, code=0, env=None):
        return command("rejudge", self.topology, *args, code=code, env=env)

    def good(self):
        return [row[0] for row in query(self.folder / "out/db.sqlite", "select name from good order by _position")]

    def refused(self):
        shown = command("state", self.topology, "refused.rows", "--limit", "100")
        return sorted(f"{a}:{b}" for a, b in re.findall(r"^file=(\S+)  row=(\d+)", shown, re.M))

    def check_balance(self):
        check_reconciliation(self, self.folder / "out/db.sqlite")

    def test_mended_rows_are_accepted_once(self):
        self.run_()
        self.assertEqual(self.good(), ["n1", "n7"])
        self.rules("red, green")
        found = numbers(self.rejudge())
        self.assertEqual((found["selected"], found["ACCEPTED"], found["REJECTED"], found["not found"]), (7, 3, 4, 0))
        self.assertEqual(self.good(), ["n1", "n7", "n2", "n5", "n8"])
        self.check_balance()
        self.assertEqual(self.refused(), ["a.csv:3", "a.csv:4", "b.csv:2", "d/c.ndjson:2"])
        self.rejudge("--rule", "colour")
        self.assertEqual(self.good(), ["n1", "n7", "n2", "n5", "n8"])
        self.check_balance()
        self.run_()  # as ever: nothing is new
        self.assertEqual(self.good(), ["n1", "n7", "n2", "n5", "n8"])

    def test_nothing_is_left_when_all_are_accepted(self):
        self.run_()
        self.rules("red, green, blue")
        self.rejudge("--rule", "colour@1")
        self.assertEqual(numbers(self.rejudge("--rule", "colour"))["selected"], 0)
        self.assertEqual(self.refused(), ["a.csv:3", "b.csv:2"])

    def test_by_file(self):
        self.run_()
        self.rules("red, green, blue")
        self.assertEqual(numbers(self.rejudge("--file", "*.ndjson"))["selected"], 2)
        self.assertEqual(numbers(self.rejudge("--file", "d/*"))["selected"], 0)
        self.assertEqual(numbers(self.rejudge("--file", "a.csv", "--rule", "name"))["REJECTED"], 1)
        self.assertEqual(self.good(), ["n1", "n7", "n8", "n9"])
        self.check_balance()

    def test_new_files_are_not_read(self):
        self.run_()
        self.write("in/e.csv", "name,colour\nn10,red\n")
        self.rules("red, green")
        self.rejudge()
        self.assertNotIn("n10", self.good())
        self.run_()
        self.assertEqual(self.good()[-1], "n10")
        self.check_balance()

    def test_a_file_that_is_gone_or_changed_is_named(self):
        self.run_()
        self.rules("red, green, blue")
        (self.folder / "in/b.csv").unlink()
        self.write("in/a.csv", "name,colour\nn1,red\nn2,green\n,red\nn4,black\n")
        text = self.rejudge(code=1)
        self.assertIn("b.csv: 2 rows: the file is gone", text)
        self.assertIn("a.csv: 3 rows: the file was changed since it was read", text)
        self.assertEqual((numbers(text)["ACCEPTED"], numbers(text)["not found"]), (2, 5))
        self.check_balance()
        self.write("in/b.csv", "name,colour\nn5,green\nn6,red,7\nn7,red\n")
        self.assertEqual(numbers(self.rejudge("--file", "b.csv"))["ACCEPTED"], 1)

    def test_a_file_refused_as_a_whole_is_read(self):
        self.write("in/f.csv", "Name,Farbe\nn11,red\nn12,blue\n")
        self.run_()
        self.topology.write_text(self.topology.read_text().replace(
            "fields: [name, colour]", "fields: [name, colour], mappings: [{columns: {Name: name, Farbe: colour}}]"))
        self.rejudge("--file", "f.csv")
        self.assertEqual(self.good(), ["n1", "n7", "n11"])
        self.assertIn("f.csv:2", self.refused())
        self.check_balance()
        self.run_()
        self.assertEqual(self.good(), ["n1", "n7", "n11"])

    def test_the_rest_of_such_a_file_is_read_by_the_next_run_after_a_kill(self):
        rows = 250_000  # three slices
        self.write("in/f.csv", "Name,Farbe\n" + "".join(f"m{i},red\n" for i in range(rows)))
        self.run_()
        self.topology.write_text(self.topology.read_text().replace(
            "fields: [name, colour]", "fields: [name, colour], mappings: [{columns: {Name: name, Farbe: colour}}]"))
        self.rejudge("--file", "f.csv", "--epoch", "1ms", code=-signal.SIGKILL,
                     env={"HUILIU_CRASH_AT": "epoch.committed:1"})
        self.rejudge("--file", "f.csv")
        self.run_()
        self.assertEqual(sorted(self.good()), sorted(["n1", "n7"] + [f"m{i}" for i in range(rows)]))
        self.check_balance()

    def test_the_operator_may_be_added_to_a_topology_with_state(self):
        whole = self.topology.read_text()
        self.topology.write_text("".join(line + "\n" for line in whole.splitlines() if "type: refused" not in line))
        self.run_()
        self.topology.write_text(whole)
        self.write("in/e.csv", "name,colour\nn10,green\n")
        self.run_()
        self.assertEqual(self.refused(), ["e.csv:1"])  # of those before it knows nothing
        self.rules("red, green")
        self.assertEqual(numbers(self.rejudge())["ACCEPTED"], 1)
        self.check_balance()

    def test_a_topology_that_runs_is_left_alone(self):
        self.topology.write_text(self.topology.read_text().replace("watch: false", "watch: true"))
        running = subprocess.Popen([HUILIU, "run", "-q", self.topology], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline and not (self.folder / "state/CURRENT").exists():
                time.sleep(0.01)
            while time.monotonic() < deadline and "does the topology run?" not in (
                    text := subprocess.run([HUILIU, "rejudge", self.topology], capture_output=True, text=True).stderr):
                self.assertIn("there is no state", text)
            counted = "select count(*) from sqlite_master m, good where m.name = 'reconciliation'"
            while time.monotonic() < deadline:
                try:
                    if query(self.folder / "out/db.sqlite", counted)[0][0] == 2:
                        break
                except sqlite3.OperationalError:
                    time.sleep(0.01)
        finally:
            running.send_signal(signal.SIGTERM)
            self.assertEqual(running.wait(timeout=60), 130)
        self.rules("red, green")
        self.assertEqual(numbers(self.rejudge("--parallelism", "3"))["ACCEPTED"], 3)
        self.check_balance()

    def test_a_signal_ends_it_in_between(self):
        self.run_()
        self.rules("red, green")
        process = subprocess.Popen([HUILIU, "rejudge", self.topology], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   env=dict(os.environ, HUILIU_PAUSE_AT="epoch.begin:400"), text=True)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        text = process.communicate(timeout=60)[0]
        self.assertIn(process.returncode, (0, 130, -signal.SIGTERM), text)
        if process.returncode != 0:
            self.assertIn("the same command goes on" if process.returncode == 130 else "", text)
            self.rejudge()
        self.assertEqual(self.good(), ["n1", "n7", "n2", "n5", "n8"])
        again = dict(query(self.folder / "out/db.sqlite", "select outcome, sum(count) from reconciliation group by 1"))
        self.assertEqual(again["REJUDGED"], 7)

    def test_an_interrupted_one_is_gone_on_with(self):
        self.run_()
        self.rules("red, green")
        self.rejudge("--epoch", "1ms", code=-signal.SIGKILL, env={"HUILIU_CRASH_AT": "epoch.committed:1"})
        text = self.rejudge()
        self.assertIn("gone on with", text)
        self.assertEqual(sum(numbers(text)[name] for name in ("ACCEPTED", "REJECTED")), 7)
        self.assertEqual(self.good(), ["n1", "n7", "n2", "n5", "n8"])
        again = dict(query(self.folder / "out/db.sqlite",
                           "select outcome, sum(count) from reconciliation group by 1"))
        self.assertEqual(again["REJUDGED"], 7)
        self.assertNotIn("gone on with", self.rejudge())

    def test_what_cannot_be_done_is_said(self):
        self.assertIn("there is no state", self.rejudge(code=1))
        self.assertFalse((self.folder / "state").exists())
        without = "".join(line + "\n" for line in SMALL.splitlines() if "type: refused" not in line)
        self.topology.write_text(without.replace("COLOURS", "red"))
        self.assertIn("has no operator of type `refused`", self.rejudge(code=2))


class Credit(Folder):
    """The credit topology, whose table of categories lacks a word at first."""

    def setUp(self):
        super().setUp()
        shutil.copytree(CREDIT, self.folder / "credit", ignore=shutil.ignore_patterns("sample", "state*", "output"))
        subprocess.run([SAMPLE, "--seed", "7", "--rows", "3000", "--out", self.folder / "in"], check=True,
                       stdout=subprocess.DEVNULL)
        self.table = self.folder / "credit/tables/licence_categories.csv"
        self.whole = self.table.read_text()
        # A code that leads to a word which the table lacks is an error before the start.
        codes = self.folder / "credit/tables/category_codes_2015.csv"
        codes.write_text(codes.read_text().replace("0,普通,2015/licence\n", ""))

    def start(self, work, verb, *args, crash_at=None):
        env = dict(os.environ, INPUT=str(self.folder / "in"), OUTPUT=str(self.folder / work / "out"),
                   STATE=str(self.folder / work / "state"))
        if crash_at:
            env["HUILIU_CRASH_AT"] = crash_at
        with open(self.folder / "log.txt", "w") as log:
            return subprocess.Popen([HUILIU, verb, self.folder / "credit/topology.yaml", *args], env=env, stdout=log,
                                    stderr=log)

    def finish(self, *args, **more):
        code = self.start(*args, **more).wait(timeout=120)
        self.assertEqual(code, 0, (self.folder / "log.txt").read_text())

    def outputs(self, work):
        return outputs(self.folder / work / "out")

    def test_each_row_is_judged_again_once_also_when_killed(self):
        self.finish("right", "run")
        self.table.write_text(self.whole.replace("普通,,\n", ""))
        self.finish("base", "run")
        self.table.write_text(self.whole)
        shutil.copytree(self.folder / "base", self.folder / "mended")
        self.finish("mended", "rejudge", "--epoch", "5ms")
        expected = self.outputs("mended")
        database = self.folder / "mended/out/credit.sqlite"
        check_reconciliation(self, database)
        # What is in the library, and what is refused, is as if the table had been whole at once.
        for table, key in (("problems", "source_file, source_row, reject_rule"),
                           ("legal_person", "kind, authority_code, document_no, subject_key, licence_no"),
                           ("natural_person", "kind, authority_code, document_no, subject_key, licence_no")):
            sql = f"select {key} from {table} order by {key}"
            self.assertEqual(query(database, sql), query(self.folder / "right/out/credit.sqlite", sql), table)
        self.finish("mended", "rejudge", "--rule", "licence-category")
        rng = random.Random(1)
        moments = [f"{step}:1" for step in STEPS[:12]] + [None] * KILLS
        for moment in moments:
            shutil.copytree(self.folder / "base", self.folder / "killed")
            for _ in range(rng.randint(1, 3)):
                threads = str(rng.choice([1, 2, 3]))
                at = moment or (rng.choice(STEPS[:12]) + f":{rng.randint(2, 9)}" if rng.random() < 0.5 else None)
                process = self.start("killed", "rejudge", "--epoch", "5ms", "--parallelism", threads, crash_at=at)
                if at is None:
                    time.sleep(rng.uniform(0.0, 0.3))
                    process.kill()
                code = process.wait(timeout=120)
                self.assertIn(code, (0, -signal.SIGKILL))
                if "not found  " in (self.folder / "log.txt").read_text():  # it had come to its end
                    code = 0
                if code == 0:
                    break
            if code != 0:
                self.finish("killed", "rejudge", "--epoch", "5ms")
            found = self.outputs("killed")
            self.assertEqual(sorted(found), sorted(expected))
            for name, content in expected.items():
                self.assertEqual(found[name].splitlines(), content.splitlines(), f"{moment}: {name}")
            shutil.rmtree(self.folder / "killed")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
