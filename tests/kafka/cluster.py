"""Three real brokers on loopback, each a controller too (broker.py): there are three replicas, two must be in sync.

A node can be killed and started again on its data; the node that coordinates a transactional id can be found.
"""
import struct
import time
from pathlib import Path

import client
from broker import COORDINATED, Broker, BrokerError, Distribution, ask, int16, random_id, text
from confluent_kafka.admin import AdminClient

NODES = 3
IN_SYNC_LIMIT_S = 60
TRANSACTION = 1  # kind of a coordinator
REPLICATION = {
    "default.replication.factor": NODES, "min.insync.replicas": 2,
    "offsets.topic.replication.factor": NODES,
    "transaction.state.log.replication.factor": NODES, "transaction.state.log.min.isr": 2,
}


def coordinator_at(port: int, name: bytes, kind: int) -> int:
    """Its node; -1 if there is none now, or the broker does not answer."""
    try:
        answer = ask(port, 10, 1, text(name) + bytes([kind]))
        if int16(answer, 4) != 0:
            return -1
        message = max(0, int16(answer, 6))
        return struct.unpack_from(">i", answer, 8 + message)[0]
    except (OSError, struct.error):
        return -1


def lists_all(port: int) -> bool:
    try:
        return struct.unpack_from(">i", ask(port, 3, 1, struct.pack(">i", 0)))[0] == NODES
    except (OSError, struct.error):
        return False


class Cluster:
    """All methods belong on the thread that started it: brokers die with it."""

    def __init__(self, folder: Path, properties: dict = None):
        cluster_id = random_id()
        self.brokers = {node: Broker(folder / f"node-{node}", node=node, cluster_id=cluster_id)
                        for node in range(1, NODES + 1)}
        voters = ",".join(f"{node}@127.0.0.1:{one.controller_port}" for node, one in self.brokers.items())
        for one in self.brokers.values():
            one.properties = REPLICATION | {"controller.quorum.voters": voters} | (properties or {})
        self.distribution = Distribution()
        self.distribution.fetch()

    def __enter__(self):
        try:
            self.start(list(self.brokers))
            for name in COORDINATED:  # makes the coordinators' topics
                for kind in (0, TRANSACTION):
                    self.coordinator(name, kind)
            self.wait_in_sync()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for one in self.brokers.values():
            one.kill()

    @property
    def bootstrap(self) -> str:
        return ",".join(one.bootstrap for one in self.brokers.values())

    def kill(self, nodes: list) -> None:
        for node in nodes:
            self.brokers[node].kill()

    def start(self, nodes: list) -> None:
        """Returns when they know of all nodes. What they have missed they may not have yet."""
        for node in nodes:
            self.brokers[node].spawn(self.distribution)
        for node in nodes:
            self.brokers[node].wait_until(lists_all, self.distribution)

    def coordinator(self, name: bytes, kind: int = TRANSACTION) -> int:
        deadline = time.monotonic() + IN_SYNC_LIMIT_S
        while time.monotonic() < deadline:
            for one in self.brokers.values():
                node = coordinator_at(one.port, name, kind) if one.running else -1
                if node in self.brokers and self.brokers[node].running:
                    return node
            time.sleep(0.05)
        raise BrokerError(f"nobody coordinates {name.decode()} after {IN_SYNC_LIMIT_S} s")

    def wait_in_sync(self) -> None:
        """Returns when each replica of each partition has all of it: before that, another end could take two
        replicas away."""
        admin = AdminClient(client.common(self.bootstrap))
        deadline = time.monotonic() + IN_SYNC_LIMIT_S
        while True:
            topics = admin.list_topics(timeout=client.ASK_S).topics
            behind = [f"{name}[{number}]" for name, topic in topics.items()
                      for number, partition in topic.partitions.items()
                      if partition.leader < 0 or set(partition.isrs) != set(partition.replicas)]
            if topics and not behind:
                return
            if time.monotonic() > deadline:
                raise BrokerError(f"not in sync after {IN_SYNC_LIMIT_S} s: {', '.join(behind[:5])}")
            time.sleep(0.1)
