"""One worker: a day that is read again, and two sources of which one's broker does not answer any more."""
import json
import random
import time
from pathlib import Path

import client
from broker import Broker, free_ports
from proxy import Proxy, two_ways
from windows_verifier import Rules, WindowVerifier
from workload import ASK_LIMIT_S, BROKER, END_LIMIT_S, Failure, Feeder, Job, run_to_end

PARTITIONS = 4
DAY_MS, DAY = 86_400_000, 1_769_817_600_000
REPLAY = {"input": "day", "windows": "day.windows", "late": "day.late"}
REPLAY_TOPOLOGY = """\
topology: replay
epoch: 500ms
backend: {type: kafka, bootstrap: "${KAFKA}"}
state: {path: state}
rejects: refused
sources:
  day:
    type: kafka
    topic: day
    start: earliest
    until: "${UNTIL}"
    event_time: t
    out_of_orderness: 5m
    fields: [k, id, {name: t, type: timestamp}]
operators:
  windowed: {type: window_count, input: day, key: [k], window: 1h}
sinks:
  windows: {type: kafka, input: windowed, topic: day.windows, key: k}
  late: {type: kafka, input: windowed.late, topic: day.late}
  refused: {type: kafka, topic: rejected}
"""


def replay(args, folder: Path, _rng: random.Random) -> bool:
    begun = time.monotonic()
    with Broker(folder / "broker", BROKER) as broker:
        client.create_topics(broker.bootstrap, dict.fromkeys(REPLAY.values(), 1) | {"day": PARTITIONS, "rejected": 1})
        records = ((partition, b"%d" % partition, json.dumps(
            {"k": f"k{at % 50}", "id": f"{partition}-{at}", "t": DAY + at * DAY_MS // args.day}).encode())
                   for partition in range(PARTITIONS) for at in range(args.day))
        client.produce(broker.bootstrap, "day", records)
        job = Job(args.huiliu, folder / "job", broker.bootstrap)
        job.topology.write_text(REPLAY_TOPOLOGY)
        run_to_end(job, "state")
        # All windows close at the end of the input, and each record is in its own.
        verifier = WindowVerifier(broker.bootstrap, Rules(3_600_000, 300_000, 60_000), REPLAY)
        verifier.check()
        if verifier.figures["late"]:
            verifier.differ([f"{verifier.figures['late']} records are late, though each partition is in order"])
        refused = client.read_committed(broker.bootstrap, "rejected")
        verifier.differ([f"rejected: {message.value}" for message in refused])
        print(f"replay: {time.monotonic() - begun:.0f} s")
        return verifier.report()


RATE = 400  # records a second, of each source
MEASURE_S = 6
LIVE, STUCK = "live", "stuck"
FROZEN_TOPOLOGY = """\
topology: frozen
epoch: 200ms
backend: {type: kafka, bootstrap: "${KAFKA}", transaction_timeout: 10s}
state: {path: state}
rejects: rejected
sources:
  live: {type: kafka, topic: live, start: earliest, discover: 500ms, fields: [id]}
  stuck: {type: kafka, topic: stuck, bootstrap: "${WAY}", start: earliest, discover: 500ms, fields: [id]}
sinks:
  live_out: {type: kafka, input: live, topic: live.out}
  stuck_out: {type: kafka, input: stuck, topic: stuck.out}
  rejected: {type: kafka, topic: rejected}
"""


class Rates:
    """What is committed of each source while something happens."""

    def __init__(self, job: Job, process, bootstrap: str):
        self.job, self.process, self.bootstrap = job, process, bootstrap

    def counts(self) -> dict:
        return {name: len(client.read_committed(self.bootstrap, f"{name}.out")) for name in (LIVE, STUCK)}

    def wait_until_stuck(self) -> None:
        """What had been fetched before comes yet, on a busy machine for a while."""
        begun = time.monotonic()
        last, moved = self.counts()[STUCK], begun
        while time.monotonic() < moved + 2:
            if time.monotonic() > begun + ASK_LIMIT_S:
                raise Failure("the broker that must not answer does: nothing was tried")
            time.sleep(0.3)
            if (now := self.counts()[STUCK]) != last:
                last, moved = now, time.monotonic()

    def measure(self, what: str, seconds: float) -> tuple:
        """Records a second of each, and the longest time in which none of the live ones was committed."""
        before, begun = self.counts(), time.monotonic()
        now, moved, longest = before, begun, 0.0
        while time.monotonic() < begun + seconds:
            time.sleep(0.3)
            self.job.must_run(self.process, what)
            last, now = now, self.counts()
            longest = max(longest, time.monotonic() - moved)
            if now[LIVE] > last[LIVE]:
                moved = time.monotonic()
        spent = time.monotonic() - begun
        rates = {name: (now[name] - before[name]) / spent for name in now}
        print(f"frozen: {what}: live {rates[LIVE]:.0f}/s, stuck {rates[STUCK]:.0f}/s, "
              f"longest pause of live {longest:.1f} s", flush=True)
        return rates, longest


class Steady:
    """Feeds a topic at a steady rate."""

    def __init__(self, bootstrap: str, topic: str, seconds: float):
        self.records = [(number % 2, None, json.dumps({"id": f"{topic}-{number}"}).encode())
                        for number in range(int(RATE * seconds))]
        self.feeder = Feeder(bootstrap, self.records, topic)
        self.feeder.go(RATE)


def frozen(args, folder: Path, rng: random.Random) -> bool:
    begun = time.monotonic()
    broker = Broker(folder / "broker")
    behind, way = free_ports(2)
    broker.properties = BROKER | two_ways(broker, behind, way)
    with broker, Proxy(way, behind, rng) as proxy:
        topics = dict.fromkeys([LIVE, STUCK, f"{LIVE}.out", f"{STUCK}.out", "rejected"], 2)
        client.create_topics(broker.bootstrap, topics)
        job = Job(args.huiliu, folder / "job", broker.bootstrap)
        job.topology.write_text(FROZEN_TOPOLOGY)
        process = job.start("with a broker that freezes", env={"WAY": f"127.0.0.1:{way}"})
        seconds = 4 * MEASURE_S + args.freeze
        inputs = {name: Steady(broker.bootstrap, name, seconds) for name in (LIVE, STUCK)}
        rates = Rates(job, process, broker.bootstrap)
        try:
            wait_for_first(rates)
            wrong = freeze(args, rates, proxy, inputs[LIVE].feeder)
            for one in inputs.values():
                one.feeder.finish()
            wrong += finish(rates, inputs)
        finally:
            for one in inputs.values():
                one.feeder.stop()
            if process.poll() is None:
                process.kill()
                process.wait()
    for difference in wrong:
        print(f"DIFFERENCE {difference}")
    print(f"frozen: {time.monotonic() - begun:.0f} s")
    return not wrong


def wait_for_first(rates: Rates) -> None:
    deadline = time.monotonic() + ASK_LIMIT_S
    while not all(rates.counts().values()):
        rates.job.must_run(rates.process, "at first")
        if time.monotonic() > deadline:
            raise Failure(f"nothing is committed after {ASK_LIMIT_S} s: {rates.counts()}\n{rates.job.tail()}")
        time.sleep(0.2)


def freeze(args, rates: Rates, proxy: Proxy, live: Feeder) -> list:
    rates.measure("before", MEASURE_S)
    proxy.freeze()
    rates.wait_until_stuck()
    sent = live.sent
    during, longest = rates.measure("while one broker does not answer", args.freeze)
    sent = (live.sent - sent) / args.freeze
    proxy.thaw()
    rates.measure("behind", MEASURE_S / 2)
    wrong = []
    # Far from what a busy machine makes of it, and from the whole time.
    if during[LIVE] < 0.5 * sent or longest > 0.7 * args.freeze:
        wrong.append(f"the live source gave {during[LIVE]:.0f}/s of {sent:.0f}/s, with a pause of {longest:.1f} s")
    if during[STUCK] > 0:
        wrong.append(f"the broker that must not answer gave {during[STUCK]:.0f}/s: nothing was tried")
    return wrong


def finish(rates: Rates, inputs: dict) -> list:
    """In the end both outputs have each record once."""
    begun = time.monotonic()
    while any(count < len(inputs[name].records) for name, count in rates.counts().items()):
        rates.job.must_run(rates.process, "behind the freeze")
        if time.monotonic() > begun + END_LIMIT_S / 3:
            break
        time.sleep(0.3)
    print(f"frozen: all is there {time.monotonic() - begun:.1f} s after the last of the input")
    rates.process.terminate()
    code = rates.process.wait(ASK_LIMIT_S)
    wrong = [] if code in (0, 130) else [f"it ended on SIGTERM with code {code}"]
    for name, one in inputs.items():
        found = [json.loads(message.value)["id"] for message in client.read_committed(rates.bootstrap, f"{name}.out")]
        if sorted(found) != sorted(json.loads(value)["id"] for _, _, value in one.records):
            wrong.append(f"{name}.out has {len(found)} records, {len(set(found))} different ones, "
                         f"not {len(one.records)}")
    return wrong
