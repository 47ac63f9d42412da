#!/usr/bin/env python3
"""Kills a topology that reads and writes Kafka again and again, and counts what it made.

A real broker runs on loopback (broker.py). Each life of `huiliu run` ends by SIGKILL, at a random moment
or at a named step of the commit (HUILIU_CRASH_AT), while input goes on arriving; some lives start without
their local state. The broker is killed and started again under a running process, which must go on by
itself. A process is stopped until its transaction has timed out and a second one has taken over (a
zombie): it must write nothing more. At the end the process runs to the end of the input, and again
without any local state; then every record of the input must be in the outputs exactly once, in order.
The verifier shares nothing with the program: confluent_kafka and plain Python.
"""
import argparse
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
from verifier import Verifier
from workload import BROKER, PROGRESS_LIMIT_S, Failure, Feeder, Job, kill, make_input, run_to_end

STEPS = [
    "epoch.begin", "epoch.before_prepare", "epoch.prepared", "kafka.after_claim", "kafka.before_changelog",
    "kafka.before_offsets", "kafka.before_commit", "kafka.after_commit", "commit.before_write",
    "commit.after_write", "epoch.committed",
]
STEP_LIMIT_S = 20  # a step that is not reached by then is not on the way
TIMED_OUT_S = 12  # more than the topology's transaction_timeout


# --- lives of the process --------------------------------------------------------------------------


class Crashes:
    """Lives that end badly, and how many of which kind there were."""

    def __init__(self, args, rng: random.Random, broker: Broker, job: Job, feeder: Feeder):
        self.args, self.rng, self.broker, self.job, self.feeder = args, rng, broker, job, feeder
        self.kills: Counter = Counter()      # by moment
        self.lives: Counter = Counter()      # of each step: tried
        self.figures: Counter = Counter()
        self.states = ["state"]

    def run(self) -> None:
        plan = self.plan()
        for at, life in enumerate(plan):
            self.feeder.check()
            # Something stays for the end, which is a life too.
            self.portion = self.feeder.left() // (len(plan) - at + 1)
            before = self.job.consumed()
            life()
            self.figures["lives that committed"] += self.job.consumed() > before

    def plan(self) -> list:
        steps = []
        while len(steps) < self.args.kills:
            steps += self.rng.sample(STEPS, len(STEPS))
        # About a third at random moments; every step if there are kills enough.
        at_steps = min(self.args.kills, max(len(STEPS), self.args.kills * 2 // 3))
        plan = [lambda step=step: self.kill_at_step(step) for step in steps[:at_steps]]
        plan += [self.kill_at_random] * (self.args.kills - at_steps)
        plan += [self.kill_broker] * self.args.broker_kills
        plan += [self.take_over] * self.args.takeovers
        plan += [lambda second=n % 2 == 0: self.zombie(second) for n in range(self.args.zombies)]
        self.rng.shuffle(plan)
        # Last, when there is enough to restore.
        return plan + [self.kill_in_restore] * max(1, self.args.kills // 10)

    def state(self) -> str:
        """Folder for the next life: sometimes none is left, sometimes a stale one of an earlier zombie."""
        state = "state" if self.rng.random() < 0.8 else self.rng.choice(self.states)
        if self.rng.random() < 0.2 and (self.job.folder / state).exists():
            self.job.forget(state)
            self.figures["without local state"] += 1
        return state

    def kill_at_random(self) -> None:
        self.feeder.give(self.portion, 1.0)
        process = self.job.start("until a random moment", self.state())
        deadline = time.monotonic() + self.rng.uniform(0.05, self.args.longest)
        while time.monotonic() < deadline:
            self.job.must_run(process, "a life of a random length")
            time.sleep(0.002)
        kill(process)
        self.kills["random"] += 1

    def kill_at_step(self, step: str) -> None:
        """One in four reads only what is there, so that the last steps of a run are met too."""
        until = self.rng.choice(["forever", "forever", "forever", "end"])
        passes = self.rng.randint(1, 5 if until == "forever" and step != "kafka.after_claim" else 1)
        self.lives[step] += 1
        self.feeder.give(self.portion, 1 + 0.3 * passes)  # a start takes up to a second
        process = self.job.start(f"until {step}:{passes}", self.state(), until, f"{step}:{passes}")
        try:
            code = process.wait(STEP_LIMIT_S)
        except subprocess.TimeoutExpired:
            kill(process)
            self.kills["not reached"] += 1
            return
        if code == -signal.SIGKILL:
            self.kills[step] += 1
        elif code == 0 and until == "end":
            self.kills["not reached"] += 1
        else:
            raise Failure(f"a life that was to end at {step} ended with code {code}\n{self.job.tail()}")

    def kill_in_restore(self) -> None:
        """The local state is lost, and the memory so small that its restore is written out in parts."""
        self.job.forget("state")
        step = f"kafka.restored_part:{self.rng.randint(1, 2)}"
        process = self.job.start(f"until {step}", "state", crash_at=step, env={"MEMORY": "1MiB"})
        try:
            code = process.wait(STEP_LIMIT_S)
        except subprocess.TimeoutExpired:
            kill(process)
            self.kills["not reached"] += 1
            return
        if code != -signal.SIGKILL:
            raise Failure(f"a life that was to end at {step} ended with code {code}\n{self.job.tail()}")
        self.kills["kafka.restored_part"] += 1

    def kill_broker(self) -> None:
        self.feeder.give(self.portion // 2, 1.0)
        before = self.job.consumed()
        process = self.job.start("while the broker is killed", self.state())
        self.job.wait_for_progress(process, before, "before the broker is killed")
        time.sleep(self.rng.uniform(0, 0.5))
        self.broker.kill()
        self.figures["broker kills"] += 1
        time.sleep(self.rng.uniform(1, 3))
        self.job.must_run(process, "without a broker")
        self.broker.start()
        before = self.job.consumed()
        self.feeder.give(self.portion - self.portion // 2, 1.0)
        started = time.monotonic()
        self.job.wait_for_progress(process, before, "after the broker has come back")
        self.figures["ms until it went on after broker kills"] += int(1000 * (time.monotonic() - started))
        kill(process)
        self.kills["after a broker"] += 1

    def zombie(self, second: bool) -> None:
        """Stopped until its transaction has timed out; with `second`, another process takes over."""
        self.feeder.give(self.portion // 2, 4.0)  # so that it has a transaction open when it is stopped
        before = self.job.consumed()
        state = self.state()
        process = self.job.start("a zombie", state)
        self.job.wait_for_progress(process, before, "before it is a zombie")
        time.sleep(self.rng.uniform(0, 0.4))
        process.send_signal(signal.SIGSTOP)
        stopped = time.monotonic()
        self.figures["zombies"] += 1
        rival = self.start_rival(state) if second else None
        time.sleep(max(0.0, TIMED_OUT_S - (time.monotonic() - stopped)))
        if rival and self.rng.random() < 0.5:
            self.end_rival(rival)
        before = self.job.consumed()
        process.send_signal(signal.SIGCONT)
        self.feeder.give(self.portion - self.portion // 2, 1.0)
        if rival:
            self.must_end(process)
            if rival.poll() is None:
                self.job.wait_for_progress(rival, before, "the second process after the zombie woke up")
            self.end_rival(rival)
        else:
            self.job.wait_for_progress(process, before, "after its transaction timed out")
            kill(process)
            self.kills["after a stop"] += 1

    def take_over(self) -> None:
        """A second process is started by mistake while the first one is at work, which must end."""
        self.feeder.give(self.portion // 2, 1.0)
        before = self.job.consumed()
        state = self.state()
        process = self.job.start("before a second one", state)
        self.job.wait_for_progress(process, before, "before a second process")
        # What the first one commits between the second's claim and its fence counts, too.
        rival = self.start_rival(state, {"HUILIU_PAUSE_AT": "kafka.after_claim:500"})
        # A process that has nothing to commit does not learn that it is fenced.
        self.feeder.give(self.portion // 8, 4.0)
        self.must_end(process)
        before = self.job.consumed()
        self.feeder.give(self.portion // 8, 1.0)
        self.job.wait_for_progress(rival, before, "the second process, alone")
        self.figures["takeovers"] += 1
        self.end_rival(rival)

    def start_rival(self, other: str, env: dict = None) -> subprocess.Popen:
        """With a folder of its own, as on another machine."""
        self.states = ["state", "rival"]
        state = "state" if other == "rival" else "rival"
        self.feeder.give(self.portion // 4, 1.0)
        before = self.job.consumed()
        rival = self.job.start("the second process", state, env=env)
        self.job.wait_for_progress(rival, before, "the second process")
        return rival

    def end_rival(self, rival: subprocess.Popen) -> None:
        """Like the plan's lives or by SIGTERM. Does nothing if it has ended here before."""
        if rival.returncode is not None:
            return
        self.job.must_run(rival, "the second process")
        if self.rng.random() < 0.5:
            kill(rival)
            self.kills["second process"] += 1
            return
        rival.terminate()
        code = rival.wait(PROGRESS_LIMIT_S)
        if code not in (0, 130):
            raise Failure(f"the second process ended on SIGTERM with code {code}\n{self.job.tail()}")

    def must_end(self, zombie: subprocess.Popen) -> None:
        """It was fenced. That it wrote nothing more is for the verifier to find."""
        try:
            code = zombie.wait(PROGRESS_LIMIT_S)
        except subprocess.TimeoutExpired:
            kill(zombie)
            raise Failure(f"a zombie goes on although another has taken over\n{self.job.tail()}") from None
        if code in (0, 3):
            raise Failure(f"a zombie ended with {code}, as if all were well or its state at fault\n"
                          f"{self.job.tail()}")
        self.figures[f"fenced processes that ended with code {code}"] += 1


# --- all of it -------------------------------------------------------------------------------------


def disturb_and_verify(args, folder: Path, broker: Broker) -> bool:
    started = time.monotonic()
    rng = random.Random(args.seed)
    topics = dict.fromkeys(["input", "copied", "accepted", "totals"], args.partitions) | {"rejected": 1}
    client.create_topics(broker.bootstrap, topics)
    records = make_input(rng, args.records, args.partitions)
    feeder = Feeder(broker.bootstrap, records)
    job = Job(args.huiliu, folder, broker.bootstrap)
    crashes = Crashes(args, rng, broker, job, feeder)
    try:
        crashes.run()
        feeder.finish()
    finally:
        feeder.stop()
    run_to_end(job, "state")
    job.forget("state")
    run_to_end(job, "state")  # all is restored, nothing is read, nothing may be written
    verifier = Verifier(broker.bootstrap)
    verifier.check(records)
    report(args, crashes, verifier, time.monotonic() - started)
    return not verifier.differences


def report(args, crashes: Crashes, verifier: Verifier, seconds: float) -> None:
    unreached = crashes.kills.pop("not reached", 0)
    crashes.figures["restarts inside a process"] = crashes.job.restarts()
    print(f"seed {args.seed}, {args.records} records, {seconds:.0f} s")
    print(f"{sum(crashes.kills.values())} kills, {unreached} steps not reached; by moment: "
          + ", ".join(f"{name} {count}" for name, count in sorted(crashes.kills.items())))
    for step in STEPS:
        if crashes.lives[step] and not crashes.kills[step]:
            print(f"  never reached: {step}, tried {crashes.lives[step]} ×")
    print("; ".join(f"{name}: {count}" for name, count in sorted(crashes.figures.items())))
    print("verified: " + ", ".join(f"{name} {count}" for name, count in verifier.figures.items()))
    for difference in verifier.differences:
        print(f"DIFFERENCE {difference}", file=sys.stderr)
    print("the outputs differ" if verifier.differences else "outputs exact")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--huiliu", required=True)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--broker-kills", type=int, default=2)
    parser.add_argument("--zombies", type=int, default=1,
                        help="every second one is only stopped, without another process taking over")
    parser.add_argument("--takeovers", type=int, default=1)
    parser.add_argument("--records", type=int, default=60_000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=1.5, help="seconds of a life of a random length")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="huiliu-kafka-crash-"))
    good = False
    try:
        with Broker(folder / "broker", BROKER) as broker:
            good = disturb_and_verify(args, folder, broker)
    except Failure as failure:
        print(f"FAILED {failure}", file=sys.stderr)
    finally:
        if good and not args.keep:
            shutil.rmtree(folder)
        else:
            print(f"kept: {folder}", file=sys.stderr)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
