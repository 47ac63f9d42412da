#!/usr/bin/env python3
"""Compares what the credit topology made of the sample with the expected outcome of each row.

usage: credit_expectations.py SAMPLE_DIR OUTCOMES.csv REJECTS.csv
"""
import csv
import sys
from pathlib import Path


def main() -> int:
    sample, outcomes, rejects = (Path(argument) for argument in sys.argv[1:4])
    found = {}
    for path in (outcomes, rejects):
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                key = (row["source_file"], row["source_row"])
                verdict = (row.get("outcome") or "REJECTED", row.get("reject_code") or "")
                if key in found:
                    print(f"{key}: two verdicts, {found[key]} and {verdict}")
                    return 1
                found[key] = verdict
    wrong, rows = 0, 0
    with (sample / "expected.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows += 1
            expected = (row["outcome"], row["code"])
            got = found.pop((row["file"], row["row"]), None)
            if got != expected:
                wrong += 1
                print(f"{row['file']}:{row['row']} ({row['fault']}): expected {expected}, got {got}")
    for key, verdict in found.items():
        wrong += 1
        print(f"{key}: {verdict} was not expected at all")
    print(f"{rows - wrong} of {rows} rows as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
