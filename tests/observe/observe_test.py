#!/usr/bin/env python3
"""Watches a running topology as an operator would: promtool checks the metrics and tests the alerts, a
real Prometheus scrapes a run under load with faults, and every query of every dashboard must give data
then. Also: what a scrape costs, and that many silent connections disturb nobody.

    observe_test.py HUILIU
"""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from prometheus import ROOT, RULES, Prometheus, all_dashboards, free_port, get, until

HUILIU = str(pathlib.Path(sys.argv[1]).resolve())
MOST_SERIES = 600  # of this topology with 100 files: labels are names of the topology's own

TOPOLOGY = """
topology: watched
epoch: 200ms
server: {{listen: "127.0.0.1:{port}"}}
state: {{path: state, memory: 16MiB}}
rejects: refused
sources:
  fines: {{type: file, path: in, watch: true, event_time: ts, idle: 1s, fields: [dept, kind, {{name: ts, type: int64}}]}}
operators:
  known: {{type: filter, input: fines, when: {{present: [dept]}}, otherwise: reject}}
  once: {{type: dedupe, input: known, key: [dept, ts]}}
  per_second: {{type: window_count, input: once, key: dept, window: 1s}}
sinks:
  out: {{type: file, input: per_second, path: out.ndjson}}
  refused: {{type: file, path: refused.ndjson}}
  department_rows: {{type: metrics, input: fines, metric: department, labels: {{department: dept, kind: kind}}, expect: expect.csv}}
  department_verdicts:
    type: metrics
    input: [known, known.rejects]
    metric: department_verdict
    labels: {{department: dept, kind: kind, code: reject_code}}
    last_arrival: false
"""
# The last never sends.
EXPECT = """department,kind,every
d1,fine,1h
silent,fine,1s
"""


class Folder:
    """Departments' files, which come while the topology runs."""

    def __init__(self, path):
        self.path = path / "in"
        self.path.mkdir()
        self.number = 0

    def send(self, rows=500):
        self.number += 1
        start = int(time.time() * 1000)
        lines = ["dept,kind,ts"] + [f"d{i % 7},fine,{start + i}" for i in range(rows)] + [f",fine,{start}"] * (rows // 10)
        hidden = self.path / f".{self.number}.tmp"
        hidden.write_text("\n".join(lines) + "\n")
        hidden.rename(self.path / f"{self.number:05}.csv")


def check_metrics(base):
    page = get(base + "/metrics")
    checked = subprocess.run(["promtool", "check", "metrics"], input=page, text=True, capture_output=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    series = [line for line in page.splitlines() if line and not line.startswith("#")]
    assert len(series) < MOST_SERIES, len(series)
    print(f"promtool accepts the page: {len(series)} series, {len(page)} bytes")


def check_silent_connections(base, port, folder):
    rate_before = read_records(base)
    silent = []
    for _ in range(1000):
        one = socket.socket()
        one.settimeout(5)
        one.connect(("127.0.0.1", port))
        silent.append(one)
    started = time.monotonic()
    assert get(base + "/readyz")
    folder.send()
    until("records go on", lambda: read_records(base) > rate_before)
    print(f"beside 1,000 silent connections: an answer after {time.monotonic() - started:.2f} s at most")
    for one in silent:
        one.close()


def read_records(base):
    page = get(base + "/metrics")
    found = re.search(r'huiliu_node_emitted_records_total\{topology="watched",node="fines",kind="source"\} (\S+)', page)
    return float(found[1]) if found else 0.0


def watch(path):
    port = free_port()
    (path / "t.yaml").write_text(TOPOLOGY.format(port=port))
    (path / "expect.csv").write_text(EXPECT)
    folder = Folder(path)
    run = subprocess.Popen([HUILIU, "run", "-q", "t.yaml"], cwd=path, stdout=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        until("the topology is ready", lambda: get(base + "/readyz"))
        with Prometheus(path, f"127.0.0.1:{port}") as prometheus:
            for _ in range(24):
                folder.send()
                time.sleep(0.5)
            check_metrics(base)
            # A file is behind only while it is read, so it must be long enough to be seen at that.
            until("a scrape sees a file that is being read",
                  lambda: folder.send(200_000) or prometheus.ask("last_over_time(huiliu_split_backlog_bytes[1m])"))
            # That of Kafka has a test with a broker.
            prometheus.check(*all_dashboards() - {"huiliu-kafka"},
                             rare={"huiliu_component_away_since_timestamp_seconds", "huiliu_split_backlog_records",
                                   "huiliu_component_retries_total"})
            check_silent_connections(base, port, folder)
        shown = subprocess.run([HUILIU, "status", "t.yaml"], cwd=path, text=True, capture_output=True)
        assert shown.returncode == 0 and "watched" in shown.stdout and "ready" in shown.stdout, shown
        taken = subprocess.run([HUILIU, "run", "-q", "--state", "other", "t.yaml"], cwd=path, text=True, capture_output=True)
        assert taken.returncode == 2 and "cannot listen" in taken.stderr, taken
    finally:
        run.send_signal(signal.SIGTERM)
        ended = run.wait(30)
    assert ended == 130, ended
    check_restarts(path, base, folder)


def figure(base, name, department):
    page = get(base + "/metrics")
    found = re.search(rf'^huiliu_by_department_{name}\{{[^}}]*department="{department}"[^}}]*\}} (\S+)$', page, re.M)
    return float(found[1]) if found else None


def check_restarts(path, base, folder):
    """A run that is killed knows at its next start, before anything comes, when departments sent last."""
    seen = None
    for life in range(3):
        run = subprocess.Popen([HUILIU, "run", "-q", "t.yaml"], cwd=path, stdout=subprocess.DEVNULL)
        try:
            until("the topology is ready", lambda: get(base + "/readyz"))
            last = figure(base, "last_arrival_timestamp_seconds", "d1")
            silent = figure(base, "awaited_since_timestamp_seconds", "silent")
            assert figure(base, "records_total", "d1") == 0, life
            # An arrival is saved once a minute, and never forgotten.
            assert seen is None or (seen[0] - 60 <= last <= seen[0] and silent == seen[1]), (life, last, silent, seen)
            folder.send()
            until("records are counted", lambda: figure(base, "records_total", "d1") > 0)
            seen = figure(base, "last_arrival_timestamp_seconds", "d1"), silent
            assert silent < last < seen[0] <= time.time(), (life, last, seen)
        finally:
            run.kill()
            run.wait(30)
    print("after kill -9 the last arrivals are there before anything comes")


def main():
    for tool in ("promtool", "prometheus"):
        assert shutil.which(tool), f"{tool} is not installed: scripts/setup tests"
    for command in (["check", "rules", "huiliu_alerts.yaml"], ["test", "rules", "huiliu_alerts_test.yaml"]):
        subprocess.run(["promtool", *command], cwd=RULES, check=True, stdout=subprocess.DEVNULL)
    alerts = set(re.findall(r"alert: (\w+)", (RULES / "huiliu_alerts.yaml").read_text()))
    pages = {page.stem for page in (ROOT / "docs" / "runbooks").glob("Huiliu*.md")}
    tested = set(re.findall(r"alertname: (\w+)", (RULES / "huiliu_alerts_test.yaml").read_text()))
    assert alerts == pages == tested, (alerts ^ pages, alerts ^ tested)
    subprocess.run([ROOT / "tools/grafana/dashboards.py", "--check", ROOT / "deploy/grafana"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        watch(pathlib.Path(folder))
    print("observe: ok")


if __name__ == "__main__":
    os.environ["no_proxy"] = "*"
    main()
