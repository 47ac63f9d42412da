"""A topology that runs and is watched: its process, a Prometheus with scaled rules, an Alertmanager where there is one."""
import subprocess
import threading
import time
from contextlib import ExitStack

from alertmanager import Alertmanager, Receiver
from prometheus import Prometheus, free_port, get, queries, until
from scaled_rules import scaled_rules


# Where alerts wait for minutes, one scrape that takes longer than its interval would have them wait anew.
SLOWLY = 30
EPOCH = "200ms"  # well below the second or so that scaled rules look back


class Watched:
    def __init__(self, folder, huiliu, topology, env, scale):
        self.folder, self.huiliu, self.topology, self.env = folder, huiliu, topology, env
        self.address = f"127.0.0.1:{free_port()}"
        self.receiver = Receiver()
        self.alertmanager = Alertmanager(folder, self.receiver)
        self.prometheus = Prometheus(folder, self.address, rules=scaled_rules(folder, scale),
                                     alertmanager=self.alertmanager.target,
                                     scrape="1s" if scale > SLOWLY else "2s")
        self.process = None

    def __enter__(self):
        with ExitStack() as stack:
            stack.enter_context(self.alertmanager)
            stack.enter_context(self.prometheus)
            stack.callback(self.end)
            self.start()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def start(self):
        with open(self.folder / "log.txt", "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", self.huiliu, "run", "-q", "--epoch", EPOCH, "--listen", self.address,
                 self.topology],
                env=self.env, cwd=self.folder, stdout=log, stderr=log, start_new_session=True)
        until("the topology is ready", lambda: self.process.poll() is not None or self.ready())
        assert self.process.poll() is None, (self.folder / "log.txt").read_text()[-2000:]

    def ready(self):
        return bool(get(f"http://{self.address}/readyz"))

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def alerts(self, *states):
        """Names of those that are "pending" or "firing" now."""
        return {one["labels"]["alertname"] for one in self.prometheus.api("alerts")["alerts"] if one["state"] in states}

    def firing(self):
        return self.alerts("firing")

    def panel(self, dashboard, title):
        """What its first query shows now, summed over its lines; None without data."""
        expression = next(text for _, name, text in queries(dashboard) if name.startswith(title))
        values = [float(one["value"][1]) for one in self.prometheus.ask(expression)]
        return round(sum(values), 2) if values else None


class Clock(threading.Thread):
    """Watches the alerts from an injection on: when each fires first and last, in seconds."""

    def __init__(self, watched):
        super().__init__(daemon=True)
        self.watched, self.begin, self.first, self.last = watched, time.monotonic(), {}, {}
        self.ended = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()

    @property
    def now(self):
        return time.monotonic() - self.begin

    def run(self):
        while not self.ended.wait(0.1):
            firing, now = self.watched.firing(), self.now
            for name in firing:
                self.first.setdefault(name, now)
                self.last[name] = now

    def until_firing(self, alert, limit):
        until(f"{alert} fires", lambda: alert in self.first, limit)
        return self.first[alert]

    def until_quiet(self, limit):
        """When an alert fired last; nothing fires now."""
        until("all alerts are resolved", lambda: not self.watched.firing(), limit)
        return max(self.last.values())
