#!/usr/bin/env python3
"""What a state means belongs to it: another type under one name, other compared fields, another format of a file are refused in place.

usage: layout_test.py HUILIU
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

HUILIU = str(pathlib.Path(sys.argv[1]).resolve())
TOPOLOGY = """topology: t
rejects: bad
sources:
  rows: {type: file, path: in, fields: [id, a, b]}
operators:
  step: {OPERATOR, input: rows}
sinks:
  out: {type: file, input: step, path: out.txt, SINK}
  bad: {type: file, path: bad.ndjson}
"""


class Layouts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "in").mkdir()
        self.files = 0

    def run_with(self, operator, sink="format: ndjson", rows="1,x,y"):
        self.files += 1
        (self.folder / "in" / f"{self.files}.csv").write_text(f"id,a,b\n{rows}\n", encoding="utf-8")
        topology = TOPOLOGY.replace("OPERATOR", operator).replace("SINK", sink)
        (self.folder / "t.yaml").write_text(topology, encoding="utf-8")
        return subprocess.run([HUILIU, "run", self.folder / "t.yaml"], capture_output=True, text=True, timeout=60)

    def refused(self, ended, *words):
        self.assertEqual(ended.returncode, 2, ended.stderr)
        for word in words:
            self.assertIn(word, ended.stderr)

    def test_another_type_under_one_name(self):
        self.assertEqual(self.run_with("type: dedupe, key: [id]").returncode, 0)
        self.refused(self.run_with("type: count, key: [id]", rows="2,x,y"), "'step'", "dedupe", "count")
        # A type without state does not see what comes meanwhile.
        self.refused(self.run_with('type: filter, when: {id: "3"}', rows="3,x,y"), "operator filter")
        ended = self.run_with("type: dedupe, key: [id]", rows="4,x,y")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(len((self.folder / "out.txt").read_text().splitlines()), 4)

    def test_types_without_state_may_change(self):
        self.assertEqual(self.run_with('type: filter, when: {present: id}').returncode, 0)
        self.assertEqual(self.run_with("type: map, set: {a: z}", rows="2,x,y").returncode, 0)

    def test_other_compared_fields(self):
        compare = "type: compare, key: [id], "
        self.assertEqual(self.run_with(compare + "content: [a, b]").returncode, 0)
        self.assertEqual(self.run_with(compare + "content: [b, a]", rows="1,x,y\n2,x,y").returncode, 0)
        self.refused(self.run_with(compare + "content: [b]"), "content=(a string, b string)", "content_before")
        ended = self.run_with(compare + "content: [b], content_before: [a, b]", rows="1,x,y\n3,x,y")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        outcomes = (self.folder / "out.txt").read_text()
        self.assertNotIn("UPDATED", outcomes)

    def test_another_format_of_a_file(self):
        self.assertEqual(self.run_with("type: map, set: {a: z}").returncode, 0)
        self.refused(self.run_with("type: map, set: {a: z}", "format: csv", "2,x,y"), "format=ndjson", "format=csv")
        before = (self.folder / "out.txt").read_text()
        self.assertEqual(len(before.splitlines()), 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
