#!/usr/bin/env python3
"""Departments send rows to a topology whose intake is a topic (backend kafka). The process is killed, its state removed, and
the broker killed and paused: every acknowledged row is in the output once, as tests/http/intake_test.py has it for files.
A second process on the same topic appends what it was sent before it notices that it was replaced.

    topic_intake_test.py HUILIU [--requests N] [--seed S]
"""
import argparse
import collections
import json
import random
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))

import intake_test as http  # noqa: E402  (the one in tests/http)
from broker import Broker  # noqa: E402

http.STEPS = ["kafka_intake.before_produce", "kafka_intake.after_report", "epoch.prepared", "epoch.committed"]


class Trouble(threading.Thread):
    """The broker is killed and paused now and then, until calm() is called. The thread lives on: a process that was started
    by it ends with it."""

    def __init__(self, broker, seed):
        super().__init__(daemon=True)
        self.broker, self.rng, self.done = broker, random.Random(seed), collections.Counter()
        self.ended, self.lock = False, threading.Lock()

    def calm(self):
        with self.lock:
            self.ended = True

    def run(self):
        while True:
            time.sleep(self.rng.uniform(3, 6))
            with self.lock:
                if not self.ended:
                    self.make()

    def make(self):
        what = self.rng.choice(["kill", "pause"])
        self.done[what] += 1
        if what == "kill":
            self.broker.kill()
            self.broker.start()
        else:
            self.broker.pause()
            time.sleep(self.rng.uniform(0.5, 3))
            self.broker.resume()


def made(huiliu, folder, broker):
    text = http.TOPOLOGY.replace("epoch: 100ms\n", f"epoch: 100ms\nbackend: {{{{type: kafka, bootstrap: '{broker.bootstrap}'}}}}\n")
    before, http.TOPOLOGY = http.TOPOLOGY, text
    try:
        return http.Topology(huiliu, folder)
    finally:
        http.TOPOLOGY = before


def two_processes(huiliu, folder, broker):
    """The same key is sent to two processes of one topology: one row comes out."""
    first, second = (made(huiliu, folder / name, broker) for name in ("first", "second"))
    first.start()
    first.wait()
    second.start()
    second.wait()
    answers = []
    for n in range(50):
        body = json.dumps({"id": f"both-{n}", "sender": "market", "amount": n}).encode()
        for topology in (first, second):
            try:
                answers.append(http.post(topology.port, http.TOKENS["market"], body, key=f"both-{n}", timeout=5)[0])
            except OSError:
                answers.append(0)  # it has noticed, and ended
    for topology in (first, second):
        if topology.process.poll() is None:
            time.sleep(2)
            topology.process.kill()
        topology.process.wait()
    second.start()
    end = time.monotonic() + 30
    while len(second.output()) < 50 and time.monotonic() < end:
        time.sleep(0.2)
    second.process.terminate()
    second.process.wait(20)
    # The first one could commit nothing since the second one was there: the end of its file is not committed.
    rows = collections.Counter(second.output())
    assert set(rows) == {f"both-{n}" for n in range(50)} and max(rows.values()) == 1, rows.most_common(3)
    return collections.Counter(answers)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("huiliu")
    parser.add_argument("--requests", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    huiliu = str(Path(args.huiliu).resolve())
    with tempfile.TemporaryDirectory(prefix="huiliu-intake-") as name:
        folder = Path(name)
        with Broker(folder / "broker") as broker:
            for part in ("answers", "kills", "first", "second"):
                (folder / part).mkdir()
            http.check_answers(made(huiliu, folder / "answers", broker))
            print("answers are told apart", flush=True)
        with Broker(folder / "broker2") as broker:
            topology = made(huiliu, folder / "kills", broker)
            trouble = Trouble(broker, args.seed)
            trouble.start()
            senders, kills, took = http.run_with_kills(topology, args.requests, 2, args.seed)
            trouble.calm()
            # The local state is a copy of what the topics hold.
            topology.process.kill()
            topology.process.wait()
            shutil.rmtree(topology.folder / "state")
            topology.start()
            rows = http.verify(topology, senders)
            print(f"{args.requests} requests with {rows} rows in {took:.0f} s, {topology.lives} lives, killed {dict(kills)}, broker "
                  f"{dict(trouble.done)}; {sum(s.again for s in senders)} sent again, {sum(s.repeated for s in senders)} known "
                  "already: all there once", flush=True)
        with Broker(folder / "broker3") as broker:
            print(f"two processes: answers {dict(two_processes(huiliu, folder, broker))}, each row once", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
