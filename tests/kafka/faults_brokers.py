"""Faults of brokers and of the way to them: a coordinator of a cluster dies, connections are bad, answers are lost."""
import random
import time
from pathlib import Path

from broker import Broker, free_ports
from cluster import TRANSACTION, Cluster
from proxy import (ADD_OFFSETS, ADD_PARTITIONS, ANSWER, AT_ONCE, END_TXN, FETCH, FIND_COORDINATOR,
                   INIT_PRODUCER_ID, NAMES, PRODUCE, TORN, TXN_OFFSETS, Proxy, two_ways)
from trial import Trial, workload
from workload import BROKER, GROUP, Failure, kill

MET_LIMIT_S = 30
LONG_FREEZE_S = 12.0  # more than the topology's transaction_timeout
# Of the epoch's transaction; the rest is asked when the process opens everything anew.
OFTEN = [END_TXN, PRODUCE, TXN_OFFSETS, ADD_PARTITIONS, ADD_OFFSETS, FETCH]
AT_START = [INIT_PRODUCER_ID, FIND_COORDINATOR]


def cluster(args, folder: Path, rng: random.Random) -> bool:
    """Nodes of a cluster are killed: the transaction's coordinator, the group's, and two at once, which
    leaves too few replicas for anything to be written."""
    whom = ["the transaction's coordinator", "two nodes", "the group's coordinator", "the transaction's coordinator"]
    with Cluster(folder / "cluster", BROKER) as brokers, \
            Trial("cluster", args.huiliu, folder, rng, brokers.bootstrap, workload(rng, args.records),
                  replication=3) as trial:
        trial.start("in a cluster")
        for at in range(args.node_kills):
            what = "the end of " + whom[at % len(whom)]
            trial.under_load(what, args.node_kills - at)
            coordinator = brokers.coordinator(GROUP.encode(), 0 if "group" in what else TRANSACTION)
            dead = [coordinator]
            if "two" in what:
                dead.append(rng.choice([node for node in brokers.brokers if node != coordinator]))
            brokers.kill(dead)
            if len(dead) == 1:
                trial.goes_on(what)  # while it is away
            else:
                time.sleep(rng.uniform(1, 6))
                trial.job.must_run(trial.process, "with one node of three")
            brokers.start(dead)
            if len(dead) > 1:
                trial.goes_on(what)
            brokers.wait_in_sync()
        return trial.finish()


class BadWay:
    """What can happen to the process's connections."""

    def __init__(self, trial: Trial, proxy: Proxy, rng: random.Random):
        self.trial, self.proxy, self.rng = trial, proxy, rng

    def plan(self, rounds: int) -> list:
        """The first round has one of each kind, the others all of it in a random order."""
        losses = [(kind, key) for kind in (ANSWER, AT_ONCE, TORN) for key in OFTEN]
        plan = []
        for at in range(rounds):
            some = [losses[0]] + self.rng.sample(losses[1:], 5) if rounds == 1 else losses
            steps = [lambda one=one: self.lost(*one) for one in some]
            steps += [lambda key=key: self.lost_at_start(key) for key in AT_START]
            steps += [self.cut, self.cut_some, self.delay, self.throttle,
                      lambda: self.freeze(self.rng.uniform(3, 5))]
            if rounds > 1:
                steps += [self.cut, self.cut_some, lambda: self.freeze(LONG_FREEZE_S)]
                steps += [self.deaf] if at % 2 == 0 else []
            self.rng.shuffle(steps)
            plan += steps
        return plan

    def run(self, rounds: int) -> None:
        plan = self.plan(rounds)
        for at, step in enumerate(plan):
            self.left = len(plan) - at
            step()

    def begin(self, what: str) -> str:
        self.trial.under_load(what, self.left)
        return what

    def cut(self) -> None:
        what = self.begin("cuts of all connections")
        for _ in range(self.rng.randint(1, 4)):
            self.proxy.cut()
            time.sleep(self.rng.uniform(0, 0.4))
        self.trial.goes_on(what)

    def cut_some(self) -> None:
        what = self.begin("cuts of some connections")
        for _ in range(self.rng.randint(2, 6)):
            self.proxy.cut(0.4)
            time.sleep(self.rng.uniform(0, 0.3))
        self.trial.goes_on(what)

    def freeze(self, seconds: float) -> None:
        what = self.begin("a freeze longer than the transaction" if seconds >= LONG_FREEZE_S else "a freeze")
        self.proxy.freeze()
        time.sleep(seconds)
        self.proxy.thaw()
        self.trial.goes_on(what)

    def deaf(self) -> None:
        what = self.begin("connections that never answer again")
        self.proxy.deafen()
        self.trial.goes_on(what)

    def delay(self) -> None:
        what = self.begin("delays of 50 to 300 ms")
        self.proxy.delay = (0.05, 0.3)
        time.sleep(2)
        self.trial.goes_on(what)  # with the delays
        self.proxy.delay = None

    def throttle(self) -> None:
        what = self.begin("200 KiB/s")
        self.proxy.rate = 200 << 10
        time.sleep(2)
        self.trial.goes_on(what)  # at this rate
        self.proxy.rate = None

    def lost(self, kind: str, request: int) -> None:
        what = self.begin(f"a lost connection ({kind})")
        self.proxy.lose(kind, (request,))
        self.trial.feeder.give(self.trial.portion // 4, 0.5)
        self.wait_until_met(request)
        self.trial.goes_on(what)

    def lost_at_start(self, request: int) -> None:
        what = self.begin("a lost connection at the start")
        kill(self.trial.process)
        self.proxy.lose(self.rng.choice([ANSWER, AT_ONCE, TORN]), (request,))
        self.trial.start(f"while {NAMES[request]} is lost")
        self.wait_until_met(request)
        self.trial.goes_on(what)

    def wait_until_met(self, request: int) -> None:
        if not self.proxy.met.wait(MET_LIMIT_S):
            self.trial.job.must_run(self.trial.process, f"before {NAMES[request]} is lost")
            raise Failure(f"no {NAMES[request]} in {MET_LIMIT_S} s\n{self.trial.job.tail()}")


def proxy(args, folder: Path, rng: random.Random) -> bool:
    """The process reaches the broker through a bad way only; feeder and verifier through a good one."""
    broker = Broker(folder / "broker")
    behind, way = free_ports(2)
    broker.properties = BROKER | two_ways(broker, behind, way)
    with broker, Proxy(way, behind, rng) as bad, \
            Trial("proxy", args.huiliu, folder, rng, broker.bootstrap, workload(rng, args.records),
                  way=f"127.0.0.1:{way}") as trial:
        trial.start("through a bad way")
        BadWay(trial, bad, rng).run(args.proxy_rounds)
        good = trial.finish()
        print("  lost: " + ", ".join(f"{name} {count}" for name, count in sorted(bad.figures.items())))
        return good
