#!/usr/bin/env python3
"""What goes back can come in again: workbooks of refused rows have the columns of the file, are written while a
topology watches and whenever it is killed, and are accepted once they are mended.

usage: returned_test.py HUILIU [KILLS]
"""
import csv
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
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

HUILIU = str(Path(sys.argv[1]).resolve())
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 6
CREDIT = Path(__file__).resolve().parent.parent / "topologies" / "credit"
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
STEPS = ["workbook.before_rename:1", "workbook.after_rename:1", "workbook.before_rename:3", "epoch.prepared:2",
         "epoch.committed:2", "file.after_sync:2"]

WATCHING = """
topology: watching
epoch: 5ms
parallelism: 2
rejects: returned
sources:
  lines: {type: file, path: in, watch: true, poll: 10ms, fields: [name, {name: amount, type: int64}]}
operators:
  located: {type: origin, input: lines}
  unreadable: {type: origin, input: lines.rejects}
  check:
    type: validate
    input: located
    rules: {version: "1", rules: [{id: name, check: required, field: name}]}
sinks:
  good: {type: file, input: check, path: out/good.csv, format: csv}
  returned:
    type: workbook
    input: [unreadable, check.rejects]
    path: "out/returned-{}.xlsx"
    split_by: source_file
    originals: lines
    every: EVERY
"""


def texts(node):
    return "".join(text.text or "" for text in node.iter(SHEET + "t"))


def sheet(path, number=1):
    """A sheet's rows: maps of column letters to texts."""
    with zipfile.ZipFile(path) as package:
        root = ElementTree.fromstring(package.read(f"xl/worksheets/sheet{number}.xml"))
    return [{re.match("[A-Z]+", cell.get("r")).group(): texts(cell) for cell in row.findall(SHEET + "c")}
            for row in root.iter(SHEET + "row")]


def by_heading(path):
    headings, *rows = sheet(path)
    return [{headings[column]: text for column, text in row.items()} for row in rows]


def comments(path):
    with zipfile.ZipFile(path) as package:
        root = ElementTree.fromstring(package.read("xl/comments1.xml"))
    return {comment.get("ref"): texts(comment) for comment in root.iter(SHEET + "comment")}


def write_workbook(path, rows):
    """A workbook with texts, as another program than ours writes it."""
    def letters(at):
        return (chr(64 + at // 26) if at >= 26 else "") + chr(65 + at % 26)
    lines = "".join(f'<row r="{r}">' + "".join(
        f'<c r="{letters(c)}{r}" t="inlineStr"><is><t>{escape(text)}</t></is></c>'
        for c, text in enumerate(row) if text) + "</row>" for r, row in enumerate(rows, 1))
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("[Content_Types].xml", '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
                         '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                         f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>'
                         f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kinds}.worksheet+xml"/></Types>')
        package.writestr("_rels/.rels", '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
                         f'<Relationship Id="r1" Type="{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>')
        package.writestr("xl/workbook.xml", f'<workbook xmlns="{SHEET[1:-1]}" xmlns:r="{relation}"><sheets>'
                         '<sheet name="退回数据" sheetId="1" r:id="r1"/></sheets></workbook>')
        package.writestr("xl/_rels/workbook.xml.rels",
                         '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
                         f'<Relationship Id="r1" Type="{relation}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>')
        package.writestr("xl/worksheets/sheet1.xml", f'<worksheet xmlns="{SHEET[1:-1]}"><sheetData>{lines}</sheetData></worksheet>')


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="huiliu-returned-"))
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "in").mkdir()

    def wait(self, what, process=None):
        until = time.monotonic() + 60
        while not what():
            self.assertLess(time.monotonic(), until, "not in a minute")
            if process is not None:
                self.assertIsNone(process.poll(), "the process has ended")
            time.sleep(0.01)


class SentAgain(Folder):
    """The credit topology."""

    PERSON = "350823191003058965"  # of the sample

    def run_credit(self):
        env = dict(os.environ, INPUT=str(self.folder / "in"), OUTPUT=str(self.folder / "out"), STATE=str(self.folder / "state"))
        ended = subprocess.run([HUILIU, "run", str(CREDIT / "topology.yaml")], env=env, capture_output=True, text=True, timeout=120)
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)

    def outcomes(self, file):
        with open(self.folder / "out" / "outcomes.csv", encoding="utf-8-sig", newline="") as lines:
            return sorted(row["outcome"] for row in csv.DictReader(lines) if row["source_file"] == file)

    def rejects(self, file):
        with sqlite3.connect(self.folder / "out" / "credit.sqlite") as database:
            return database.execute("select source_row, reject_code, reject_message_zh from problems where source_file = ?", (file,)).fetchall()

    def send(self):
        """One good row, and three that are refused: by a rule, by two, and by the decoder."""
        with open(CREDIT / "sample" / "03_jtys_licence_2018.csv", encoding="utf-8-sig", newline="") as lines:
            headings, good = list(csv.reader(lines))[:2]
        at = headings.index
        self.assertEqual(good[at("XK_FR_ZJHM")], self.PERSON)
        rows = [good[:] for _ in range(4)]
        for number, row in enumerate(rows):
            row[at("XK_WSH")] = f"岩交许字〔2022〕{790 + number}号"
            row.insert(1, f"内部号 {number}")  # a column of the department's own
        rows[1][at("XK_XKJG") + 1] = ""
        rows[2][at("XK_NR") + 1] = f"=1+1 {self.PERSON}"
        rows[2][at("XK_JDRQ") + 1] = "2022/13/45"
        rows[2][at("XK_XDR_SHXYM") + 1] = "91350822MAQDP9G09X"
        headings.insert(1, "本单位编号")
        with open(self.folder / "in" / "06_jtys_licence_2018.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([headings] + rows)
            # A quote within a cell: the decoder refuses the row.
            file.write(",".join(rows[3]).replace("793", "799").replace("内部号 3", '内部"号') + "\r\n")
        return headings, rows

    def test_mended_rows_are_accepted(self):
        headings, rows = self.send()
        self.run_credit()
        self.assertEqual(self.outcomes("06_jtys_licence_2018.csv"), ["ACCEPTED", "ACCEPTED"])
        path = self.folder / "out" / "returned-06_jtys_licence_2018.csv.xlsx"
        found = sheet(path)
        self.assertEqual(list(found[0].values()), headings + ["退回原因", "来源"])
        back = by_heading(path)
        self.assertEqual([row["本单位编号"] for row in back], ["内部号 1", "内部号 2", '内部"号'])
        # Cells are as sent, but for people's numbers.
        self.assertEqual(back[1]["XK_NR"], "=1+1 350823********8965")
        self.assertEqual({row["XK_FR_ZJHM"] for row in back}, {"350823********8965"})
        self.assertNotIn(self.PERSON, str(found))
        for heading, code in (("XK_JDRQ", "E205"), ("XK_XDR_SHXYM", "E202")):
            self.assertRegex(back[1]["退回原因"], f"{heading}：[^；]*\\[{code}")
        self.assertIn("E802", back[2]["退回原因"])
        notes = comments(path)
        place = {heading: column for column, heading in found[0].items()}
        self.assertIn("E101", notes[place["XK_XKJG"] + "2"])
        self.assertIn("E205", notes[place["XK_JDRQ"] + "3"])
        self.assertIn("E202", notes[place["XK_XDR_SHXYM"] + "3"])
        self.assertEqual(notes[place["XK_FR_ZJHM"] + "4"], "该号码已脱敏，重报时请填写完整")
        # Mended, with all that we have added to it and a line of explanation.
        back[0]["XK_XKJG"] = rows[0][headings.index("XK_XKJG")]
        back[1].update({"XK_JDRQ": "2022/04/18", "XK_XDR_SHXYM": "91350822MAQDP9G09L"})
        back[2]["本单位编号"] = "内部号"
        order = list(found[0].values())
        for row in back:
            row["XK_FR_ZJHM"] = self.PERSON
        write_workbook(self.folder / "in" / path.name, [order, ["填写说明：请勿改动表头"]] +
                       [[row.get(heading, "") for heading in order] for row in back])
        self.run_credit()
        self.assertEqual(self.rejects(path.name), [])
        self.assertEqual(self.outcomes(path.name), ["ACCEPTED"] * 3)

    def test_a_row_sent_back_twice_has_one_reason(self):
        self.send()
        self.run_credit()
        path = self.folder / "out" / "returned-06_jtys_licence_2018.csv.xlsx"
        shutil.copy(path, self.folder / "in" / "06_jtys_licence_again.xlsx")
        self.run_credit()
        again = sheet(self.folder / "out" / "returned-06_jtys_licence_again.xlsx")
        self.assertEqual(list(again[0].values()), list(sheet(path)[0].values()))
        self.assertEqual([row["退回原因"] for row in by_heading(self.folder / "out" / "returned-06_jtys_licence_again.xlsx")],
                         [row["退回原因"] for row in by_heading(path)][:2])
        # What only CSV could not say is well in a workbook. The representative's masked number is left out with a warning.
        self.assertEqual(self.outcomes("06_jtys_licence_again.xlsx"), ["ACCEPTED"])
        notices = self.folder / "out" / "notices-06_jtys_licence_again.xlsx"
        self.assertIn("法定代表人证件号码", by_heading(notices)[0]["提示"])


    def test_a_persons_masked_number_is_to_be_filled_in(self):
        with open(CREDIT / "sample" / "03_jtys_licence_2018.csv", encoding="utf-8-sig", newline="") as lines:
            headings, _, person = list(csv.reader(lines))[:3]
        number, document = person[headings.index("XK_XDR_ZJHM")], person[headings.index("XK_WSH")]
        person[headings.index("XK_WSH")] = ""
        with open(self.folder / "in" / "06_jtys_licence_2018.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([headings, person])
        self.run_credit()
        path = self.folder / "out" / "returned-06_jtys_licence_2018.csv.xlsx"
        order, row = list(sheet(path)[0].values()), by_heading(path)[0]
        self.assertNotIn(number, row.values())
        row["XK_WSH"] = document
        write_workbook(self.folder / "in" / "07_jtys_licence_masked.xlsx", [order, [row.get(heading, "") for heading in order]])
        row["XK_XDR_ZJHM"] = number
        write_workbook(self.folder / "in" / "08_jtys_licence_mended.xlsx", [order, [row.get(heading, "") for heading in order]])
        self.run_credit()
        self.assertEqual([code for _, code, _ in self.rejects("07_jtys_licence_masked.xlsx")], ["E204_CHARSET"])
        self.assertEqual(self.outcomes("08_jtys_licence_mended.xlsx"), ["ACCEPTED"])


class Watching(Folder):
    def start(self, every="20ms", crash=None):
        (self.folder / "t.yaml").write_text(WATCHING.replace("EVERY", every))
        env = dict(os.environ, **({"HUILIU_CRASH_AT": crash} if crash else {}))
        process = subprocess.Popen([HUILIU, "run", str(self.folder / "t.yaml")], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def send(self, name, rows):
        part = self.folder / (name + ".part")
        part.write_text("name,amount,remark\n" + "".join(f"{row}\n" for row in rows))
        part.rename(self.folder / "in" / name)

    def returned(self, name):
        path = self.folder / "out" / f"returned-{name}.xlsx"
        return [(row.get("remark"), row["来源"]) for row in by_heading(path)] if path.exists() else []

    def all_there(self, files):
        return all(self.returned(name) == [(f"{name} {row}", f"{name}:{row}") for row in (1, 2)] for name in files)

    def send_numbered(self, number):
        name = f"{number}.csv"
        self.send(name, [f",{number},{name} 1", f"x,y,{name} 2", f"x,{number},good"])
        return name

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=60), 130)

    def test_only_workbooks_with_new_rows_are_written(self):
        process = self.start()
        first = self.send_numbered(1)
        self.wait(lambda: self.all_there([first]), process)
        inode = os.stat(self.folder / "out" / "returned-1.csv.xlsx").st_ino
        second = self.send_numbered(2)
        self.wait(lambda: self.all_there([first, second]), process)
        self.assertEqual(os.stat(self.folder / "out" / "returned-1.csv.xlsx").st_ino, inode)
        self.stop(process)

    def test_a_stop_writes_what_is_not_due_yet(self):
        process = self.start(every="1h")
        first = self.send_numbered(1)
        spool = self.folder / "out" / ".returned.rows"
        self.wait(lambda: spool.exists() and spool.stat().st_size > 0, process)
        self.assertEqual(self.returned(first), [])
        self.stop(process)
        self.assertTrue(self.all_there([first]))

    def test_a_kill_loses_nothing(self):
        files = [self.send_numbered(0)]
        crashes = STEPS + [None] * KILLS
        for number, crash in enumerate(crashes, 1):
            process = self.start(crash=crash)
            if crash is None:
                files.append(self.send_numbered(number))
                time.sleep(random.uniform(0, 0.2))  # the moment of the kill
                process.kill()
            else:
                self.feed(process, number, files)
            self.assertEqual(process.wait(timeout=60), -signal.SIGKILL)
        process = self.start()
        files.append(self.send_numbered(len(crashes) + 1))
        self.wait(lambda: self.all_there(files), process)
        self.stop(process)
        self.assertTrue(self.all_there(files))
        self.assertEqual([path.name for path in (self.folder / "out").glob(".*.part")], [])

    def feed(self, process, number, files):
        """New files until the process has come to the step at which it dies."""
        for more in range(1000):
            if process.poll() is not None:
                return
            if more < 20:
                files.append(self.send_numbered(number * 1000 + more))
            time.sleep(0.03)
        self.fail("the step was not reached")

    def test_a_file_that_is_gone_leaves_the_known_columns(self):
        process = self.start(every="1h")
        self.send("a.xlsx", [",1,gone"])
        spool = self.folder / "out" / ".returned.rows"
        self.wait(lambda: spool.exists() and spool.stat().st_size > 0, process)
        (self.folder / "in" / "a.xlsx").unlink()
        self.stop(process)
        row, = by_heading(self.folder / "out" / "returned-a.xlsx")
        self.assertEqual(row["来源"], "a.xlsx:1")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
