#!/usr/bin/env python3
"""Several workers in schedules that chance does not find: who stops or dies exactly where, and who goes on when.

Each schedule has a broker's topics of its own, a feeder, and the verifier of workers_test.py: every record of
the input must be in the outputs exactly once. Where it matters, those who are left must go on soon.
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
from pathlib import Path

import client
from broker import Broker
from verifier import Expected, parse
from workers_test import SESSION_S, SHARED, TAKE_OVER_S, SharedVerifier
from workload import BROKER, GROUP, Failure, Feeder, kill, make_input

PARTITIONS = 4
RECORDS = 6_000
WAIT_S = 120
USAGE = 2  # exit code: a person must mend something


class Process:
    """A worker, in a folder of its own."""

    def __init__(self, schedule: "Schedule", folder: str, name: str = "", **env):
        self.log = schedule.folder / f"{folder}.log"
        self.begin = self.log.stat().st_size if self.log.exists() else 0
        command = ["setpriv", "--pdeathsig", "KILL", schedule.huiliu, "run", "--quiet", "--state",
                   str(schedule.folder / folder), str(schedule.topology)]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env=dict(os.environ, KAFKA=schedule.bootstrap, UNTIL="forever", WORKER=name, **env))

    def text(self) -> str:
        return self.log.read_bytes()[self.begin:].decode(errors="replace")

    def tail(self) -> str:
        return "\n".join(self.text().splitlines()[-25:])

    def wait_for(self, text: str, limit_s: float = WAIT_S) -> None:
        self.wait_until(lambda: text in self.text(), f"says '{text}'", limit_s)

    def wait_until(self, done, what: str, limit_s: float = WAIT_S) -> None:
        deadline = time.monotonic() + limit_s
        while not done():
            if time.monotonic() > deadline:
                raise Failure(f"{self.log.name}: not within {limit_s} s: {what}\n{self.tail()}")
            time.sleep(0.005)

    def wait_stopped(self) -> None:
        """At its HUILIU_STOP_AT."""
        status = Path(f"/proc/{self.process.pid}/stat")
        self.wait_until(lambda: status.read_text().rsplit(")", 1)[1].split()[0] == "T", "stops at its step")

    def wait_killed(self) -> None:
        """At its HUILIU_CRASH_AT."""
        self.wait_until(lambda: self.process.poll() is not None, "dies at its step")
        if self.process.returncode != -signal.SIGKILL:
            raise Failure(f"{self.log.name}: ended with code {self.process.returncode}\n{self.tail()}")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        kill(self.process)


class Schedule:
    def __init__(self, name: str, huiliu: str, folder: Path, bootstrap: str, rng: random.Random):
        self.rng, self.huiliu, self.bootstrap, self.folder = rng, huiliu, bootstrap, folder / name
        self.folder.mkdir()
        self.topology = self.folder / "topology.yaml"
        self.topology.write_text(SHARED)
        topics = dict.fromkeys(["input", "copied", "accepted", "totals"], PARTITIONS) | {"rejected": 1}
        client.create_topics(bootstrap, topics)
        self.records = make_input(rng, RECORDS, PARTITIONS)
        self.feeder = Feeder(bootstrap, self.records)
        self.processes: list = []

    def start(self, folder: str, name: str = "", **env) -> Process:
        self.processes.append(Process(self, folder, name, **env))
        return self.processes[-1]

    def feed(self, seconds: float, share: float = 0.5) -> None:
        self.feeder.give(int(self.feeder.left() * share), seconds)

    def counted(self) -> int:
        """Records that have come through both keyed operators."""
        counts: dict = {}
        for message in client.read_committed(self.bootstrap, "totals"):
            record = parse(message.value)
            key = record["dept"], record["kind"]
            counts[key] = max(counts.get(key, 0), record["count"])
        return sum(counts.values())

    def wait_for_all(self, worker: Process, limit_s: float) -> None:
        """Returns when all that is in the input has come through."""
        deadline = time.monotonic() + limit_s
        while True:
            expected = Expected(client.read_committed(self.bootstrap, "input"))
            wanted, found = sum(map(len, expected.accepted.values())), self.counted()
            if found >= wanted:
                return
            if worker.process.poll() is not None:
                raise Failure(f"{worker.log.name}: ended with code {worker.process.returncode}\n{worker.tail()}")
            if time.monotonic() > deadline:
                raise Failure(f"{worker.log.name}: {found} of {wanted} records after {limit_s} s\n{worker.tail()}")
            time.sleep(0.2)

    def end(self) -> list:
        """The rest of the input; then the differences."""
        self.feeder.finish()
        running = [one for one in self.processes if one.process.poll() is None]
        self.wait_for_all(running[0], WAIT_S)
        time.sleep(2)  # what is too much may come yet
        for one in running:
            one.process.terminate()
        for one in running:
            one.go_on()
            if one.process.wait(WAIT_S) not in (0, 130):
                raise Failure(f"{one.log.name}: ended with code {one.process.returncode}\n{one.tail()}")
        verifier = SharedVerifier(self.bootstrap)
        verifier.check(self.records)
        return verifier.differences

    def close(self) -> None:
        self.feeder.stop()
        for one in self.processes:
            if one.process.poll() is None:
                one.kill()


# --- the schedules ---------------------------------------------------------------------------------


def dead_before_restore(schedule: Schedule) -> None:
    """A worker hangs with a transaction open that its progress says nothing of; its successor dies as soon as
    the shards are its own. The next one must not wait for the first one's transaction to time out."""
    schedule.feed(1)
    first = schedule.start("first", HUILIU_STOP_AT="kafka.before_progress:3")
    first.wait_stopped()
    second = schedule.start("second", HUILIU_CRASH_AT="kafka.after_claim:1")
    second.wait_killed()
    third = schedule.start("third")
    third.wait_for("came to this worker", 2 * TAKE_OVER_S)
    third.wait_for("has 8 of 8 shards", TAKE_OVER_S)
    schedule.wait_for_all(third, TAKE_OVER_S)
    first.go_on()
    schedule.feed(5)
    time.sleep(5)


def dead_with_rows(schedule: Schedule) -> None:
    """A worker dies when it has written rows for others and outputs, but nothing of its own."""
    schedule.feed(1)
    first = schedule.start("first", HUILIU_STOP_AT="kafka.before_changelog:3")
    first.wait_stopped()
    first.kill()
    second = schedule.start("second")
    second.wait_for("has 8 of 8 shards", TAKE_OVER_S)
    schedule.wait_for_all(second, TAKE_OVER_S)


def dead_in_its_claim(schedule: Schedule) -> None:
    """A worker dies before its claim to the shards is committed: nothing that is says that it was there."""
    schedule.feed(1)
    first = schedule.start("first", HUILIU_CRASH_AT="kafka.before_claim:1")
    first.wait_killed()
    second = schedule.start("second")
    second.wait_for("has 8 of 8 shards", TAKE_OVER_S)
    schedule.wait_for_all(second, TAKE_OVER_S)


def all_die(schedule: Schedule) -> None:
    """All are killed at once and come back at once: they end each other's transactions, but not for ever."""
    schedule.feed(20, 0.9)
    folders = ["first", "second", "third"]
    for _ in range(3):
        workers = [schedule.start(folder) for folder in folders]
        for worker in workers:
            worker.wait_for("of 8 shards")
        for worker in workers:
            worker.kill()
        schedule.rng.shuffle(folders)
    last = [schedule.start(folder) for folder in folders]
    schedule.wait_for_all(last[0], 2 * TAKE_OVER_S)


def other_rows(schedule: Schedule) -> None:
    """A worker dies with rows on their way, and the next one has another version of the topology: it must say
    so, not read them wrongly. The first version goes on then."""
    schedule.feed(1)
    first = schedule.start("first", HUILIU_CRASH_AT="kafka.after_commit:1")
    first.wait_killed()
    topology = schedule.topology.read_text()
    schedule.topology.write_text(topology.replace("[id, dept, kind,", "[dept, id, kind,"))
    second = schedule.start("second")
    second.wait_until(lambda: second.process.poll() is not None, "ends by itself", TAKE_OVER_S)
    if second.process.returncode != USAGE or "another version of the topology" not in second.text():
        raise Failure(f"it ended with code {second.process.returncode}\n{second.tail()}")
    schedule.topology.write_text(topology)
    third = schedule.start("third")
    schedule.wait_for_all(third, TAKE_OVER_S)


def latest_is_chosen_once(schedule: Schedule) -> None:
    """The first worker begins at the end of topics that are empty, and dies. What comes then is read."""
    schedule.topology.write_text(schedule.topology.read_text().replace("start: earliest", "start: latest"))
    first = schedule.start("first")
    first.wait_until(lambda: None not in client.committed_offsets(schedule.bootstrap, GROUP, "input").values(),
                     "commits where it begins", TAKE_OVER_S)
    first.kill()
    schedule.feed(1)
    time.sleep(1.5)
    second = schedule.start("second")
    schedule.wait_for_all(second, 2 * TAKE_OVER_S)


def input_named_as_ours(schedule: Schedule) -> None:
    """Consumed rows are deleted from the engine's own topics, not from an input that has such a name."""
    topology = schedule.topology.read_text()
    topology = topology.replace("operators:\n", """\
  users:
    {type: kafka, topic: users.repartition, format: json, start: earliest, fields: [id]}
operators:
""", 1) + "  users_out: {type: kafka, input: users, topic: users_out, format: json}\n"
    schedule.topology.write_text(topology)
    client.create_topics(schedule.bootstrap, {"users.repartition": 1, "users_out": 1})
    users = [(0, None, b'{"id": "u%d"}' % number) for number in range(10)]
    client.produce(schedule.bootstrap, "users.repartition", users)
    schedule.feed(2)
    first = schedule.start("first")
    first.wait_until(lambda: len(client.read_committed(schedule.bootstrap, "users_out")) == 10, "users are copied")
    time.sleep(1)
    if (left := len(client.read_committed(schedule.bootstrap, "users.repartition"))) != 10:
        raise Failure(f"of 10 records of the input {left} are left")


def expelled_while_giving_up(schedule: Schedule) -> None:
    """A worker with a name hangs while it gives up some of its shards, until another one has all of them. It
    joins under its name again: what it had kept is not its own any more."""
    schedule.feed(40, 0.9)
    first = schedule.start("first", "w1", HUILIU_STOP_AT="kafka.before_release:1")
    first.wait_for("has 8 of 8 shards")
    time.sleep(2)
    second = schedule.start("second", "w2")
    first.wait_stopped()
    second.wait_for("has 8 of 8 shards", 2 * TAKE_OVER_S)
    time.sleep(2)
    first.go_on()
    time.sleep(10)


SCHEDULES = [dead_before_restore, dead_with_rows, dead_in_its_claim, all_die, other_rows,
             latest_is_chosen_once, input_named_as_ours, expelled_while_giving_up]


def run(schedule_of, args, folder: Path) -> bool:
    name = schedule_of.__name__
    started = time.monotonic()
    properties = BROKER | {"group.min.session.timeout.ms": 1000}
    with Broker(folder / f"broker-{name}", properties) as broker:
        schedule = Schedule(name, args.huiliu, folder, broker.bootstrap, random.Random(args.seed))
        try:
            schedule_of(schedule)
            differences = schedule.end()
        except Failure as failure:
            differences = [f"FAILED {failure}"]
        finally:
            schedule.close()
    for difference in differences:
        print(f"DIFFERENCE {difference}", file=sys.stderr)
    print(f"{name}: {'the outputs differ' if differences else 'outputs exact'}, "
          f"{time.monotonic() - started:.0f} s", flush=True)
    return not differences


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [schedule.__name__ for schedule in SCHEDULES]
    parser.add_argument("schedules", nargs="*", metavar="SCHEDULE", help=f"of {', '.join(names)}; default: all")
    parser.add_argument("--huiliu", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    args = parser.parse_args()
    if unknown := set(args.schedules) - set(names):
        parser.error(f"no schedule is named {', '.join(sorted(unknown))}")
    folder = Path(tempfile.mkdtemp(prefix="huiliu-kafka-schedules-"))
    chosen = [one for one in SCHEDULES if not args.schedules or one.__name__ in args.schedules]
    good = all([run(one, args, folder) for one in chosen])
    if good and not args.keep:
        shutil.rmtree(folder)
    else:
        print(f"kept: {folder}", file=sys.stderr)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
