#!/usr/bin/env python3
"""Files as departments really send them: each kind is read, or refused once with a reason. One method a kind.

What unit tests hold is not repeated: a file that is gone before its turn, folders without rights (file_folder_test), NUL and open
quotes behind the first block, delimiters that are none, passwords and old or cut workbooks (file_source_test), outputs within the
input (read_folders_test), sums and windows beyond their bounds (count_test, window_count_test); nor what went back (returned_test).

usage: files_test.py HUILIU
"""
import csv
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "files"))
from written import DATE, DATE_TIME, DURATION, TIME, Folder, Formula, Raw, read_lines  # noqa: E402

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
CREDIT = ROOT / "topologies" / "credit"
MOMENT = 1692945000000  # 2023-08-25 14:30 in China


class Text(Folder):
    def test_carriage_returns_alone_end_lines(self):
        self.write("a.csv", "id,name,amount\ra,x,1\rb,y,2\rc,z,3\r")
        run = self.read()
        self.assertEqual(run.column("id"), ["a", "b", "c"])
        self.assertEqual((run.column("source_row"), run.column("amount"), run.code), ([1, 2, 3], [1, 2, 3], 0))

    def test_the_same_bytes_under_another_mapping_are_read(self):
        for name in ("A_x.csv", "B_x.csv"):
            self.write(name, "id,name\n1,x\n")
        run = self.read("mappings: [{match: 'a_*', set: {code: A}}, {match: 'B_*', set: {code: B}}]")
        self.assertEqual(run.column("code"), ["A", "B"])

    def test_a_file_that_grew_is_read_on(self):
        self.write("a.csv", "id,name,amount\n1,x,100\n2,y,2\n")
        topology = self.topology()
        self.assertEqual(self.run_topology(topology).column("id"), ["1", "2"])
        with open(self.folder / "in" / "a.csv", "a") as file:
            file.write("3,x,300\n")
        run = self.run_topology(topology)
        self.assertEqual(run.column("id"), ["1", "2", "3"])

    def test_headings_with_marks_are_known(self):
        self.write("a.csv", "*id,*name,*amount\na,x,1\n")
        self.write("b.csv", '\u200bid,name\u00a0,amount\u3000,"co\nde",day\nb,y,2,C,2020-01-01\n')
        self.book("c.xlsx", [["*id", " name ", "amount\u200b"], ["c", "z", 3]])
        self.book("d.xlsx", [["\ufeffid", "ｎａｍｅ", "amo\nunt"], ["d", "w", 4]])
        run = self.read()
        self.assertEqual([(row["id"], row["name"], row["amount"]) for row in run.rows],
                         [("a", "x", 1), ("b", "y", 2), ("c", "z", 3), ("d", "w", 4)])
        self.assertEqual(run.rows[1]["code"], "C")

    def test_a_nul_refuses_its_row_only(self):
        self.write("a.csv", b"id,name\na,x\nb,y\0\nc,z\n")
        self.write("b.ndjson", b'{"id":"d"}\n{"id":"e\0"}\n{"id":"f"}\n')
        run = self.read()
        self.assertEqual(run.column("id"), ["a", "c", "d", "f"])
        self.assertEqual(run.codes(), [("a.csv", 2, "E803_BAD_ENCODING"), ("b.ndjson", 2, "E803_BAD_ENCODING")])

    def test_byte_order_marks_are_no_part_of_a_value(self):
        self.write("a.csv", "\ufeffid,name\r\na,x\r\n\ufeffid,name\r\nb,y\r\n")
        self.write("b.ndjson", '\ufeff{"id":"c"}\n\ufeff{"id":"d"}\n')
        self.write("c.csv", "\ufeff\ufeffid,name\r\ne,z\r\n")
        run = self.read()
        self.assertEqual(run.column("id"), ["a", "b", "c", "d", "e"])
        self.assertEqual(run.refused, [])

    def test_rows_of_delimiters_are_no_rows(self):
        self.write("a.csv", "id,name,amount\r\na,x,1\r\n,,\r\n,,\r\n")
        run = self.read()
        self.assertEqual((run.column("id"), run.refused), (["a"], []))

    def test_a_quote_that_is_not_closed_refuses_its_row_only(self):
        self.write("a.csv", 'id,name\na,x\nb,"y\nc,z\nd,w\n')
        run = self.read()
        self.assertEqual(run.column("id"), ["a", "c", "d"])
        self.assertEqual(run.codes(), [("a.csv", 2, "E802_BAD_CSV")])
        self.assertIn("not closed", run.refused[0]["reject_message_en"])

    def test_another_delimiter_is_found_where_none_is_set(self):
        self.write("a.csv", "id;name;amount\na;x, y;1\n")
        self.write("b.txt", "id\tname\tamount\nb\tx\t2\n")
        self.write("c.csv", "id|name\nc|x\n")
        run = self.read()
        self.assertEqual([row["id"] + row["name"] for row in run.rows], ["ax, y", "bx", "cx"])
        self.assertIn("a.csv: its cells are separated by ';'", run.log)

    def test_another_delimiter_than_the_declared_one_is_named(self):
        self.write("a.csv", "id;name;amount\na;x;1\n")
        run = self.read("delimiter: ','")
        self.assertEqual(run.codes(), [("a.csv", 1, "E805_BAD_FILE")])
        self.assertIn("separated by ';'", run.refused[0]["reject_value"])

    def test_utf_16_is_read(self):
        self.write("a.csv", "id,name\r\na,龙岩\r\n".encode("utf-16"))
        self.write("b.ndjson", '{"id":"b"}\n'.encode("utf-16"))
        run = self.read()
        self.assertEqual([row["id"] + str(row.get("name")) for row in run.rows], ["a龙岩", "bNone"])

    def test_empty_files_have_no_rows(self):
        for name, content in {"a.csv": "", "b.csv": "id,name\n", "c.csv": "\ufeff", "d.ndjson": "", "e.ndjson": "\n\n", "f.csv": "\n\n\n",
                              "g.csv": "id,name", "h.csv": "id,name\n\n", "i.xlsx": ""}.items():
            self.write(name, content)
        run = self.read()
        self.assertEqual((run.rows, run.refused, run.code), ([], [], 0))
        for name in ("a.csv", "d.ndjson", "i.xlsx"):
            self.assertIn(f"{name}: the file is empty", run.log)

    def test_json_arrays_are_read_and_deep_nesting_is_refused(self):
        self.write("a.json", '[\n {\n  "id": "a"\n },\n {\n  "id": "b"\n }\n]')
        self.write("b.json", '[{"id":"c"},{"id":"d"}]')
        self.write("c.ndjson", '{"id":"e"}\n{"id":"f","x":' + "[" * 100_000 + "]" * 100_000 + '}\n{"id":"g"}\n')
        run = self.read()
        self.assertEqual(run.column("id"), ["a", "b", "c", "d", "e", "g"])
        self.assertEqual(run.codes(), [("c.ndjson", 2, "E801_BAD_JSON")])

    def test_numbers_beyond_a_double_are_refused_in_json_and_csv_alike(self):
        self.write("a.ndjson", "".join(f'{{"id":"a","{field}":{number}}}\n' for field, number in (
            ("amount", "1e400"), ("amount", "-1e999"), ("amount", "1e-400"), ("n", "9223372036854775808"), ("n", "1.5"))))
        self.write("b.csv", "id,amount\nb,1e400\nb,1e-400\n")
        self.write("c.ndjson", '{"id":"c","n":1.0E7}\n{"id":"d","n":100.0,"amount":123456789012345678901234567890}\n')
        run = self.read()
        self.assertEqual(run.column("n"), [10_000_000, 100])
        self.assertEqual([code for _, _, code in run.codes()], ["E201_FORMAT"] * 7)

    def test_scripts_refuse_whole_numbers_they_would_round(self):
        self.write("a.ndjson", '{"id":"a","n":9007199254740993}\n{"id":"b","n":42}\n')
        self.write("b.ndjson", '{"id":"c","n":350823189619410}\n')
        middle = """  m: {type: map, input: in, derive: {copy: {expression: n, type: int64}, code: '"no " .. n'}}"""
        run = self.run_topology(self.topology(middle=middle, rows="m", refused="[in.rejects, m.rejects]"))
        self.assertEqual([(row["id"], row["copy"], row["code"]) for row in run.rows], [("b", 42, "no 42")])
        self.assertEqual([(row["id"], row["reject_code"]) for row in run.refused], [("a", "E901_SCRIPT"), ("c", "E901_SCRIPT")])

    def test_web_pages_are_named(self):
        self.write("a.xls", "<html><body><table>\n<tr><td>id</td></tr>\n</table></body></html>\n")
        run = self.read()
        self.assertEqual(run.codes(), [("a.xls", 1, "E805_BAD_FILE")])
        self.assertIn("web page (HTML)", run.refused[0]["reject_message_en"])
        self.assertIn("网页", run.refused[0]["reject_message_zh"])

    def test_links_are_read_once_and_what_is_left_out_is_said(self):
        self.write("a.ndjson", '{"id":"a"}\n')
        (self.folder / "other").mkdir()
        (self.folder / "other" / "b.ndjson").write_text('{"id":"b"}\n')
        into = self.folder / "in"
        (into / "linked").symlink_to("../other")
        (into / "again.ndjson").symlink_to("a.ndjson")
        (into / "loop").symlink_to(".")
        (into / "selfie.ndjson").symlink_to("selfie.ndjson")
        (into / "dangling.ndjson").symlink_to("nowhere")
        os.mkfifo(into / "pipe.ndjson")
        run = self.read()
        self.assertEqual(run.column("id"), ["a", "b"])
        self.assertEqual([row["source_file"] for row in run.refused], ["dangling.ndjson", "pipe.ndjson", "selfie.ndjson"])
        self.assertEqual(run.code, 4)
        for reason in ("leads to nothing", "a pipe", "leads to itself"):
            self.assertIn(reason, run.log)

    def test_names_are_compared_without_case(self):
        self.write("A.CSV", "id,name\na,x\n")
        self.write("B.Ndjson", '{"id":"b"}\n')
        self.book("C.XLSX", [["id", "name"], ["c", "x"]])
        run = self.read("pattern: ['*.csv', '*.ndjson', '*.xlsx']")
        self.assertEqual(run.column("id"), ["a", "b", "c"])

    def test_xml_without_a_required_element_is_refused_once(self):
        self.write("a.xml", "<ROWDATA><ROW><id>1</id></ROW><ROW><id>2</id></ROW></ROWDATA>")
        self.write("b.xml", "<ROWDATA><ROW><id>3</id></ROW><ROW><id>4</id><name/></ROW></ROWDATA>")
        run = self.read(fields="[id, {name: name, required_column: true}]")
        self.assertEqual((run.column("id"), run.codes()), (["3", "4"], [("a.xml", 1, "E805_BAD_FILE")]))
        self.assertIn("required columns are missing: name", run.refused[0]["reject_value"])


class Workbooks(Folder):
    def test_numbers_of_java_are_read_as_a_person_sees_them(self):
        self.book("a.xlsx", [["id", "name", "amount", "n", "day"], [Raw("1.0"), Raw("2.0190012E7"), Raw("1.0E7"), Raw("100.0"), Raw("2.0170305E7")],
                             ["b", "x", Raw("100.0"), Raw("1.0E7"), "2017-03-05"], ["c", "x", Raw("1E2"), 42, "2017-03-05"]])
        run = self.read()
        self.assertEqual([(row["id"], row["name"], row["amount"], row["n"], row["day"]) for row in run.rows],
                         [("1", "20190012", 1e7, 100, "20170305"), ("b", "x", 100, 10_000_000, "2017-03-05"), ("c", "x", 100, 42, "2017-03-05")])

    def test_times_of_day_are_kept(self):
        self.book("a.xlsx", [["id", "ts", "day"], ["a", (Raw("45163.604166666664"), DATE_TIME), (Raw("45163.60416666666"), DATE_TIME)],
                             ["b", (Raw("45163.0"), DATE), (Raw("0.604166666666667"), TIME)], ["c", "2023-08-25 14:30:00", (Raw("1.5"), DURATION)],
                             ["d", (Raw("45163"), DATE_TIME), (45163, DATE)]])
        run = self.read()
        self.assertEqual(run.column("ts"), [MOMENT, MOMENT - 52_200_000, MOMENT, MOMENT - 52_200_000])
        self.assertEqual(run.column("day")[:3], ["2023-08-25 14:30:00", "14:30:00", "36:00:00"])

    def test_visible_sheets_are_read_and_what_is_left_out_is_said(self):
        head = ["id", "name"]
        self.book("a.xlsx", {"旧": [head, ["OLD", "x"]], "数据": [head, ["NEW", "x"]]}, hidden=["旧"])
        self.book("b.xlsx", {"一月": [head, ["J", "x"]], "二月": [head, ["F", "x"], ["F2", "x"]]})
        self.book("c.xlsx", {"图": [], "数据": [head, ["C", "x"]]}, charts=["图"])
        run = self.read()
        self.assertEqual(run.column("id"), ["NEW", "J", "F", "F2", "C"])
        self.assertIn("a.xlsx: hidden sheets are not read: 旧", run.log)

    def test_two_rows_of_headings_are_one(self):
        self.book("a.xlsx", [["信用信息采集表"], ["id", "证件", "", "amount"], ["", "name", "code"], ["a", "x", "C1", 5]])
        run = self.read()
        self.assertEqual([(row["id"], row["name"], row["code"], row["amount"]) for row in run.rows], [("a", "x", "C1", 5)])

    def test_references_in_small_letters_and_other_names_are_read(self):
        self.book("a.xlsx", [["id", "name"], ["a", "x"]], lower=True)
        self.book("b.xls", [["id", "name"], ["b", "x"]])
        self.book("c.csv", [["id", "name"], ["c", "x"]])
        self.assertEqual(self.read().column("id"), ["a", "b", "c"])

    def test_lock_files_are_left_out(self):
        self.book("a.xlsx", [["id", "name"], ["a", "x"]])
        self.write("~$a.xlsx", b"\x05owner" + bytes(160))
        run = self.read("pattern: ['*.xlsx']")
        self.assertEqual((run.column("id"), run.refused), (["a"], []))
        self.assertIn("~$a.xlsx: lock file", run.log)

    def test_formulas_without_a_result_are_refused_with_what_to_do(self):
        self.book("a.xlsx", [["id", "name", "amount"], ["a", "x", Formula("1+1")], ["b", Formula('"y"'), 2], ["c", "z", 3]])
        run = self.read()
        self.assertEqual(run.column("id"), ["c"])
        self.assertEqual([row["reject_field"] for row in run.refused], ["amount", "name"])
        self.assertIn("save it and send it again", run.refused[0]["reject_message_en"])


class Watched(Folder):
    def start(self, options):
        topology = self.topology("watch: true, poll: 10ms, " + options)
        self.process = subprocess.Popen([self.HUILIU, "run", str(topology)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)

    def wait_for_rows(self, rows):
        path = self.folder / "out" / "rows.ndjson"
        until = time.monotonic() + 60
        while not path.exists() or path.read_bytes().count(b"\n") < rows:
            self.assertIsNone(self.process.poll(), "the process has ended")
            self.assertLess(time.monotonic(), until, "not in a minute")
            time.sleep(0.01)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(timeout=60), 130)
        return read_lines(self.folder / "out" / "rows.ndjson")

    def test_a_half_line_is_waited_for(self):
        self.write("a.csv", "id,name,amount\n1,x,100\n2,y,2")
        self.start("last_line: 1h")
        self.write("b.csv", "id,name,amount\n3,z,300\n")  # when it is read, a.csv was looked at
        self.wait_for_rows(1)
        with open(self.folder / "in" / "a.csv", "a") as file:
            file.write("50\n")
        self.wait_for_rows(3)
        self.assertEqual(sorted(row["amount"] for row in self.stop()), [100, 250, 300])

    def test_a_last_line_without_an_end_is_read_after_its_time(self):
        self.write("a.csv", "id,name,amount\n1,x,100\n2,y,2")
        self.start("last_line: 50ms")
        self.wait_for_rows(2)
        self.assertEqual([row["amount"] for row in self.stop()], [100, 2])

    def test_what_is_appended_is_read_once(self):
        self.write("a.csv", "id,name,amount\n1,x,100\n")
        self.start("")
        for row in range(2, 6):
            self.wait_for_rows(row - 1)
            with open(self.folder / "in" / "a.csv", "a") as file:
                file.write(f"{row},x,{row}\n")
        self.wait_for_rows(5)
        self.assertEqual([row["id"] for row in self.stop()], ["1", "2", "3", "4", "5"])


class Credit(Folder):
    """The same kinds before the credit topology."""
    LICENCE = {"行政相对人名称": "龙岩市试样乙有限公司", "行政相对人类别": "法人及非法人组织", "行政相对人代码_1(统一社会信用代码)": "91350800MA00000159",
               "法定代表人": "陈守仁", "行政许可决定文书名称": "施工许可决定书", "行政许可决定文书号": "岩建许字〔2023〕2号", "许可类别": "核准",
               "许可证书名称": "经营许可证", "许可编号": "JY135080010000001", "许可内容": "准予施工", "许可决定日期": "2023/07/16",
               "有效期自": "2023/07/16", "有效期至": "2026/07/15", "许可机关": "龙岩市住房和城乡建设局", "许可机关统一社会信用代码": "11350800004003049C",
               "当前状态": "1", "数据来源单位": "龙岩市住房和城乡建设局", "数据来源单位统一社会信用代码": "11350800004003049C", "备注": "",
               "信息版本号": "1", "更新时间戳": "2023-08-25 10:00:00"}
    KEYS = ("XK_XDR_MC,XK_XDR_LB,XK_XDR_SHXYM,XK_FRDB,XK_XKWS,XK_WSH,XK_XKLB,XK_XKZS,XK_XKBH,XK_NR,XK_JDRQ,XK_YXQZ,XK_YXQZI,XK_XKJG,XK_XKJGDM,"
            "XK_ZT,XK_LYDW,XK_LYDWDM,BZ,BBH,SJC").split(",")
    PENALTY = {"行政相对人名称": "龙岩市川瑞远农业发展有限公司", "行政相对人类别": "法人及非法人组织", "行政相对人代码_1(统一社会信用代码)": "91350821MAD4CD0N3U",
               "行政相对人代码_2(工商注册号)": "", "行政相对人代码_3(组织机构代码)": "", "行政相对人代码_4(税务登记号)": "", "行政相对人代码_5(事业单位证书号)": "",
               "行政相对人代码_6(社会组织登记证号)": "", "法定代表人": "赵福生", "法定代表人证件类型": "", "法定代表人证件号码": "", "证件类型": "", "证件号码": "",
               "行政处罚决定书文号": "岩市监罚字〔2024〕404号", "违法行为类型": "未按规定办理变更登记", "违法事实": "经查明，当事人未按规定办理变更登记",
               "处罚依据": "《中华人民共和国市场主体登记管理条例》第四十六条", "处罚类别": "罚款", "处罚内容": "罚款26100元", "罚款金额(万元)": "2.61",
               "没收违法所得、没收非法财物的金额(万元)": "", "暂扣或吊销证照名称及编号": "", "处罚决定日期": "2024/03/29", "处罚有效期": "2099/12/31",
               "公示截止期": "2025/03/29", "处罚机关": "龙岩市市场监督管理局", "处罚机关统一社会信用代码": "11350800004000016A",
               "数据来源单位": "龙岩市市场监督管理局", "数据来源单位统一社会信用代码": "11350800004000016A", "备注": ""}

    def run_credit(self):
        run = self.run_topology(CREDIT / "topology.yaml", INPUT=str(self.folder / "in"), OUTPUT=str(self.folder / "out"), STATE=str(self.folder / "state"))
        self.assertEqual(run.code, 0, run.log)
        self.assertIn("READ = the sum of the others", run.log)
        return run

    def table(self, name):
        with open(self.folder / "out" / name, encoding="utf-8-sig", newline="") as lines:
            return list(csv.DictReader(lines))

    def outcomes(self):
        return [(row["document_no"], row["outcome"]) for row in self.table("outcomes.csv")]

    def licences(self, rows):
        return [list(self.LICENCE)] + [list((self.LICENCE | row).values()) for row in rows]

    def licence_csv(self, rows, end="\r\n"):
        lines = [",".join(str(value) for value in row) for row in self.licences(rows)[1:]]
        return end.join([",".join(self.KEYS)] + lines) + end

    def document(self, number):
        return {"行政许可决定文书号": f"岩建许字〔2023〕{number}号"}

    def test_a_wrong_name_is_mended_by_the_right_one(self):
        content = self.licence_csv([self.document(n) for n in range(3)], end="\r")
        self.write("03_jtys_penalty_2018.csv", content)
        self.run_credit()
        self.assertEqual([row["reject_code"] for row in self.table("rejects.csv")], ["E805_BAD_FILE"])
        (self.folder / "in" / "03_jtys_penalty_2018.csv").rename(self.folder / "in" / "03_jtys_licence_2018.csv")
        self.run_credit()
        self.assertEqual([outcome for _, outcome in self.outcomes()], ["ACCEPTED"] * 3)

    def test_versions_and_codes_of_java_are_whole_numbers(self):
        rows = [self.document(2) | {"许可编号": Raw("2.0190012E7"), "当前状态": Raw("1.0")},
                self.document(5) | {"信息版本号": Raw("9.0")}, self.document(5) | {"信息版本号": Raw("10.0"), "许可内容": "准予"}]
        self.book("05_zjj_licence_2018.xlsx", self.licences(rows))
        self.run_credit()
        self.assertEqual([outcome for _, outcome in self.outcomes()], ["ACCEPTED", "ACCEPTED", "UPDATED"])
        with sqlite3.connect(self.folder / "out" / "credit.sqlite") as database:
            self.assertEqual(database.execute("select licence_no from legal_person where document_no like '%2号'").fetchall(), [("20190012",)])

    def test_the_later_moment_wins(self):
        def at(text, content):
            return {"信息版本号": "", "更新时间戳": text, "许可内容": content}
        noon = (Raw("45163.5"), DATE_TIME)
        self.book("05_zjj_licence_2018.xlsx", self.licences([
            at((Raw("45163.416666666664"), DATE_TIME), "A"), at((Raw("45163.666666666664"), DATE_TIME), "B"), at(noon, "C")]))
        self.write("06_jtys_licence_2018.csv", self.licence_csv([
            self.document(3) | at("2023/7/30 10:00:00", "A"), self.document(3) | at("2023/10/1 10:00:00", "B"),
            self.document(4) | at("2023/10/1 10:00:00", "A"), self.document(4) | at("2023/7/30 10:00:00", "B")]))
        self.run_credit()
        self.assertEqual([outcome for _, outcome in self.outcomes()],
                         ["ACCEPTED", "UPDATED", "STALE", "ACCEPTED", "UPDATED", "ACCEPTED", "STALE"])

    def test_headings_as_exports_spell_them(self):
        def spelt(number, *changes):
            row = self.PENALTY | {"行政处罚决定书文号": f"岩市监罚字〔2024〕{number}号"}
            headings = list(row)
            for old, new in changes:
                headings = [heading.replace(old, new) for heading in headings]
            return [headings, list(row.values())]
        self.book("30_penalty_2018.xlsx", spelt(401, ("(", "（"), (")", "）")))
        self.book("31_penalty_2018.xlsx", spelt(402, ("罚款金额(万元)", "处罚金额（万元）"), ("非法财物", "非法财务"), ("代码_2(", "代码_2 (")))
        self.book("33_penalty_2018.xlsx", spelt(404))
        self.book("行政处罚信息2024年5月.xlsx", spelt(406))
        run = self.run_credit()
        self.assertEqual([outcome for _, outcome in self.outcomes()], ["ACCEPTED"] * 4, run.log)

    def test_files_of_another_kind_are_refused_once(self):
        lacking = {heading: value for heading, value in self.PENALTY.items() if heading != "处罚类别"}
        self.book("36_penalty_2018.xlsx", [list(lacking), list(lacking.values())])
        self.write("38_court_shixin.csv", "被执行人姓名/名称,证件号码/组织机构代码,案号\n龙岩市川瑞远农业发展有限公司,91350821MAD4CD0N3U,（2024）闽0802执1号\n")
        self.write("41_licence_2018.xml", "<ROWDATA><ROW><XK_XDR_MC>龙岩市桥诚雅食品有限公司</XK_XDR_MC></ROW></ROWDATA>")
        self.write("随意.csv", "a,b\n1,2\n")
        self.run_credit()
        rejects = {row["source_file"]: (row["reject_code"], row["reject_value"]) for row in self.table("rejects.csv")}
        self.assertEqual(sorted(rejects), ["36_penalty_2018.xlsx", "38_court_shixin.csv", "41_licence_2018.xml", "随意.csv"])
        self.assertIn("missing: 处罚类别", rejects["36_penalty_2018.xlsx"][1])
        self.assertIn("被执行人姓名/名称", rejects["38_court_shixin.csv"][1])
        self.assertIn("required columns are missing", rejects["41_licence_2018.xml"][1])
        self.assertEqual(rejects["随意.csv"][0], "E810_UNCLAIMED_FILE")

    def test_rows_of_commas_and_marked_headings_do_no_harm(self):
        self.write("03_jtys_licence_2018.csv", self.licence_csv([{}]) + ("," * (len(self.KEYS) - 1) + "\r\n") * 5)
        rows = self.licences([self.document(7)])
        rows[0] = ["*" + heading for heading in rows[0]]
        self.book("05_zjj_licence_2018.xlsx", rows)
        self.run_credit()
        self.assertEqual([outcome for _, outcome in self.outcomes()], ["ACCEPTED", "ACCEPTED"])
        self.assertEqual(self.table("rejects.csv"), [])


class WorkbookSink(Folder):
    def test_no_value_is_dropped(self):
        self.write("a.ndjson", '{"id":"' + "L" * 40_000 + '","name":"=1+1"}\n{"id":"b","name":"x\\u0000y"}\n{"id":"c","name":"a\\u0001b"}\n')
        path = self.topology()
        path.write_text(path.read_text() + "  wb: {type: workbook, input: located, path: out/o.xlsx}\n")
        run = self.run_topology(path)
        self.assertEqual(len(run.rows), 3)
        shutil.copy(self.folder / "out" / "o.xlsx", self.folder / "in" / "b.xlsx")
        back = [row for row in self.run_topology(path).rows if row["source_file"] == "b.xlsx"]
        self.assertEqual([row["name"] for row in back], ["=1+1", "x\ufffdy", "a\u0001b"])
        self.assertTrue(back[0]["id"].startswith("LLLL") and back[0]["id"].endswith("…(截断)"), back[0]["id"][-20:])


if __name__ == "__main__":
    Folder.HUILIU = str(Path(sys.argv[1]).resolve())
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)
