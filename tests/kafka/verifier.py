"""Tells from the topics alone whether each record of the input is in the outputs exactly once, in order.

Shares nothing with the program under test: confluent_kafka and plain Python.
"""
import json
from collections import Counter, defaultdict

import client
from workload import GROUP

FIELDS = ["id", "dept", "kind", "amount", "n"]


class Expected:
    """What the input topic determines."""

    def __init__(self, messages: list):
        # Dept → records in order. The dedupe operator would hide input that is read twice from all that
        # is after it; `copied` shows it.
        self.copied = defaultdict(list)
        self.accepted = defaultdict(list)  # first occurrences
        self.totals = defaultdict(lambda: [0, 0])  # (dept, kind) → count, sum
        self.broken = set()  # origins
        seen = set()
        for message in messages:
            record = parse(message.value)
            if not readable(record):
                self.broken.add(f"input[{message.partition}]@{message.offset}")
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

    def __init__(self, bootstrap: str, topology: str = GROUP):
        self.bootstrap, self.topology = bootstrap, topology
        self.imported = False  # from a snapshot, with kills on the way: rows may have been taken in twice
        self.differences: list = []
        self.figures: dict = {}

    def check(self, records: list) -> None:
        messages = self.read("input")
        self.check_input(records, messages)
        expected = Expected(messages)
        self.figures |= {"distinct": expected.distinct, "broken": len(expected.broken),
                         "sent again": len(messages) - expected.distinct - len(expected.broken)}
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
        found, wrong = Counter(), []
        for message in self.read("rejected"):
            record = parse(message.value)
            if record is None or not record.get("reject_code"):
                wrong.append(f"rejected: {message} has no reject_code")
            found[message.headers.get("huiliu.origin", b"").decode()] += 1
        for origin, count in sorted(found.items()):
            if count != 1 or origin not in expected.broken:
                wrong.append(f"rejected: {origin} is there {count} ×, {origin in expected.broken} × expected")
        wrong += [f"rejected: {origin} is missing" for origin in sorted(expected.broken - set(found))]
        self.differ(wrong)

    def check_changelog(self, expected: Expected) -> None:
        """One live key for each that the dedupe operator has to remember, and one count for each total."""
        names = client.topic_names(self.bootstrap)
        for operator, keys, form in [("once", expected.distinct, packed_rows),
                                     ("totals", len(expected.totals), single_row)]:
            start = f"{self.topology}.{operator}."
            found = [name for name in names if name.startswith(start) and name.endswith(".changelog")]
            if len(found) != 1:
                self.differ([f"changelog of {operator}: there are the topics {found}"])
                continue
            live, rows = set(), 0
            for message in self.read(found[0]):
                for erased, key in form(message):
                    rows += 1
                    (live.discard if erased else live.add)((message.partition, key))
            if len(live) != keys:
                self.differ([f"{found[0]}: {len(live)} live keys, not {keys}"])
            if form is packed_rows and not self.imported and rows != keys:
                self.differ([f"{found[0]}: {rows} rows for {keys} keys"])


def single_row(message) -> list:
    """What a record of a compacted changelog says: (erased, key)."""
    return [(message.value is None, message.key)]


def packed_rows(message) -> list:
    """The same of a packed one: numbers are LEB128, of a row the size of its key times two (plus one if it is
    erased), the size of its value, key, value."""
    rows, at, data = [], 0, message.value

    def number():
        nonlocal at
        result = shift = 0
        while True:
            byte = data[at]
            at += 1
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return result

    while at < len(data):
        head, value_size = number(), number()
        rows.append((head % 2 == 1, data[at:at + head // 2]))
        at += head // 2 + value_size
    return rows


def parse(value: bytes | None) -> dict | None:
    try:
        record = json.loads(value or b"")
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def readable(record: dict | None) -> bool:
    """Whether each field has its type."""
    if record is None:
        return False
    numbers = [record.get("amount"), record.get("n")]
    return (all(type(number) is int and -1 << 63 <= number < 1 << 63 for number in numbers)
            and all(isinstance(record.get(field), str) for field in ("id", "dept", "kind")))


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
