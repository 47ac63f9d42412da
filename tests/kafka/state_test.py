#!/usr/bin/env python3
"""State that moves: a worker without local state begins at a shared snapshot and reads only the rest of the changelogs;
a changed topology with another id starts from a snapshot where the old one ended. Killed on the way, each time.
"""
import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import client
from broker import Broker
from verifier import Verifier
from workload import BROKER, GROUP, PROGRESS_LIMIT_S, TOPOLOGY, Failure, Feeder, Job, kill, make_input, run_to_end

PARTITIONS = 4
NEW_ID = "crash-kafka-2"
SNAPSHOTS = TOPOLOGY.replace("  transaction_timeout: 10s\n",
                             "  transaction_timeout: 10s\n  snapshots: shared\n  snapshot_every: 1s\n")


def huiliu(job: Job, *arguments: str, code: int = 0) -> str:
    ended = subprocess.run([job.huiliu, *arguments], capture_output=True, text=True, cwd=job.folder,
                           env={"KAFKA": job.way, "UNTIL": "end"})
    if ended.returncode != code:
        raise Failure(f"{arguments}: {ended.returncode}, not {code}\n{ended.stdout}{ended.stderr}")
    return ended.stdout


def newest_snapshot(job: Job) -> str:
    return max((path.name for path in (job.folder / "shared" / GROUP).glob("worker-*")), default="")


def work_until_snapshot(job: Job, feeder: Feeder, process: subprocess.Popen, portion: int) -> None:
    """Until one was written that has some of the portion."""
    before, consumed = newest_snapshot(job), job.consumed()
    feeder.give(portion, 1.5)
    job.wait_for_progress(process, consumed, "before a snapshot")
    deadline = time.monotonic() + PROGRESS_LIMIT_S
    while newest_snapshot(job) == before:
        job.must_run(process, "waiting for a snapshot")
        if time.monotonic() > deadline:
            raise Failure(f"no snapshot was written\n{job.tail()}")
        time.sleep(0.1)


def must_be_killed(job: Job, step: str, more: tuple = ()) -> None:
    process = job.start(f"killed at {step}", crash_at=step, more=more)
    try:
        if process.wait(PROGRESS_LIMIT_S) != -9:
            raise Failure(f"{step} was not reached\n{job.tail()}")
    except subprocess.TimeoutExpired:
        kill(process)
        raise Failure(f"{step} was not reached\n{job.tail()}") from None


def lose_the_disk(job: Job, feeder: Feeder, rounds: int, portion: int) -> int:
    """The number of starts from a snapshot."""
    starts = 0
    for number in range(rounds):
        process = job.start("writes snapshots")
        work_until_snapshot(job, feeder, process, portion)
        kill(process) if number % 2 else (process.terminate(), process.wait())
        if number % 3 == 2:
            must_be_killed(job, "snapshot.before_manifest:1") if feeder.give(portion // 4, 3.0) is None else None
        job.forget("state")
        if number % 2:
            must_be_killed(job, "kafka.after_fill:1")
        starts += 1
    return starts


def tables_of(text: str) -> dict:
    return {row["table"]: int(row["rows"]) for row in map(json.loads, text.splitlines())}


def upgrade(job: Job, feeder: Feeder) -> None:
    process = job.start("to be upgraded")
    consumed = job.consumed()
    feeder.give(feeder.left() // 2, 2.0)
    job.wait_for_progress(process, consumed, "before the upgrade")
    live = tables_of(huiliu(job, "state", "topology.yaml", "--json"))
    if live["once.seen"] == 0 or live["totals.totals"] == 0:
        raise Failure(f"huiliu state beside the process shows {live}")
    process.terminate()
    process.wait()
    huiliu(job, "snapshot", "topology.yaml", "--to", "kept", "--name", "old")
    job.topology.write_text(job.topology.read_text().replace(f"topology: {GROUP}\n", f"topology: {NEW_ID}\n"))
    start = ("--from", str(job.folder / "kept" / "old"))
    job.forget("state")
    for step in ("import.after_step:2", "import.before_last:1"):
        must_be_killed(job, step, start)
    process = job.start("without --from")
    if process.wait(PROGRESS_LIMIT_S) != 2 or "was not finished" not in job.tail():
        raise Failure(f"half a state was taken for a whole one\n{job.tail()}")
    job.forget("state")  # what counts is in the topics
    feeder.give(feeder.left() // 2, 3.0)
    must_be_killed(job, "kafka.after_commit:6", start)
    feeder.finish()
    run_to_end(job, "state", start)


def run(args, folder: Path) -> bool:
    rng = random.Random(args.seed)
    records = make_input(rng, args.records, PARTITIONS)
    with Broker(folder / "broker", BROKER) as broker:
        topics = dict.fromkeys(["input", "copied", "accepted", "totals"], PARTITIONS) | {"rejected": 1}
        client.create_topics(broker.bootstrap, topics)
        feeder = Feeder(broker.bootstrap, records)
        job = Job(args.huiliu, folder / "job", broker.bootstrap)
        job.topology.write_text(SNAPSHOTS)
        try:
            starts = lose_the_disk(job, feeder, args.rounds, args.records // (args.rounds + 3))
            upgrade(job, feeder)
        finally:
            feeder.stop()
        used = job.log.read_text(errors="replace").count(" from snapshot worker-")
        verifier = Verifier(broker.bootstrap, NEW_ID)
        verifier.imported = True
        verifier.check(records)
        verifier.differ([] if used >= starts else [f"{used} tables from snapshots, at {starts} starts without state"])
        print(f"  {starts} starts without local state, {used} tables began at a shared snapshot; an upgrade by a "
              f"snapshot, killed 3 times")
        print(f"  {verifier.figures}")
        for difference in verifier.differences:
            print(f"  DIFFERENT {difference}")
        return not verifier.differences


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--huiliu", required=True)
    parser.add_argument("--records", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    args = parser.parse_args()
    args.huiliu = str(Path(args.huiliu).resolve())
    print(f"seed {args.seed}", flush=True)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="huiliu-state-") as folder:
        try:
            good = run(args, Path(folder))
        except Failure as failure:
            print(f"FAILED {failure}")
            return 1
    print(f"{'as expected' if good else 'DIFFERENT'}, {time.monotonic() - begun:.0f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
