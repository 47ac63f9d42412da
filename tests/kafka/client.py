"""What tests ask of Kafka, written on confluent_kafka alone, so that it is independent of what it checks.

Works with confluent_kafka 1.7.0 (Debian 12's python3-confluent-kafka) and 2.x. Errors are raised as
KafkaException, limits of time as TimeoutError.
"""
import time
from typing import Iterable, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

ASK_S = 20
ANY_PARTITION = -1
# The client goes on by itself after these.
PASSING = (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._TIMED_OUT)


class Message(NamedTuple):
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict
    time: int = 0  # ms; the broker's, where the topic says message.timestamp.type=LogAppendTime


def common(bootstrap: str) -> dict:
    # Brokers that go away are part of the tests: only what is critical is logged.
    return {"bootstrap.servers": bootstrap, "log_level": 2}


# --- topics ----------------------------------------------------------------------------------------


def create_topics(bootstrap: str, topics: dict, config: dict = None, wait: bool = True,
                  replication: int = 1) -> None:
    """`topics`: name → number of partitions. With `wait`, returns when each partition has a leader."""
    admin = AdminClient(common(bootstrap))
    wanted = [NewTopic(name, num_partitions=partitions, replication_factor=replication, config=config or {})
              for name, partitions in topics.items()]
    for future in admin.create_topics(wanted, operation_timeout=ASK_S, request_timeout=ASK_S).values():
        future.result()
    deadline = time.monotonic() + ASK_S
    while wait and not all(_led(admin, name, partitions) for name, partitions in topics.items()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"topics {', '.join(topics)} have no leaders after {ASK_S} s")
        time.sleep(0.05)


def _led(admin: AdminClient, name: str, partitions: int) -> bool:
    found = admin.list_topics(name, timeout=ASK_S).topics[name]
    return (found.error is None and len(found.partitions) == partitions
            and all(partition.leader >= 0 for partition in found.partitions.values()))


def topic_names(bootstrap: str) -> list:
    return sorted(AdminClient(common(bootstrap)).list_topics(timeout=ASK_S).topics)


# --- producing -------------------------------------------------------------------------------------


def open_producer(bootstrap: str, config: dict = None) -> Producer:
    # Java's default partitioner, so that a key lies where other clients would put it.
    return Producer(common(bootstrap) | {"acks": "all", "enable.idempotence": True, "linger.ms": 5,
                                          "partitioner": "murmur2_random"} | (config or {}))


def send(producer: Producer, topic: str, records: Iterable, limit_s: float = 300) -> int:
    """Number of records of (partition or None, key or None, value), all acknowledged when it returns."""
    failed = []

    def delivered(error, _message) -> None:
        if error is not None:
            failed.append(error)

    count = 0
    # The first record to a topic that the client does not know waits up to a second for its leader.
    _partitions(producer, topic, limit_s)
    for partition, key, value in records:
        while True:
            try:
                producer.produce(topic, value=value, key=key, on_delivery=delivered,
                                 partition=ANY_PARTITION if partition is None else partition)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
        count += 1
    left = producer.flush(limit_s)
    if failed:
        raise KafkaException(failed[0])
    if left:
        raise TimeoutError(f"{left} of {count} records for {topic} are not acknowledged after {limit_s} s")
    return count


def produce(bootstrap: str, topic: str, records: Iterable, limit_s: float = 300) -> int:
    return send(open_producer(bootstrap), topic, records, limit_s)


# --- reading ---------------------------------------------------------------------------------------


def read_committed(bootstrap: str, topic: str, limit_s: float = 120) -> list:
    """All messages that are there, by arrival; within a partition in order. Ends before a transaction
    that is still open."""
    return _read(bootstrap, topic, "read_committed", limit_s)


def read_uncommitted(bootstrap: str, topic: str, limit_s: float = 120) -> list:
    """As read_committed, with records of aborted and of open transactions."""
    return _read(bootstrap, topic, "read_uncommitted", limit_s)


def end_offsets(bootstrap: str, topic: str) -> dict:
    """Partition → offset after the last record, commit markers counted."""
    consumer = _consumer(bootstrap, "read_uncommitted")
    try:
        return {partition: consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=ASK_S)[1]
                for partition in _partitions(consumer, topic)}
    finally:
        consumer.close()


def _asked_again(ask):
    """What `ask` gives, once the brokers know who answers: the coordinator may just be moving."""
    end = time.monotonic() + ASK_S
    while True:
        try:
            return ask()
        except KafkaException as error:
            if not error.args[0].retriable() and error.args[0].code() != KafkaError.NOT_COORDINATOR:
                raise
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def committed_offsets(bootstrap: str, group: str, topic: str) -> dict:
    """Partition → offset that the group has committed, None if none. Does not wait for a transaction
    that is still open."""
    consumer = _consumer(bootstrap, "read_uncommitted", group)
    try:
        wanted = [TopicPartition(topic, partition) for partition in _partitions(consumer, topic)]
        found = _asked_again(lambda: consumer.committed(wanted, timeout=ASK_S))
        for one in found:
            if one.error is not None:
                raise KafkaException(one.error)
        return {one.partition: one.offset if one.offset >= 0 else None for one in found}
    finally:
        consumer.close()


def _consumer(bootstrap: str, isolation: str, group: str = "huiliu-tests") -> Consumer:
    return Consumer(common(bootstrap) | {
        "group.id": group, "enable.auto.commit": False, "auto.offset.reset": "error", "check.crcs": True,
        "enable.partition.eof": True, "isolation.level": isolation, "fetch.wait.max.ms": 50})


def _partitions(client, topic: str, limit_s: float = ASK_S) -> list:
    found = client.list_topics(topic, timeout=limit_s).topics[topic]
    if found.error is not None:
        raise KafkaException(found.error)
    return sorted(found.partitions)


def _read(bootstrap: str, topic: str, isolation: str, limit_s: float) -> list:
    deadline = time.monotonic() + limit_s
    messages, ended = [], set()
    consumer = _consumer(bootstrap, isolation)
    try:
        partitions = _partitions(consumer, topic)
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
        while len(ended) < len(partitions):
            if time.monotonic() > deadline:
                left = sorted(set(partitions) - ended)
                raise TimeoutError(f"{topic} is not read to its end after {limit_s} s: "
                                   f"{len(messages)} messages, partitions {left} go on")
            for message in consumer.consume(1000, timeout=0.1):
                error = message.error()
                if error is None:
                    messages.append(_plain(message))
                elif error.code() == KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
                elif error.code() not in PASSING:
                    raise KafkaException(error)
        return messages
    finally:
        consumer.close()


def _plain(message) -> Message:
    return Message(message.partition(), message.offset(), message.key(), message.value(),
                   dict(message.headers() or []), message.timestamp()[1])
