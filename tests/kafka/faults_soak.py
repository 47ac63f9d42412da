"""A steady load for minutes: the memory of the process must stay what it is."""
import random
import time
from pathlib import Path

from broker import Broker
from trial import PARTITIONS, Trial
from workload import BROKER, make_input

RATE = 5000  # records a second
KEYS = 200_000  # state must not grow for ever either, or its buffers could not be told from a leak
# What the last quarter's mean may be above the second one's. The first one fills caches.
GROWTH, GROWTH_MIB = 1.15, 16


def resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


def mean(values: list) -> float:
    return sum(values) / len(values)


def soak(args, folder: Path, rng: random.Random) -> bool:
    records = make_input(rng, int(args.soak_minutes * 60 * RATE), PARTITIONS, most_keys=KEYS)
    with Broker(folder / "broker", BROKER) as broker, \
            Trial("soak", args.huiliu, folder, rng, broker.bootstrap, records) as trial:
        trial.start("under steady load")
        trial.portion, samples, behind = 0, [], 0
        begun = time.monotonic()
        trial.feeder.go(RATE)
        trial.job.wait_for_progress(trial.process, 0, "under steady load")
        while trial.feeder.sent < len(records):
            trial.feeder.check()
            trial.job.must_run(trial.process, "under steady load")
            samples.append(resident_mib(trial.process.pid))
            behind = max(behind, trial.feeder.sent - trial.job.consumed())
            time.sleep(1)
        seconds = time.monotonic() - begun
        good = trial.finish()
        quarter = len(samples) // 4
        second, last = mean(samples[quarter:2 * quarter]), mean(samples[-quarter:])
        steady = last <= second * GROWTH + GROWTH_MIB
        print(f"  {len(records) / seconds:.0f} records/s for {seconds:.0f} s, at most {behind} not committed yet")
        print(f"  resident: first {samples[0]:.0f}, last {samples[-1]:.0f}, most {max(samples):.0f} MiB; second "
              f"quarter {second:.0f}, last quarter {last:.0f} MiB on average: {'steady' if steady else 'IT GROWS'}", flush=True)
        return good and steady
