#!/usr/bin/env python3
"""Random tables, written by several programs and in several forms, come out of the source as they were put in.

openpyxl, XlsxWriter and xlwt are Debian's; a form whose program is not installed is skipped by a word. Each writer leaves out of its
tables what its form cannot hold: the comment beside it says what.

usage: files_roundtrip_test.py HUILIU [SEED]
"""
import csv
import datetime
import io
import json
import random
import sys
import unittest
from pathlib import Path
from xml.sax.saxutils import escape

sys.path.insert(0, str(Path(__file__).resolve().parent / "files"))
from written import DATE, DATE_TIME, Folder, Raw  # noqa: E402

SEED = 20240530
HEADINGS = ["序号", "名称", "文号", "代码", "数量", "金额", "日期", "时间"]
FIELDS = ("[序号, 名称, 文号, 代码, {name: 数量, type: int64}, {name: 金额, type: float64},"
          " {name: 日期, type: timestamp}, {name: 时间, type: timestamp}]")
CHINA = datetime.timezone(datetime.timedelta(hours=8))
# Some need four bytes in GB18030, some have a backslash or a bar as their second, 𠮷 and 😀 need two units of UTF-16.
LETTERS = "龙岩市新罗区人民政府行政许可处罚决定书〔〕（）、，。；：“”《》丂乗誠許碶𠮷😀é€½"
PLAIN = "abcXYZ 0123456789-_/.:;,'&<>#@!%+=*()[]{}|\\~^`$?"


class Tables:
    """Rows of HEADINGS; None is an empty cell, a number is an int or a float, a moment a date or a datetime."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def text(self, line_breaks):
        kind = self.random.random()
        if kind < 0.1:
            return "0" * self.random.randint(1, 3) + str(self.random.randint(0, 99999))
        if kind < 0.2:
            return str(self.random.randint(10 ** 16, 10 ** 20))
        if kind < 0.25:
            return self.random.choice(["2024-05-30", "1.0E7", "1e5", "TRUE", "null", "=1+1", "-", "0", "100.0", "'5", "NaN", "\\N"])
        text = "".join(self.random.choice(LETTERS if self.random.random() < 0.7 else PLAIN) for _ in range(self.random.randint(1, 30)))
        if self.random.random() < 0.2:
            text = text[:5] + self.random.choice(['"', '""', '","', '"\n"' if line_breaks else '"']) + text[5:]
        if line_breaks and self.random.random() < 0.1:
            text = text[:3] + "\n" + text[3:]
        # Blanks at the ends of a text are left out of XML.
        return text.strip() or "x"

    def real(self):
        return self.random.choice([0.0, 0.1, 2.61, -3.5, 100.0, 20190012.0, 1e10, 0.0001, 123456789.12, round(self.random.uniform(-1e6, 1e6), 2),
                                   float(self.random.randint(0, 10 ** 9))])

    def whole(self):
        return self.random.choice([0, 1, -7, 100, 20190012, 10 ** 10, 2 ** 53, self.random.randint(-10 ** 15, 10 ** 15)])

    def day(self):
        return datetime.date(1905, 1, 1) + datetime.timedelta(days=self.random.randint(0, 71000))

    def moment(self):
        return datetime.datetime.combine(self.day(), datetime.time()) + datetime.timedelta(seconds=self.random.randint(0, 86399))

    def rows(self, count, line_breaks=True):
        made = []
        for number in range(1, count + 1):
            cells = [self.text(line_breaks), self.text(line_breaks), self.text(line_breaks), self.whole(), self.real(), self.day(), self.moment()]
            made.append([str(number)] + [None if self.random.random() < 0.15 else cell for cell in cells])
        return made


def milliseconds(moment):
    if not isinstance(moment, datetime.datetime):
        moment = datetime.datetime.combine(moment, datetime.time())
    return round(moment.replace(tzinfo=CHINA).timestamp() * 1000)


def java(number):
    """As Double.toString() writes it, and Apache POI into cells."""
    number = float(number)
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(number) if "e" not in repr(number) else f"{number:f}"
    digits, exponent = f"{number:.17e}".split("e")
    for precision in range(1, 18):
        short = f"{number:.{precision}e}"
        if float(short) == number:
            digits, exponent = short.split("e")
            break
    digits = digits.rstrip("0")
    return f"{digits + '0' if digits.endswith('.') else digits}E{int(exponent)}"


def serial(moment):
    """Days since the turn of 1900, as workbooks count them."""
    if not isinstance(moment, datetime.datetime):
        moment = datetime.datetime.combine(moment, datetime.time())
    since = moment - datetime.datetime(1899, 12, 30)
    return since.days + since.seconds / 86400


def spoken(cell):
    """A cell as text, as programs print it."""
    if cell is None:
        return ""
    return str(cell) if not isinstance(cell, float) else java(cell)


class RoundTrip(Folder):
    ROWS = 400

    def tables(self, salt, **how):
        return Tables(f"{SEED} {salt}").rows(self.ROWS, **how)

    def assert_read(self, rows, options=""):
        run = self.read(options, fields=FIELDS)
        self.assertEqual(run.refused[:3], [], run.log[-500:])
        self.assertEqual(len(run.rows), len(rows), run.log[-1000:])
        for row, found in zip(rows, run.rows):
            for heading, cell in zip(HEADINGS, row):
                if isinstance(cell, datetime.date):
                    cell = milliseconds(cell)
                self.assertEqual(found.get(heading), cell, f"row {row[0]}, {heading}: {found}")

    def test_openpyxl(self):
        openpyxl = self.program("openpyxl")
        book = openpyxl.Workbook()
        sheet = book.active
        # A text that begins with = would be a formula, and one of an error's name an error: openpyxl must be told.
        rows = self.tables("openpyxl")
        for r, row in enumerate([HEADINGS] + rows, 1):
            for c, value in enumerate(row, 1):
                cell = sheet.cell(row=r, column=c, value=None if isinstance(value, str) else value)
                if isinstance(value, str):
                    cell.value, cell.data_type = value, "s"
        book.save(self.folder / "in" / "a.xlsx")
        self.assert_read(rows)

    def xlsxwriter_book(self, rows, **options):
        xlsxwriter = self.program("xlsxwriter")
        book = xlsxwriter.Workbook(str(self.folder / "in" / "a.xlsx"), dict(options))
        sheet = book.add_worksheet("数据")
        date, moment = book.add_format({"num_format": "yyyy/m/d"}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for c, heading in enumerate(HEADINGS):
            sheet.write_string(0, c, heading)
        for r, row in enumerate(rows, 1):
            for c, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(r, c, value)
                elif isinstance(value, datetime.datetime):
                    sheet.write_datetime(r, c, value, moment)
                elif isinstance(value, datetime.date):
                    sheet.write_datetime(r, c, value, date)
                elif value is not None:
                    sheet.write_number(r, c, value)
        book.close()

    def test_xlsxwriter_with_shared_texts(self):
        rows = self.tables("shared")
        self.xlsxwriter_book(rows)
        self.assert_read(rows)

    def test_xlsxwriter_with_texts_in_cells_and_the_other_system_of_dates(self):
        rows = self.tables("inline")
        self.xlsxwriter_book(rows, constant_memory=True, date_1904=True)
        self.assert_read(rows)

    def test_xlwt(self):
        xlwt = self.program("xlwt")
        rows = self.tables("xlwt")
        book = xlwt.Workbook(encoding="utf-8")
        sheet = book.add_sheet("数据")
        date, moment = xlwt.easyxf(num_format_str="yyyy/m/d"), xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm:ss")
        for c, heading in enumerate(HEADINGS):
            sheet.write(0, c, heading)
        for r, row in enumerate(rows, 1):
            for c, value in enumerate(row):
                if value is not None:
                    sheet.write(r, c, value, moment if isinstance(value, datetime.datetime) else date if isinstance(value, datetime.date)
                                else xlwt.Style.default_style)
        book.save(str(self.folder / "in" / "a.xls"))
        self.assert_read(rows)

    def test_numbers_as_java_writes_them_into_workbooks(self):
        rows = self.tables("poi")

        def cell(value):
            if isinstance(value, datetime.datetime):
                return Raw(java(serial(value))), DATE_TIME
            if isinstance(value, datetime.date):
                return Raw(java(serial(value))), DATE
            return Raw(java(value)) if isinstance(value, (int, float)) else value
        self.book("a.xlsx", [HEADINGS] + [[cell(value) for value in row] for row in rows])
        self.assert_read(rows)

    def csv_text(self, rows, quoting=csv.QUOTE_ALL, **how):
        text = io.StringIO()
        writer = csv.writer(text, quoting=quoting, lineterminator="\r\n", **how)
        writer.writerows([HEADINGS] + [[spoken(cell) for cell in row] for row in rows])
        return text.getvalue()

    def test_csv_in_every_encoding(self):
        # A CR within a cell is a line end in some of them, so no text has one.
        for name, encoding in (("utf-8", "utf-8"), ("mark", "utf-8-sig"), ("gb", "gb18030"), ("wide", "utf-16")):
            with self.subTest(name):
                self.setUp()
                rows = self.tables(name)
                self.write("a.csv", self.csv_text(rows).encode(encoding))
                self.assert_read(rows)

    def test_csv_with_as_few_quotes_as_can_be_and_other_delimiters(self):
        for name, delimiter in (("comma", ","), ("semicolon", ";"), ("tab", "\t"), ("bar", "|")):
            with self.subTest(name):
                self.setUp()
                rows = self.tables(name)
                self.write("a.csv", self.csv_text(rows, csv.QUOTE_MINIMAL, delimiter=delimiter))
                self.assert_read(rows)

    def test_xml(self):
        for encoding in ("utf-8", "gb18030", "utf-16"):
            with self.subTest(encoding):
                self.setUp()
                rows = self.tables("xml " + encoding)
                text = f'<?xml version="1.0" encoding="{encoding}"?>\r\n<ROWDATA>\r\n' + "".join(
                    "<ROW>" + "".join(f"<{heading}>{escape(spoken(cell))}</{heading}>" for heading, cell in zip(HEADINGS, row)) + "</ROW>\r\n"
                    for row in rows) + "</ROWDATA>\r\n"
                self.write("a.xml", text.encode(encoding))
                self.assert_read(rows)

    def json_rows(self, rows):
        return [{heading: spoken(cell) if isinstance(cell, datetime.date) else cell for heading, cell in zip(HEADINGS, row)
                 if cell is not None or len(heading) % 2 == 0} for row in rows]

    def test_json(self):
        forms = {"lines.ndjson": lambda rows: "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows),
                 "escaped.ndjson": lambda rows: "".join(json.dumps(row) + "\r\n" for row in rows),
                 "array.json": lambda rows: json.dumps(rows, ensure_ascii=False),
                 "printed.json": lambda rows: json.dumps(rows, ensure_ascii=False, indent=2)}
        for name, form in forms.items():
            for encoding in ("utf-8-sig", "gb18030", "utf-16"):
                with self.subTest(name + " " + encoding):
                    self.setUp()
                    rows = self.tables(name + encoding)
                    self.write(name, form(self.json_rows(rows)).encode(encoding))
                    self.assert_read(rows)

    def program(self, name):
        try:
            return __import__(name)
        except ImportError:
            self.skipTest(f"{name} is not installed (scripts/setup tests)")


if __name__ == "__main__":
    Folder.HUILIU = str(Path(sys.argv[1]).resolve())
    SEED = sys.argv[2] if len(sys.argv) > 2 else SEED
    unittest.main(argv=sys.argv[:1], verbosity=2)
