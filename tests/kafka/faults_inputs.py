"""What a topic can bring under load: partitions that are added, and messages that nobody can read."""
import json
import random
import time
from pathlib import Path

import client
from broker import Broker
from confluent_kafka.admin import AdminClient, NewPartitions
from trial import PARTITIONS, Trial, workload
from workload import BROKER, GROUP, PROGRESS_LIMIT_S, Failure, Feeder, make_input

LARGE = 3 << 20
LARGEST = {"message.max.bytes": 4 << 20, "replica.fetch.max.bytes": 4 << 20}


def record(**changed) -> bytes:
    """A good one but for what is changed."""
    good = {"id": "poison", "dept": "d0", "kind": "open", "amount": 1, "n": 1}
    return json.dumps(good | changed).encode()


def poison() -> list:
    """Keys and values; none of the values is a record of the topology's stream."""
    good = record()
    no_json = [None, b"", b" ", b"\0", b"poison", b"\xff\xfe\xfd", good[:-1], good + b"x", good * 2, b"{]", b"{" * 5000,
               b'{"id":' * 500 + b"1" + b"}" * 500, good.replace(b"open", b"\xc3\x28"), b"x" * LARGE,
               b'{"id": "' + b"y" * LARGE, b"[" * LARGE, bytes(range(256)) * 4]
    no_object = [b"null", b"true", b"1", b'"text"', b"[]", b"[" + good + b"]"]
    wrong_type = [record(amount=value) for value in ("text", 1.5, {}, [1], True, 1 << 70, -(1 << 64))]
    wrong_type += [record(n="z" * LARGE), good.replace(b'"amount": 1', b'"amount": NaN'),
                   good.replace(b'"amount": 1', b'"amount": 1e999')]
    keys = [None, b"", b"d0", b"\xff\0", b"k" * 10_000]
    return [(keys[at % len(keys)], value) for at, value in enumerate(no_json + no_object + wrong_type)]


def add_partitions(trial: Trial, rng: random.Random, records: int) -> Feeder:
    """New departments, since those there stay in their partitions. Returns when the first are committed."""
    what = "partitions added under way"
    trial.under_load(what, 2)
    admin = AdminClient(client.common(trial.bootstrap))
    admin.create_partitions([NewPartitions("input", 2 * PARTITIONS)])["input"].result()
    begun = time.monotonic()
    late = make_input(rng, records, PARTITIONS, [f"e{n}" for n in range(8)], PARTITIONS)
    trial.records += late
    feeder = Feeder(trial.bootstrap, late)
    feeder.go(2000)
    while True:
        offsets = client.committed_offsets(trial.bootstrap, GROUP, "input")
        if all(offsets.get(number) for number in range(PARTITIONS, 2 * PARTITIONS)):
            break
        trial.job.must_run(trial.process, what)
        if time.monotonic() - begun > PROGRESS_LIMIT_S:
            feeder.stop()
            raise Failure(f"{what}: not read after {PROGRESS_LIMIT_S} s: {offsets}\n{trial.job.tail()}")
        time.sleep(0.05)
    trial.pauses[what].append(time.monotonic() - begun)
    return feeder


def send_poison(trial: Trial, rng: random.Random, rounds: int) -> None:
    what = "messages that nobody can read"
    trial.under_load(what, 1)
    producer = client.open_producer(trial.bootstrap, {"message.max.bytes": LARGEST["message.max.bytes"]})
    for _ in range(rounds):
        bad = poison()
        rng.shuffle(bad)
        client.send(producer, "input", [(rng.randrange(2 * PARTITIONS), key, value) for key, value in bad])
        trial.figures["of these"] += len(bad)
    trial.goes_on(what)


def inputs(args, folder: Path, rng: random.Random) -> bool:
    with Broker(folder / "broker", BROKER | LARGEST) as broker, \
            Trial("inputs", args.huiliu, folder, rng, broker.bootstrap, workload(rng, args.records)) as trial:
        trial.start("while the input changes")
        late = add_partitions(trial, rng, args.records // 3)
        try:
            send_poison(trial, rng, args.poison_rounds)
            late.finish()
        finally:
            late.stop()
        return trial.finish()
