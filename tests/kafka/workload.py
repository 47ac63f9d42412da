"""What the tests of faults let run: an input with records sent again and broken ones, a feeder, and a topology.

The topology has a pass-through, a dedupe and counts, so that a record lost, repeated or swapped shows in one
of its outputs (verifier.py). Job runs it by many processes one after the other.
"""
import json
import os
import random
import shutil
import subprocess
import threading
import time
from pathlib import Path

import client
from confluent_kafka import KafkaException

DEPARTMENTS = [f"d{n}" for n in range(8)]
KINDS = ["open", "change", "close", "query"]
RESENT, BROKEN = 0.15, 0.01  # shares of the input
PROGRESS_LIMIT_S = 60
ASK_LIMIT_S = 30
END_LIMIT_S = 300
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
state: {path: state, memory: "${MEMORY:-16MiB}"}
rejects: rejected
sources:
  input:
    type: kafka
    topic: input
    format: json
    start: earliest
    until: "${UNTIL}"
    discover: 500ms
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


def make_input(rng: random.Random, records: int, partitions: int, departments: list = None,
               first_partition: int = 0, most_keys: int = 1 << 62) -> list:
    """Records of (partition, key, value). Ids are distinct in a department only. When there are `most_keys`,
    all that comes was there before."""
    departments = departments or DEPARTMENTS
    made, earlier, keys = [], {dept: [] for dept in departments}, 0
    for number in range(records):
        dept = rng.choice(departments)
        sent = earlier[dept]
        kind = rng.random()
        if kind < BROKEN:
            value = broken_message(rng, dept, number)
        elif sent and (kind < BROKEN + RESENT or keys >= most_keys):
            # Half of them soon after the first, most likely in the same epoch, the others from any time.
            value = rng.choice(sent[-20:] if rng.random() < 0.5 else sent)
        else:
            value = json.dumps({"id": f"r{len(sent):06}", "dept": dept, "kind": rng.choice(KINDS),
                                "amount": rng.randint(-1_000, 100_000), "n": len(sent)}).encode()
            sent.append(value)
            keys += 1
        partition = first_partition + departments.index(dept) % partitions
        made.append((partition, dept.encode(), value))
    return made


def broken_message(rng: random.Random, dept: str, number: int) -> bytes:
    return rng.choice([f'{{"id": "broken-{number}", "dept": "{dept}", "kind"', f'broken-{number}',
                       f'{{"id" "broken-{number}"}}', f'{{"id": "broken-{number}", "n": }}']).encode()


class Feeder:
    """Produces the input in order on a thread of its own: what give() allows, spread over some seconds.
    Goes on by itself when the broker was away."""

    SLICE_S = 0.05

    def __init__(self, bootstrap: str, records: list, topic: str = "input"):
        self.bootstrap, self.records, self.topic = bootstrap, records, topic
        self.sent = self.allowed = 0
        self.pace = (0, time.monotonic(), 1000.0)  # from this record and time on, records per second
        self.stopped = False
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def give(self, count: int, seconds: float) -> None:
        self.allowed = min(len(self.records), self.allowed + count)
        self.pace = (self.sent, time.monotonic(), max(1.0, (self.allowed - self.sent) / seconds))

    def go(self, rate: float) -> None:
        """All that is left, at so many records a second."""
        self.give(self.left(), max(self.SLICE_S, (len(self.records) - self.sent) / rate))

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
            begin, since, rate = self.pace
            due = begin + 1 + int(rate * (time.monotonic() - since + self.SLICE_S))
            part = self.records[self.sent:min(self.allowed, due)]
            try:
                if part:
                    client.send(producer, self.topic, part)
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
    """The topology in a folder, run by many processes one after the other. `way` is the bootstrap of the
    processes where it is not that of the test itself."""

    def __init__(self, huiliu: str, folder: Path, bootstrap: str, way: str = ""):
        self.huiliu, self.folder, self.bootstrap = huiliu, folder, bootstrap
        self.way = way or bootstrap
        self.topology = folder / "topology.yaml"
        self.log = folder / "log.txt"
        folder.mkdir(exist_ok=True)
        self.topology.write_text(TOPOLOGY)

    def start(self, title: str, state: str = "state", until: str = "forever", crash_at: str = "",
              env: dict = None, more: tuple = ()) -> subprocess.Popen:
        env = dict(os.environ, KAFKA=self.way, UNTIL=until, **(env or {}))
        env.pop("HUILIU_CRASH_AT", None)
        if crash_at:
            env["HUILIU_CRASH_AT"] = crash_at
        # setpriv: ends with this test, also when it is stopped.
        command = ["setpriv", "--pdeathsig", "KILL", self.huiliu, "run", "--quiet", "--state",
                   str(self.folder / state), *more, str(self.topology)]
        with open(self.log, "ab") as log:
            log.write(f"--- {title}, state in {state}\n".encode())
            log.flush()
            return subprocess.Popen(command, env=env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def forget(self, state: str) -> None:
        shutil.rmtree(self.folder / state, ignore_errors=True)

    def consumed(self) -> int:
        """Of the input, as the group has committed it."""
        deadline = time.monotonic() + ASK_LIMIT_S
        while True:
            try:
                offsets = client.committed_offsets(self.bootstrap, GROUP, "input")
                return sum(offset or 0 for offset in offsets.values())
            except KafkaException:  # the coordinator is on its way to another broker
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

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


def run_to_end(job: Job, state: str, more: tuple = ()) -> None:
    process = job.start("to the end", state, until="end", more=more)
    try:
        code = process.wait(END_LIMIT_S)
    except subprocess.TimeoutExpired:
        kill(process)
        raise Failure(f"the last life does not end in {END_LIMIT_S} s\n{job.tail()}") from None
    if code != 0:
        raise Failure(f"the last life ended with code {code}\n{job.tail()}")
