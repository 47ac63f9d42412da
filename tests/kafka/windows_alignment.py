"""Partitions of which one is a thousand times slower than the others: alignment bounds what windows must keep.

Two topics, each a source of one alignment group. All partitions have the same span of event time; the fast ones
have a thousand records for each of the slow one's, and are there at once, while the slow one comes step by step.
What was committed tells all: the copy of the input says in which order records were taken, and the changelog of
the windows how many rows there were at every moment.
"""
import json
import random
import time
from collections import Counter, defaultdict
from pathlib import Path

import client
from broker import Broker
from workload import ASK_LIMIT_S, BROKER, Failure, Job, kill, run_to_end

TOPICS = {"swift": 2, "mixed": 2}
SLOW = ("mixed", 0)
FAST = [(topic, number) for topic, count in TOPICS.items() for number in range(count) if (topic, number) != SLOW]
BASE = 1_700_000_000_000
STEP_MS, TIMES_SLOWER, STEPS = 1000, 1000, 8
MOST_MS, WINDOW_MS = 500_000, 100_000
# A slice is filled by so many records that what is under way is little: of a split, as the engine says, eight
# slices under way, three that are ready, and one that is being read, of 1 MiB each.
PADDING = 8192
UNDER_WAY_MS = 12 * (1 << 20) // PADDING * STEP_MS
STILL_S = 1.0
ALIGNMENT = f"    alignment: {{group: day, most: {MOST_MS}ms}}\n"
TOPOLOGY = """\
topology: aligned
epoch: 100ms
parallelism: 2
backend: {type: kafka, bootstrap: "${KAFKA}"}
state: {path: state, memory: 16MiB}
rejects: rejected
sources:
""" + "".join(f"""\
  {topic}:
    type: kafka
    topic: {topic}
    start: earliest
    until: "${{UNTIL}}"
    event_time: t
    idle: 1h
{ALIGNMENT}\
    fields:
    - id
    - {{name: t, type: int64}}
    - {{name: topic, from: topic}}
    - {{name: partition, type: int64, from: partition}}
""" for topic in TOPICS) + f"""\
operators:
  windowed: {{type: window_count, input: [swift, mixed], key: [id], window: {WINDOW_MS}ms}}
sinks:
  windows: {{type: kafka, input: windowed, topic: windows, key: id}}
  late: {{type: kafka, input: windowed.late, topic: late}}
  copied: {{type: kafka, input: [swift, mixed], topic: copied}}
  rejected: {{type: kafka, topic: rejected}}
"""


def record(split: tuple, time_ms: int) -> tuple:
    """Each has a key of its own, so that it is a row of its window."""
    name = f"{split[0]}-{split[1]}-{time_ms // STEP_MS}"
    value = {"id": name, "t": BASE + time_ms, "padding": "p" * PADDING}
    return split[1], name.encode(), json.dumps(value).encode()


class Lanes:
    """The input, and what a process has made of it by now."""

    def __init__(self, bootstrap: str, folder: Path, huiliu: str, topology: str):
        self.bootstrap = bootstrap
        topics = dict.fromkeys(["windows", "late", "copied", "rejected"], 1) | TOPICS
        client.create_topics(bootstrap, topics, {"max.message.bytes": 2 << 20})
        self.producer = client.open_producer(bootstrap, {"compression.type": "lz4"})
        self.job = Job(huiliu, folder, bootstrap)
        self.job.topology.write_text(topology)
        self.process = None

    def send(self, split: tuple, times: list) -> None:
        client.send(self.producer, split[0], [record(split, time_ms) for time_ms in times])

    def start(self, title: str) -> None:
        self.process = self.job.start(title)

    def copied(self) -> list:
        """(split, time since the beginning), in the order in which records were taken."""
        rows = [json.loads(message.value) for message in client.read_committed(self.bootstrap, "copied")]
        return [((row["topic"], row["partition"]), row["t"] - BASE) for row in rows]

    def taken(self) -> int:
        """Grows with each epoch that has taken a record: marks of transactions count too."""
        return client.end_offsets(self.bootstrap, "copied")[0]

    def wait_until_still(self, least: int) -> None:
        """Until nothing more is taken, and at least so many records are."""
        found, moved, begun = -1, time.monotonic(), time.monotonic()
        while time.monotonic() < moved + STILL_S or len(self.copied()) < least:
            self.job.must_run(self.process, "while the slow partition stands")
            if time.monotonic() > begun + ASK_LIMIT_S:
                raise Failure(f"fewer than {least} records are taken after {ASK_LIMIT_S} s\n{self.job.tail()}")
            time.sleep(0.1)
            if (now := self.taken()) != found:
                found, moved = now, time.monotonic()

    def most_rows(self) -> int:
        """How many rows the windows' table has had at once: the most of each shard, since the changelog's
        partitions have no common order."""
        name = next(name for name in client.topic_names(self.bootstrap)
                    if name.startswith("aligned.windowed.") and name.endswith(".changelog"))
        live, most = defaultdict(set), Counter()
        for message in client.read_committed(self.bootstrap, name):
            shard = live[message.partition]
            (shard.discard if message.value is None else shard.add)(message.key)
            most[message.partition] = max(most[message.partition], len(shard))
        return most.total()


def farthest_ahead(copied: list) -> int:
    """By how much a fast record was ahead of the slow partition when it was taken, at most."""
    slow = ahead = 0
    for split, time_ms in copied:
        if split == SLOW:
            slow = time_ms
        else:
            ahead = max(ahead, time_ms - slow)
    return ahead


def check_outputs(lanes: Lanes, expected: list) -> list:
    """Each record is there once, is counted once in its own window, and nothing is late."""
    wrong = []
    copied, wanted = Counter(lanes.copied()), Counter(expected)
    wrong += [f"copied: {count} × missing: {one}" for one, count in (wanted - copied).items()]
    wrong += [f"copied: {count} × too many: {one}" for one, count in (copied - wanted).items()]
    found = Counter()
    for message in client.read_committed(lanes.bootstrap, "windows"):
        row = json.loads(message.value)
        found[row["id"], row["window_start"], row["window_end"], row["count"]] += 1
    windows = Counter()
    for (topic, number), time_ms in wanted:
        start = (BASE + time_ms) // WINDOW_MS * WINDOW_MS
        windows[f"{topic}-{number}-{time_ms // STEP_MS}", start, start + WINDOW_MS, 1] += 1
    wrong += [f"windows: {count} × missing: {row}" for row, count in (windows - found).items()]
    wrong += [f"windows: {count} × too many: {row}" for row, count in (found - windows).items()]
    for topic in ("late", "rejected"):
        wrong += [f"{topic}: {message.value[:100]}" for message in client.read_committed(lanes.bootstrap, topic)]
    return wrong


def run_lanes(lanes: Lanes, steps: int, kill_at: int) -> list:
    """The records that were sent. Some steps of the slow partition are live; the rest is there at the end."""
    splits = [SLOW, *FAST]
    for split in splits:
        lanes.send(split, [0])
    sent = [(split, 0) for split in splits]
    lanes.start("begins")
    # A partition of which no record has come is waited for by nobody, so all have to have one.
    lanes.wait_until_still(len(sent))
    for split in FAST:
        times = [number * STEP_MS for number in range(1, STEPS * TIMES_SLOWER)]
        lanes.send(split, times)
        sent += [(split, time_ms) for time_ms in times]
    for step in range(1, STEPS):
        slow_ms = step * TIMES_SLOWER * STEP_MS
        if step <= steps:
            # Held partitions go on when the slow one does: as far as they may.
            reach = (slow_ms - TIMES_SLOWER * STEP_MS + MOST_MS) // STEP_MS
            lanes.wait_until_still(len(FAST) * reach)
        if step == kill_at:
            kill(lanes.process)
            lanes.job.forget("state")
            lanes.start("again, without local state")
        lanes.send(SLOW, [slow_ms])
        sent.append((SLOW, slow_ms))
    lanes.wait_until_still(0)
    lanes.process.terminate()
    if (code := lanes.process.wait(ASK_LIMIT_S)) not in (0, 130):
        raise Failure(f"ended on SIGTERM with code {code}\n{lanes.job.tail()}")
    run_to_end(lanes.job, "state")
    return sent


def one_run(args, folder: Path, name: str, topology: str, steps: int, kill_at: int) -> tuple:
    """Differences, how far ahead a partition was, and how many rows there were, both at most."""
    begun = time.monotonic()
    with Broker(folder / f"{name}-broker", BROKER) as broker:
        lanes = Lanes(broker.bootstrap, folder / name, args.huiliu, topology)
        try:
            sent = run_lanes(lanes, steps, kill_at)
        finally:
            if lanes.process is not None and lanes.process.poll() is None:
                kill(lanes.process)
        ahead, rows = farthest_ahead(lanes.copied()), lanes.most_rows()
        print(f"alignment: {name}: {len(sent)} records, a partition {ahead // 1000} s ahead and {rows} rows at most, "
              f"{time.monotonic() - begun:.0f} s", flush=True)
        return check_outputs(lanes, sent), ahead, rows


def alignment(args, folder: Path, rng: random.Random) -> bool:
    kill_at = rng.randrange(2, STEPS)
    wrong, ahead, rows = one_run(args, folder, "aligned", TOPOLOGY, STEPS, kill_at)
    most_ahead = MOST_MS + UNDER_WAY_MS
    if ahead > most_ahead:
        wrong.append(f"a partition was {ahead} ms ahead of the slowest, not {most_ahead} ms at most")
    # Rows of what a partition is ahead, of the window that the slowest is in, and of its own.
    most_rows = len(FAST) * (most_ahead + 2 * WINDOW_MS) // STEP_MS + STEPS
    if rows > most_rows:
        wrong.append(f"the windows had {rows} rows at once, not {most_rows} at most")
    more, ahead, rows = one_run(args, folder, "free", TOPOLOGY.replace(ALIGNMENT, ""), 1, 0)
    wrong += more
    if ahead < 2 * most_ahead or rows < 2 * most_rows:
        wrong.append(f"without alignment a partition was {ahead} ms ahead and there were {rows} rows: nothing was tried")
    for difference in wrong[:20]:
        print(f"DIFFERENCE {difference}")
    return not wrong
