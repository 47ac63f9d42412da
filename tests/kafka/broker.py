#!/usr/bin/env python3
"""A real Apache Kafka broker (KRaft, one node, loopback only) for tests.

As a module: `with Broker(folder) as broker:` gives a broker that answers at `broker.bootstrap`; it can
be stopped, killed, paused and started again on the same data and port. The jars (pom.xml) are fetched
once with Maven into $HUILIU_KAFKA_CACHE, by default ~/.cache/huiliu-kafka; no network is used after that.

As a program:
    broker.py fetch                     fetches the jars and prepares quick starts
    broker.py run FOLDER [--port N]     runs until SIGINT or SIGTERM; prints "bootstrap 127.0.0.1:PORT"

Needs the Debian packages openjdk-17-jre-headless, maven (for fetch) and util-linux (setpriv).
"""
import argparse
import base64
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import uuid
import xml.etree.ElementTree
from contextlib import contextmanager
from pathlib import Path
from typing import Callable

POM = Path(__file__).resolve().parent / "pom.xml"
STOP_S = 20
START_S = 60
COORDINATORS = 4  # partitions of each of the coordinators' topics
# By Java's hashCode, one name for each of the coordinators' partitions.
COORDINATED = [b"a", b"b", b"c", b"d"]
UNKNOWN_TRANSACTIONAL_ID = 105


class BrokerError(RuntimeError):
    """The broker cannot be had or does not start; the text has the end of its log."""


# --- files that are fetched or made once ------------------------------------------------------------


def kafka_version() -> str:
    names = {"m": "http://maven.apache.org/POM/4.0.0"}
    return xml.etree.ElementTree.parse(POM).getroot().findtext("m:properties/m:kafka.version", None, names)


def cache_folder() -> Path:
    chosen = os.environ.get("HUILIU_KAFKA_CACHE")
    if chosen:
        return Path(chosen).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huiliu-kafka"


def java() -> str:
    home = os.environ.get("JAVA_HOME")
    return str(Path(home) / "bin" / "java") if home else "java"


@contextmanager
def locked(path: Path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Distribution:
    """Jars, a formatted data folder and a class data archive, shared by all brokers of one version."""

    def __init__(self):
        self.folder = cache_folder() / kafka_version()
        self.jars = self.folder / "jars"
        self.template = self.folder / "template"
        self.archive = self.folder / "classes.jsa"

    def classpath(self) -> str:
        return ":".join(sorted(str(jar) for jar in self.jars.glob("*.jar")))  # the archive needs one order

    def fetch(self) -> None:
        """Does nothing if all is there."""
        with locked(self.folder / "lock"):
            if not self.jars.exists():
                self._fetch_jars()
            if not self.template.exists():
                self._format_template()
            if not self.archive.exists():
                self._dump_archive()

    def _fetch_jars(self) -> None:
        if not shutil.which("mvn"):
            raise BrokerError("mvn is needed once to fetch the jars of Kafka (Debian package maven)")
        print(f"fetching Kafka {kafka_version()} into {self.folder}", file=sys.stderr, flush=True)
        fresh = self.folder / "jars.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._run("mvn.log", ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies",
                              "-DincludeScope=runtime", f"-DoutputDirectory={fresh}"])
        fresh.rename(self.jars)

    def _format_template(self) -> None:
        """Formatted once and copied, which saves each new broker the start of a JVM."""
        with tempfile.TemporaryDirectory() as folder:
            settings = Path(folder) / "server.properties"
            data = Path(folder) / "data"
            settings.write_text(render(server_properties(data, 1, 2)))
            self._run("format.log", [java(), *quick_flags(), "-Xmx256m", "-cp", self.classpath(),
                                     "kafka.tools.StorageTool", "format", "-t", random_id(),
                                     "-c", str(settings)])
            fresh = self.folder / "template.new"
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.copytree(data, fresh)
            fresh.rename(self.template)

    def _dump_archive(self) -> None:
        """One start and clean stop; later starts take half the time."""
        fresh = self.folder / "classes.jsa.new"
        with tempfile.TemporaryDirectory() as folder:
            broker = Broker(folder)
            broker.extra_flags = [f"-XX:ArchiveClassesAtExit={fresh}"]
            broker.launch(self)
            broker.stop()
        if fresh.exists():
            fresh.rename(self.archive)

    def _run(self, log: str, command: list) -> None:
        with open(self.folder / log, "wb") as file:
            code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file).returncode
        if code != 0:
            raise BrokerError(f"{command[0]} failed:\n{tail(self.folder / log)}")


def random_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def tail(path: Path, lines: int = 30) -> str:
    if not path.exists():
        return ""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


# --- settings --------------------------------------------------------------------------------------


def server_properties(data: Path, port: int, controller_port: int) -> dict:
    return {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": data,
        "auto.create.topics.enable": "false",
        "num.partitions": 1,
        "default.replication.factor": 1,
        "min.insync.replicas": 1,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": COORDINATORS,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": COORDINATORS,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": COORDINATORS,
        "group.initial.rebalance.delay.ms": 0,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "log.cleaner.dedupe.buffer.size": 16 << 20,
        "log.segment.bytes": 256 << 20,
        "log.retention.hours": -1,
        # A controller that was killed remembers its broker for a session: by default a restart takes 11 s.
        "broker.session.timeout.ms": 2000,
        "broker.heartbeat.interval.ms": 500,
    }


def render(settings: dict) -> str:
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def quick_flags() -> list:
    """Tests end before the optimising compiler or a concurrent collector pays."""
    return ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]


def log_flags() -> list:
    simple = "-Dorg.slf4j.simpleLogger."
    return [f"{simple}defaultLogLevel=info", f"{simple}showDateTime=true",
            f"{simple}dateTimeFormat=HH:mm:ss.SSS", f"{simple}showShortLogName=true"]


def free_ports(count: int) -> list:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


# --- the few requests of Kafka's protocol that tell whether a broker is ready ----------------------


def text(value: bytes) -> bytes:
    return struct.pack(">h", len(value)) + value


def ask(port: int, key: int, version: int, body: bytes, flexible: bool = False) -> bytes:
    """The answer after its correlation id; OSError if there is none in 2 s."""
    header = struct.pack(">hhih", key, version, 7, -1) + (b"\0" if flexible else b"")
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(struct.pack(">i", len(header + body)) + header + body)
        stream = connection.makefile("rb")
        answer = stream.read(struct.unpack(">i", stream.read(4))[0])
    return answer[5 if flexible else 4:]


def int16(answer: bytes, at: int) -> int:
    return struct.unpack_from(">h", answer, at)[0]


def lists_broker(port: int) -> bool:
    metadata = ask(port, 3, 1, struct.pack(">i", 0))
    return struct.unpack_from(">i", metadata)[0] >= 1


def finds_coordinators(port: int) -> bool:
    """Also makes the coordinators' topics, and the first block of producer ids."""
    return (all(int16(ask(port, 10, 1, text(name) + bytes([kind])), 4) == 0
                for name in COORDINATED for kind in (0, 1))
            and int16(ask(port, 22, 0, struct.pack(">hi", -1, 0)), 4) == 0)


def coordinators_loaded(port: int) -> bool:
    """A coordinator is found before it has read its topic; until then clients are told to wait."""
    for name in COORDINATED:
        group = ask(port, 15, 0, struct.pack(">i", 1) + text(name))
        if int16(group, 4) != 0:  # after the length of the list
            return False
        compact = bytes([2, len(name) + 1]) + name + b"\0"
        transaction = ask(port, 65, 0, compact, flexible=True)
        if int16(transaction, 5) != UNKNOWN_TRANSACTIONAL_ID:  # after throttle and length
            return False
    return True


def answers(port: int) -> bool:
    try:
        return lists_broker(port) and finds_coordinators(port) and coordinators_loaded(port)
    except (OSError, struct.error):
        return False


# --- the broker ------------------------------------------------------------------------------------


class Broker:
    """One broker with its data in `folder`. The object's user owns the process: it dies with the
    thread that started it (prctl's rule), so start() belongs on a thread that lives on.

    `properties` overrides settings of the broker; `fast=False` takes the JVM's best compiler and G1,
    for measurements. The port is chosen at the first start, unless given, and kept in the folder.
    """

    def __init__(self, folder, properties: dict = None, heap: str = "512m", fast: bool = True, port: int = 0,
                 node: int = 1, cluster_id: str = ""):
        self.folder = Path(folder).absolute()
        self.properties = properties or {}
        self.heap = heap
        self.fast = fast
        self.node = node
        self.cluster_id = cluster_id or random_id()  # a client can tell it from another test's
        self.extra_flags: list = []
        self.process: subprocess.Popen | None = None
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port, self.controller_port = self._ports(port)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "broker.log"

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Returns when the broker and its coordinators answer."""
        distribution = Distribution()
        distribution.fetch()
        self.launch(distribution)

    def launch(self, distribution: Distribution) -> None:
        self.spawn(distribution)
        self.wait_until(answers, distribution)

    def spawn(self, distribution: Distribution) -> None:
        """Only starts the process: several of a cluster must start before one is ready."""
        if self.running:
            raise BrokerError(f"the broker in {self.folder} runs already")
        self._prepare_data(distribution.template)
        self._spawn(distribution)

    def wait_until(self, ready: Callable[[int], bool], distribution: Distribution) -> None:
        deadline = time.monotonic() + START_S
        while not ready(self.port):
            if time.monotonic() > deadline:
                self.kill()
                raise BrokerError(f"the broker did not answer in {START_S} s:\n{tail(self.log)}")
            if not self.running:
                self._explain_end(deadline)
                self._spawn(distribution)
            time.sleep(0.05)

    def stop(self) -> None:
        """A clean end; by force after some seconds."""
        if self.process is None:
            return
        self.resume()
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            pass
        self.kill()

    def kill(self) -> None:
        """SIGKILL; returns when the process is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self.running:
            self.process.send_signal(number)

    def _ports(self, wanted: int) -> tuple:
        kept = self.folder / "ports.json"
        if kept.exists():
            known = json.loads(kept.read_text())
            if wanted not in (0, known[0]):
                raise BrokerError(f"the broker in {self.folder} has port {known[0]}, not {wanted}")
            return tuple(known)
        port, controller_port = free_ports(2)
        kept.write_text(json.dumps([wanted or port, controller_port]))
        return wanted or port, controller_port

    def _prepare_data(self, template: Path) -> None:
        data = self.folder / "data"
        settings = (server_properties(data, self.port, self.controller_port) | {"node.id": self.node}
                    | self.properties)
        (self.folder / "server.properties").write_text(render(settings))
        if data.exists():
            return
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(template, fresh)
        meta = fresh / "meta.properties"
        known = meta.read_text()
        for name, value in [("cluster", self.cluster_id), ("node", self.node), ("directory", random_id())]:
            known = re.sub(rf"(?m)^{name}\.id=.*$", f"{name}.id={value}", known)
        meta.write_text(known)
        fresh.rename(data)

    def _spawn(self, distribution: Distribution) -> None:
        flags = [f"-Xmx{self.heap}", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true", *log_flags()]
        if self.fast:
            flags += quick_flags()
            if distribution.archive.exists():
                flags.append(f"-XX:SharedArchiveFile={distribution.archive}")
        else:
            flags += [f"-Xms{self.heap}", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"]
        # setpriv: the broker dies with this process, however that ends. A new session: Ctrl-C is for us.
        command = ["setpriv", "--pdeathsig", "KILL", java(), *flags, *self.extra_flags, "-cp",
                   distribution.classpath(), "kafka.Kafka", str(self.folder / "server.properties")]
        with open(self.log, "ab") as log:
            self.log_begin = log.tell()
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.folder, start_new_session=True)

    def _explain_end(self, deadline: float) -> None:
        """Returns if another start may help: a client's connection may hold the port for a moment."""
        with open(self.log, "rb") as log:
            log.seek(self.log_begin)
            in_use = b"Address already in use" in log.read()
        self.process = None
        if not in_use or time.monotonic() > deadline:
            raise BrokerError(f"the broker ended while starting:\n{tail(self.log)}")
        time.sleep(0.5)


def run(folder: str, port: int) -> int:
    broker = Broker(folder, port=port)
    broker.start()
    signals = (signal.SIGINT, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # only now: the broker would inherit it
    print(f"bootstrap {broker.bootstrap}", flush=True)
    while broker.running:
        if signal.sigtimedwait(signals, 0.5) is not None:
            broker.stop()
            return 0
    print(tail(broker.log), file=sys.stderr)
    return 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fetch")
    run_parser = commands.add_parser("run")
    run_parser.add_argument("folder")
    run_parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    try:
        if args.command == "run":
            return run(args.folder, args.port)
        Distribution().fetch()
        return 0
    except BrokerError as error:
        print(f"broker: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
