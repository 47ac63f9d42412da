#!/usr/bin/env python3
"""What else can go wrong around a topology that reads and writes Kafka, while input arrives.

cluster: nodes of a real cluster of three are killed, above all the coordinator of the transactions.
proxy: connections are cut, frozen, deaf, slow and narrow; the answers to chosen requests are lost.

Each scenario runs the topology of crash_test.py. The process must go on by itself; then each record of the input
must be in the outputs exactly once, in order per key (verifier.py).
"""
import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import faults_brokers
from workload import Failure

SCENARIOS = {"cluster": faults_brokers.cluster, "proxy": faults_brokers.proxy}


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
    parser.add_argument("--node-kills", type=int, default=4, help="in the cluster")
    parser.add_argument("--proxy-rounds", type=int, default=1, help="1: a choice; more: everything, so often")
    parser.add_argument("--records", type=int, default=30_000, help="of a scenario")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    args = parser.parse_args()
    args.huiliu = str(Path(args.huiliu).resolve())
    unknown = set(args.scenario) - set(SCENARIOS)
    if unknown:
        parser.error(f"no scenario {', '.join(sorted(unknown))}")
    begun, bad = time.monotonic(), []
    folder = Path(tempfile.mkdtemp(prefix="huiliu-kafka-faults-"))
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
