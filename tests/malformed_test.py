"""Truncated, binary, huge, deep, wrongly encoded and empty files: each gets its reject, no other file suffers.

usage: malformed_test.py HUILIU
"""
import csv
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

HUILIU = pathlib.Path(sys.argv[1]).resolve()
CREDIT = pathlib.Path(__file__).resolve().parent.parent / "topologies" / "credit"
SAMPLE = CREDIT / "sample"
SOUND = "13_jtys_licence_2018.csv"


def make_inputs(folder):
    """File name -> codes of the rejects that its rows, or the whole of it, must get."""
    good_csv = (SAMPLE / "03_jtys_licence_2018.csv").read_text(encoding="utf-8")
    good_xlsx = (SAMPLE / "05_zjj_licence_2018.xlsx").read_bytes()
    noise = random.Random(1).randbytes(100_000)
    files = {
        "01_licence_2018.csv": (b"", []),
        "02_licence_2018.ndjson": (b"", []),
        "03_licence_2018.xlsx": (b"", []),
        "04_licence_2018.xlsx": (good_xlsx[:3000], ["E805_BAD_FILE"]),
        "05_licence_2018.csv": (noise, ["E805_BAD_FILE"]),
        "06_licence_2018.ndjson": (noise, ["E805_BAD_FILE"]),
        "07_licence_2018.xlsx": (noise, ["E805_BAD_FILE"]),
        "08_licence_2018.ndjson": (b'{"XK_WSH":"' + b"x" * 5_000_000 + b'"}\n[]\n', ["E804_TOO_LONG", "E801_BAD_JSON"]),
        "09_licence_2018.ndjson": (b'{"q":' * 100_000 + b"\n", ["E801_BAD_JSON"]),
        "10_licence_2018.ndjson": (b'{"XK_WSH":', ["E801_BAD_JSON"]),
        "11_licence_2018.csv": (good_csv.encode("utf-16-le"), ["E805_BAD_FILE"]),
        "12_licence_2018.csv": (good_csv.splitlines()[0].encode() + b"\n\xff\xfe,\n", ["E803_BAD_ENCODING"]),
    }
    for name, (content, _) in files.items():
        (folder / name).write_bytes(content)
    shutil.copy(SAMPLE / "03_jtys_licence_2018.csv", folder / SOUND)
    (folder / "14_licence_2018.csv").mkdir()
    (folder / "15_licence_2018.csv").symlink_to("nowhere")
    return {name: codes for name, (_, codes) in files.items()} | {"15_licence_2018.csv": ["E808_NOT_READ"]}


def main():
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        (work / "in").mkdir()
        expected = make_inputs(work / "in")
        env = dict(os.environ, INPUT=str(work / "in"), OUTPUT=str(work / "out"), STATE=str(work / "state"))
        ended = subprocess.run([HUILIU, "run", CREDIT / "topology.yaml"], env=env, capture_output=True, text=True,
                               timeout=120)
        # The link leads to nothing: the run says at its end that something was left out.
        assert ended.returncode == 4, ended.stderr[-3000:]
        found = {}
        with open(work / "out" / "rejects.csv", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found.setdefault(row["source_file"], []).append(row["reject_code"])
        for name, codes in expected.items():
            assert found.get(name, []) == codes, f"{name}: expected {codes}, found {found.get(name)}"
        assert len(found[SOUND]) == 8, f"the sound file: {found[SOUND]}"
        assert "READ = the sum of the others" in ended.stdout, ended.stdout


main()
