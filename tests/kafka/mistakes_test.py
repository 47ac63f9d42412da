#!/usr/bin/env python3
"""What a user can get wrong with Kafka, and what changes under way: each must end with a remedy, or go on.

Topics that are missing, deleted or recreated; settings that the brokers refuse; state that does not fit; a broker
that comes later than the process; partitions that are added; a record that the output topic does not take.
"""
import argparse
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions

import client
from broker import Broker, ask, text
from cluster import Cluster

GOOD, USAGE, DATA_AT_RISK = 0, 2, 3
LIMIT_S = 60
TOPOLOGY = """\
topology: {id}
epoch: {epoch}
shards: {shards}
backend:
  {{type: kafka, bootstrap: "${{KAFKA}}", transaction_timeout: {timeout}, replication: {replication}, workers: {workers},
    settings: {settings}}}
sources:
  in: {{type: kafka, topic: {input}, format: raw, until: {until}, discover: 500ms, on_missing: {missing}, fields: [text]}}
operators:
  once: {{type: dedupe, input: in, key: [text]}}
sinks:
  out: {{type: kafka, input: once, topic: {output}, format: {format}, max_message_bytes: {largest}}}
  refused: {{type: kafka, topic: refused, fields: [reject_code, reject_value]}}
rejects: refused
"""
DEFAULTS = {"id": "mistakes", "epoch": "100ms", "shards": 4, "timeout": "10s", "replication": 1, "input": "input",
            "output": "output", "until": "end", "missing": "fail", "largest": "1048588", "settings": "{}",
            "format": "json", "workers": "one"}


class Job:
    def __init__(self, huiliu: str, folder: Path, broker: Broker):
        self.huiliu, self.folder, self.broker = huiliu, folder, broker

    def start(self, state: str = "state", **changed) -> subprocess.Popen:
        topology = self.folder / "topology.yaml"
        topology.write_text(TOPOLOGY.format(**(DEFAULTS | changed)))
        return subprocess.Popen([self.huiliu, "run", "-q", "--state", str(self.folder / state), str(topology)],
                                env=dict(os.environ, KAFKA=self.broker.bootstrap), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def expect(self, what: str, code: int, telling: str = "", **changed) -> None:
        self.must_end(self.start(**changed), what, code, telling)

    def must_end(self, process: subprocess.Popen, what: str, code: int, telling: str = "") -> None:
        try:
            shown, _ = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise SystemExit(f"{what}: does not end\n{process.communicate()[0]}") from None
        if process.returncode != code or telling not in shown:
            raise SystemExit(f"{what}: exit code {process.returncode}, expected {code} and '{telling}'\n{shown}")
        print(f"{what}: " + (next(line for line in shown.splitlines() if telling in line) if telling else "ok"))

    def send(self, *texts: str, partition: int = 0, topic: str = "input") -> None:
        client.produce(self.broker.bootstrap, topic, [(partition, None, text.encode()) for text in texts])

    def output(self, topic: str = "output") -> list:
        return sorted(message.value.decode() for message in client.read_committed(self.broker.bootstrap, topic))

    def delete(self, topic: str) -> None:
        admin = AdminClient({"bootstrap.servers": self.broker.bootstrap})  # must outlive the answer
        admin.delete_topics([topic], operation_timeout=LIMIT_S)[topic].result()
        deadline = time.monotonic() + LIMIT_S
        while topic in client.topic_names(self.broker.bootstrap) and time.monotonic() < deadline:
            time.sleep(0.05)


def rows(*texts: str) -> list:
    return sorted(f'{{"text":"{text}"}}' for text in texts)


def same(what: str, found: list, expected: list) -> None:
    if found != expected:
        raise SystemExit(f"{what}: {found}, not {expected}")


def refused_at_start(job: Job) -> None:
    job.expect("no output topic", USAGE, "create the topic", output="nowhere")
    job.expect("no input topic", USAGE, "create the topic", input="nothing")
    job.expect("transaction_timeout above the brokers' limit", USAGE, "transaction.max.timeout.ms", timeout="30s")
    job.expect("more replicas than brokers", USAGE, "more than there are brokers", id="replicated", replication=3,
               state="replicated")
    job.expect("an epoch as long as the transaction", USAGE, "at least twice", epoch="8s")


def refused_starts_leave_nothing(job: Job) -> None:
    """What can refuse a start is looked at before the first topic of the topology is created."""
    client.create_topics(job.broker.bootstrap, {"keyed": 1}, {"cleanup.policy": "compact"})
    client.create_topics(job.broker.bootstrap, {"narrow": 1}, {"max.message.bytes": "1000"})
    shared = {"workers": "several", "until": "forever"}
    for what, telling, changed in (
            ("no output topic", "create the topic", {"output": "nowhere"}),
            ("no output topic, several workers", "create the topic", {"output": "nowhere"} | shared),
            ("no input topic", "create the topic", {"input": "nothing"}),
            ("no input topic, several workers", "create the topic", {"input": "nothing"} | shared),
            ("one input topic of two", "create the topic", {"input": "[input, nothing]"}),
            ("no key for a compacted topic", "Set `key`", {"output": "keyed"}),
            ("messages too large", "set `max_message_bytes: 1000`", {"output": "narrow"}),
            ("batches too large", "set `batch.size: 1000`", {"output": "narrow", "largest": "1000"}),
            ("transaction_timeout above the brokers' limit", "transaction.max.timeout.ms", {"timeout": "30s"})):
        job.expect(what, USAGE, telling, id="unborn", state="unborn", **changed)
        left = [name for name in client.topic_names(job.broker.bootstrap) if name.startswith("unborn.")]
        same(f"topics that are left after: {what}", left, [])


def state_that_does_not_fit(job: Job) -> None:
    job.send("a", "b", "a")
    job.expect("a good run", GOOD)
    same("output", job.output(), rows("a", "b"))
    job.expect("another number of shards", USAGE, "shards", shards=8)
    job.expect("another number of shards, without local state", USAGE, "fixed for the life", shards=8, state="empty")
    job.expect("the right number, in the folder of that start", GOOD, state="empty")
    job.expect("the state of another topology", USAGE, "belongs to", id="other")


def broker_comes_later(job: Job) -> None:
    job.send("c")
    job.broker.kill()
    process = job.start()
    time.sleep(2)
    job.broker.start()
    job.must_end(process, "a broker that comes later than the process", GOOD)
    same("output", job.output(), rows("a", "b", "c"))


def partitions_are_added(job: Job) -> None:
    process = job.start(until="forever")
    admin = AdminClient({"bootstrap.servers": job.broker.bootstrap})
    admin.create_partitions([NewPartitions("input", 3)])["input"].result()
    time.sleep(0.5)
    job.send("d", partition=2)
    deadline = time.monotonic() + LIMIT_S
    while job.output() != rows("a", "b", "c", "d") and time.monotonic() < deadline:
        time.sleep(0.2)
    process.terminate()
    job.must_end(process, "partitions that are added under way", 130)
    same("output", job.output(), rows("a", "b", "c", "d"))


def topics_made_anew(job: Job) -> None:
    job.delete("input")
    client.create_topics(job.broker.bootstrap, {"input": 3})
    job.expect("an input topic recreated", DATA_AT_RISK, "on_missing")
    job.send("e", "a")
    job.expect("an input topic recreated, and that is meant", GOOD, missing="earliest")
    same("output", job.output(), rows("a", "b", "c", "d", "e"))
    job.delete("mistakes.once.seen.changelog")
    job.expect("a changelog that was deleted", DATA_AT_RISK, "was deleted")
    job.expect("a changelog that was deleted, without local state", DATA_AT_RISK, "was deleted", state="fresh")
    job.delete("mistakes.progress")
    job.expect("a progress topic that was deleted", DATA_AT_RISK, "was deleted")
    if "mistakes.progress" in client.topic_names(job.broker.bootstrap):
        raise SystemExit("the progress topic that was deleted was created anew")
    client.create_topics(job.broker.bootstrap, {"mistakes.progress": 1}, {"cleanup.policy": "compact"})
    job.expect("a progress topic that was recreated", DATA_AT_RISK, "holds no epoch")


def wait_for_output(job: Job, topic: str, expected: list) -> None:
    deadline = time.monotonic() + LIMIT_S
    while job.output(topic) != expected and time.monotonic() < deadline:
        time.sleep(0.1)
    same(topic, job.output(topic), expected)


def topics_go_under_way(job: Job) -> None:
    names = {"id": "going", "state": "going", "input": "going.in", "output": "going.out"}
    bootstrap = job.broker.bootstrap
    client.create_topics(bootstrap, {"going.in": 1, "going.out": 1})

    def run(before: list, *fresh: str) -> subprocess.Popen:
        process = job.start(until="forever", **names)
        job.send(*fresh, topic="going.in")
        wait_for_output(job, "going.out", rows(*before, *fresh))
        return process

    process = run([], "a", "b")
    job.delete("going.in")
    job.must_end(process, "an input topic deleted under way", USAGE, "create the topic")
    client.create_topics(bootstrap, {"going.in": 1})
    job.expect("the input topic recreated after that", DATA_AT_RISK, "on_missing", **names)
    job.send("c", "d", topic="going.in")
    job.expect("and it has as many messages as before", DATA_AT_RISK, "not the one that was read", **names)
    job.expect("and that is meant", GOOD, missing="earliest", **names)
    same("output", job.output("going.out"), rows("a", "b", "c", "d"))

    process = run(["a", "b", "c", "d"], "e", "f", "g")
    job.delete("going.in")
    client.create_topics(bootstrap, {"going.in": 1})
    job.send("h", topic="going.in")
    job.must_end(process, "an input topic deleted and recreated under way", DATA_AT_RISK, "on_missing")
    job.expect("and that is meant", GOOD, missing="earliest", **names)
    same("output", job.output("going.out"), rows(*"abcdefgh"))

    process = run([*"abcdefgh"], "i")
    job.delete("going.out")
    job.send("j", topic="going.in")
    job.must_end(process, "an output topic deleted under way", USAGE, "create the topic")
    client.create_topics(bootstrap, {"going.out": 1})
    job.expect("the output topic recreated", GOOD, **names)
    same("output", job.output("going.out"), rows("j"))

    process = run(["j"], "k")
    job.delete("going.once.seen.changelog")
    job.send("l", topic="going.in")
    job.must_end(process, "a changelog deleted under way", DATA_AT_RISK, "was deleted")


def too_large(job: Job) -> None:
    client.create_topics(job.broker.bootstrap, {"small": 1}, {"max.message.bytes": "1000"})
    job.send("x" * 5000)
    limits = {"id": "large", "output": "small", "state": "large"}
    job.expect("messages that the output topic does not take", USAGE, "set `max_message_bytes: 1000`", **limits)
    limits["largest"] = "1000"
    job.expect("batches that the output topic does not take", USAGE, "set `batch.size: 1000`", **limits)
    limits["settings"] = "{batch.size: 1000}"
    refused, many = job.output("refused"), [f"{n:04}" for n in range(500)]
    job.send(*many)
    job.expect("a topic that takes 1000 bytes at a time", GOOD, **limits)
    same("small", [row for row in job.output("small") if row in rows(*many)], rows(*many))
    same("refused", [row for row in job.output("refused") if row not in refused],
         ['{"reject_code":"E811_MESSAGE_TOO_LARGE","reject_value":"' + "x" * 200 + '"}'])


def delete_records(job: Job, topic: str, partition: int, before: int) -> None:
    """By hand, since the Python client of Debian 12 cannot."""
    one = struct.pack(">i", 1)
    answer = ask(int(job.broker.bootstrap.rsplit(":", 1)[1]), 21, 1, one + text(topic.encode()) + one
                 + struct.pack(">iqi", partition, before, 10_000))
    if answer[-2:] != bytes(2):
        raise SystemExit(f"DeleteRecords of {topic}: {answer}")


def retention_behind_marks(job: Job) -> None:
    names = {"id": "marks", "state": "marks", "input": "marks.in", "output": "marks.out"}
    client.create_topics(job.broker.bootstrap, {"marks.in": 1, "marks.out": 1})
    producer = Producer({"bootstrap.servers": job.broker.bootstrap, "transactional.id": "upstream",
                         "transaction.timeout.ms": 10_000})
    producer.init_transactions()

    def send(texts: str, commit: bool) -> None:
        producer.begin_transaction()
        for one in texts:
            producer.produce("marks.in", one.encode())
        producer.flush()
        producer.commit_transaction() if commit else producer.abort_transaction()

    send("ab", True)
    send("xy", False)
    job.expect("an input that ends with marks of transactions", GOOD, **names)
    delete_records(job, "marks.in", 0, client.end_offsets(job.broker.bootstrap, "marks.in")[0])
    job.expect("all that was read is deleted, and the marks behind it", GOOD, **names)
    send("cd", True)
    job.expect("more came after that", GOOD, **names)
    same("output", job.output("marks.out"), rows(*"abcd"))
    send("e", True)
    delete_records(job, "marks.in", 0, client.end_offsets(job.broker.bootstrap, "marks.in")[0])
    job.expect("a message is deleted that was not read", DATA_AT_RISK, "deleted before they were read", **names)


def alter(job: Job, topic: str, settings: dict) -> None:
    """What is not named has the brokers' default then."""
    admin = AdminClient({"bootstrap.servers": job.broker.bootstrap})
    for future in admin.alter_configs([ConfigResource(ConfigResource.Type.TOPIC, topic, settings)]).values():
        future.result()
    time.sleep(0.3)


def too_few_replicas(job: Job) -> None:
    names = {"id": "thin", "state": "thin", "input": "thin.in", "output": "thin.out"}
    client.create_topics(job.broker.bootstrap, {"thin.in": 1})
    client.create_topics(job.broker.bootstrap, {"thin.out": 1}, {"min.insync.replicas": "2"})
    job.send("a", topic="thin.in")
    job.expect("a topic that wants more replicas than it has", GOOD,
               "thin.out[0] has 1 replicas, of which 1 are in sync, and min.insync.replicas=2", **names)
    same("thin.out", job.output("thin.out"), rows("a"))


def replicas_go_away(job: Job, brokers: Cluster) -> None:
    """One of two that both must be in sync: each process says what it waits for, and goes on by itself."""
    names = {"input": "away.in", "output": "away.out", "replication": 3}
    client.create_topics(brokers.bootstrap, {"away.in": 1, "refused": 1}, replication=3)
    client.create_topics(brokers.bootstrap, {"away.out": 1}, {"min.insync.replicas": "2"}, replication=2)
    job.send("a", topic="away.in")
    # More than one, since each knows one of the brokers by chance as the one to ask: it may be the one that goes.
    processes = []
    for number in range(4):
        processes.append(job.start(until="forever", id=f"away{number}", state=f"away{number}", **names))
        wait_for_output(job, "away.out", rows(*"a" * len(processes)))
    admin = AdminClient({"bootstrap.servers": brokers.bootstrap})
    partition = admin.list_topics("away.out").topics["away.out"].partitions[0]
    gone = [next(node for node in partition.replicas if node != partition.leader)]
    brokers.kill(gone)
    job.send("b", topic="away.in")
    time.sleep(15)
    same("away.out", job.output("away.out"), rows(*"aaaa"))
    brokers.start(gone)
    wait_for_output(job, "away.out", rows(*"aaaabbbb"))
    for process in processes:
        process.terminate()
    for process in processes:
        job.must_end(process, "a replica that goes away under way", 130,
                     "away.out[0] has 2 replicas, of which 1 are in sync, and min.insync.replicas=2")


def another_format(job: Job) -> None:
    names = {"id": "form", "state": "form", "input": "form.in", "output": "form.out"}
    client.create_topics(job.broker.bootstrap, {"form.in": 1, "form.out": 1})
    job.send("a", topic="form.in")
    job.expect("a topology that writes JSON", GOOD, **names)
    job.expect("and CSV into the same topic then", USAGE, "format=csv", format="csv", **names)
    job.expect("also without local state", USAGE, "format=csv", format="csv", **(names | {"state": "form.fresh"}))
    job.expect("and JSON again", GOOD, **names)
    same("form.out", job.output("form.out"), rows("a"))


def topics_of_the_state(job: Job) -> None:
    names = {"id": "kept", "state": "kept", "input": "kept.in", "output": "kept.out"}
    client.create_topics(job.broker.bootstrap, {"kept.in": 1, "kept.out": 1})
    job.send(*"abcdefgh", topic="kept.in")
    job.expect("a topology whose topics are changed then", GOOD, **names)
    for topic, setting, wrong in (("kept.once.seen.changelog", "retention.ms", "604800000"),
                                  ("kept.once.seen.changelog", "max.message.bytes", "1048588"),
                                  ("kept.progress", "cleanup.policy", "delete")):
        for value, code in ((wrong, USAGE), (None, GOOD)):
            own = {"cleanup.policy": "compact", "delete.retention.ms": "604800000"} if topic.endswith("progress") else {
                "cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
            own["max.message.bytes"] = "16777216"
            alter(job, topic, own | ({setting: value} if value else {}))
            job.expect(f"{topic} with {setting}={value}", code, f"{setting}={value}" if value else "", **names)
    for partition in range(4):
        end = client.end_offsets(job.broker.bootstrap, "kept.once.seen.changelog")[partition]
        if end > 0:  # all but the mark of the last transaction
            delete_records(job, "kept.once.seen.changelog", partition, end - 1)
    job.expect("a changelog that was cut, with the local state", GOOD, **names)
    job.expect("a changelog that was cut, without local state", DATA_AT_RISK, "were deleted there",
               **(names | {"state": "fresh.kept"}))
    client.produce(job.broker.bootstrap, "kept.progress", [(0, b"source/in/kafka/kept.in/0", b"junk")])
    job.expect("junk among the positions", DATA_AT_RISK, "'junk' is no value of", **names)


def what_no_topology_may_be(job: Job) -> None:
    client.create_topics(job.broker.bootstrap, {"round.in": 1, "round.out": 1})
    client.create_topics(job.broker.bootstrap, {"compacted": 1}, {"cleanup.policy": "compact"})
    names = {"id": "round", "state": "round"}
    job.expect("an output that is the input", USAGE, "would feed itself", input="round.in", output="round.in", **names)
    job.expect("an output that the input's pattern matches", USAGE, "would feed itself", input='"^round[.]"',
               output="round.out", **names)
    job.expect("the topology's own progress as its input", USAGE, "would feed itself", input="round.progress", **names)
    job.send("a", topic="round.in")
    job.expect("a pattern that matches the topology's own topics", GOOD, input='"^round[.](in|pro|once)"', **names)
    job.expect("and what it has left out does not come", GOOD, input='"^round[.](in|pro|once)"', **names)
    same("output", [row for row in job.output() if row == rows("a")[0]], rows("a", "a"))
    job.expect("no name of a topic", USAGE, "cannot be the name of a topic", output='"a b"', **names)
    job.expect("a compacted topic without a key", USAGE, "Set `key`", output="compacted", id="keyless", state="keyless")


def nothing_is_created(job: Job) -> None:
    """With brokers that create what is asked for."""
    job.expect("no output topic, and brokers that create topics", USAGE, "create the topic", id="auto", state="auto",
               output="nowhere")
    if "nowhere" in client.topic_names(job.broker.bootstrap):
        raise SystemExit("a mistyped topic was created")
    job.expect("brokers that create topics", GOOD, id="auto", state="auto")
    resource = ConfigResource(ConfigResource.Type.TOPIC, "auto.progress")
    admin = AdminClient({"bootstrap.servers": job.broker.bootstrap})
    found = next(iter(admin.describe_configs([resource]).values())).result()
    same("policy of auto.progress", found["cleanup.policy"].value, "compact")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--huiliu", required=True)
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="huiliu-kafka-mistakes-"))
    try:
        with Broker(folder / "broker", {"transaction.max.timeout.ms": 20_000}) as broker:
            client.create_topics(broker.bootstrap, {"input": 2, "output": 2, "refused": 1})
            job = Job(str(Path(args.huiliu).resolve()), folder, broker)
            for part in (refused_at_start, refused_starts_leave_nothing, state_that_does_not_fit,
                         broker_comes_later, partitions_are_added,
                         topics_made_anew, topics_go_under_way, too_large, retention_behind_marks,
                         topics_of_the_state, too_few_replicas, another_format, what_no_topology_may_be):
                part(job)
        with Broker(folder / "creating", {"transaction.max.timeout.ms": 20_000,
                                          "auto.create.topics.enable": "true"}) as broker:
            client.create_topics(broker.bootstrap, {"input": 2, "output": 2, "refused": 1})
            nothing_is_created(Job(str(Path(args.huiliu).resolve()), folder, broker))
        # By default they notice after 9 s that one of them is away: later than a process asks for the first time.
        with Cluster(folder / "cluster", {"broker.session.timeout.ms": 6500}) as brokers:
            replicas_go_away(Job(str(Path(args.huiliu).resolve()), folder, brokers), brokers)
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
