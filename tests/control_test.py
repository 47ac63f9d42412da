"""Commands to a running topology: what is paused commits nothing more, goes on without loss or doubles, and is drained with exit code 0.
usage: control_test.py HUILIU"""
import http.client
import json
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

HUILIU = str(pathlib.Path(sys.argv[1]).resolve())
TOKEN = "correct-horse-battery-staple"
TOPOLOGY = """topology: commanded
epoch: 100ms
parallelism: 2
server: {{listen: "127.0.0.1:{port}", token_file: token, snapshots: copies}}
sources:
  rows: {{type: generate, rate: 2000/s, fields: [{{name: n, sequence: {{}}}}]}}
sinks:
  out: {{type: file, input: rows, path: out.ndjson}}
  store: {{type: sqlite, input: rows, path: out.db, table: rows}}
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def until(what, holds, seconds=60):
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, f"in {seconds} s it has not come about that {what}"
        time.sleep(0.05)
    return found


def huiliu(*command, cwd, code=0):
    ended = subprocess.run([HUILIU, *command], cwd=cwd, capture_output=True, text=True, timeout=120)
    assert ended.returncode == code, f"{command}: {ended.returncode}\n{ended.stdout}{ended.stderr}"
    return ended


class Run:
    """A topology that runs, and its monitor."""

    def __init__(self, folder, port, *options):
        self.port = port
        self.log = (folder / "log").open("a+")
        self.process = subprocess.Popen([HUILIU, "run", *options, "t.yaml"], cwd=folder, stdout=self.log, stderr=self.log)
        until("the run answers", lambda: self.ask("GET", "/readyz")[0] == 200)

    def ask(self, method, path, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (ConnectionError, socket.timeout):
            return 0, ""
        finally:
            connection.close()

    def status(self):
        return json.loads(self.ask("GET", "/status")[1])

    def ended(self, code):
        assert self.process.wait(60) == code, (self.process.returncode, self.text())

    def text(self):
        self.log.seek(0)
        return self.log.read()


def rows(folder):
    path = folder / "out.ndjson"
    return [json.loads(line)["n"] for line in path.read_text().splitlines()] if path.exists() else []


def check_whole(folder):
    """Every row from the first on is there once, in the file and in the store."""
    written = rows(folder)
    assert written == list(range(1, len(written) + 1)), f"{len(written)} rows"
    with sqlite3.connect(folder / "out.db") as store:
        stored = [n for n, in store.execute("select n from rows order by rowid")]
    assert stored == written, (len(stored), len(written))
    return len(written)


def check_pause(folder, run):
    until("rows are committed", lambda: len(rows(folder)) > 500)
    said = huiliu("pause", "t.yaml", cwd=folder).stdout
    epoch = run.status()["epoch"]
    assert f"with epoch {epoch}" in said, (said, epoch)
    before = rows(folder)
    assert before == list(range(1, len(before) + 1))
    code, ready = run.ask("GET", "/readyz")
    assert code == 503 and '"paused_by_operator"' in ready, (code, ready)
    status = run.status()
    assert status["state"] == "paused by operator" and status["paused_with_epoch"] == epoch, status
    assert status["uncommitted_bytes"] == 0, status
    assert 'huiliu_paused_by_operator{topology="commanded"} 1' in run.ask("GET", "/metrics")[1]
    # Ten epochs would have passed by now.
    time.sleep(1)
    assert rows(folder) == before and run.status()["epoch"] == epoch
    assert run.ask("GET", "/livez")[0] == 200
    again = run.ask("POST", "/control/pause")
    assert again[0] == 200 and json.loads(again[1])["epoch"] == epoch, again
    huiliu("resume", f"127.0.0.1:{run.port}", cwd=folder)
    assert run.ask("GET", "/readyz")[0] == 200
    until("it goes on", lambda: len(rows(folder)) > len(before))


def check_refusals(run):
    assert run.ask("GET", "/control/pause")[0] == 405
    assert run.ask("POST", "/control/pause", Origin="https://evil.example")[0] == 403
    assert run.ask("POST", "/control/pause", Host="evil.example")[0] == 403
    assert run.ask("POST", "/control/pause", Authorization="Bearer wrong")[0] == 401
    assert run.ask("POST", "/control/pause", **{"X-Forwarded-For": "10.0.0.1"})[0] == 401
    assert run.ask("POST", "/control/explode")[0] == 404
    assert run.status()["state"] == "running"
    proxied = {"X-Forwarded-For": "10.0.0.1", "Authorization": f"Bearer {TOKEN}"}
    assert run.ask("POST", "/control/resume", **proxied)[0] == 200
    assert TOKEN not in run.text()


def check_log_level(folder, run):
    huiliu("log-level", "off", "t.yaml", "--token-file", "token", cwd=folder)
    quiet = run.text()
    run.ask("POST", "/control/explode")
    huiliu("log-level", "info", "t.yaml", cwd=folder)
    assert quiet == run.text()
    huiliu("log-level", "loud", "t.yaml", cwd=folder, code=2)


def check_top(folder):
    shown = huiliu("top", "--interval", "1", "t.yaml", cwd=folder).stdout
    assert "\x1b" not in shown and "in/s" in shown, shown
    rate = next(float(line.split()[3]) for line in shown.splitlines() if line.startswith("source    rows"))
    assert rate > 100, shown


def check_snapshot(folder, run):
    made = huiliu("snapshot", f"127.0.0.1:{run.port}", cwd=folder).stdout
    copy, = (folder / "copies").iterdir()
    assert made.startswith(copy.name), (made, copy)
    shown = huiliu("snapshot", "--show", str(copy), cwd=folder).stdout
    assert "topology commanded" in shown, shown
    epoch = int(made.split("epoch ")[1].split(",")[0])
    assert f"epoch {epoch}," in shown, (made, shown)
    assert run.ask("POST", "/control/snapshot?folder=/tmp/else", Origin="https://evil.example")[0] == 403


def check_token_file(folder):
    os.chmod(folder / "token", 0o644)
    refused = huiliu("run", "-q", "t.yaml", cwd=folder, code=2).stderr
    assert "mode 0644" in refused and TOKEN not in refused, refused
    os.chmod(folder / "token", 0o600)


def main(folder):
    port = free_port()
    (folder / "t.yaml").write_text(TOPOLOGY.format(port=port))
    (folder / "token").write_text(TOKEN + "\n")
    check_token_file(folder)
    run = Run(folder, port, "-q")
    check_pause(folder, run)
    check_refusals(run)
    check_log_level(folder, run)
    check_top(folder)
    check_snapshot(folder, run)
    drained = huiliu("drain", "t.yaml", cwd=folder).stdout
    assert "everything is delivered" in drained, drained
    run.ended(0)
    assert "topology commanded" in run.text(), run.text()
    first = check_whole(folder)

    # A start after a pause, and after a drain, runs.
    run = Run(folder, port, "-q")
    until("it goes on", lambda: len(rows(folder)) > first)
    huiliu("pause", "t.yaml", cwd=folder)
    run.process.send_signal(signal.SIGKILL)
    run.process.wait(60)
    paused = len(rows(folder))
    run = Run(folder, port, "-q")
    until("it goes on", lambda: len(rows(folder)) > paused)
    huiliu("pause", "t.yaml", cwd=folder)
    huiliu("drain", "t.yaml", cwd=folder)
    run.ended(0)
    print(f"control: ok, {check_whole(folder)} rows")


with tempfile.TemporaryDirectory() as scratch:
    main(pathlib.Path(scratch))
