"""Files as other programs write them, and the engine run over them. For files_test.py and files_roundtrip_test.py."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
# Cell formats of `workbook`: the number is the cell's style.
PLAIN, DATE, DATE_TIME, TIME, DURATION = range(5)
STYLES = f"""<styleSheet xmlns="{MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/>
<numFmt numFmtId="165" formatCode="[h]:mm:ss"/></numFmts><fonts count="1"><font/></fonts>
<fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1"><border/></borders>
<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="5"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/>
<xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="21" applyNumberFormat="1"/><xf numFmtId="165" applyNumberFormat="1"/>
</cellXfs></styleSheet>"""


class Raw(str):
    """A cell's number as it stands in the file: Raw("2.0190012E7")."""


class Formula(str):
    """A formula without a stored result."""


def cell_xml(place, value):
    style = ""
    if isinstance(value, tuple):
        value, number = value
        style = f' s="{number}"'
    if isinstance(value, Formula):
        return f'<c r="{place}"{style}><f>{escape(value)}</f><v/></c>'
    if isinstance(value, (Raw, int, float)):
        return f'<c r="{place}"{style}><v>{value}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def letters(column):
    return (letters(column // 26 - 1) if column >= 26 else "") + chr(65 + column % 26)


def sheet_xml(rows, lower=False):
    def place(row, column):
        return letters(column).lower() + str(row) if lower else letters(column) + str(row)
    lines = "".join(f'<row r="{r}">' + "".join(cell_xml(place(r, c), value) for c, value in enumerate(row)
                                               if value not in ("", None)) + "</row>" for r, row in enumerate(rows, 1))
    return f'<?xml version="1.0"?><worksheet xmlns="{MAIN}"><sheetData>{lines}</sheetData></worksheet>'


def workbook(path, sheets, hidden=(), charts=(), lower=False):
    """Sheet name -> rows of texts, Raw, Formula, or pairs of one and a style; a chart has no rows."""
    if not isinstance(sheets, dict):
        sheets = {"s": sheets}
    parts, listed, relations = [], [], []
    for number, (name, rows) in enumerate(sheets.items(), 1):
        kind = "chartsheet" if name in charts else "worksheet"
        state = ' state="hidden"' if name in hidden else ""
        listed.append(f'<sheet name={quoteattr(name)} sheetId="{number}"{state} r:id="r{number}"/>')
        relations.append(f'<Relationship Id="r{number}" Type="{RELATION}/{kind}" Target="{kind}s/sheet{number}.xml"/>')
        parts.append((f"xl/{kind}s/sheet{number}.xml", sheet_xml(rows, lower) if kind == "worksheet" else f'<chartsheet xmlns="{MAIN}"/>'))
    package = "http://schemas.openxmlformats.org/package/2006"
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("[Content_Types].xml", f'<Types xmlns="{package}/content-types">'
                      '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                      f'<Default Extension="xml" ContentType="{kinds}.worksheet+xml"/>'
                      f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/></Types>')
        file.writestr("_rels/.rels", f'<Relationships xmlns="{package}/relationships">'
                      f'<Relationship Id="r1" Type="{RELATION}/officeDocument" Target="xl/workbook.xml"/></Relationships>')
        file.writestr("xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{RELATION}"><workbookPr/><sheets>{"".join(listed)}</sheets></workbook>')
        file.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}/relationships">{"".join(relations)}'
                      f'<Relationship Id="s" Type="{RELATION}/styles" Target="styles.xml"/></Relationships>')
        file.writestr("xl/styles.xml", STYLES)
        for name, xml in parts:
            file.writestr(name, xml)


class Run:
    """What a run left: rows and refused rows, its log and its exit code."""

    def __init__(self, folder, ended):
        self.log = ended.stdout + ended.stderr
        self.code = ended.returncode
        self.rows = read_lines(folder / "out" / "rows.ndjson")
        self.refused = read_lines(folder / "out" / "refused.ndjson")

    def column(self, name):
        return [row.get(name) for row in self.rows]

    def codes(self):
        return [(row["source_file"], row["source_row"], row["reject_code"]) for row in self.refused]


def read_lines(path):
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="\n") as lines:
        return [json.loads(line) for line in lines]


class Folder(unittest.TestCase):
    """A folder `in` that is read to rows.ndjson and refused.ndjson."""
    HUILIU = None  # set by the main program
    FIELDS = "[id, name, {name: amount, type: float64}, {name: n, type: int64}, {name: ts, type: timestamp}, day, code]"

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="huiliu-files-"))
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "in").mkdir()

    def write(self, name, content):
        path = self.folder / "in" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def book(self, name, sheets, **how):
        workbook(self.folder / "in" / name, sheets, **how)

    def topology(self, options="", fields=None, middle="", rows="in", refused="in.rejects"):
        """Files to rows; `middle` adds operators, `rows` and `refused` say of what the two outputs are."""
        path = self.folder / "t.yaml"
        path.write_text(f"""
topology: files
epoch: 20ms
parallelism: 2
state: {{path: state}}
sources:
  in: {{type: file, path: in, fields: {fields or self.FIELDS}{", " + options if options else ""}}}
operators:
{middle}
  located: {{type: origin, input: {rows}}}
  unreadable: {{type: origin, input: {refused}}}
sinks:
  rows: {{type: file, input: located, path: out/rows.ndjson}}
  refused: {{type: file, input: unreadable, path: out/refused.ndjson}}
""", encoding="utf-8")
        return path

    def run_topology(self, path, timeout=120, **env):
        ended = subprocess.run([self.HUILIU, "run", str(path)], env=dict(os.environ, **env), cwd=self.folder, capture_output=True,
                               text=True, timeout=timeout)
        return Run(self.folder, ended)

    def read(self, *options, **how):
        return self.run_topology(self.topology(*options, **how))
