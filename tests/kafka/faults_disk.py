"""The disk of the local state is full for a while: a small file system of its own, or a preloaded library that says so.

The epoch is committed in Kafka, so only the local copy has to wait. Debian's RocksDB may abort the process in
the middle of its own files; then the next start must go on.
"""
import os
import random
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from broker import Broker
from trial import Trial, workload
from workload import BROKER, Failure

SIZE = 256 << 20  # RocksDB recovers from an error only where 32 MiB are free
BLOCK = 64 << 10
NO_RESERVE = 24 << 20  # less than RocksDB would set aside for its log, which then does not
FULL_LIMIT_S = 6


@contextmanager
def small_disk(folder: Path):
    """True if the rights suffice; then `folder` is a file system of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "huiliu-test", str(folder)],
                             stderr=subprocess.DEVNULL).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(ballast: Path, leave: int = 0) -> None:
    with open(ballast, "wb", buffering=0) as file:
        for size in (BLOCK, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                pass
        file.truncate(max(0, file.tell() - leave))


class FullDisks:
    def __init__(self, trial: Trial, rng: random.Random, library: str):
        self.trial, self.rng, self.library = trial, rng, library
        self.state = trial.job.folder / "state"
        self.ballast, self.rest = self.state / "ballast", self.state / "rest"

    def stop(self) -> None:
        """Writes may still be failing from before: then the last one is given up, with code 1."""
        try:
            self.trial.stop()
        except Failure:
            if self.trial.process.poll() != 1 or "error: commit: IO error" not in self.trial.job.tail():
                raise
            self.trial.figures["ended on SIGTERM while writes failed"] += 1

    def fill_up(self, left: int) -> None:
        what = "a disk that fills up"
        self.stop()
        fill(self.ballast, NO_RESERVE)
        self.trial.start("on " + what)
        self.trial.under_load(what, left)
        fill(self.rest)
        self.wait_out(what)

    def start_when_full(self, left: int) -> None:
        what = "a start with little room"
        self.trial.under_load(what, left)
        self.stop()
        fill(self.ballast, self.rng.choice([0, 16 << 10, 200 << 10, 1 << 20]))
        self.trial.start(what)
        self.wait_out(what)

    def wait_out(self, what: str) -> None:
        """There is room again some time after the first write has failed."""
        before = self.tried_again()
        deadline = time.monotonic() + FULL_LIMIT_S
        self.trial.feeder.give(self.trial.portion // 2, 1.0)
        while (self.tried_again() == before and self.trial.process.poll() is None
               and time.monotonic() < deadline):
            time.sleep(0.05)
        self.trial.figures["with writes that were tried again"] += self.tried_again() > before
        time.sleep(self.rng.uniform(0.2, 3))
        for file in (self.ballast, self.rest):
            file.unlink(missing_ok=True)
        self.goes_on(what)

    def tried_again(self) -> int:
        return self.trial.job.log.read_text(errors="replace").count("trying again in")

    def refuse(self, left: int) -> None:
        """Some writes in a row fail, whatever their size; which ones is up to chance."""
        what = "writes that fail"
        self.stop()
        fault = f"full:{self.rng.randint(5, 120)}:{self.rng.randint(5, 60)}"
        before = self.tried_again()
        self.trial.start(what + ", " + fault, self.preloaded(fault))
        try:
            self.trial.under_load(what, left)
        except Failure:
            if self.trial.process.poll() in (None, 0, -signal.SIGKILL):
                raise
        self.trial.figures["with writes that were tried again"] += self.tried_again() > before
        self.goes_on(what)

    def preloaded(self, fault: str) -> dict:
        return {"LD_PRELOAD": self.library, "HUILIU_DISK": fault, "HUILIU_DISK_FOLDER": str(self.state)}

    def goes_on(self, what: str) -> None:
        """By itself, or by the next start where it has ended."""
        try:
            self.trial.goes_on(what)
        except Failure:
            code = self.trial.process.poll()
            if code is None or code in (0, -signal.SIGKILL):  # that was us
                raise
            name = signal.Signals(-code).name if code < 0 else f"code {code}"
            self.trial.figures[f"ended with {name}"] += 1
            self.trial.start("after " + what)
            self.trial.goes_on(what)


def disk(args, folder: Path, rng: random.Random) -> bool:
    with Broker(folder / "broker", BROKER) as broker, small_disk(folder / "disk" / "state") as small, \
            Trial("disk", args.huiliu, folder, rng, broker.bootstrap, workload(rng, args.records)) as trial:
        disks = FullDisks(trial, rng, os.path.abspath(args.faulty_disk) if args.faulty_disk else "")
        kinds = [disks.fill_up, disks.start_when_full] * small + [disks.refuse] * bool(args.faulty_disk)
        if not kinds:
            print("disk: not run: no right to mount, and no --faulty-disk")
            return True
        trial.start("on a good disk")
        trial.under_load("a good disk", args.full_disks + 1)
        for at in range(args.full_disks):
            kinds[at % len(kinds)](args.full_disks - at)
        trial.figures["writes tried again"] = disks.tried_again()
        return trial.finish()
