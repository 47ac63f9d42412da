"""Windows of several workers that come, go and are killed, over partitions that differ in every way."""
import json
import random
import time
from pathlib import Path

import client
from broker import Broker
from windows_verifier import Rules, WindowVerifier
from workers_test import Group, Worker
from workload import BROKER, Failure, Feeder

BASE = 1_700_000_000_000
# Of event time: a worker that takes over the slow partition finds several of its windows waiting.
WINDOW_MS, DISORDER_MS, STEP_MS, IDLE_S = 2000, 1000, 400, 5
WIDE_MS = 5 * WINDOW_MS
KEYS = [f"k{number}" for number in range(8)]
# How many records a partition has of one that is as fast as can be.
FAST = {0: 1.0, 1: 0.8, 2: 0.6, 3: 0.4}
# The slow and the silent one share a shard with one that is fast; 4 and 5 are empty and have shards of their own.
SHARDS, SLOW, SILENT, PARTITIONS = 6, 6, 7, 8
STEADY = (*FAST, SLOW)
TIMES_SLOWER = 20
LATE = {SLOW: 0.05} | dict.fromkeys(FAST, 0.01)
BACKLOG, SILENT_FROM = 0.3, 0.35  # of the input: is there before the first worker; from then on
EVENTS = ["stop_one", "kill_one", "kill_one", "kill_at_step"]
STILL_LIMIT_S = 60  # far longer than IDLE_S and the start of a worker that has all to restore
SESSION_S = 6  # the brokers' least
TOPICS = {name: name for name in ("input", "windows", "late", "once", "totals", "wide")}
TOPOLOGY = f"""\
topology: windows
version: "1"
epoch: 200ms
parallelism: 2
shards: {SHARDS}
backend:
  type: kafka
  workers: several
  worker: "${{WORKER:-}}"
  standbys: {{standbys}}
  session_timeout: {SESSION_S}s
  bootstrap: "${{KAFKA}}"
  transaction_timeout: 60s
state: {{path: state, memory: 16MiB}}
rejects: rejected
sources:
  input:
    type: kafka
    topic: input
    start: earliest
    until: "${{UNTIL}}"
    event_time: t
    out_of_orderness: {DISORDER_MS}ms
    idle: {IDLE_S}s
    fields: [k, id, {{name: t, type: int64}}]
operators:
  windowed: {{type: window_count, input: input, key: [k], window: {WINDOW_MS}ms}}
  once: {{type: dedupe, input: windowed, key: [window_start, k]}}
  wide: {{type: window_count, input: once, key: [k], window: {WIDE_MS}ms}}
  totals: {{type: count, input: once, key: [k], sum: count}}
sinks:
  windows: {{type: kafka, input: windowed, topic: windows, key: k}}
  late: {{type: kafka, input: windowed.late, topic: late, key: k}}
  once_out: {{type: kafka, input: once, topic: once, key: k}}
  wide_out: {{type: kafka, input: wide, topic: wide, key: k}}
  totals_out: {{type: kafka, input: totals, topic: totals, key: k}}
  rejected: {{type: kafka, topic: rejected}}
"""


class Stream:
    """Makes the input: records of (partition, key, value). Those of a partition are in order within the
    disorder that the topology allows, but for a few."""

    def __init__(self, rng: random.Random):
        self.rng = rng
        self.clocks = dict.fromkeys([*STEADY, SILENT], BASE)
        self.made = 0

    def record(self, partition: int, key: str, time_ms: int, what: str = "r") -> tuple:
        self.made += 1
        value = {"k": key, "id": f"{what}-{self.made}", "t": time_ms}
        return partition, key.encode(), json.dumps(value).encode()

    def next(self, partition: int, step_ms: int = STEP_MS, what: str = "r") -> tuple:
        self.clocks[partition] += step_ms
        back = self.rng.randrange(DISORDER_MS)
        if self.rng.random() < LATE.get(partition, 0.0):
            back = self.rng.randrange(DISORDER_MS + WINDOW_MS, 30 * WINDOW_MS)
        return self.record(partition, self.rng.choice(KEYS), self.clocks[partition] - back, what)

    def steady(self, count: int) -> list:
        records, step = [], 0
        while len(records) < count:
            records += [self.next(partition) for partition, speed in FAST.items() if self.rng.random() < speed]
            if step % TIMES_SLOWER == 0:
                records.append(self.next(SLOW))
                # It is behind all others, so that windows wait for it until it is idle, and no longer.
                if len(records) < count * SILENT_FROM:
                    records.append(self.next(SILENT, STEP_MS // 2))
            step += 1
        return records

    def closing(self) -> list:
        """One record in each steady partition, behind which all windows of the others end."""
        return [self.at_end(partition) for partition in STEADY]

    def at_end(self, partition: int) -> tuple:
        end = max(self.clocks.values()) + DISORDER_MS + 2 * WIDE_MS
        return self.record(partition, KEYS[0], end, "end")


class Latecomers:
    """Sends records for windows that it has seen, which can be nothing but late."""

    def __init__(self, stream: Stream, rng: random.Random, bootstrap: str):
        self.stream, self.rng, self.bootstrap = stream, rng, bootstrap
        self.producer = client.open_producer(bootstrap)
        self.ids: set = set()

    def send(self, partitions: list) -> None:
        seen = [json.loads(message.value) for message in client.read_committed(self.bootstrap, "windows")]
        chosen = self.rng.sample(seen[-200:], min(5, len(seen))) + self.rng.sample(seen, min(3, len(seen)))
        records = [self.stream.record(self.rng.choice(partitions), row["k"],
                                      self.rng.randrange(row["window_start"], row["window_end"]), "must")
                   for row in chosen]
        client.send(self.producer, "input", records)
        self.ids |= {json.loads(value)["id"] for _, _, value in records}

    def go_on_after_silence(self) -> None:
        """The silent partition goes on where it stopped: most is late, but what is so is chance. Then it is
        ahead of all others, and the slow one alone holds the windows."""
        records = [self.stream.next(SILENT, what="again") for _ in range(100)]
        client.send(self.producer, "input", [*records, self.stream.at_end(SILENT)])


class Shifts(Group):
    def __init__(self, args, rng: random.Random, folder: Path, bootstrap: str):
        super().__init__(args, rng, folder, bootstrap)
        self.topology.write_text(TOPOLOGY.replace("{standbys}", str(args.standbys)))
        self.events = [getattr(self, name) for name in EVENTS]

    def disturb(self, seconds: float, between) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(self.rng.uniform(1.0, self.args.every))
            self.collect()
            between()
            away = [worker for worker in self.workers if not worker.runs()]
            if away and (len(away) > 1 or self.rng.random() < 0.6):
                self.join(self.rng.choice(away))
            else:
                self.rng.choice(self.events)()


def wait_for_windows(worker: Worker, verifier: WindowVerifier) -> None:
    """Until all is there, or nothing more comes. The verifier says what is missing or too much then."""
    wanted, before, deadline = (verifier.input.to_come(), 0), None, 0.0
    while (found := verifier.done()) != wanted and found[0] <= wanted[0]:
        if not worker.runs():
            raise Failure(f"the last worker ended with code {worker.process.returncode}\n{worker.tail()}")
        if found != before:
            before, deadline = found, time.monotonic() + STILL_LIMIT_S
        if time.monotonic() > deadline:
            return
        time.sleep(0.5)
    time.sleep(2)  # what is too much may come yet, and the last totals


def workers(args, folder: Path, rng: random.Random) -> bool:
    begun = time.monotonic()
    with Broker(folder / "broker", BROKER | {"group.min.session.timeout.ms": 1000}) as broker:
        client.create_topics(broker.bootstrap, dict.fromkeys(TOPICS, PARTITIONS) | {"rejected": 1},
                             {"message.timestamp.type": "LogAppendTime"})
        stream = Stream(rng)
        records = stream.steady(int(args.rate * longest(args) / (1 - BACKLOG)))
        late = Latecomers(stream, rng, broker.bootstrap)
        group = Shifts(args, rng, folder, broker.bootstrap)
        feeder = Feeder(broker.bootstrap, records)
        try:
            rules = disturb(args, group, feeder, late)
        finally:
            feeder.stop()
        return finish(group, rules, late, begun)


def longest(args) -> float:
    """Seconds that the input lasts at its pace: longer than all that happens, so that no steady partition
    becomes silent. What is left then comes at once."""
    return 2 * args.seconds + 60


def disturb(args, group: Shifts, feeder: Feeder, late: Latecomers) -> Rules:
    backlog = int(len(feeder.records) * BACKLOG)
    feeder.give(backlog, 0.05)
    while feeder.sent < backlog:
        feeder.check()
        time.sleep(0.05)
    feeder.give(feeder.left(), longest(args))
    started_at = int(time.time() * 1000)
    for worker in group.workers:
        worker.start()
    time.sleep(1.5 * IDLE_S)  # somebody notices the empty partitions, and the first windows close
    group.disturb(args.seconds / 2, lambda: late.send(list(STEADY)))
    wait_for_silence(group, late.stream.clocks[SILENT])
    silence = silent_at(group.bootstrap)
    late.go_on_after_silence()
    group.disturb(args.seconds / 2, lambda: late.send([*STEADY, SILENT]))
    feeder.finish()
    late.send([SILENT])
    client.send(late.producer, "input", late.stream.closing())
    # The clock by which silence is measured goes in steps of up to 200 ms.
    idle_ms = IDLE_S * 1000 - 200
    return Rules(WINDOW_MS, DISORDER_MS, idle_ms, STEADY, SILENT, silence, started_at, WIDE_MS)


def wait_for_silence(group: Shifts, latest: int) -> None:
    """Returns when windows have ended that the silent partition has not reached: nobody waits for it."""
    group.collect()
    for worker in group.workers:
        if not worker.runs():
            group.join(worker)
    deadline = time.monotonic() + STILL_LIMIT_S
    while not any(json.loads(message.value)["window_end"] > latest
                  for message in client.read_committed(group.bootstrap, "windows")):
        group.collect()
        if time.monotonic() > deadline:
            raise Failure(f"windows wait for a silent partition after {STILL_LIMIT_S} s, though idle is {IDLE_S} s\n"
                          + group.running().tail())
        time.sleep(0.5)


def silent_at(bootstrap: str) -> int:
    return max(message.time for message in client.read_committed(bootstrap, "input")
               if message.partition == SILENT and json.loads(message.value)["id"].startswith("r-"))


def finish(group: Shifts, rules: Rules, late: Latecomers, begun: float) -> bool:
    verifier = WindowVerifier(group.bootstrap, rules, TOPICS)
    last = group.leave_one()  # without local state
    wait_for_windows(last, verifier)
    last.end()
    last.start()  # all is done, nothing may be written
    time.sleep(4)
    last.end()
    verifier.check(late.ids)
    refused = client.read_committed(group.bootstrap, "rejected")
    verifier.differ([f"rejected: {message.value}" for message in refused])
    logs = "".join(worker.log.read_text(errors="replace") for worker in group.workers)
    group.figures["times the work was shared anew"] = logs.count("share the work anew")
    print(f"workers: {time.monotonic() - begun:.0f} s; "
          + "; ".join(f"{name}: {count}" for name, count in sorted(group.figures.items())))
    return verifier.report()
