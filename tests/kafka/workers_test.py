#!/usr/bin/env python3
"""Several workers share a topology while they come, go, are killed and hang; then counts what they made.

A real broker runs on loopback (broker.py). Every few seconds a worker is started, sent SIGTERM, killed at a
random moment or at a named step of the commit, or stopped and continued: for about as long as the group waits
for it, or until others have its work (a zombie). Some have a name and come back to their share, others
have none; some start without local state. At the end one worker has all the work again, and once more
without local state. Then every record of the input must be in the outputs exactly once.
"""
import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import client
from broker import Broker
from crash_test import STEPS
from verifier import FIELDS, Expected, Verifier, parse
from workload import BROKER, END_LIMIT_S, GROUP, TOPOLOGY, Failure, Feeder, kill, make_input

SLOTS = 3
EVENTS = ["stop_one", "kill_one", "kill_at_step", "kill_at_step", "freeze_one", "replace_one", "abandon_one"]
SESSION_S = 6  # the brokers' least
TAKE_OVER_S = SESSION_S + 10  # far less than the transaction's timeout
END_S = 60
START_S = 5  # by then a process listens to signals
SHARED = TOPOLOGY.replace("  type: kafka\n  bootstrap", f"""\
  type: kafka
  workers: several
  worker: "${{WORKER:-}}"
  session_timeout: {SESSION_S}s
  snapshots: shared
  snapshot_every: 2s
  bootstrap""", 1).replace("transaction_timeout: 10s", "transaction_timeout: 60s")


class SharedVerifier(Verifier):
    """What a keyed operator lets pass comes from several workers: in order per key, not per department."""

    def check_records(self, topic: str, expected: dict) -> None:
        if topic != "accepted":
            super().check_records(topic, expected)
            return
        wrong, found = [], defaultdict(Counter)
        for message in self.read(topic):
            record = parse(message.value) or {}
            found[record.get("dept")][tuple(record.get(field) for field in FIELDS)] += 1
        for dept in set(expected) | set(found):
            wanted = Counter(tuple(record[field] for field in FIELDS) for record in expected.get(dept, []))
            wrong += [f"{topic}: {n} × missing: {record}" for record, n in (wanted - found[dept]).items()]
            wrong += [f"{topic}: {n} × too many: {record}" for record, n in (found[dept] - wanted).items()]
        self.differ(wrong)


class Worker:
    """One process of the group, in a folder of its own as on another machine."""

    def __init__(self, group: "Group", slot: int):
        self.group, self.slot = group, slot
        self.folder = group.folder / f"worker-{slot}"
        self.log = group.folder / f"worker-{slot}.log"
        self.process: subprocess.Popen | None = None
        self.crash_at = ""

    def start(self, crash_at: str = "") -> None:
        self.crash_at = crash_at  # the step at which it is to end, "" for none
        # Odd slots have a name.
        name = f"w{self.slot}" if self.slot % 2 else ""
        env = dict(os.environ, KAFKA=self.group.bootstrap, UNTIL="forever", WORKER=name)
        env.pop("HUILIU_CRASH_AT", None)
        if crash_at:
            env["HUILIU_CRASH_AT"] = crash_at
        # setpriv: ends with this test, also when it is stopped.
        command = ["setpriv", "--pdeathsig", "KILL", self.group.huiliu, "run", "--quiet", "--state",
                   str(self.folder), str(self.group.topology)]
        with open(self.log, "ab") as log:
            log.write(f"--- {crash_at or 'a life'}\n".encode())
            log.flush()
            self.started = time.monotonic()
            self.process = subprocess.Popen(command, env=env, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)

    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def end(self) -> None:
        self.process.terminate()
        try:
            code = self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            raise Failure(f"worker {self.slot} does not end on SIGTERM\n{self.tail()}") from None
        at_its_step = self.crash_at and code == -signal.SIGKILL
        # Before it listens to signals it has begun nothing.
        at_its_start = code == -signal.SIGTERM and time.monotonic() - self.started < START_S
        if code not in (0, 130) and not at_its_step and not at_its_start:
            raise Failure(f"worker {self.slot} ended on SIGTERM with code {code}\n{self.tail()}")

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-25:])


class Group:
    """The workers, and what happens to them."""

    def __init__(self, args, rng: random.Random, folder: Path, bootstrap: str):
        self.args, self.rng, self.folder, self.bootstrap = args, rng, folder, bootstrap
        self.huiliu = args.huiliu
        self.topology = folder / "topology.yaml"
        self.topology.write_text(SHARED.replace("  snapshots:", f"  standbys: {args.standbys}\n  snapshots:"))
        self.workers = [Worker(self, slot) for slot in range(SLOTS)]
        self.figures: Counter = Counter()
        self.events = [getattr(self, name) for name in args.events]

    def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        for worker in self.workers:
            worker.start()
        while time.monotonic() < end:
            time.sleep(self.rng.uniform(1.0, self.args.every))
            self.collect()
            idle = [worker for worker in self.workers if not worker.runs()]
            if idle and (len(idle) > 1 or self.rng.random() < 0.6):
                self.join(self.rng.choice(idle))
            else:
                self.rng.choice(self.events)()

    def join(self, worker: Worker, crash_at: str = "") -> None:
        if self.rng.random() < 0.3 and worker.folder.exists():
            shutil.rmtree(worker.folder)
            self.figures["started without local state"] += 1
        worker.start(crash_at)
        self.figures["joined"] += 1

    def collect(self) -> None:
        """Nobody may end by itself but at a step."""
        for worker in self.workers:
            if worker.process is None or worker.process.poll() is None:
                continue
            code, worker.process = worker.process.returncode, None
            if code == -signal.SIGKILL:
                self.figures["killed"] += 1
            elif code not in (0, 130):
                raise Failure(f"worker {worker.slot} ended by itself with code {code}\n{worker.tail()}")

    def running(self) -> Worker:
        return self.rng.choice([worker for worker in self.workers if worker.runs()])

    def stop_one(self) -> None:
        self.running().end()
        self.figures["ended by SIGTERM"] += 1

    def kill_one(self) -> None:
        kill(self.running().process)
        self.figures["of them at random moments"] += 1

    def kill_at_step(self) -> None:
        worker = self.running()
        kill(worker.process)
        self.collect()
        self.join(worker, f"{self.rng.choice(STEPS)}:{self.rng.randint(1, 4)}")

    def abandon_one(self) -> None:
        """Dies in the middle of a commit and does not come back: the others need not wait for its timeout."""
        worker = self.running()
        kill(worker.process)
        self.collect()
        others = [other for other in self.workers if other is not worker and not other.runs()]
        for other in others:
            self.join(other)
        worker.start("kafka.before_commit:2")
        try:
            worker.process.wait(TAKE_OVER_S)
        except subprocess.TimeoutExpired:
            return  # it got no share
        self.wait_for_successors(worker, "died")
        self.figures["died in a commit and stayed away"] += 1

    def replace_one(self) -> None:
        """Hangs until the others have all of its work, so that what it has open is theirs when it wakes up."""
        worker = self.running()
        for other in self.workers:
            if not other.runs():
                self.join(other)
        worker.process.send_signal(signal.SIGSTOP)
        try:
            self.wait_for_successors(worker, "hangs")
        finally:
            worker.process.send_signal(signal.SIGCONT)
        self.figures["stopped until replaced"] += 1

    def wait_for_successors(self, worker: Worker, fate: str) -> None:
        """Until the group has gone on with every partition of the input."""
        before = consumed(self.bootstrap)
        deadline = time.monotonic() + TAKE_OVER_S
        while not all(now > then for now, then in zip(consumed(self.bootstrap), before)):
            self.collect()
            if time.monotonic() > deadline:
                raise Failure(f"worker {worker.slot} {fate}; after {TAKE_OVER_S} s not all partitions of the "
                              f"input go on: {consumed(self.bootstrap)} after {before}")
            time.sleep(0.2)

    def freeze_one(self) -> None:
        worker = self.running()
        worker.process.send_signal(signal.SIGSTOP)
        time.sleep(self.rng.uniform(0.8 * SESSION_S, 2 * SESSION_S))
        worker.process.send_signal(signal.SIGCONT)
        self.figures["stopped and continued"] += 1

    def leave_one(self) -> Worker:
        """Down to one, which has all the work then."""
        self.collect()
        last = self.workers[0]
        for worker in self.workers[1:]:
            if worker.runs():
                worker.end()
        if last.runs():
            last.end()
        shutil.rmtree(last.folder, ignore_errors=True)
        last.start()
        return last


def consumed(bootstrap: str) -> list:
    """Of each partition of the input, as the group has committed it."""
    return [offset or 0 for _, offset in sorted(client.committed_offsets(bootstrap, GROUP, "input").items())]


def counts(bootstrap: str) -> tuple:
    return tuple(len(client.read_committed(bootstrap, topic)) for topic in ("copied", "accepted", "rejected"))


def wait_for_outputs(worker: Worker, bootstrap: str) -> None:
    expected = Expected(client.read_committed(bootstrap, "input"))
    wanted = (sum(map(len, expected.copied.values())), sum(map(len, expected.accepted.values())),
              len(expected.broken))
    deadline = time.monotonic() + END_LIMIT_S
    while (found := counts(bootstrap)) != wanted:
        if any(have > want for have, want in zip(found, wanted)):
            return  # the verifier says what
        if not worker.runs():
            raise Failure(f"the last worker ended with code {worker.process.returncode}\n{worker.tail()}")
        if time.monotonic() > deadline:
            raise Failure(f"outputs are {found} after {END_LIMIT_S} s, not {wanted}\n{worker.tail()}")
        time.sleep(0.5)
    time.sleep(2)  # what is too much may come yet, and the last totals


def disturb_and_verify(args, folder: Path, broker: Broker) -> bool:
    started = time.monotonic()
    rng = random.Random(args.seed)
    topics = dict.fromkeys(["input", "copied", "accepted", "totals"], args.partitions) | {"rejected": 1}
    client.create_topics(broker.bootstrap, topics)
    records = make_input(rng, args.records, args.partitions)
    feeder = Feeder(broker.bootstrap, records)
    # The last event, too, needs input to see that the work goes on.
    feeder.give(len(records) * 9 // 10, args.seconds + 2 * TAKE_OVER_S)
    group = Group(args, rng, folder, broker.bootstrap)
    try:
        group.run(args.seconds)
        feeder.finish()
    finally:
        feeder.stop()
    last = group.leave_one()
    wait_for_outputs(last, broker.bootstrap)
    last.end()
    shutil.rmtree(last.folder)  # all is restored, nothing is read, nothing may be written
    last.start()
    time.sleep(5)
    last.end()
    verifier = SharedVerifier(broker.bootstrap)
    verifier.check(records)
    report(args, group, verifier, time.monotonic() - started)
    return not verifier.differences


def report(args, group: Group, verifier: Verifier, seconds: float) -> None:
    logs = "".join(worker.log.read_text(errors="replace") for worker in group.workers)
    for title, text in {"times the work was shared anew": "share the work anew",
                        "went back to the last epoch": "starting again at the last committed",
                        "transactions of others ended": "has left open"}.items():
        group.figures[title] = logs.count(text)
    print(f"seed {args.seed}, {args.records} records, {seconds:.0f} s")
    print("; ".join(f"{name}: {count}" for name, count in sorted(group.figures.items())))
    print("verified: " + ", ".join(f"{name} {count}" for name, count in verifier.figures.items()))
    for difference in verifier.differences:
        print(f"DIFFERENCE {difference}", file=sys.stderr)
    print("the outputs differ" if verifier.differences else "outputs exact")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--huiliu", required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--every", type=float, default=4, help="seconds between two events, at most")
    parser.add_argument("--events", nargs="+", default=EVENTS, choices=sorted(set(EVENTS)))
    parser.add_argument("--records", type=int, default=60_000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--standbys", type=int, default=0, choices=(0, 1), help="workers copy the shards of others")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="huiliu-kafka-workers-"))
    good = False
    try:
        with Broker(folder / "broker", BROKER | {"group.min.session.timeout.ms": 1000}) as broker:
            good = disturb_and_verify(args, folder, broker)
    except Failure as failure:
        print(f"FAILED {failure}", file=sys.stderr)
    finally:
        if good and not args.keep:
            shutil.rmtree(folder)
        else:
            print(f"kept: {folder}", file=sys.stderr)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
