#!/usr/bin/env python3
"""Faults in a running topology, one after the other, as whoever is on call meets them: a real Prometheus fires the alert,
a panel shows it, the steps of its runbook are run as they are written, and the alert resolves.

    faults.py --huiliu HUILIU [--scale N] [--markdown FILE] [slow] [poison] [silent] [disk] [broker]

By default all five. Alerts last a Nth part of their time (60). `disk` needs the right to mount a tmpfs, `broker` what
tests of Kafka need; which of them cannot run is said. An Alertmanager, where one is installed, must tell a receiver.
"""
import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

from departments import SENDERS, Departments
from fault_kinds import CREDIT, KAFKA
from prometheus import ROOT, until
from report import Result, print_results
from runbook import Runbook
from scaled_rules import lasts
from watched import Clock, Watched

DISK = 128 << 20
ROOM = 20 << 20  # less than RocksDB would set aside for its log, which then does not
EVERY_S = 5      # longest time between two rows, of departments that send twice a second
BROKER_START_S = 240  # beside builds of others
RATE_S = 12      # panels look back 10 s
KAFKA_TOPOLOGY = """\
topology: from-topic-to-topic
epoch: 200ms
shards: 4
backend: {{type: kafka, bootstrap: "{bootstrap}", transaction_timeout: 10s}}
rejects: bad
sources:
  in: {{type: kafka, topic: input, start: earliest, fields: [id, kind]}}
operators:
  once: {{type: dedupe, input: in, key: [id]}}
sinks:
  out: {{type: kafka, input: once, topic: output}}
  bad: {{type: kafka, topic: bad}}
"""


def one(kind, watched, load, scale):
    """Injects it, follows the runbook, and measures."""
    fault, limit = kind(watched, load), 60 + 1500 / scale
    until("nothing fires, or is about to", lambda: not watched.alerts("pending", "firing"), limit)
    before = [watched.panel(*panel) for panel in fault.panels]
    with Clock(watched) as clock:
        try:
            fault.inject()
            fired = clock.until_firing(fault.alert, limit)
            runbook = Runbook(fault.alert, watched.prometheus, watched.huiliu, watched.env)
            answers = runbook.follow("Look at", fault.values())
            during = [watched.panel(*panel) for panel in fault.panels]
            told = heard(watched, fault.alert, "firing", clock)
            remedied = clock.now
            fault.mend(runbook, answers)
        finally:
            fault.clean()
        until("the run does its work", watched.ready, limit)
        works = clock.now - remedied
        resolved = clock.until_quiet(limit) - remedied
    told_again = heard(watched, fault.alert, "resolved", clock)
    runbook.follow("How to see that it worked", fault.values())
    after = settled(watched, fault.panels, before)
    for panel, low, high, end in zip(fault.panels, before, during, after):
        assert high is not None and high not in (low, end), (panel, low, high, end)
    return Result(fault, lasts(fault.alert), fired, dict(clock.first), told, remedied, works, max(resolved, 0), told_again,
                  list(zip(fault.panels, before, during, after)), runbook.done)


def settled(watched, panels, before):
    """What they show when they show what they did, or after the time that rates look back."""
    end = time.monotonic() + RATE_S
    before = [value or 0 for value in before]  # rejects by code have no data before the first reject
    while (shown := [watched.panel(*panel) for panel in panels]) != before and time.monotonic() < end:
        time.sleep(0.2)
    return shown


def heard(watched, alert, status, clock):
    """When the receiver was told, in seconds from the injection on; None without an Alertmanager."""
    if not watched.alertmanager.target:
        return None
    until(f"the receiver hears that {alert} is {status}", lambda: watched.receiver.first(alert, status, clock.begin))
    return watched.receiver.first(alert, status, clock.begin) - clock.begin


@contextlib.contextmanager
def small_disk(folder, wanted):
    """True if `folder` is now a file system of its own that has little room."""
    folder.mkdir()
    mounted = wanted and subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "huiliu-test", str(folder)],
                                        stderr=subprocess.DEVNULL).returncode == 0
    try:
        if mounted:
            (folder / "ballast-before").write_bytes(b"\0" * (DISK - ROOM))
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def credit(names, huiliu, folder, scale):
    """The credit topology, in a folder of its own since its tables are changed."""
    shutil.copytree(ROOT / "topologies/credit", folder / "credit")
    expected = ["department,kind,every"] + [f"{SENDERS[key][0]},licence,{EVERY_S}s" for key in ("scjg", "jtys")]
    # New files are taken at once, so that a commit is never as old as scaled rules mind.
    topology = folder / "credit/topology.yaml"
    topology.write_text(topology.read_text().replace("watch: ${WATCH:-false}", "watch: true\n    poll: 200ms"))
    (folder / "credit/tables/expected_rows.csv").write_text("\n".join(expected) + "\n")
    for name in ("in", "out"):
        (folder / name).mkdir()
    with small_disk(folder / "disk", "disk" in names) as small:
        env = os.environ | {"INPUT": f"{folder}/in", "OUTPUT": f"{folder}/out",
                            "STATE": f"{folder}/disk/state"}
        departments = Departments(folder / "in")
        departments.start()
        try:
            with Watched(folder, huiliu, str(topology), env, scale) as watched:
                until("rows of departments are counted", lambda: watched.panel("huiliu-departments", "Rows read"))
                time.sleep(RATE_S)
                for name in names:
                    if name == "disk" and not small:
                        print("disk: not run: no right to mount a tmpfs")
                        continue
                    yield one(CREDIT[name], watched, departments, scale)
        finally:
            departments.end()


class Records(threading.Thread):
    """A hundred records a second into the topic, whenever the broker takes them."""

    def __init__(self, broker, client):
        super().__init__(daemon=True)
        self.producer, self.ended, self.number = client.open_producer(broker.bootstrap), threading.Event(), 0

    def run(self):
        while not self.ended.wait(0.1):
            for _ in range(10):
                self.number += 1
                self.producer.produce("input", b'{"id": "r%d", "kind": "a"}' % self.number)
            self.producer.poll(0)


def kafka(names, huiliu, folder, scale):
    sys.path.insert(0, str(ROOT / "tests/kafka"))
    try:
        import broker as brokers
        import client
    except ImportError as error:
        print(f"broker: not run: {error} (scripts/setup tests)")
        return
    brokers.START_S = BROKER_START_S
    with brokers.Broker(folder / "broker") as broker:
        client.create_topics(broker.bootstrap, {"input": 2, "output": 1, "bad": 1})
        topology = folder / "topology.yaml"
        topology.write_text(KAFKA_TOPOLOGY.format(bootstrap=broker.bootstrap))
        records = Records(broker, client)
        records.start()
        try:
            with Watched(folder, huiliu, str(topology), dict(os.environ), scale) as watched:
                until("records are read", lambda: watched.panel("huiliu-overview", "Records read"))
                for name in names:
                    yield one(KAFKA[name], watched, SimpleNamespace(broker=broker), scale)
        finally:
            records.ended.set()
            records.join()


def run_all(args, results):
    wanted = args.faults or [*CREDIT, *KAFKA]
    for kinds, run in ((CREDIT, credit), (KAFKA, kafka)):
        names = [name for name in wanted if name in kinds]
        if not names:
            continue
        with tempfile.TemporaryDirectory(prefix="huiliu-faults-") as folder:
            for result in run(names, str(args.huiliu.resolve()), Path(folder), args.scale):
                print(result.line(), flush=True)
                results.append(result)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("faults", nargs="*", metavar="FAULT")
    parser.add_argument("--huiliu", type=Path, required=True)
    parser.add_argument("--scale", type=float, default=60)
    parser.add_argument("--markdown", type=Path, help="the table and the steps of the runbooks, for docs/results")
    args = parser.parse_args()
    unknown = set(args.faults) - {*CREDIT, *KAFKA}
    if unknown:
        parser.error(f"no such fault: {', '.join(sorted(unknown))} (there are {', '.join([*CREDIT, *KAFKA])})")
    if not shutil.which("prometheus"):
        raise SystemExit("prometheus is not installed: scripts/setup tests")
    os.environ["no_proxy"] = "*"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # with all that is to be taken away
    results = []
    try:
        run_all(args, results)
    finally:  # what was measured is told, whatever comes after it
        print_results(results, args.scale, args.markdown)


if __name__ == "__main__":
    main()
