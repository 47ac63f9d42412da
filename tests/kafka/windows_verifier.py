"""Tells from the topics alone whether windows of event time are whole, and whether what is late may be late.

Shares nothing with the program under test: confluent_kafka and plain Python. Topics have the broker's time
(LogAppendTime), one clock for input and outputs: when a row was written tells what input could be known then.
"""
import json
from bisect import bisect_right
from collections import Counter, defaultdict
from typing import NamedTuple

import client


class Rules(NamedTuple):
    """What the test has the program do, and what it did itself."""
    window_ms: int
    disorder_ms: int  # out_of_orderness
    idle_ms: int
    steady: tuple = ()  # partitions that were fed all the time, so that windows have to wait for them
    silent: int = -1  # a partition that was fed until `silent_at` (ms)
    silent_at: int = 0
    started_at: int = 0  # of the first worker, where partitions are empty, which windows wait for at first
    wide_ms: int = 0  # of windows that count the windows


class Record(NamedTuple):
    partition: int
    offset: int
    key: str
    time: int
    id: str
    written: int


class Partition:
    """How far its records had come in event time, by their offset and by the broker's clock."""

    def __init__(self, records: list):
        self.offsets = [record.offset for record in records]
        self.written, self.latest = [], []
        for record in records:
            self.latest.append(max(record.time, self.latest[-1] if self.latest else record.time))
            self.written.append(max(record.written, self.written[-1] if self.written else 0))

    def before(self, offset: int) -> float:
        return self._latest(bisect_right(self.offsets, offset - 1))

    def at(self, time: int) -> float:
        return self._latest(bisect_right(self.written, time))

    def end(self) -> float:
        return self._latest(len(self.latest))

    def _latest(self, count: int) -> float:
        return self.latest[count - 1] if count else float("-inf")


class Input:
    def __init__(self, bootstrap: str, topic: str, rules: Rules):
        self.rules = rules
        self.records, by_partition = {}, defaultdict(list)
        for message in sorted(client.read_committed(bootstrap, topic), key=lambda m: (m.partition, m.offset)):
            value = json.loads(message.value)
            record = Record(message.partition, message.offset, value["k"], value["t"], value["id"], message.time)
            self.records[record.id] = record
            by_partition[record.partition].append(record)
        self.partitions = {number: Partition(records) for number, records in by_partition.items()}
        self.windows = Counter((record.key, self.start(record)) for record in self.records.values())
        # All windows that end by then have been passed by every partition that counts.
        self.closed_to = min((self.partitions[number].end() for number in rules.steady),
                             default=float("inf")) - rules.disorder_ms

    def start(self, record: Record) -> int:
        return record.time - record.time % self.rules.window_ms

    def end(self, record: Record) -> int:
        return self.start(record) + self.rules.window_ms

    def to_come(self) -> int:
        """Records whose windows must close."""
        return sum(count for (_, start), count in self.windows.items()
                   if start + self.rules.window_ms <= self.closed_to)

    def reached(self, time: int) -> float:
        """The furthest that a watermark can have been at this time, whatever chance did.

        When somebody notices that a partition is silent is chance, and so is who is behind: those bounds alone
        are certain that partitions set which were never silent, and the silent one until it can have become idle.
        """
        held = list(self.rules.steady)
        if time < self.rules.silent_at + self.rules.idle_ms:
            held.append(self.rules.silent)
        reached = min((self.partitions[number].at(time) for number in held), default=float("inf"))
        return reached - self.rules.disorder_ms


class WindowVerifier:
    MOST = 5  # differences shown of a kind

    def __init__(self, bootstrap: str, rules: Rules, topics: dict):
        """`topics`: what `input`, `windows`, `late` are called; `once`, `totals` and `wide`, if there are any."""
        self.bootstrap, self.rules, self.topics = bootstrap, rules, topics
        self.input = Input(bootstrap, topics["input"], rules)
        self.figures: dict = {"input": len(self.input.records), "closed": self.input.to_come()}
        self.differences: list = []

    def rows(self, name: str) -> list:
        """Of a topic: the message and its row."""
        return [(message, json.loads(message.value))
                for message in client.read_committed(self.bootstrap, self.topics[name])]

    def done(self) -> tuple:
        """Records of the input that are in an output by now, and rows of windows that are not behind them yet."""
        windows, late = self.rows("windows"), self.rows("late")
        behind = sum(self.wide(windows).values()) - sum(row["count"] for _, row in self.rows("wide"))
        return sum(row["count"] for _, row in windows) + len(late), behind

    def wide(self, windows: list) -> Counter:
        """How many windows lie in each wide one that must have closed."""
        ends = [(row["k"], row["window_end"] - 1) for _, row in windows]
        wide = Counter((key, time - time % self.rules.wide_ms) for key, time in ends)
        return Counter({window: count for window, count in wide.items()
                        if window[1] + self.rules.wide_ms <= self.input.closed_to})

    def check(self, must_be_late: set = frozenset()) -> None:
        windows, late = self.rows("windows"), self.rows("late")
        self.figures |= {"windows": len(windows), "late": len(late), "late on purpose": len(must_be_late)}
        self.check_sums(windows, late)
        self.check_not_early(windows)
        self.check_late(late, must_be_late)
        if "once" in self.topics:
            self.check_behind(windows)
            self.check_wide(windows)

    def differ(self, differences: list) -> None:
        self.differences += differences[:self.MOST]
        if len(differences) > self.MOST:
            self.differences.append(f"... and {len(differences) - self.MOST} more like these")

    def check_sums(self, windows: list, late: list) -> None:
        """What a window has counted and what was late for it are its records. What is which may be chance."""
        wrong, counted, times = [], Counter(), Counter()
        for _, row in windows:
            window = row["k"], row["window_start"]
            times[window] += 1
            counted[window] += row["count"]
            if row["window_end"] - row["window_start"] != self.rules.window_ms or row["count"] < 1:
                wrong.append(f"windows: {row} is none")
        wrong += [f"windows: {window} is there {count} ×" for window, count in times.items() if count != 1]
        missed = Counter((row["k"], row["t"] - row["t"] % self.rules.window_ms) for _, row in late)
        for window in sorted(set(self.input.windows) | set(counted) | set(missed)):
            closed = window[1] + self.rules.window_ms <= self.input.closed_to
            expected = self.input.windows[window] if closed else 0
            if counted[window] + missed[window] != expected:
                wrong.append(f"window {window}: {counted[window]} counted and {missed[window]} late, "
                             f"together not {expected}")
        self.differ(wrong)

    def check_not_early(self, windows: list) -> None:
        wrong = []
        for message, row in windows:
            reached = self.input.reached(message.time)
            if row["window_end"] > reached:
                wrong.append(f"windows: {row} was written at {message.time}, when no watermark was beyond {reached}")
            # A partition without a record has no time, so that nothing may close before it is idle.
            if self.rules.started_at and message.time < self.rules.started_at + self.rules.idle_ms:
                wrong.append(f"windows: {row} was written when no empty partition could be idle")
        self.differ(wrong)

    def check_late(self, late: list, must_be_late: set) -> None:
        wrong, found = [], Counter()
        for message, row in late:
            found[row["id"]] += 1
            record = self.input.records.get(row["id"])
            if record is None or (record.key, record.time) != (row["k"], row["t"]):
                wrong.append(f"late: {row} is none of the records")
                continue
            reached = self.input.reached(message.time)
            if record.partition in self.rules.steady or message.time < self.rules.silent_at:
                # Its own partition held the watermark until it came.
                own = self.input.partitions[record.partition].before(record.offset) - self.rules.disorder_ms
                reached = min(reached, own)
            if self.input.end(record) > reached:
                wrong.append(f"late: {record} was late at {message.time}, when no watermark was beyond {reached}")
        wrong += [f"late: {id} is there {count} ×" for id, count in found.items() if count != 1]
        wrong += [f"late: {self.input.records.get(id, id)} came after its window was seen and is not there"
                  for id in sorted(must_be_late - set(found))]
        self.differ(wrong)

    def check_behind(self, windows: list) -> None:
        """A dedupe of windows lets each pass, since none comes twice; a count of them has all."""
        def text(rows: list) -> Counter:
            return Counter(json.dumps(row, sort_keys=True) for _, row in rows)
        once, expected = text(self.rows("once")), text(windows)
        wrong = [f"once: {count} × missing: {row}" for row, count in (expected - once).items()]
        wrong += [f"once: {count} × too many: {row}" for row, count in (once - expected).items()]
        sums, last = defaultdict(lambda: [0, 0]), {}
        for _, row in windows:
            sums[row["k"]][0] += 1
            sums[row["k"]][1] += row["count"]
        for _, row in self.rows("totals"):
            if row["count"] <= last.get(row["k"], [0])[0]:
                wrong.append(f"totals: {row} after {last[row['k']]}: the count does not grow")
            last[row["k"]] = [row["count"], row["sum"]]
        wrong += [f"totals: {key} is {last.get(key)}, not {sums.get(key)}" for key in sorted(set(sums) | set(last))
                  if last.get(key) != sums.get(key)]
        self.differ(wrong)

    def check_wide(self, windows: list) -> None:
        """A window of windows has each, and none of them is late: they come before the time that ends it."""
        wrong, found, expected = [], defaultdict(list), self.wide(windows)
        for message, row in self.rows("wide"):
            found[row["k"], row["window_start"]].append(row["count"])
            reached = self.input.reached(message.time)
            if row["window_end"] > reached:
                wrong.append(f"wide: {row} was written at {message.time}, when no watermark was beyond {reached}")
        self.figures["wide windows"] = len(found)
        wrong += [f"wide: {window} has the counts {found.get(window, [])}, not {expected[window]} once"
                  for window in sorted(set(found) | set(expected)) if found.get(window) != [expected[window]]]
        self.differ(wrong)

    def report(self) -> bool:
        print("verified: " + ", ".join(f"{name} {count}" for name, count in self.figures.items()))
        for difference in self.differences:
            print(f"DIFFERENCE {difference}")
        print("the windows differ" if self.differences else "windows exact")
        return not self.differences
