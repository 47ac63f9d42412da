#!/usr/bin/env python3
"""Writes topologies/credit/tables/workdays.csv: legal holidays and make-up working days.

usage: workdays.py WORKDAYS.csv CHINESECALENDAR.whl

The package comes by `pip download --no-deps chinesecalendar` (MIT). It is renewed every November with the state
council's notice for the next year; the table's last day is the end of the package's last year.
"""
import importlib
import re
import sys
from pathlib import Path

COMMENTS = """\
# Legal holidays (holiday) and make-up working days (workday) by the state council's notices; every other day works
# from Monday to Friday. Source: PyPI chinesecalendar {version} (MIT). Made by tools/tables/workdays.py.
# valid from: {first}-01-01
# valid until: {last}-12-31
# renew: with tools/tables/workdays.py and the newest PyPI chinesecalendar, once next year's notice is out (November)
"""


def main() -> None:
    path, wheel = Path(sys.argv[1]), sys.argv[2]
    sys.path.insert(0, wheel)
    constants = importlib.import_module("chinese_calendar.constants")
    kinds = {day: "holiday" for day in constants.holidays}
    # A holiday that falls on a make-up day of the list would be a mistake of the package.
    for day in constants.workdays:
        assert day not in kinds, day
        kinds[day] = "workday"
    years = [day.year for day in kinds]
    version = re.search(r"-(\d[\d.]*)-", Path(wheel).name).group(1)
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write(COMMENTS.format(version=version, first=min(years), last=max(years)))
        out.write("date,kind\n")
        for day in sorted(kinds):
            out.write(f"{day.isoformat()},{kinds[day]}\n")


if __name__ == "__main__":
    main()
