#!/usr/bin/env python3
"""What else can go wrong around a topology that reads and writes Kafka, while input arrives.

cluster: nodes of a real cluster of three are killed, above all the coordinator of the transactions.
proxy: connections are cut, frozen, deaf, slow and narrow; the answers to chosen requests are lost.
inputs: partitions are added, and messages arrive that nobody can read.
disk: that of the local state is full for a while.
soak: a steady load; the process's memory must not grow. Only with --soak-minutes, or by name.

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
import faults_disk
import faults_inputs
import faults_soak
from workload import Failure

SCENARIOS = {"cluster": faults_brokers.cluster, "proxy": faults_brokers.proxy, "inputs": faults_inputs.inputs,
             "disk": faults_disk.disk, "soak": faults_soak.soak}


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
    parser.add_argument("--poison-rounds", type=int, default=2, help="each has every kind of unreadable message")
    parser.add_argument("--full-disks", type=int, default=4)
    parser.add_argument("--faulty-disk", default="", help="libhuiliu_faulty_disk.so")
    parser.add_argument("--soak-minutes", type=float, default=0)
    parser.add_argument("--records", type=int, default=30_000, help="of a scenario")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    args = parser.parse_args()
    args.huiliu = str(Path(args.huiliu).resolve())
    unknown = set(args.scenario) - set(SCENARIOS)
    if unknown:
        parser.error(f"no scenario {', '.join(sorted(unknown))}")
    chosen = args.scenario or [name for name in SCENARIOS if name != "soak" or args.soak_minutes > 0]
    args.soak_minutes = args.soak_minutes or 5
    begun, bad = time.monotonic(), []
    folder = Path(tempfile.mkdtemp(prefix="huiliu-kafka-faults-"))
    for name in chosen:
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
