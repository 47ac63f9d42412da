#!/usr/bin/env python3
"""Kills a topology that reads and writes Kafka again and again, and counts what it made.

A real broker runs on loopback (broker.py). Each life of `huiliu run` ends by SIGKILL, at a random moment
or at a named step of the commit (HUILIU_CRASH_AT), while input goes on arriving; some lives start without
their local state. The broker is killed and started again under a running process, which must go on by
itself. A process is stopped until its transaction has timed out and a second one has taken over (a
zombie): it must write nothing more. At the end the process runs to the end of the input, and again
without any local state; then every record of the input must be in the outputs exactly once, in order.
The verifier shares nothing with the program: confluent_kafka and plain Python.
"""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path

import client
from broker import Broker
from confluent_kafka import KafkaException

STEPS = [
    "epoch.begin", "epoch.before_prepare", "epoch.prepared", "kafka.after_claim", "kafka.before_changelog",
    "kafka.before_offsets", "kafka.before_commit", "kafka.after_commit", "commit.before_write",
    "commit.after_write", "epoch.committed",
]
DEPARTMENTS = [f"d{n}" for n in range(8)]
KINDS = ["open", "change", "close", "query"]
FIELDS = ["id", "dept", "kind", "amount", "n"]
RESENT, BROKEN = 0.15, 0.01  # shares of the input
STEP_LIMIT_S = 20  # a step that is not reached by then is not on the way
PROGRESS_LIMIT_S = 60
END_LIMIT_S = 300
TIMED_OUT_S = 12  # more than the topology's transaction_timeout
# By default brokers look for transactions to abort every 10 s only.
BROKER = {"transaction.abort.timed.out.transaction.cleanup.interval.ms": 500}
GROUP = "crash-kafka"
TOPOLOGY = """\
topology: crash-kafka
version: "1"
epoch: 200ms
parallelism: 2
shards: 8
backend:
  type: kafka
  bootstrap: "${KAFKA}"
  transaction_timeout: 10s
state: {path: state, memory: 16MiB}
rejects: rejected
sources:
  input:
    type: kafka
    topic: input
    format: json
    start: earliest
    until: "${UNTIL}"
    fields: [id, dept, kind, {name: amount, type: int64}, {name: n, type: int64}]
operators:
  once: {type: dedupe, input: input, key: [dept, id]}
  totals: {type: count, input: once, key: [dept, kind], sum: amount}
sinks:
  copied: {type: kafka, input: input, topic: copied, key: dept, format: json}
  accepted: {type: kafka, input: once, topic: accepted, key: dept, format: json}
  totals_out: {type: kafka, input: totals, topic: totals, key: dept, format: json}
  rejected: {type: kafka, topic: rejected, format: json}
"""


class Failure(Exception):
    """The program under test did what it must not do."""


# --- the input -------------------------------------------------------------------------------------


def make_input(rng: random.Random, records: int, partitions: int) -> list:
    """Records of (partition, key, value). Ids are distinct in a department only."""
    made, earlier = [], {dept: [] for dept in DEPARTMENTS}
    for number in range(records):
        dept = rng.choice(DEPARTMENTS)
        sent = earlier[dept]
        kind = rng.random()
        if kind < BROKEN:
            value = broken_message(rng, dept, number)
        elif kind < BROKEN + RESENT and sent:
            # Half of them soon after the first, most likely in the same epoch, the others from any time.
            value = rng.choice(sent[-20:] if rng.random() < 0.5 else sent)
        else:
            value = json.dumps({"id": f"r{len(sent):06}", "dept": dept, "kind": rng.choice(KINDS),
                                "amount": rng.randint(-1_000, 100_000), "n": len(sent)}).encode()
            sent.append(value)
        made.append((DEPARTMENTS.index(dept) % partitions, dept.encode(), value))
    return made


def broken_message(rng: random.Random, dept: str, number: int) -> bytes:
    return rng.choice([f'{{"id": "broken-{number}", "dept": "{dept}", "kind"', f'broken-{number}',
                       f'{{"id" "broken-{number}"}}', f'{{"id": "broken-{number}", "n": }}']).encode()


class Feeder:
    """Produces the input in order on a thread of its own: what give() allows, spread over some seconds.
    Goes on by itself when the broker was away."""

    SLICE_S = 0.05

    def __init__(self, bootstrap: str, records: list):
        self.bootstrap, self.records = bootstrap, records
        self.sent = self.allowed = 0
        self.rate = 1000.0  # records per second
        self.stopped = False
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def give(self, count: int, seconds: float) -> None:
        self.allowed = min(len(self.records), self.allowed + count)
        self.rate = max(1.0, (self.allowed - self.sent) / seconds)

    def left(self) -> int:
        return len(self.records) - self.allowed

    def finish(self) -> None:
        """Returns when the whole input is acknowledged."""
        self.give(self.left(), self.SLICE_S)
        while self.sent < len(self.records) and self.error is None:
            time.sleep(0.02)
        self.check()

    def stop(self) -> None:
        self.stopped = True
        self.thread.join(timeout=10)

    def check(self) -> None:
        if self.error is not None:
            raise RuntimeError("the input cannot be produced") from self.error

    def _run(self) -> None:
        producer, failures = client.open_producer(self.bootstrap), 0
        while not self.stopped:
            part = self.records[self.sent:min(self.allowed, self.sent + 1 + int(self.rate * self.SLICE_S))]
            try:
                if part:
                    client.send(producer, "input", part)
                    self.sent += len(part)
                failures = 0
                time.sleep(self.SLICE_S)
            except (KafkaException, TimeoutError) as error:
                # What was acknowledged or not is not known, so the slice is sent again. The verifier takes
                # the topic, not this list, for the input.
                producer, failures = client.open_producer(self.bootstrap), failures + 1
                if failures > 5:
                    self.error = error
                    return
                time.sleep(1)


# --- lives of the process --------------------------------------------------------------------------


class Job:
    """The topology in a folder, run by many processes one after the other."""

    def __init__(self, huiliu: str, folder: Path, bootstrap: str):
        self.huiliu, self.folder, self.bootstrap = huiliu, folder, bootstrap
        self.topology = folder / "topology.yaml"
        self.log = folder / "log.txt"
        self.topology.write_text(TOPOLOGY)

    def start(self, title: str, state: str, until: str = "forever", crash_at: str = "") -> subprocess.Popen:
        env = dict(os.environ, KAFKA=self.bootstrap, UNTIL=until)
        env.pop("HUILIU_CRASH_AT", None)
        if crash_at:
            env["HUILIU_CRASH_AT"] = crash_at
        # setpriv: ends with this test, also when it is stopped.
        command = ["setpriv", "--pdeathsig", "KILL", self.huiliu, "run", "--quiet", "--state",
                   str(self.folder / state), str(self.topology)]
        with open(self.log, "ab") as log:
            log.write(f"--- {title}, state in {state}\n".encode())
            log.flush()
            return subprocess.Popen(command, env=env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def forget(self, state: str) -> None:
        shutil.rmtree(self.folder / state, ignore_errors=True)

    def consumed(self) -> int:
        """Of the input, as the group has committed it."""
        offsets = client.committed_offsets(self.bootstrap, GROUP, "input")
        return sum(offset or 0 for offset in offsets.values())

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-25:])

    def restarts(self) -> int:
        """How often a process began again by itself."""
        return self.log.read_text(errors="replace").count("starting again at the last committed epoch")

    def wait_for_progress(self, process: subprocess.Popen, beyond: int, what: str) -> None:
        deadline = time.monotonic() + PROGRESS_LIMIT_S
        while self.consumed() <= beyond:
            self.must_run(process, what)
            if time.monotonic() > deadline:
                kill(process)
                raise Failure(f"{what}: nothing was committed for {PROGRESS_LIMIT_S} s\n{self.tail()}")
            time.sleep(0.1)

    def must_run(self, process: subprocess.Popen, what: str) -> None:
        if process.poll() is not None:
            raise Failure(f"{what}: ended by itself with code {process.returncode}\n{self.tail()}")


def kill(process: subprocess.Popen) -> int:
    process.kill()
    return process.wait()


class Crashes:
    """Lives that end badly, and how many of which kind there were."""

    def __init__(self, args, rng: random.Random, broker: Broker, job: Job, feeder: Feeder):
        self.args, self.rng, self.broker, self.job, self.feeder = args, rng, broker, job, feeder
        self.kills: Counter = Counter()      # by moment
        self.lives: Counter = Counter()      # of each step: tried
        self.figures: Counter = Counter()
        self.states = ["state"]

    def run(self) -> None:
        plan = self.plan()
        for at, life in enumerate(plan):
            self.feeder.check()
            # Something stays for the end, which is a life too.
            self.portion = self.feeder.left() // (len(plan) - at + 1)
            before = self.job.consumed()
            life()
            self.figures["lives that committed"] += self.job.consumed() > before

    def plan(self) -> list:
        steps = []
        while len(steps) < self.args.kills:
            steps += self.rng.sample(STEPS, len(STEPS))
        # About a third at random moments; every step if there are kills enough.
        at_steps = min(self.args.kills, max(len(STEPS), self.args.kills * 2 // 3))
        plan = [lambda step=step: self.kill_at_step(step) for step in steps[:at_steps]]
        plan += [self.kill_at_random] * (self.args.kills - at_steps)
        plan += [self.kill_broker] * self.args.broker_kills
        plan += [self.take_over] * self.args.takeovers
        plan += [lambda second=n % 2 == 0: self.zombie(second) for n in range(self.args.zombies)]
        self.rng.shuffle(plan)
        return plan

    def state(self) -> str:
        """Folder for the next life: sometimes none is left, sometimes a stale one of an earlier zombie."""
        state = "state" if self.rng.random() < 0.8 else self.rng.choice(self.states)
        if self.rng.random() < 0.2 and (self.job.folder / state).exists():
            self.job.forget(state)
            self.figures["without local state"] += 1
        return state

    def kill_at_random(self) -> None:
        self.feeder.give(self.portion, 1.0)
        process = self.job.start("until a random moment", self.state())
        deadline = time.monotonic() + self.rng.uniform(0.05, self.args.longest)
        while time.monotonic() < deadline:
            self.job.must_run(process, "a life of a random length")
            time.sleep(0.002)
        kill(process)
        self.kills["random"] += 1

    def kill_at_step(self, step: str) -> None:
        """One in four reads only what is there, so that the last steps of a run are met too."""
        until = self.rng.choice(["forever", "forever", "forever", "end"])
        passes = self.rng.randint(1, 5 if until == "forever" and step != "kafka.after_claim" else 1)
        self.lives[step] += 1
        self.feeder.give(self.portion, 1 + 0.3 * passes)  # a start takes up to a second
        process = self.job.start(f"until {step}:{passes}", self.state(), until, f"{step}:{passes}")
        try:
            code = process.wait(STEP_LIMIT_S)
        except subprocess.TimeoutExpired:
            kill(process)
            self.kills["not reached"] += 1
            return
        if code == -signal.SIGKILL:
            self.kills[step] += 1
        elif code == 0 and until == "end":
            self.kills["not reached"] += 1
        else:
            raise Failure(f"a life that was to end at {step} ended with code {code}\n{self.job.tail()}")

    def kill_broker(self) -> None:
        self.feeder.give(self.portion // 2, 1.0)
        before = self.job.consumed()
        process = self.job.start("while the broker is killed", self.state())
        self.job.wait_for_progress(process, before, "before the broker is killed")
        time.sleep(self.rng.uniform(0, 0.5))
        self.broker.kill()
        self.figures["broker kills"] += 1
        time.sleep(self.rng.uniform(1, 3))
        self.job.must_run(process, "without a broker")
        self.broker.start()
        before = self.job.consumed()
        self.feeder.give(self.portion - self.portion // 2, 1.0)
        started = time.monotonic()
        self.job.wait_for_progress(process, before, "after the broker has come back")
        self.figures["ms until it went on after broker kills"] += int(1000 * (time.monotonic() - started))
        kill(process)
        self.kills["after a broker"] += 1

    def zombie(self, second: bool) -> None:
        """Stopped until its transaction has timed out; with `second`, another process takes over."""
        self.feeder.give(self.portion // 2, 4.0)  # so that it has a transaction open when it is stopped
        before = self.job.consumed()
        state = self.state()
        process = self.job.start("a zombie", state)
        self.job.wait_for_progress(process, before, "before it is a zombie")
        time.sleep(self.rng.uniform(0, 0.4))
        process.send_signal(signal.SIGSTOP)
        stopped = time.monotonic()
        self.figures["zombies"] += 1
        rival = self.start_rival(state) if second else None
        time.sleep(max(0.0, TIMED_OUT_S - (time.monotonic() - stopped)))
        if rival and self.rng.random() < 0.5:
            self.end_rival(rival)
        before = self.job.consumed()
        process.send_signal(signal.SIGCONT)
        self.feeder.give(self.portion - self.portion // 2, 1.0)
        if rival:
            self.must_end(process)
            if rival.poll() is None:
                self.job.wait_for_progress(rival, before, "the second process after the zombie woke up")
            self.end_rival(rival)
        else:
            self.job.wait_for_progress(process, before, "after its transaction timed out")
            kill(process)
            self.kills["after a stop"] += 1

    def take_over(self) -> None:
        """A second process is started by mistake while the first one is at work, which must end."""
        self.feeder.give(self.portion // 2, 1.0)
        before = self.job.consumed()
        state = self.state()
        process = self.job.start("before a second one", state)
        self.job.wait_for_progress(process, before, "before a second process")
        rival = self.start_rival(state)
        self.must_end(process)
        self.figures["takeovers"] += 1
        self.end_rival(rival)

    def start_rival(self, other: str) -> subprocess.Popen:
        """With a folder of its own, as on another machine."""
        self.states = ["state", "rival"]
        state = "state" if other == "rival" else "rival"
        self.feeder.give(self.portion // 4, 1.0)
        before = self.job.consumed()
        rival = self.job.start("the second process", state)
        self.job.wait_for_progress(rival, before, "the second process")
        return rival

    def end_rival(self, rival: subprocess.Popen) -> None:
        """Like the plan's lives or by SIGTERM. Does nothing if it has ended here before."""
        if rival.returncode is not None:
            return
        self.job.must_run(rival, "the second process")
        if self.rng.random() < 0.5:
            kill(rival)
            self.kills["second process"] += 1
            return
        rival.terminate()
        code = rival.wait(PROGRESS_LIMIT_S)
        if code not in (0, 130):
            raise Failure(f"the second process ended on SIGTERM with code {code}\n{self.job.tail()}")

    def must_end(self, zombie: subprocess.Popen) -> None:
        """It was fenced. That it wrote nothing more is for the verifier to find."""
        try:
            code = zombie.wait(PROGRESS_LIMIT_S)
        except subprocess.TimeoutExpired:
            kill(zombie)
            raise Failure(f"a zombie goes on although another has taken over\n{self.job.tail()}") from None
        if code == 0:
            raise Failure(f"a zombie ended as if all were well\n{self.job.tail()}")
        self.figures[f"fenced processes that ended with code {code}"] += 1


# --- the verifier ----------------------------------------------------------------------------------


class Expected:
    """What the input topic determines."""

    def __init__(self, messages: list):
        # Dept → records in order. The dedupe operator would hide input that is read twice from all that
        # is after it; `copied` shows it.
        self.copied = defaultdict(list)
        self.accepted = defaultdict(list)  # first occurrences
        self.totals = defaultdict(lambda: [0, 0])  # (dept, kind) → count, sum
        self.broken = 0
        seen = set()
        for message in messages:
            try:
                record = json.loads(message.value)
            except ValueError:
                self.broken += 1
                continue
            self.copied[record["dept"]].append(record)
            key = record["dept"], record["id"]
            if key in seen:
                continue
            seen.add(key)
            self.accepted[record["dept"]].append(record)
            total = self.totals[record["dept"], record["kind"]]
            total[0] += 1
            total[1] += record["amount"]
        self.distinct = len(seen)


class Verifier:
    """Reads the topics with read_committed and collects the differences."""

    MOST = 5  # differences shown of a kind

    def __init__(self, bootstrap: str):
        self.bootstrap = bootstrap
        self.differences: list = []
        self.figures: dict = {}

    def check(self, records: list) -> None:
        messages = self.read("input")
        self.check_input(records, messages)
        expected = Expected(messages)
        self.figures |= {"distinct": expected.distinct, "broken": expected.broken,
                         "sent again": len(messages) - expected.distinct - expected.broken}
        self.check_records("copied", expected.copied)
        self.check_records("accepted", expected.accepted)
        self.check_totals(expected)
        self.check_rejected(expected)
        self.check_changelog(expected)

    def read(self, topic: str) -> list:
        messages = client.read_committed(self.bootstrap, topic)
        self.figures[topic] = len(messages)
        return messages

    def differ(self, differences: list) -> None:
        self.differences += differences[:self.MOST]
        if len(differences) > self.MOST:
            self.differences.append(f"... and {len(differences) - self.MOST} more like these")

    def check_input(self, records: list, messages: list) -> None:
        """The harness itself: all that it sent is there."""
        missing = Counter(value for _, _, value in records) - Counter(message.value for message in messages)
        self.differ([f"input: {value} was sent, and is not there" for value in missing])

    def check_records(self, topic: str, expected: dict) -> None:
        """Each record once, those of a department in order and in one partition."""
        found, wrong, places = defaultdict(list), [], defaultdict(set)
        for message in self.read(topic):
            record = parse(message.value)
            if record is None or record.get("dept") not in expected:
                wrong.append(f"{topic}: {message} is none of the records")
                continue
            dept = record["dept"]
            found[dept].append({field: record.get(field) for field in FIELDS})
            places[dept].add(message.partition)
            if message.key != dept.encode():
                wrong.append(f"{topic}: {message} has the key of another department")
        for dept, records in expected.items():
            wrong += compare(f"{topic}, {dept}", records, found[dept])
            if len(places[dept]) > 1:
                wrong.append(f"{topic}: {dept} is in partitions {sorted(places[dept])}")
        self.differ(wrong)

    def check_totals(self, expected: Expected) -> None:
        last, wrong = {}, []
        for message in self.read("totals"):
            record = parse(message.value)
            if record is None:
                wrong.append(f"totals: {message} is no record")
                continue
            key = record.get("dept"), record.get("kind")
            if record.get("count", 0) <= last.get(key, [0])[0]:
                wrong.append(f"totals: {key} at {message.partition}/{message.offset}: the count does not "
                             f"grow: {record.get('count')} after {last.get(key)}")
            last[key] = [record.get("count"), record.get("sum")]
        for key in sorted(set(expected.totals) | set(last)):
            if expected.totals.get(key) != last.get(key):
                wrong.append(f"totals: {key} is {last.get(key)}, not {expected.totals.get(key)}")
        self.differ(wrong)

    def check_rejected(self, expected: Expected) -> None:
        messages = self.read("rejected")
        wrong = []
        for message in messages:
            record = parse(message.value)
            if record is None or not record.get("reject_code"):
                wrong.append(f"rejected: {message} has no reject_code")
        if len(messages) != expected.broken:
            wrong.append(f"rejected: {len(messages)} records, not {expected.broken}")
        self.differ(wrong)

    def check_changelog(self, expected: Expected) -> None:
        """One live key for each that the dedupe operator has to remember, and one count for each total."""
        names = client.topic_names(self.bootstrap)
        for operator, keys in [("once", expected.distinct), ("totals", len(expected.totals))]:
            start = f"crash-kafka.{operator}."
            found = [name for name in names if name.startswith(start) and name.endswith(".changelog")]
            if len(found) != 1:
                self.differ([f"changelog of {operator}: there are the topics {found}"])
                continue
            live = set()
            for message in self.read(found[0]):
                (live.discard if message.value is None else live.add)((message.partition, message.key))
            if len(live) != keys:
                self.differ([f"{found[0]}: {len(live)} live keys, not {keys}"])


def parse(value: bytes | None) -> dict | None:
    try:
        record = json.loads(value or b"")
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def compare(what: str, expected: list, found: list) -> list:
    """Sequences of records that must be equal; says which are missing, made twice or out of order."""
    if expected == found:
        return []
    wanted = Counter(json.dumps(record, sort_keys=True) for record in expected)
    got = Counter(json.dumps(record, sort_keys=True) for record in found)
    wrong = [f"{what}: {count} × missing: {record}" for record, count in (wanted - got).items()]
    wrong += [f"{what}: {count} × too many: {record}" for record, count in (got - wanted).items()]
    if not wrong:
        at = next(i for i, (a, b) in enumerate(zip(expected, found)) if a != b)
        wrong.append(f"{what}: out of order from record {at}: {found[at]}, not {expected[at]}")
    return wrong


# --- all of it -------------------------------------------------------------------------------------


def run_to_end(job: Job, state: str) -> None:
    process = job.start("to the end", state, until="end")
    try:
        code = process.wait(END_LIMIT_S)
    except subprocess.TimeoutExpired:
        kill(process)
        raise Failure(f"the last life does not end in {END_LIMIT_S} s\n{job.tail()}") from None
    if code != 0:
        raise Failure(f"the last life ended with code {code}\n{job.tail()}")


def disturb_and_verify(args, folder: Path, broker: Broker) -> bool:
    started = time.monotonic()
    rng = random.Random(args.seed)
    topics = dict.fromkeys(["input", "copied", "accepted", "totals"], args.partitions) | {"rejected": 1}
    client.create_topics(broker.bootstrap, topics)
    records = make_input(rng, args.records, args.partitions)
    feeder = Feeder(broker.bootstrap, records)
    job = Job(args.huiliu, folder, broker.bootstrap)
    crashes = Crashes(args, rng, broker, job, feeder)
    try:
        crashes.run()
        feeder.finish()
    finally:
        feeder.stop()
    run_to_end(job, "state")
    job.forget("state")
    run_to_end(job, "state")  # all is restored, nothing is read, nothing may be written
    verifier = Verifier(broker.bootstrap)
    verifier.check(records)
    report(args, crashes, verifier, time.monotonic() - started)
    return not verifier.differences


def report(args, crashes: Crashes, verifier: Verifier, seconds: float) -> None:
    unreached = crashes.kills.pop("not reached", 0)
    crashes.figures["restarts inside a process"] = crashes.job.restarts()
    print(f"seed {args.seed}, {args.records} records, {seconds:.0f} s")
    print(f"{sum(crashes.kills.values())} kills, {unreached} steps not reached; by moment: "
          + ", ".join(f"{name} {count}" for name, count in sorted(crashes.kills.items())))
    for step in STEPS:
        if crashes.lives[step] and not crashes.kills[step]:
            print(f"  never reached: {step}, tried {crashes.lives[step]} ×")
    print("; ".join(f"{name}: {count}" for name, count in sorted(crashes.figures.items())))
    print("verified: " + ", ".join(f"{name} {count}" for name, count in verifier.figures.items()))
    for difference in verifier.differences:
        print(f"DIFFERENCE {difference}", file=sys.stderr)
    print("the outputs differ" if verifier.differences else "outputs exact")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--huiliu", required=True)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--broker-kills", type=int, default=2)
    parser.add_argument("--zombies", type=int, default=1,
                        help="every second one is only stopped, without another process taking over")
    parser.add_argument("--takeovers", type=int, default=1)
    parser.add_argument("--records", type=int, default=60_000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=1.5, help="seconds of a life of a random length")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="huiliu-kafka-crash-"))
    good = False
    try:
        with Broker(folder / "broker", BROKER) as broker:
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
