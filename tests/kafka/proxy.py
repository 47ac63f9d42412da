"""A way between a client and a broker that can be bad: cut, frozen, deaf, slow, narrow; and answers can be lost.

Requests and answers of Kafka's protocol go through one by one, each with its length in front, so that the
answer to one chosen kind of request can be taken away after the broker has done what was asked: the moment
that exactly once is about. Runs on a thread of its own; all methods may be called from any thread.
"""
import asyncio
import random
import struct
import threading
import time
from collections import Counter

HOST = "127.0.0.1"
CALL_S = 10
QUEUED = 64  # messages that are on their way in one direction of a connection
PART = 16 << 10  # what a narrow way lets through at once
PRODUCE, FETCH, FIND_COORDINATOR, INIT_PRODUCER_ID = 0, 1, 10, 22
ADD_PARTITIONS, ADD_OFFSETS, END_TXN, TXN_OFFSETS = 24, 25, 26, 28
NAMES = {PRODUCE: "Produce", FETCH: "Fetch", FIND_COORDINATOR: "FindCoordinator",
         INIT_PRODUCER_ID: "InitProducerId", ADD_PARTITIONS: "AddPartitionsToTxn",
         ADD_OFFSETS: "AddOffsetsToTxn", END_TXN: "EndTxn", TXN_OFFSETS: "TxnOffsetCommit"}
# What is lost with the connection, once the request is there: its answer when the broker has given it; whatever
# comes, which may be before the broker has begun; half of the request.
ANSWER, AT_ONCE, TORN = "answer", "at once", "torn"


def two_ways(broker, behind: int, way: int) -> dict:
    """Settings by which a broker is reached directly, and through a proxy at `way` that leads to `behind`."""
    good, controller = (f"127.0.0.1:{port}" for port in (broker.port, broker.controller_port))
    return {
        "listeners": f"PLAINTEXT://{good},WAY://127.0.0.1:{behind},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{good},WAY://127.0.0.1:{way}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,WAY:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
    }


class Link:
    """One connection of the client and its counterpart to the broker."""

    def __init__(self, proxy: "Proxy", client: tuple, broker: tuple):
        self.proxy = proxy
        self.client_reader, self.client_writer = client
        self.broker_reader, self.broker_writer = broker
        self.deaf = False
        self.lost: int | None = None  # correlation id of the request whose answer is taken away
        self.tasks: list = []

    async def run(self) -> None:
        requests, answers = asyncio.Queue(QUEUED), asyncio.Queue(QUEUED)
        steps = [self.take(self.client_reader, requests), self.give(requests, self.request),
                 self.take(self.broker_reader, answers), self.give(answers, self.answer)]
        self.tasks = [asyncio.ensure_future(step) for step in steps]
        try:
            await asyncio.wait(self.tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
            self.cut()

    def cut(self) -> None:
        # The broker still gets what was sent; the client gets nothing more.
        self.client_writer.transport.abort()
        self.broker_writer.close()
        for task in self.tasks:
            task.cancel()

    async def take(self, reader: asyncio.StreamReader, queue: asyncio.Queue) -> None:
        while True:
            size = await reader.readexactly(4)
            message = size + await reader.readexactly(struct.unpack(">i", size)[0])
            await queue.put((self.proxy.due(), message))

    async def give(self, queue: asyncio.Queue, pass_on) -> None:
        while True:
            due, message = await queue.get()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await self.proxy.thawed.wait()
            if not self.deaf:
                await pass_on(message)

    async def request(self, message: bytes) -> None:
        key, _version, correlation = struct.unpack_from(">hhi", message, 4)
        fault = self.proxy.fault_for(key)
        if fault == TORN:
            message = message[:max(1, len(message) // 2)]
        elif fault == ANSWER:
            self.lost = correlation
        await self.send(self.broker_writer, message, 0)
        if fault in (TORN, AT_ONCE):
            self.cut()

    async def answer(self, message: bytes) -> None:
        if self.lost is not None and struct.unpack_from(">i", message, 4)[0] == self.lost:
            self.cut()
            return
        await self.send(self.client_writer, message, 1)

    async def send(self, writer: asyncio.StreamWriter, message: bytes, direction: int) -> None:
        for begin in range(0, len(message), PART):
            part = message[begin:begin + PART]
            await asyncio.sleep(self.proxy.wait_for_room(len(part), direction))
            writer.write(part)
            await writer.drain()


class Proxy:
    """Listens on `port`, leads to `target`."""

    def __init__(self, port: int, target: int, rng: random.Random):
        self.port, self.target, self.rng = port, target, rng
        self.links: set = set()
        self.figures: Counter = Counter()
        self.delay: tuple | None = None  # seconds, from and to
        self.rate: int | None = None  # bytes a second, of each direction
        self.free_at = [0.0, 0.0]  # when the narrow way takes the next part
        self.fault: tuple | None = None  # kind, requests
        self.met = threading.Event()  # the fault has come about
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self.loop).result(CALL_S)
        return self

    def __exit__(self, *_):
        self._call(self.server.close)
        self.cut()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(CALL_S)

    # What can be done to the way.

    def cut(self, share: float = 1.0) -> int:
        """Ends so many of the connections, or of their number by chance."""
        return self._call(self._cut, share)

    def freeze(self) -> None:
        """Nothing goes through, and nothing is lost. New connections are accepted and wait too."""
        self._call(self.thawed.clear)

    def thaw(self) -> None:
        self._call(self.thawed.set)

    def deafen(self) -> int:
        """The connections there are stay open and never answer again; new ones work."""
        return self._call(self._deafen)

    def lose(self, kind: str, requests: tuple) -> None:
        """The next of these requests meets the fault; `met` tells when."""
        self.met.clear()
        self._call(setattr, self, "fault", (kind, requests))

    # What the links ask; on the loop's thread.

    def due(self) -> float:
        return time.monotonic() + (self.rng.uniform(*self.delay) if self.delay else 0.0)

    def wait_for_room(self, size: int, direction: int) -> float:
        if not self.rate:
            return 0.0
        now = time.monotonic()
        begin = max(now, self.free_at[direction])
        self.free_at[direction] = begin + size / self.rate
        return begin - now

    def fault_for(self, key: int) -> str:
        if self.fault is None or key not in self.fault[1]:
            return ""
        kind, self.fault = self.fault[0], None
        self.figures[f"{NAMES[key]} {kind}"] += 1
        self.met.set()
        return kind

    def _cut(self, share: float) -> int:
        chosen = [link for link in self.links if self.rng.random() < share]
        for link in chosen:
            link.cut()
        return len(chosen)

    def _deafen(self) -> int:
        for link in self.links:
            link.deaf = True
        return len(self.links)

    def _call(self, function, *arguments):
        async def run():
            return function(*arguments)
        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(CALL_S)

    async def _open(self) -> None:
        self.thawed = asyncio.Event()
        self.thawed.set()
        self.server = await asyncio.start_server(self._accept, HOST, self.port)

    async def _accept(self, reader, writer) -> None:
        self.figures["connections"] += 1
        try:
            broker = await asyncio.open_connection(HOST, self.target)
        except OSError:
            writer.transport.abort()
            return
        link = Link(self, (reader, writer), broker)
        self.links.add(link)
        try:
            await link.run()
        finally:
            self.links.discard(link)
