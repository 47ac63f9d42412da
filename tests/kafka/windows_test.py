#!/usr/bin/env python3
"""Windows of event time over a real broker (broker.py), and sources that do not hold each other up.

workers: several workers count windows while they come, go and are killed. Partitions are fast, slow, silent and
    empty. Each record of the input is counted once or late once, no window comes twice or too early, none is
    missing, and only what may be late is late (windows_verifier.py).
replay: the four ordered partitions of one day are read from their beginning: nothing is late.
frozen: a source whose broker does not answer any more holds up neither the other one nor the commits.
alignment: a partition that is a thousand times slower than the others, and alignment that bounds what windows keep
    for it (windows_alignment.py).
"""
import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import windows_alignment
import windows_sources
import windows_workers
from workload import Failure

SCENARIOS = {"workers": windows_workers.workers, "replay": windows_sources.replay, "frozen": windows_sources.frozen,
             "alignment": windows_alignment.alignment}


def run(name: str, args, folder: Path) -> bool:
    try:
        return SCENARIOS[name](args, folder, random.Random(args.seed))
    except Failure as failure:
        print(f"FAILED {name}: {failure}", file=sys.stderr)
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="*", help=f"of {', '.join(SCENARIOS)}; all if none is named")
    parser.add_argument("--huiliu", required=True)
    parser.add_argument("--seconds", type=float, default=40, help="in which workers come and go")
    parser.add_argument("--every", type=float, default=5, help="seconds between two events, at most")
    parser.add_argument("--rate", type=int, default=200, help="records a second for several workers")
    parser.add_argument("--standbys", type=int, default=0, choices=(0, 1), help="workers copy the shards of others")
    parser.add_argument("--day", type=int, default=15_000, help="records in each of the day's partitions")
    parser.add_argument("--freeze", type=float, default=12, help="seconds in which a broker does not answer")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    args = parser.parse_args()
    args.huiliu, args.events = str(Path(args.huiliu).resolve()), []
    unknown = set(args.scenario) - set(SCENARIOS)
    if unknown:
        parser.error(f"no scenario {', '.join(sorted(unknown))}")
    begun, bad = time.monotonic(), []
    folder = Path(tempfile.mkdtemp(prefix="huiliu-kafka-windows-"))
    for name in args.scenario or SCENARIOS:
        (folder / name).mkdir()
        if not run(name, args, folder / name):
            bad.append(name)
    print(f"seed {args.seed}, {time.monotonic() - begun:.0f} s: "
          + (f"bad: {', '.join(bad)}" if bad else "all good"))
    if bad or args.keep:
        print(f"kept: {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
