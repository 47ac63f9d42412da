"""One process under load that meets faults and must go on by itself; at the end the outputs are verified."""
import random
import subprocess
import time
from collections import Counter, defaultdict
from pathlib import Path

import client
from verifier import Verifier
from workload import PROGRESS_LIMIT_S, Failure, Feeder, Job, kill, make_input, run_to_end

PARTITIONS = 4
OUTPUTS = ["copied", "accepted", "totals"]


class Trial:
    def __init__(self, name: str, huiliu: str, folder: Path, rng: random.Random, bootstrap: str, records: list,
                 way: str = "", replication: int = 1):
        self.name, self.rng, self.bootstrap, self.records = name, rng, bootstrap, records
        topics = dict.fromkeys(["input", *OUTPUTS], PARTITIONS) | {"rejected": 1}
        client.create_topics(bootstrap, topics, replication=replication)
        self.feeder = Feeder(bootstrap, records)
        self.job = Job(huiliu, folder / name, bootstrap, way)
        self.process: subprocess.Popen | None = None
        self.figures: Counter = Counter()
        self.pauses = defaultdict(list)  # what happened → seconds until something was committed again
        self.begun = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.feeder.stop()
        if self.process is not None:
            kill(self.process)

    def start(self, title: str, env: dict = None) -> None:
        self.process = self.job.start(title, env=env)

    def under_load(self, before_what: str, faults_left: int) -> None:
        """Returns when the process works on input that has just arrived. There is as much for each fault."""
        self.feeder.check()
        self.figures[before_what] += 1
        self.portion = self.feeder.left() // (faults_left + 1)
        before = self.job.consumed()
        self.feeder.give(self.portion // 2, 1.5)
        self.job.wait_for_progress(self.process, before, "before " + before_what)
        time.sleep(self.rng.uniform(0, 0.5))

    def goes_on(self, after_what: str) -> None:
        """Returns when the same process has committed an epoch with input that arrived later."""
        before = self.job.consumed()
        self.feeder.give(self.portion - self.portion // 2, 1.0)
        started = time.monotonic()
        self.job.wait_for_progress(self.process, before, "after " + after_what)
        self.pauses[after_what].append(time.monotonic() - started)

    def stop(self) -> None:
        """As a user does; waits for its last epoch."""
        self.process.terminate()
        try:
            code = self.process.wait(PROGRESS_LIMIT_S)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name}: does not end on SIGTERM\n{self.job.tail()}") from None
        if code not in (0, 130):
            raise Failure(f"{self.name}: ended on SIGTERM with code {code}\n{self.job.tail()}")

    def finish(self) -> bool:
        """Runs to the end of the input, and again without local state, which may write nothing more."""
        self.feeder.finish()
        self.stop()
        run_to_end(self.job, "state")
        self.job.forget("state")
        run_to_end(self.job, "state")
        verifier = Verifier(self.bootstrap)
        verifier.check(self.records)
        self.report(verifier)
        return not verifier.differences

    def report(self, verifier: Verifier) -> None:
        self.figures["went back to the last epoch by itself"] += self.job.restarts()
        print(f"{self.name}: {len(self.records)} records, {time.monotonic() - self.begun:.0f} s")
        print("  " + "; ".join(f"{name}: {count}" for name, count in self.figures.items()))
        for what, seconds in self.pauses.items():
            print(f"  went on after {what}: {len(seconds)} ×, after {sum(seconds) / len(seconds):.1f} s on "
                  f"average, {max(seconds):.1f} s at most")
        print("  verified: " + ", ".join(f"{name} {count}" for name, count in verifier.figures.items()))
        for difference in verifier.differences:
            print(f"  DIFFERENCE {difference}")
        print("  the outputs differ" if verifier.differences else "  outputs exact", flush=True)


def workload(rng: random.Random, records: int) -> list:
    return make_input(rng, records, PARTITIONS)
