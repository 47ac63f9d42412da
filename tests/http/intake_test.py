#!/usr/bin/env python3
"""Departments send rows to a topology that is killed every few seconds, and send again until they have an answer.

Every row of a request that was acknowledged must be in the output exactly once, and no other row twice: with an
Idempotency-Key also those that were sent again. Half of the lives end at a step of the intake, half at any moment.
Also: what is wrong with a request is said by status and code, and a full disk acknowledges nothing.

    intake_test.py HUILIU [--requests N] [--seconds-per-life S]
"""
import argparse
import collections
import hashlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

STEPS = ["intake.before_write", "intake.before_sync", "intake.after_sync", "epoch.prepared", "epoch.committed"]
TOKENS = {"market": "market-token-0123456789", "traffic": "traffic-token-0123456789"}
TOPOLOGY = """\
topology: intake
epoch: 100ms
state: {{path: state, memory: 16MiB}}
rejects: bad
sources:
  in:
    type: http
    listen: 127.0.0.1:{port}
    senders: senders.csv
    most: 64MiB
    fields: [id, sender, {{name: amount, type: int64}}]
sinks:
  out: {{type: file, input: in, path: out.ndjson}}
  bad: {{type: file, path: bad.ndjson}}
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Topology:
    """The process, which is started again whenever it ends."""

    def __init__(self, huiliu, folder):
        self.huiliu, self.folder, self.port = huiliu, folder, free_port()
        (folder / "t.yaml").write_text(TOPOLOGY.format(port=self.port))
        lines = ["sender,token_sha256"] + [f"{name},{hashlib.sha256(token.encode()).hexdigest()}"
                                           for name, token in TOKENS.items()]
        (folder / "senders.csv").write_text("\n".join(lines) + "\n")
        self.lives = 0

    def start(self, step=""):
        self.lives += 1
        environment = dict(os.environ, **({"HUILIU_CRASH_AT": step} if step else {}))
        # setpriv: ends with this test.
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", self.huiliu, "run", "-q", "t.yaml"],
                                        cwd=self.folder, env=environment, stdout=subprocess.DEVNULL,
                                        stderr=open(self.folder / "log.txt", "a"))

    def wait(self):
        for _ in range(600):
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1):
                    return
            except OSError:
                if self.process.poll() not in (None, -signal.SIGKILL):
                    raise SystemExit((self.folder / "log.txt").read_text()[-3000:])
                time.sleep(0.05)
        raise SystemExit("it does not listen: " + (self.folder / "log.txt").read_text()[-3000:])

    def output(self):
        text = (self.folder / "out.ndjson").read_text() if (self.folder / "out.ndjson").exists() else ""
        return [json.loads(line)["id"] for line in text.splitlines()]


def post(port, token, body, content_type="application/x-ndjson", key="", language="", timeout=20):
    """(status, answer) of one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    headers = {"Content-Type": content_type, "Authorization": f"Bearer {token}"}
    if key:
        headers["Idempotency-Key"] = key
    if language:
        headers["Accept-Language"] = language
    try:
        connection.request("POST", "/v1/batches", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else {}, answer.headers
    finally:
        connection.close()


def body_of(rng, rows, sender):
    records = [{"id": row, "sender": sender, "amount": rng.randrange(1000)} for row in rows]
    form = rng.choice(["ndjson", "json", "csv"])
    if form == "ndjson":
        return "\n".join(json.dumps(record) for record in records).encode(), "application/x-ndjson"
    if form == "json":
        return json.dumps(records).encode(), "application/json"
    lines = ["id,sender,amount"] + [f"{r['id']},{r['sender']},{r['amount']}" for r in records]
    return "\r\n".join(lines).encode(), "text/csv"


class Sender(threading.Thread):
    """Sends its share of the requests; a user's client would do the same."""

    def __init__(self, port, number, requests, seed):
        super().__init__()
        self.port, self.number, self.requests = port, number, requests
        self.rng = random.Random(seed * 1000 + number)
        self.acknowledged, self.given_up = [], []
        self.again = self.repeated = 0
        self.wrong = ""

    def run(self):
        sender = list(TOKENS)[self.number % len(TOKENS)]
        for n in range(self.requests):
            rows = [f"{self.number}-{n}-{i}" for i in range(self.rng.choice([1, 1, 3, 20, 100, 400]))]
            body, content_type = body_of(self.rng, rows, sender)
            self.send(rows, body, content_type, TOKENS[sender], f"key-{self.number}-{n}")
            if self.wrong:
                return

    def send(self, rows, body, content_type, token, key):
        for _ in range(2000):
            try:
                status, answer, _ = post(self.port, token, body, content_type, key)
            except (OSError, http.client.HTTPException):
                self.again += 1
                time.sleep(0.02)
                continue
            if status in (200, 202):
                if answer["rows"] != len(rows):
                    self.wrong = f"{key}: {answer} for {len(rows)} rows"
                self.repeated += status == 200
                self.acknowledged += rows
                return
            if status not in (429, 503):
                self.wrong = f"{key}: {status} {answer}"
                return
            time.sleep(0.05)
        self.wrong = f"{key}: never answered"


def run_with_kills(topology, requests, per_life, seed):
    rng = random.Random(seed)
    senders = [Sender(topology.port, n, requests // 8, seed) for n in range(8)]
    topology.start()
    topology.wait()
    for sender in senders:
        sender.start()
    kills = collections.Counter()
    started = time.monotonic()
    while any(sender.is_alive() for sender in senders):
        deadline = time.monotonic() + rng.uniform(0.2, 2 * per_life)
        while time.monotonic() < deadline and topology.process.poll() is None and any(s.is_alive() for s in senders):
            time.sleep(0.02)
        if topology.process.poll() is None and any(sender.is_alive() for sender in senders):
            topology.process.kill()
            kills["at random"] += 1
        elif topology.process.poll() is not None:
            kills["at a step"] += 1
        else:
            break
        topology.process.wait()
        step = rng.choice(STEPS)
        topology.start(f"{step}:{rng.randrange(1, 40)}" if rng.random() < 0.5 else "")
    took = time.monotonic() - started
    for sender in senders:
        sender.join()
        if sender.wrong:
            raise SystemExit(sender.wrong)
    if topology.process.poll() is not None:
        topology.start()
    return senders, kills, took


def verify(topology, senders):
    acknowledged = [row for sender in senders for row in sender.acknowledged]
    deadline = time.monotonic() + 60
    while len(topology.output()) < len(acknowledged) and time.monotonic() < deadline:
        if topology.process.poll() is not None:
            topology.process.wait()
            topology.start()
        time.sleep(0.3)
    topology.process.send_signal(signal.SIGTERM)
    topology.process.wait(30)
    found = collections.Counter(topology.output())
    lost = set(acknowledged) - set(found)
    twice = [row for row, count in found.items() if count > 1]
    other = set(found) - set(acknowledged)
    assert not lost, f"{len(lost)} acknowledged rows are not there, such as {sorted(lost)[:5]}"
    assert not twice, f"{len(twice)} rows are there twice, such as {twice[:5]}"
    assert not other, f"{len(other)} rows that nobody was told of, such as {sorted(other)[:5]}"
    return len(acknowledged)


def check_answers(topology):
    """What is wrong with a request is told apart."""
    topology.start()
    topology.wait()
    port, token = topology.port, TOKENS["market"]
    good = b'{"id": "x", "sender": "market", "amount": 1}'

    def expect(status, error="", **request):
        found, answer, headers = post(port, **{"token": token, "body": good, **request})
        assert found == status and answer.get("error", "") == error, (request, found, answer)
        return answer, headers

    expect(401, "unauthorized", token="nobody's")
    expect(415, "wrong_content_type", content_type="text/html")
    expect(400, "empty", body=b"")
    expect(400, "empty", body=b"id,sender\n", content_type="text/csv")
    answer, _ = expect(202, body=good + b'\n{"id": "y", "amount": "many"}\n{"id"', key="mixed", language="zh-CN,zh;q=0.9")
    assert (answer["rows"], answer["bad_rows"]) == (3, 2), answer
    assert answer["first_bad_rows"][0]["column"] == "amount" and "类型" in answer["first_bad_rows"][0]["message"], answer
    again, _ = expect(200, body=good + b'\n{"id": "y", "amount": "many"}\n{"id"', key="mixed")
    assert again["batch"] == answer["batch"] and again["repeated"], again
    expect(422, "key_reused", body=good, key="mixed")
    expect(202, body=good, key="mixed", token=TOKENS["traffic"])  # another's key
    page = json.loads(get(port, "/openapi.json", token)[1])
    assert "amount" in page["components"]["schemas"]["Row"]["properties"], page
    status, text = get(port, f"/v1/batches/{answer['batch']}", token)
    assert status == 200 and json.loads(text)["state"] in ("kept", "processed"), text
    assert get(port, "/v1/batches/in-999999", token)[0] == 404
    assert get(port, "/v1/batches", token)[0] == 405
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest("POST", "/v1/batches")
    connection.putheader("Content-Length", str(1 << 30))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
    # A token is replaced without a restart.
    senders = (topology.folder / "senders.csv").read_text()
    (topology.folder / "senders.csv").write_text(senders.replace(hashlib.sha256(token.encode()).hexdigest(),
                                                                 hashlib.sha256(b"the new one 0123456789").hexdigest()))
    time.sleep(1.2)
    expect(202, token="the new one 0123456789")
    expect(401, "unauthorized")
    (topology.folder / "senders.csv").write_text(senders)
    time.sleep(1.2)
    expect(202)
    topology.process.send_signal(signal.SIGTERM)
    assert topology.process.wait(30) == 130


def get(port, path, token):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("huiliu")
    parser.add_argument("--requests", type=int, default=12000)
    parser.add_argument("--seconds-per-life", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    huiliu = str(Path(args.huiliu).resolve())
    with tempfile.TemporaryDirectory(prefix="huiliu-http-") as name:
        check_answers(Topology(huiliu, Path(name)))
    with tempfile.TemporaryDirectory(prefix="huiliu-http-") as name:
        topology = Topology(huiliu, Path(name))
        senders, kills, took = run_with_kills(topology, args.requests, args.seconds_per_life, args.seed)
        rows = verify(topology, senders)
        print(f"{args.requests} requests with {rows} rows in {took:.0f} s, {topology.lives} lives, killed {dict(kills)}; "
              f"{sum(s.again for s in senders)} sent again, {sum(s.repeated for s in senders)} known already: "
              "all there once")
    return 0


if __name__ == "__main__":
    sys.exit(main())
