#!/usr/bin/env python3
"""Records that a Kafka sink refuses: messages of 3 MiB between good ones, and topics that it does not list.

The process is killed at a random moment and between a transaction's records and its commit, and started again.
At the end each good record must be in its topic exactly once and in order, and each refused one exactly once in a
topic and in a file, with its reason. The brokers would take none of the large ones.
"""
import argparse
import json
import re
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import client
from broker import Broker

BROKER = {"transaction.abort.timed.out.transaction.cleanup.interval.ms": 500, "message.max.bytes": 4 << 20,
          "replica.fetch.max.bytes": 4 << 20}
TAKEN = 1048588  # what topics take by default, and so the sink
LARGE = 3 << 20
LIMIT_S = 90
TOPOLOGY = """\
topology: rejects
epoch: 200ms
parallelism: 2
shards: 4
backend: {type: kafka, bootstrap: "${KAFKA}", transaction_timeout: 10s}
rejects: bad
sources:
  in: {type: kafka, topic: input, start: earliest, until: "${UNTIL}", fields: [id, kind, note]}
operators:
  once: {type: dedupe, input: in, key: [id]}
sinks:
  out: {type: kafka, input: once, topic: "out.{kind}", topics: [out.open, out.closed], key: kind}
  copied: {type: kafka, input: in, topic: copied, key: kind}
  refused: {type: kafka, input: [out.rejects, copied.rejects], topic: refused, fields: [id, reject_code, reject_by]}
  refused_file: {type: file, input: out.rejects, path: refused.ndjson, fields: [id, reject_code, reject_value]}
  bad: {type: kafka, topic: bad}
"""


def make_records(rng: random.Random, count: int, large: int) -> list:
    kinds = rng.choices(["open", "closed", "shut"], weights=[60, 35, 5], k=count)
    chosen = set(rng.sample(range(count), large))
    # Many distinct letters, so that no compression on the way makes them small.
    return [{"id": f"r{n:06}", "kind": kind, "note": rng.randbytes(LARGE // 2).hex() if n in chosen else "a"}
            for n, kind in enumerate(kinds)]


def reason(record: dict, topics: bool) -> str | None:
    if topics and record["kind"] == "shut":
        return "E812_TOPIC_UNKNOWN"
    return "E811_MESSAGE_TOO_LARGE" if len(record["note"]) >= LARGE else None


class Job:
    def __init__(self, huiliu: str, folder: Path, bootstrap: str):
        self.huiliu, self.folder, self.bootstrap = huiliu, folder, bootstrap
        (folder / "topology.yaml").write_text(TOPOLOGY)

    def start(self, until: str = "forever", step: str = "") -> subprocess.Popen:
        environment = dict(os.environ, KAFKA=self.bootstrap, UNTIL=until)
        if step:
            environment["HUILIU_CRASH_AT"] = step
        # setpriv: ends with this test.
        return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", self.huiliu, "run", "-q", "--state", str(self.folder / "state"),
                                 str(self.folder / "topology.yaml")], env=environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def committed(self) -> int:
        return sum(offset or 0 for offset in client.committed_offsets(self.bootstrap, "rejects", "input").values())

    def wait_for(self, count: int, process: subprocess.Popen) -> None:
        deadline = time.monotonic() + LIMIT_S
        while self.committed() < count:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise SystemExit(f"{count} messages are not consumed\n{process.communicate()[0]}")
            time.sleep(0.05)

    def read(self, *topics: str) -> list:
        return [json.loads(message.value) for topic in topics
                for message in client.read_committed(self.bootstrap, topic)]


def must_be(what: str, found, expected) -> None:
    if found != expected:
        raise SystemExit(f"{what}: {str(found)[:500]}\nexpected {str(expected)[:500]}")


def verify(job: Job, records: list, summary: str) -> None:
    for kind in ("open", "closed"):
        good = [record["id"] for record in records if record["kind"] == kind and reason(record, True) is None]
        must_be(f"out.{kind}", [record["id"] for record in job.read(f"out.{kind}")], good)
    copied = Counter(record["id"] for record in records if reason(record, False) is None)
    must_be("copied", Counter(record["id"] for record in job.read("copied")), copied)
    by_out = [(record["id"], reason(record, True), "out") for record in records if reason(record, True)]
    by_copied = [(record["id"], reason(record, False), "copied") for record in records if reason(record, False)]
    found = Counter((record["id"], record["reject_code"], record["reject_by"]) for record in job.read("refused"))
    must_be("refused", found, Counter(by_out + by_copied))
    lines = [json.loads(line) for line in (job.folder / "refused.ndjson").read_text().splitlines()]
    must_be("the file", [(line["id"], line["reject_code"], "out") for line in lines], by_out)
    if max(len(line["reject_value"]) for line in lines) > 200:
        raise SystemExit("a reject's value is not shortened")
    must_be("bad", job.read("bad"), [])
    totals = re.search(r"with all earlier runs: (\d+) read, (\d+) rejected", summary)
    must_be("the summary: read, rejected", [int(totals[1]), int(totals[2])], [len(records), len(by_out) + len(by_copied)])
    print(f"{len(records)} records: {len(by_out)} refused by out, {len(by_copied)} by copied; all there once")


def run(job: Job, records: list) -> None:
    producer = client.open_producer(job.bootstrap, {"message.max.bytes": BROKER["message.max.bytes"]})

    def give(begin: int, end: int) -> None:
        client.send(producer, "input", [(0, None, json.dumps(record).encode()) for record in records[begin:end]])

    third = len(records) // 3
    give(0, third)
    process = job.start()
    job.wait_for(third // 2, process)
    give(third, 2 * third)
    time.sleep(0.1)
    process.kill()
    process.communicate()
    process = job.start(step="kafka.before_commit:1")
    give(2 * third, len(records))
    try:
        process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise SystemExit(f"the process does not come to a commit\n{process.communicate()[0]}") from None
    must_be("the end in a commit", process.returncode, -signal.SIGKILL)
    process = job.start(until="end")
    try:
        shown, _ = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise SystemExit(f"does not end\n{process.communicate()[0]}") from None
    must_be("the exit code of the last life", (process.returncode, shown if process.returncode else ""), (0, ""))
    verify(job, records, shown)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--huiliu", required=True)
    parser.add_argument("--records", type=int, default=6000)
    parser.add_argument("--large", type=int, default=40)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    print(f"seed {args.seed}")
    folder = Path(tempfile.mkdtemp(prefix="huiliu-kafka-rejects-"))
    try:
        with Broker(folder / "broker", BROKER) as broker:
            client.create_topics(broker.bootstrap, {"input": 1})
            client.create_topics(broker.bootstrap, {"out.open": 2, "out.closed": 2, "copied": 2, "refused": 2, "bad": 1},
                                 {"max.message.bytes": str(TAKEN)})
            run(Job(str(Path(args.huiliu).resolve()), folder, broker.bootstrap),
                make_records(random.Random(args.seed), args.records, args.large))
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
