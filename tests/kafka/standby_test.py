#!/usr/bin/env python3
"""A worker is killed; another takes its shards over, with a copy of their state (`standbys: 1`) and without one.

With the copy it must read next to nothing of the changelogs; the outputs are exact either way.
"""
import argparse
import random
import re
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import client
from broker import Broker
from workers_test import SESSION_S, Group, SharedVerifier, consumed, counts, wait_for_outputs
from workload import BROKER, Failure, Feeder, make_input

PARTITIONS = 4
WAIT_S = 90


def wait_for(what: str, group: Group, holds) -> float:
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > WAIT_S:
            raise Failure(f"{what}: not after {WAIT_S} s\n" + "\n".join(w.tail() for w in group.workers[:2]))
        time.sleep(0.1)
    return time.monotonic() - begun


def wait_until_quiet(bootstrap: str) -> None:
    """Rows on their way between the workers have arrived."""
    before = None
    while (now := counts(bootstrap)) != before:
        before = now
        time.sleep(2)


def log_of(worker) -> str:
    return worker.log.read_text(errors="replace") if worker.log.exists() else ""


def trial(args, folder: Path, standbys: int) -> bool:
    rng = random.Random(args.seed)
    records = make_input(rng, args.records, PARTITIONS)
    with Broker(folder / "broker", BROKER) as broker:
        client.create_topics(broker.bootstrap, dict.fromkeys(["input", "copied", "accepted", "totals"], PARTITIONS)
                             | {"rejected": 1})
        feeder = Feeder(broker.bootstrap, records)
        options = SimpleNamespace(huiliu=str(Path(args.huiliu).resolve()), events=[], every=1, standbys=standbys)
        group = Group(options, rng, folder, broker.bootstrap)
        # Without shared snapshots, which would make the start without a copy short too.
        group.topology.write_text(group.topology.read_text().replace("  snapshots: shared\n", ""))
        dying, living = group.workers[0], group.workers[1]
        try:
            dying.start()
            living.start()
            feeder.give(args.records * 9 // 10, 2.0)
            wait_for("the first input", group, lambda: sum(consumed(broker.bootstrap)) >= args.records * 9 // 10)
            wait_until_quiet(broker.bootstrap)
            if standbys:
                wait_for("copies", group, lambda: "shards are up to date" in log_of(living))
                time.sleep(1)  # for an epoch that saves them
            before = len(log_of(living))
            dying.process.kill()
            dying.process.wait()
            seconds = wait_for("the takeover", group, lambda: "has 8 of 8 shards" in log_of(living)[before:])
            feeder.finish()
            wait_for_outputs(living, broker.bootstrap)
            living.end()
        finally:
            feeder.stop()
            for worker in group.workers:
                if worker.runs():
                    worker.process.kill()
        restored = sum(map(int, re.findall(r"seen: (\d+) rows, \d+ MiB restored", log_of(living)[before:])))
        verifier = SharedVerifier(broker.bootstrap)
        verifier.check(records)
        few = args.records // 20
        if standbys and restored > few:
            verifier.differ([f"{restored} rows were restored in spite of the copy, of at most {few}"])
        if not standbys and restored <= few:
            verifier.differ([f"{restored} rows were restored: this test shows nothing"])
        print(f"  standbys {standbys}: shards taken over {seconds:.1f} s after the death (session {SESSION_S} s), "
              f"{restored} rows restored", flush=True)
        for difference in verifier.differences:
            print(f"  DIFFERENT {difference}")
        return not verifier.differences


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--huiliu", required=True)
    parser.add_argument("--records", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    good = True
    for standbys in (1, 0):
        with tempfile.TemporaryDirectory(prefix="huiliu-standby-", ignore_cleanup_errors=True) as folder:
            try:
                good &= trial(args, Path(folder), standbys)
            except Failure as failure:
                print(f"FAILED standbys {standbys}: {failure}")
                good = False
    print("as expected" if good else "DIFFERENT")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
