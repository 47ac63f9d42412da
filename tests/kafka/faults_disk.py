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

SIZE = 64 << 20
BLOCK = 64 << 10


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


def fill(ballast: Path) -> None:
    with open(ballast, "wb", buffering=0) as file:
        for size in (BLOCK, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                pass


class FullDisks:
    def __init__(self, trial: Trial, rng: random.Random, library: str):
        self.trial, self.rng, self.library = trial, rng, library
        self.state = trial.job.folder / "state"

    def fill_up(self, left: int) -> None:
        what = "a full disk"
        self.trial.under_load(what, left)
        ballast = self.state / "ballast"
        fill(ballast)
        self.trial.feeder.give(self.trial.portion // 4, 0.5)
        time.sleep(self.rng.uniform(1, 3))
        ballast.unlink()
        self.goes_on(what)

    def refuse(self, left: int) -> None:
        """Some writes in a row fail, whatever their size; which ones is up to chance."""
        what = "writes that fail"
        self.trial.stop()
        fault = f"full:{self.rng.randint(5, 120)}:{self.rng.randint(5, 60)}"
        self.trial.start(what + ", " + fault, self.preloaded(fault))
        try:
            self.trial.under_load(what, left)
        except Failure:
            if self.trial.process.poll() is None:
                raise
        self.goes_on(what)

    def preloaded(self, fault: str) -> dict:
        return {"LD_PRELOAD": self.library, "HUILIU_DISK": fault, "HUILIU_DISK_FOLDER": str(self.state)}

    def goes_on(self, what: str) -> None:
        """By itself, or by the next start where it has ended."""
        try:
            self.trial.goes_on(what)
        except Failure:
            code = self.trial.process.poll()
            if code is None or code == 0:
                raise
            name = signal.Signals(-code).name if code < 0 else f"code {code}"
            self.trial.figures[f"ended with {name}"] += 1
            self.trial.start("after " + what)
            self.trial.goes_on(what)


def disk(args, folder: Path, rng: random.Random) -> bool:
    with Broker(folder / "broker", BROKER) as broker, small_disk(folder / "disk" / "state") as small, \
            Trial("disk", args.huiliu, folder, rng, broker.bootstrap, workload(rng, args.records)) as trial:
        disks = FullDisks(trial, rng, os.path.abspath(args.faulty_disk) if args.faulty_disk else "")
        kinds = [disks.fill_up] * small + [disks.refuse] * bool(args.faulty_disk)
        if not kinds:
            print("disk: not run: no right to mount, and no --faulty-disk")
            return True
        trial.start("on a disk that fills up")
        for at in range(args.full_disks):
            kinds[at % len(kinds)](args.full_disks - at)
        trial.figures["writes tried again"] = trial.job.log.read_text(errors="replace").count("trying again")
        return trial.finish()
