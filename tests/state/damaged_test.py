#!/usr/bin/env python3
"""A state with a flipped byte, and a folder that was copied while its process ran: the next run is refused with what to do, or its outputs are right.

usage: damaged_test.py HUILIU [--copies N] [--flips N] [--seed N]
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import time

TOPOLOGY = """topology: t
rejects: bad
epoch: 10ms
parallelism: 2
state: {path: state, memory: 1MiB}
sources:
  rows: {type: file, path: in, fields: [id, grp, {name: n, type: int64}]}
operators:
  once: {type: dedupe, input: rows, key: [id]}
  newest: {type: compare, input: rows, key: [id], content: [grp, n]}
sinks:
  ids: {type: file, input: once, path: once.ndjson}
  states: {type: file, input: newest, path: newest.ndjson}
  bad: {type: file, path: bad.ndjson}
"""
KEYS = 30_000


def row(i):
    return f"key-{i:08}-{'x' * 40},{'abcdefg'[i % 7]},{i}\n"


class Trial:
    def __init__(self, huiliu, folder, seed):
        self.huiliu = str(pathlib.Path(huiliu).resolve())
        self.base = folder / "base"
        self.work, self.copy = folder / "work", folder / "copy"
        self.random = random.Random(seed)
        (self.base / "in").mkdir(parents=True)
        (self.base / "t.yaml").write_text(TOPOLOGY)
        for f in range(6):
            part = range(f * KEYS // 6, (f + 1) * KEYS // 6)
            (self.base / "in" / f"a{f}.csv").write_text("id,grp,n\n" + "".join(map(row, part)))
        self.refused = self.right = 0

    def start(self, folder):
        return subprocess.Popen([self.huiliu, "run", "--quiet", folder / "t.yaml"], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def fresh(self, folder):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.base, folder)

    def check(self, folder, keys, what):
        """Runs what is in the folder to its end."""
        process = self.start(folder)
        _, said = process.communicate(timeout=120)
        if process.returncode != 0:
            assert process.returncode == 3, f"{what}: exit {process.returncode}\n{said}"
            self.refused += 1
            return said
        once = [json.loads(line)["id"] for line in (folder / "once.ndjson").read_text().splitlines()]
        outcomes = (folder / "newest.ndjson").read_text()
        accepted = outcomes.count('"ACCEPTED"')
        assert len(once) == len(set(once)) == keys, f"{what}: {len(once)} rows, {len(set(once))} keys, not {keys}"
        assert accepted == keys and '"UPDATED"' not in outcomes, f"{what}: {accepted} ACCEPTED, not {keys}"
        self.right += 1
        return ""

    def copied_while_it_runs(self, pause):
        self.fresh(self.work)
        shutil.rmtree(self.copy, ignore_errors=True)
        process = self.start(self.work)
        time.sleep(pause)
        try:
            shutil.copytree(self.work, self.copy)
        except shutil.Error:
            pass  # files that went meanwhile
        process.communicate(timeout=120)
        again = "".join(row(i) for i in range(KEYS + 1000))
        (self.copy / "in" / "more.csv").write_text("id,grp,n\n" + again)
        self.check(self.copy, KEYS + 1000, f"copied after {pause * 1000:.0f} ms")

    def one_byte(self, whole):
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(whole, self.copy)
        file = self.random.choice(sorted((self.copy / "state").glob("*.sst")))
        bytes_ = bytearray(file.read_bytes())
        place = self.random.randrange(len(bytes_))
        bytes_[place] ^= self.random.randrange(1, 256)
        file.write_bytes(bytes_)
        (self.copy / "in" / "again.csv").write_text("id,grp,n\n" + "".join(row(i) for i in range(KEYS + 500)))
        said = self.check(self.copy, KEYS + 500, f"{file.name} at {place}")
        assert not said or "huiliu state --verify" in said, said


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("huiliu")
    parser.add_argument("--copies", type=int, default=8)
    parser.add_argument("--flips", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(options.huiliu, pathlib.Path(folder), options.seed)
        trial.fresh(trial.work)
        started = time.monotonic()
        trial.check(trial.work, KEYS, "the first run")
        seconds = time.monotonic() - started
        whole = trial.work.with_name("whole")
        shutil.copytree(trial.work, whole)
        trial.refused = trial.right = 0
        for _ in range(options.flips):
            trial.one_byte(whole)
        print(f"{options.flips} flipped bytes: {trial.refused} refused, {trial.right} right")
        assert trial.refused > 0
        trial.refused = trial.right = 0
        for i in range(options.copies):
            trial.copied_while_it_runs(seconds * (i + 1) / (options.copies + 1))
        print(f"{options.copies} folders copied while their process ran: {trial.refused} refused, {trial.right} right")


main()
