#!/usr/bin/env python3
"""The credit topology as a stream, with Prometheus beside it: departments send a file every few seconds until Ctrl-C.

    demo.py --huiliu HUILIU --sample CREDIT_SAMPLE [--every SECONDS] [--any-ports]

Everything lies in a temporary folder, which goes with the demo. `scripts/demo --observe` builds both and starts this.
"""
import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

from prometheus import ROOT, Prometheus, free_port, get, start_server, until

ROWS = 2_000  # of one round of all departments


def port_of(wanted, any_ports):
    """The usual one, if nobody has it."""
    if any_ports:
        return free_port()
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", wanted))
            return wanted
        except OSError:
            return free_port()


class Feeder(threading.Thread):
    """Departments that send one file after the other, a round with every seed."""

    def __init__(self, sample, folder, every):
        super().__init__(daemon=True)
        self.sample, self.folder, self.every, self.ended = sample, folder, every, threading.Event()
        self.inbox = folder / "in"
        self.inbox.mkdir()

    def run(self):
        seed = 0
        while not self.ended.is_set():
            seed += 1
            made = self.folder / "made"
            subprocess.run([self.sample, "--seed", str(seed), "--rows", str(ROWS), "--out", made], check=True,
                           stdout=subprocess.DEVNULL)
            for path in sorted(made.glob("[0-9][0-9]_*")):
                path.rename(self.inbox / f"{path.stem}_{seed:04}{path.suffix}")
                if self.ended.wait(self.every):
                    break
            shutil.rmtree(made)

    def end(self):
        self.ended.set()
        self.join()


def start_grafana(folder, prometheus):
    """Its port, or None where it is not installed. Debian has no package of it."""
    program = shutil.which("grafana-server")
    if not program:
        return None
    provisioning, port = folder / "provisioning", free_port()
    shutil.copytree(ROOT / "deploy/compose/grafana/provisioning", provisioning)
    for path, old, new in (("datasources/prometheus.yaml", "http://prometheus:9090", f"http://127.0.0.1:{prometheus}"),
                           ("dashboards/huiliu.yaml", "/var/lib/grafana/dashboards", str(ROOT / "deploy/grafana"))):
        file = provisioning / path
        file.write_text(file.read_text().replace(old, new))
    settings = {"paths.data": folder / "grafana", "paths.logs": folder / "grafana", "paths.provisioning": provisioning,
                "server.http_addr": "127.0.0.1", "server.http_port": port, "auth.anonymous.enabled": "true",
                "analytics.reporting_enabled": "false"}
    return port, start_server(program, "--homepath", "/usr/share/grafana",
                              *(f"cfg:{name}={value}" for name, value in settings.items()))


def show(listen, prometheus, grafana, huiliu, folder):
    dashboards = (f"http://127.0.0.1:{grafana[0]}/dashboards" if grafana
                  else "not shown: grafana-server is not installed (deploy/grafana has them)")
    print(f"""
The credit topology runs; departments send a file every few seconds. Look at:
  metrics      http://{listen}/metrics
  status       http://{listen}/status
  graphs       http://127.0.0.1:{prometheus}/graph
  alerts       http://127.0.0.1:{prometheus}/classic/alerts   (a Prometheus that is not Debian's: /alerts)
  dashboards   {dashboards}
  {huiliu} status {listen}
  {huiliu} top {listen}
  outputs      {folder}/out
Ctrl-C ends it and removes the folder.
""", flush=True)


def run(args, folder, ended):
    listen = f"127.0.0.1:{port_of(9464, args.any_ports)}"
    env = os.environ | {"WATCH": "true", "INPUT": f"{folder}/in", "OUTPUT": f"{folder}/out", "STATE": f"{folder}/state"}
    (folder / "out").mkdir()
    feeder = Feeder(args.sample, folder, args.every)
    with ExitStack() as stack:
        topology = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", args.huiliu, "run", "-q", "--log-level", "error", "--listen",
                                     listen, ROOT / "topologies/credit/topology.yaml"], env=env, start_new_session=True,
                                    stdout=subprocess.DEVNULL)
        stack.callback(topology.wait)
        stack.callback(topology.terminate)
        until("the topology is ready", lambda: topology.poll() is not None or get(f"http://{listen}/readyz"))
        prometheus = stack.enter_context(Prometheus(folder, listen, port=port_of(9090, args.any_ports)))
        grafana = start_grafana(folder, prometheus.port)
        if grafana:
            stack.callback(grafana[1].wait)
            stack.callback(grafana[1].terminate)
        feeder.start()
        stack.callback(feeder.end)
        show(listen, prometheus.port, grafana, args.huiliu, folder)
        while topology.poll() is None and not ended.wait(0.5):
            pass
        return 1 if topology.poll() is not None else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--huiliu", required=True)
    parser.add_argument("--sample", required=True)
    parser.add_argument("--every", type=float, default=3, help="seconds between two files")
    parser.add_argument("--any-ports", action="store_true", help="not 9464 and 9090")
    args = parser.parse_args()
    os.environ["no_proxy"] = "*"
    if not shutil.which("prometheus"):
        raise SystemExit("prometheus is not installed: scripts/setup tests")
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with tempfile.TemporaryDirectory(prefix="huiliu-demo-") as folder:
        return run(args, Path(folder), ended)


if __name__ == "__main__":
    sys.exit(main())
