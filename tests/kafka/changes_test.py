#!/usr/bin/env python3
"""Records that take back earlier ones, and a table to look things up in, over a real broker (broker.py).

Versions of records come in disorder and some twice; `compare` says what holds no longer, a `count` behind it takes
it back, and so does a `count` behind the changes of that. Records are joined with a table of another topic, which is
complete before they come; later its rows change, while nothing else comes.
one: a process is killed at random moments and at steps of the commit, and starts without its local state.
several: workers come, go and are killed, so that changes go through topics and shards move.
At the end all must be what plain Python makes of the input topics.
"""
import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import client
from broker import Broker
from crash_test import STEPS
from workers_test import SESSION_S, Group, Worker
from workload import BROKER, END_LIMIT_S, Failure, Feeder, Job, kill, run_to_end

PARTITIONS = 4
DEPARTMENTS = [f"d{number}" for number in range(12)]
KINDS = ["licence", "fine", "notice"]
TOPICS = ["input", "departments", "named", "unmatched", "changes", "totals"]
RESENT, GONE, OF_NO_DEPARTMENT = 0.1, 0.15, 0.03
SEVERAL = f'workers: several, worker: "${{WORKER:-}}", session_timeout: {SESSION_S}s, '
TOPOLOGY = """\
topology: changes
epoch: 200ms
parallelism: 2
shards: 6
backend: {type: kafka, %sbootstrap: "${KAFKA}", transaction_timeout: 60s}
state: {path: state, memory: 16MiB}
rejects: rejected
sources:
  input:
    type: kafka
    topic: input
    start: earliest
    until: "${UNTIL}"
    fields: [id, {name: version, type: int64}, dept, kind, status, text]
  departments:
    type: kafka
    topic: departments
    start: earliest
    until: "${UNTIL}"
    fields: [code, name, status]
operators:
  named:
    type: join
    input: [input, departments]
    key: [dept]
    table_key: [code]
    take: {dept_name: name}
    deleted: {status: closed}
  current:
    type: compare
    input: input
    key: [id]
    version: [version]
    withdrawn: {status: gone}
    changes: [dept, kind]
  by_kind: {type: count, input: current.changes, key: [dept, kind]}
  by_dept: {type: count, input: by_kind.changes, key: [dept], sum: count}
sinks:
  named_out: {type: kafka, input: named, topic: named, key: id}
  unmatched: {type: kafka, input: named.unmatched, topic: unmatched, key: id}
  changes: {type: kafka, input: by_kind.changes, topic: changes, key: [dept, kind]}
  totals: {type: kafka, input: by_dept, topic: totals, key: dept}
  rejected: {type: kafka, topic: rejected}
"""


# --- what comes ------------------------------------------------------------------------------------


def make_versions(rng: random.Random, count: int) -> list:
    """Versions of records: most are newer than what was there, some older, some the same again. No two have the
    same content, which would be a duplicate whatever its version is."""
    made, versions = [], defaultdict(list)
    while len(made) < count:
        id = f"r{rng.randrange(count // 5)}"
        if versions[id] and rng.random() < RESENT:
            made.append(rng.choice(versions[id]))
            continue
        dept = "nowhere" if rng.random() < OF_NO_DEPARTMENT else rng.choice(DEPARTMENTS)
        # Some numbers are left out, for versions that come when they are old.
        number = 2 * len(versions[id]) + rng.choice([-3, 1, 2])
        if number in [version["version"] for version in versions[id]]:
            continue
        version = {"id": id, "version": number, "dept": dept, "kind": rng.choice(KINDS),
                   "status": "gone" if rng.random() < GONE else "valid", "text": f"{id}, {number}"}
        versions[id].append(version)
        made.append(version)
    return [(int(version["id"][1:]) % PARTITIONS, version["id"].encode(), json.dumps(version).encode())
            for version in made]


class Table:
    """The departments, in two states: at first, and behind the changes."""

    def __init__(self, bootstrap: str):
        self.bootstrap = bootstrap
        self.names: dict = {}
        self.rows = 0

    def send(self, rows: dict) -> None:
        """`rows`: code → name, or None for one that is closed. Each is a row of the table's changelog."""
        client.produce(self.bootstrap, "departments", [
            (DEPARTMENTS.index(code) % PARTITIONS, code.encode(), json.dumps(
                {"code": code, "name": name or "", "status": "open" if name else "closed"}).encode())
            for code, name in rows.items()])
        self.names = {code: name for code, name in (self.names | rows).items() if name}
        self.rows += len(rows)

    def is_taken(self) -> bool:
        """Whether all that was sent is in the state."""
        name = "changes.named.rows.changelog"
        return name in client.topic_names(self.bootstrap) and \
            len(client.read_committed(self.bootstrap, name)) >= self.rows

    def wait(self, look) -> None:
        deadline = time.monotonic() + END_LIMIT_S / 5
        while not self.is_taken():
            look()
            if time.monotonic() > deadline:
                raise Failure(f"not all of the table's {self.rows} rows are in the state")
            time.sleep(0.2)


# --- what must come out ----------------------------------------------------------------------------


class Verifier:
    MOST = 5  # differences shown of a kind

    def __init__(self, bootstrap: str, phases: list):
        """`phases`: how many records came up to then, and the table's names from before on."""
        self.bootstrap, self.phases = bootstrap, phases
        self.input = self.read("input")
        self.differences: list = []
        self.figures: dict = {"input": len(self.input)}

    def read(self, topic: str) -> list:
        return [json.loads(message.value) for message in client.read_committed(self.bootstrap, topic)]

    def differ(self, wrong: list) -> None:
        self.differences += wrong[:self.MOST]
        if len(wrong) > self.MOST:
            self.differences.append(f"... and {len(wrong) - self.MOST} more like these")

    def check(self, records: list) -> None:
        self.check_named(records)
        self.check_totals()
        self.check_changes()
        self.differ([f"rejected: {row}" for row in self.read("rejected")])

    def check_named(self, records: list) -> None:
        """Each record once, with the name that its department had when it came, or none."""
        expected, begin = {"named": Counter(), "unmatched": Counter()}, 0
        for end, names in self.phases:
            for _, _, value in records[begin:end]:
                row = json.loads(value)
                name = names.get(row["dept"])
                if name:
                    row["dept_name"] = name
                expected["named" if name else "unmatched"][json.dumps(row, sort_keys=True)] += 1
            begin = end
        for topic, wanted in expected.items():
            found = Counter(json.dumps(row, sort_keys=True) for row in self.read(topic))
            self.figures[topic] = found.total()
            self.differ([f"{topic}: {count} × missing: {row}" for row, count in (wanted - found).items()])
            self.differ([f"{topic}: {count} × too many: {row}" for row, count in (found - wanted).items()])

    def counts(self) -> Counter:
        """Of each department and kind: records whose newest version is there."""
        newest: dict = {}
        for row in self.input:
            if row["id"] not in newest or row["version"] > newest[row["id"]]["version"]:
                newest[row["id"]] = row
        return Counter((row["dept"], row["kind"]) for row in newest.values() if row["status"] != "gone")

    def check_totals(self) -> None:
        """The last row of each department: how many kinds it has, and records of all of them."""
        expected = defaultdict(lambda: (0, 0))
        for (dept, _), count in self.counts().items():
            expected[dept] = (expected[dept][0] + 1, expected[dept][1] + count)
        last = {row["dept"]: (row["count"], row["sum"]) for row in self.read("totals")}
        self.differ([f"totals: {dept} is {last.get(dept)}, not {expected[dept]}"
                     for dept in sorted(set(expected) | set(last)) if last.get(dept) != expected[dept]])

    def check_changes(self) -> None:
        """Each row that is taken back is the one that was said last."""
        wrong, said, rows = [], {}, self.read("changes")
        self.figures["changes"] = len(rows)
        for row in rows:
            key = row["dept"], row["kind"]
            if row["change"] == "delete" and said.pop(key, None) != row["count"]:
                wrong.append(f"changes: {row} takes back what was not said")
            elif row["change"] == "insert":
                if key in said:
                    wrong.append(f"changes: {row} was said before {said[key]} was taken back")
                said[key] = row["count"]
        counts = self.counts()
        wrong += [f"changes: {key} has {said.get(key)} in the end, not {counts.get(key)}"
                  for key in sorted(set(said) | set(counts)) if said.get(key) != counts.get(key)]
        self.differ(wrong)

    def report(self, name: str) -> bool:
        print(f"{name}: verified: " + ", ".join(f"{what} {count}" for what, count in self.figures.items()))
        for difference in self.differences:
            print(f"DIFFERENCE {difference}")
        print(f"{name}: {'the outputs differ' if self.differences else 'outputs exact'}", flush=True)
        return not self.differences


# --- one process -----------------------------------------------------------------------------------


class Lives:
    """A process that is killed and starts again."""

    def __init__(self, args, rng: random.Random, folder: Path, bootstrap: str):
        self.args, self.rng = args, rng
        self.job = Job(args.huiliu, folder / "job", bootstrap)
        self.job.topology.write_text(TOPOLOGY % "")
        self.figures: Counter = Counter()
        self.process = None
        self.step = ""

    def start(self) -> None:
        if self.rng.random() < 0.3:
            self.job.forget("state")
            self.figures["started without local state"] += 1
        self.step = f"{self.rng.choice(STEPS)}:{self.rng.randint(1, 4)}" if self.rng.random() < 0.5 else ""
        self.process = self.job.start(self.step or "a life", crash_at=self.step)

    def look(self) -> None:
        """A process that has come to its step is followed by another one."""
        if self.process.poll() is None:
            return
        if not self.step or self.process.returncode != -9:
            raise Failure(f"ended by itself with code {self.process.returncode}\n{self.job.tail()}")
        self.figures["killed at a step"] += 1
        self.start()

    def disturb(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(self.rng.uniform(0.5, self.args.every / 2))
            self.look()
            if not self.step or self.rng.random() < 0.3:
                kill(self.process)
                self.figures["killed at a random moment"] += 1
                self.start()

    def finish(self) -> None:
        self.stop()
        run_to_end(self.job, "state")
        self.job.forget("state")
        run_to_end(self.job, "state")  # all is restored, nothing may be written

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            kill(self.process)


# --- several workers -------------------------------------------------------------------------------


class Workers(Group):
    def __init__(self, args, rng: random.Random, folder: Path, bootstrap: str):
        args.standbys, args.events = 0, ["stop_one", "kill_one", "kill_one", "kill_at_step"]
        super().__init__(args, rng, folder, bootstrap)
        self.topology.write_text(TOPOLOGY % SEVERAL)

    def start(self) -> None:
        for worker in self.workers:
            worker.start()

    def look(self) -> None:
        self.collect()
        if not any(worker.runs() for worker in self.workers):
            self.join(self.workers[0])

    def disturb(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(self.rng.uniform(1.0, self.args.every))
            self.collect()
            away = [worker for worker in self.workers if not worker.runs()]
            if away and (len(away) > 1 or self.rng.random() < 0.6):
                self.join(self.rng.choice(away))
            else:
                self.rng.choice(self.events)()

    def finish(self) -> None:
        last = self.leave_one()
        wait_until_still(last, self.bootstrap)
        last.end()

    def stop(self) -> None:
        for worker in self.workers:
            if worker.runs():
                kill(worker.process)


def wait_until_still(worker: Worker, bootstrap: str) -> None:
    """Until nothing is written for long. The verifier says what is missing then."""
    def ends() -> list:
        return [client.end_offsets(bootstrap, topic) for topic in TOPICS]

    begun, before, moved = time.monotonic(), None, time.monotonic()
    while time.monotonic() < moved + 5 + SESSION_S:
        if not worker.runs():
            raise Failure(f"the last worker ended with code {worker.process.returncode}\n{worker.tail()}")
        if time.monotonic() > begun + END_LIMIT_S:
            raise Failure(f"after {END_LIMIT_S} s the last worker still writes\n{worker.tail()}")
        time.sleep(0.5)
        if (now := ends()) != before:
            before, moved = now, time.monotonic()


# --- both ------------------------------------------------------------------------------------------


def named_rows(bootstrap: str) -> int:
    return sum(len(client.read_committed(bootstrap, topic)) for topic in ("named", "unmatched"))


def wait_for_records(bootstrap: str, count: int, look) -> None:
    deadline = time.monotonic() + END_LIMIT_S / 5
    while (found := named_rows(bootstrap)) < count:
        look()
        if time.monotonic() > deadline:
            raise Failure(f"{found} records have come out of the join, not {count}")
        time.sleep(0.2)


def scenario(name: str, kind: type, args, folder: Path) -> bool:
    begun, rng = time.monotonic(), random.Random(args.seed)
    with Broker(folder / name / "broker", BROKER | {"group.min.session.timeout.ms": 1000}) as broker:
        client.create_topics(broker.bootstrap, dict.fromkeys(TOPICS, PARTITIONS) | {"rejected": 1})
        group, table = kind(args, rng, folder / name, broker.bootstrap), Table(broker.bootstrap)
        records = make_versions(rng, args.records)
        feeder = Feeder(broker.bootstrap, records)
        try:
            phases = run(args, group, table, feeder)
            group.finish()
        finally:
            feeder.stop()
            group.stop()
        verifier = Verifier(broker.bootstrap, phases)
        verifier.check(records)
        print(f"{name}: {time.monotonic() - begun:.0f} s; "
              + "; ".join(f"{what}: {count}" for what, count in sorted(group.figures.items())))
        return verifier.report(name)


def run(args, group, table: Table, feeder: Feeder) -> list:
    half = len(feeder.records) // 2
    table.send({code: f"{code} of old" for code in DEPARTMENTS[:-1]})
    # One process reads the table first. What another worker has read may still be on its way.
    if isinstance(group, Lives):
        feeder.give(half // 4, 0.05)
    group.start()
    table.wait(group.look)
    feeder.give(half - feeder.allowed, args.seconds / 2)
    group.disturb(args.seconds / 2)
    wait_for_records(group.bootstrap if isinstance(group, Workers) else group.job.bootstrap, half, group.look)
    phases = [(half, dict(table.names))]
    table.send({DEPARTMENTS[0]: "renamed", DEPARTMENTS[1]: None, DEPARTMENTS[-1]: "new"})
    table.wait(group.look)
    feeder.give(feeder.left(), args.seconds / 2)
    group.disturb(args.seconds / 2)
    feeder.finish()
    return [*phases, (len(feeder.records), dict(table.names))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    scenarios = {"one": Lives, "several": Workers}
    parser.add_argument("scenario", nargs="*", choices=[*scenarios, []], help="default: all")
    parser.add_argument("--huiliu", required=True)
    parser.add_argument("--seconds", type=float, default=20, help="in which processes are killed, for each scenario")
    parser.add_argument("--every", type=float, default=4, help="seconds between two events, at most")
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    args = parser.parse_args()
    args.huiliu = str(Path(args.huiliu).resolve())
    folder, bad = Path(tempfile.mkdtemp(prefix="huiliu-kafka-changes-")), []
    for name in args.scenario or scenarios:
        (folder / name).mkdir()
        try:
            good = scenario(name, scenarios[name], args, folder)
        except Failure as failure:
            print(f"FAILED {name}: {failure}", file=sys.stderr)
            good = False
        bad += [] if good else [name]
    print(f"seed {args.seed}: " + (f"bad: {', '.join(bad)}" if bad else "all good"))
    if bad or args.keep:
        print(f"kept: {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
