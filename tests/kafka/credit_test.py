#!/usr/bin/env python3
"""The credit topology from topic to topic, on its sample: each row's outcome must be the expected one.

Starts a broker, puts the departments' files into a topic with the intake topology, runs the credit topology
with topics in place of files, kills it by SIGKILL a few times on the way, and reads the outputs with
confluent_kafka. Where a record came from is followed by the headers `huiliu.origin` back to file and row.

With --workers N that many processes share the work; one after the other is killed and started again.
With --input FOLDER the files of that folder instead, without expectations: counts must add up (the demo).
"""
import argparse
import csv
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import client
from broker import Broker

ROOT = Path(__file__).resolve().parent.parent.parent
CREDIT = ROOT / "topologies/credit"
LIBRARIES = {"credit.legal": "legal_person", "credit.natural": "natural_person", "credit.household": "household",
             "credit.published": "published"}
OUTPUTS = list(LIBRARIES) + ["credit.history", "credit.conflicts", "credit.outcomes", "credit.notices",
                             "credit.problems", "credit.reconciliation", "credit.statistics"]
PUBLISHED_FIELDS = {line[2:].strip() for line in (CREDIT / "rules/published_fields.yaml").read_text().splitlines()
                    if line.startswith("- ")}
ORIGIN = "huiliu.origin"
SHARE_LIMIT_S = 90


class Runner:
    """Runs topologies of one place against one broker."""

    def __init__(self, huiliu: str, folder: Path, bootstrap: str, verbose: bool):
        self.huiliu, self.folder, self.bootstrap, self.verbose = huiliu, folder, bootstrap, verbose

    def start(self, name: str, crash_at: str = "", **env: str) -> subprocess.Popen:
        env = dict(os.environ, KAFKA=self.bootstrap) | {"STATE": str(self.folder / f"state-{name}"),
                                                        "UNTIL": "end"} | env
        if crash_at:
            env["HUILIU_CRASH_AT"] = crash_at
        quiet = {} if self.verbose else {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen([self.huiliu, "run", str(CREDIT / f"{name}.yaml")], env=env, **quiet)

    def run(self, name: str, **env: str) -> None:
        code = self.start(name, **env).wait()
        if code != 0:
            raise SystemExit(f"{name}.yaml ended with code {code}")


def crash_some_times(runner: Runner, rng: random.Random, kills: int) -> None:
    steps = ["kafka.before_commit", "kafka.after_commit", "commit.before_write", "epoch.prepared"]
    for step in rng.choices(steps, k=kills):
        runner.start("kafka", crash_at=f"{step}:{rng.randint(1, 2)}", EPOCH="20ms").wait()


def share(runner: Runner, workers: int, kills: int) -> None:
    """Until every row has its outcome; then all end at once."""
    def start(number: int) -> subprocess.Popen:
        return runner.start("kafka", UNTIL="forever", WORKERS="several", EPOCH="100ms",
                            STATE=str(runner.folder / f"state-worker-{number}"))

    processes = [start(number) for number in range(workers)]
    for kill in range(kills):
        time.sleep(2)
        processes[kill % workers].kill()
        processes[kill % workers].wait()
        processes[kill % workers] = start(kill % workers)
    deadline = time.monotonic() + SHARE_LIMIT_S
    # The reconciliation is behind one more topic, and a dead worker's share waits for its session's end.
    while not (all_rows_are_out(runner.bootstrap) and all_rows_are_reconciled(runner.bootstrap)):
        if time.monotonic() > deadline:
            raise SystemExit(f"after {SHARE_LIMIT_S} s some rows have no outcome, or are not reconciled")
        time.sleep(0.5)
    time.sleep(1)  # what is too much may come yet
    for process in processes:
        process.terminate()
    for process in processes:
        if process.wait() not in (0, 130):
            raise SystemExit(f"a worker ended with code {process.returncode}")


def all_rows_are_out(bootstrap: str) -> bool:
    def count(topic: str) -> int:
        return len(client.read_committed(bootstrap, topic))

    return count("credit.outcomes") + count("credit.problems") >= count("credit.departments")


def reconciliation(bootstrap: str) -> Counter:
    """Rows by outcome, READ among them, over all files."""
    last = {}
    for message in client.read_committed(bootstrap, "credit.reconciliation"):
        record = json.loads(message.value)
        last[record["source_file"], record["outcome"]] = record["count"]
    sums = Counter()
    for (_, outcome), count in last.items():
        sums[outcome] += count
    return sums


def all_rows_are_reconciled(bootstrap: str) -> bool:
    sums = reconciliation(bootstrap)
    read = sums.pop("READ", 0)
    return read == len(client.read_committed(bootstrap, "credit.departments")) == sum(sums.values())


def place_of(header: str) -> tuple:
    partition, _, offset = header.rpartition("@")
    return partition, int(offset)


def verdicts(bootstrap: str) -> dict:
    """(file, row) → outcome and reject code, of every row that was read."""
    files = {}  # (partition, offset) of credit.departments → (file, row)
    for message in client.read_committed(bootstrap, "credit.departments"):
        place = (f"credit.departments[{message.partition}]", message.offset)
        files[place] = place_of(message.headers[ORIGIN].decode())
    found = {}

    def add(key, verdict):
        if key in found:
            raise SystemExit(f"{key}: two verdicts, {found[key]} and {verdict}")
        found[key] = verdict

    for message in client.read_committed(bootstrap, "credit.unreadable"):
        reject = json.loads(message.value)
        add(place_of(message.headers[ORIGIN].decode()), ("REJECTED", reject["reject_code"]))
    for message in client.read_committed(bootstrap, "credit.outcomes"):
        key = files[place_of(message.headers[ORIGIN].decode())]
        add(key, (json.loads(message.value)["outcome"], ""))
    for message in client.read_committed(bootstrap, "credit.problems"):
        if message.value is None:
            continue
        key = files[place_of(message.headers[ORIGIN].decode())]
        add(key, ("REJECTED", json.loads(message.value)["reject_code"]))
    missing = len(files) - sum(1 for key in files.values() if key in found)
    if missing:
        raise SystemExit(f"{missing} rows have no verdict")
    return found


def compare_with_expected(found: dict) -> None:
    wrong, rows = [], 0
    with (CREDIT / "sample/expected.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows += 1
            got = found.pop((row["file"], int(row["row"])), None)
            if got != (row["outcome"], row["code"]):
                wrong.append(f"{row['file']}:{row['row']}: expected {row['outcome']} {row['code']}, got {got}")
    wrong += [f"{key}: {verdict} was not expected at all" for key, verdict in found.items()]
    if wrong:
        raise SystemExit("\n".join(wrong[:20]))
    print(f"{rows} rows as expected")


def compare_with_reconciliation(found: dict, bootstrap: str) -> None:
    """What the topology says of itself adds up to what the verifier has counted."""
    own = reconciliation(bootstrap)
    counted = Counter(outcome for outcome, _ in found.values())
    counted["REJECTED"] -= sum(1 for _ in client.read_committed(bootstrap, "credit.unreadable"))
    read = own.pop("READ", 0)
    if read != sum(own.values()) or +own != +counted:
        raise SystemExit(f"the reconciliation says {dict(own)} of {read}, the topics hold {dict(counted)}")
    print("reconciled: " + ", ".join(f"{name} {count}" for name, count in sorted(own.items())) + f" of {read} rows")


def rebuilt(bootstrap: str, topic: str) -> dict:
    """What a new consumer makes of a compacted topic: key → value, without what was deleted."""
    library = {}
    for message in client.read_committed(bootstrap, topic):
        key = json.loads(message.key)
        key = tuple(key.get(name) or "" for name in ("kind", "authority_code", "document_no", "subject_key", "licence_no"))
        if message.value is None:
            library.pop(key, None)
        else:
            library[key] = json.loads(message.value)
    return library


def compare_libraries(huiliu: str, folder: Path, bootstrap: str, files: Path) -> None:
    """The topics hold what the embedded topology makes of the same files in its database."""
    env = dict(os.environ, INPUT=str(files), OUTPUT=str(folder / "embedded"), STATE=str(folder / "embedded/state"))
    subprocess.run([huiliu, "run", str(CREDIT / "topology.yaml"), "--quiet"], env=env, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    database = sqlite3.connect(folder / "embedded/credit.sqlite")
    database.row_factory = sqlite3.Row
    where_read = {"source_file", "source_row", "_source"}
    # The view `published` also leaves out what has ended; the topic says until when.
    published = ("select * from (select * from legal_person union all select * from household) "
                 "where publish = '是'")
    for topic, table in LIBRARIES.items():
        wanted = {}
        query = published if table == "published" else f"select * from {table}"
        for row in map(dict, database.execute(query)):
            key = tuple(row[name] or "" for name in ("kind", "authority_code", "document_no", "subject_key", "licence_no"))
            wanted[key] = {name: value for name, value in row.items() if value is not None and name not in where_read}
        found = {key: {name: value for name, value in row.items() if name not in where_read}
                 for key, row in rebuilt(bootstrap, topic).items()}
        for key, row in wanted.items():
            if row.get("licence_no") == "":
                row.pop("licence_no")  # a key holds no null in SQL
            if table == "published":
                wanted[key] = {name: value for name, value in row.items() if name in PUBLISHED_FIELDS}
        if found != wanted:
            wrong = [key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key)]
            raise SystemExit(f"{topic}: {len(wrong)} of {len(wanted)} records differ, such as\n"
                             f"  {wanted.get(wrong[0])}\n  {found.get(wrong[0])}")
        print(f"{topic} rebuilt: {len(found)} records as in {table}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--huiliu", required=True)
    parser.add_argument("--input", type=Path, help="default: the sample, with its expected outcomes")
    parser.add_argument("--kills", type=int, default=4)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="huiliu-kafka-credit-"))
    try:
        with Broker(folder / "broker") as broker:
            client.create_topics(broker.bootstrap, {"credit.departments": 1, "credit.unreadable": 1}
                                 | dict.fromkeys(set(OUTPUTS) - set(LIBRARIES), 4))
            client.create_topics(broker.bootstrap, dict.fromkeys(LIBRARIES, 4), {"cleanup.policy": "compact"})
            runner = Runner(args.huiliu, folder, broker.bootstrap, args.verbose)
            runner.run("kafka-intake", INPUT=str((args.input or CREDIT / "sample").resolve()))
            if args.workers > 1:
                share(runner, args.workers, args.kills)
            else:
                crash_some_times(runner, random.Random(args.seed), args.kills)
                runner.run("kafka")
            found = verdicts(broker.bootstrap)
            compare_with_reconciliation(found, broker.bootstrap)
            for topic in OUTPUTS:
                print(f"  {topic}: {len(client.read_committed(broker.bootstrap, topic))} records")
            if args.input is None:
                compare_with_expected(found)
                compare_libraries(args.huiliu, folder, broker.bootstrap, CREDIT / "sample")
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
