#!/usr/bin/env python3
"""A topology pushes rows to a receiver that fails as real ones do, and is killed at any moment and at steps of the
delivery, until all is delivered.

The receiver answers 500 before or after it took a batch, closes the connection instead of answering, is slow, asks to
wait (429), does not know the token for a while, is down, refuses batches for some of their rows (422) and some rows in
receipts. It knows its keys, and checks signature, hash and rows of each request. At the end each row of the input was
taken once or was refused, and has one receipt; those that were refused are in the file of dead letters once, and in the
stream of rejects.

    push_test.py HUILIU [--rows N] [--seed S] [--measure]
"""
import argparse
import collections
import ctypes
import hashlib
import hmac
import json
import os
import random
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

STEPS = ["outbox.before_apply", "outbox.after_apply", "push.after_answer", "push.after_receipts", "epoch.prepared",
         "epoch.committed"]
KEY, TOKEN = "key-0123456789abcdef", "token-0123456789abcdef"
TOPOLOGY = """\
topology: pushing
epoch: 50ms
state: {{path: state, memory: 16MiB}}
rejects: refused
sources:
  made:
    type: generate
    rate: {rate}/s
    count: {rows}
    fields:
      - {{name: id, sequence: {{from: 0}}}}
      - {{name: text, type: string, constant: "汇流 \\"quoted\\""}}
sinks:
  platform:
    type: http
    input: made
    url: http://127.0.0.1:{port}/v1/push?city=1
    format: {form}
    batch_rows: {batch}
    token: ${{PUSH_TOKEN}}
    hmac_key_file: key.txt
    timeout: 400ms
    longest_pause: 300ms
    headers: {{X-City: "4201"}}
{letters}  told: {{type: file, input: platform.receipts, path: receipts.ndjson, format: ndjson}}
  refused: {{type: file, path: refused.ndjson, format: ndjson}}
"""
LETTERS = "    dead_letters: dead.ndjson\n"
XXHASH = ctypes.CDLL("libxxhash.so.0")
XXHASH.XXH3_64bits.restype = ctypes.c_uint64
XXHASH.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


def refuses_batch(row):
    return row % 197 == 5


def refuses_row(row):
    return row % 89 == 7 and not refuses_batch(row)


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # who was killed


class Receiver:
    """Keeps what it took as long as the test, whatever happens to its server."""

    def __init__(self, seed, fails):
        self.rng, self.fails, self.refuses = random.Random(seed), fails, fails
        self.lock = threading.Lock()
        self.taken = {}  # key -> (body, rows, answer)
        self.repeated, self.requests = 0, 0
        self.wrong, self.seen, self.arrivals = [], collections.Counter(), []
        self.locked_until = 0
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.start()

    def start(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def do_POST(self):
                receiver.handle(self)

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.connections = set()
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def go_down(self, seconds):
        self.down = True
        self.server.shutdown()
        self.server.server_close()
        time.sleep(seconds)
        self.down = False
        self.start()

    down = False

    def check(self, request, body):
        """The rows, or None if something is wrong with the request."""
        h = request.headers
        signed = "\n".join([request.command, request.path, h["Date"], h["X-Batch"], h["X-Batch-Rows"], h["X-Batch-Hash"],
                            h["Idempotency-Key"], ""]).encode() + body
        expected = "hmac-sha256=" + hmac.new(KEY.encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, h["X-Signature"] or ""):
            return self.wrong.append(f"signature {h['X-Signature']}, not {expected}")
        if h["Authorization"] != f"Bearer {TOKEN}" or h["X-City"] != "4201":
            return self.wrong.append(f"headers {dict(h)}")
        if h["Content-Type"] == "application/json":
            rows = json.loads(body)
            lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() for row in rows]
        else:
            lines = body.splitlines()
            rows = [json.loads(line) for line in lines]
        total = sum(XXHASH.XXH3_64bits(line, len(line)) for line in lines) % 2**64
        if f"{total:016x}" != h["X-Batch-Hash"] or str(len(rows)) != h["X-Batch-Rows"]:
            return self.wrong.append(f"batch {h['X-Batch']} is not what its headers say")
        if not h["Idempotency-Key"].startswith(f"pushing.platform.{h['X-Batch']}."):
            return self.wrong.append(f"key {h['Idempotency-Key']}")
        return [row["id"] for row in rows]

    def handle(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"]))
        now = time.monotonic()
        if self.down:
            request.close_connection = True
            return
        with self.lock:
            self.requests += 1
            rows = self.check(request, body)
            if rows is None:
                return self.answer(request, 400, {})
            self.arrivals.append((now, rows[0], len(rows)))
            mood = self.rng.choices(["good", "500", "500 after", "lost", "slow", "429", "401"],
                                    [40, 2, 2, 2, 1, 2, 1] if self.fails else [1, 0, 0, 0, 0, 0, 0])[0]
        self.seen[mood] += 1
        if mood == "500":
            return self.answer(request, 500, {})
        if mood == "429":
            return self.answer(request, 429, {}, retry="1")
        if mood == "401":
            return self.answer(request, 401, {"error": "unauthorized"})
        if self.refuses and any(refuses_batch(row) for row in rows):
            self.seen["422"] += 1
            return self.answer(request, 422, {"code": "bad_row", "message": "第 行不合格"})
        with self.lock:
            status, said = self.take(request.headers["Idempotency-Key"], rows, body)
        if mood == "500 after":
            return self.answer(request, 500, {})
        if mood == "slow":
            time.sleep(0.6)
        if mood in ("lost", "slow"):
            request.close_connection = True
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        self.answer(request, status, said)

    def take(self, key, rows, body):
        if key in self.taken:
            self.repeated += 1
            if self.taken[key][0] != body:
                self.wrong.append(f"{key} came again with another body")
            return self.rng.choice([200, 409]), self.taken[key][2]
        results = [{"index": i, "outcome": "rejected", "code": "unknown_party", "message": "no such party"}
                   if self.refuses and refuses_row(row) else
                   {"index": i, "outcome": "accepted", "receipt": f"R{row}"} for i, row in enumerate(rows)]
        self.taken[key] = (body, rows, {"results": results})
        return 200, self.taken[key][2]

    @staticmethod
    def answer(request, status, said, retry=""):
        body = json.dumps(said).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        if retry:
            request.send_header("Retry-After", retry)
        request.end_headers()
        request.wfile.write(body)


class Topology:
    def __init__(self, huiliu, folder, **values):
        self.huiliu, self.folder, self.lives, self.letters = huiliu, folder, 0, values["letters"]
        (folder / "t.yaml").write_text(TOPOLOGY.format(**values))
        (folder / "key.txt").write_text(KEY + "\n")
        (folder / "key.txt").chmod(0o600)

    def start(self, step=""):
        self.lives += 1
        environment = dict(os.environ, PUSH_TOKEN=TOKEN, **({"HUILIU_CRASH_AT": step} if step else {}))
        # setpriv: ends with this test.
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", self.huiliu, "run", "-q", "t.yaml"],
                                        cwd=self.folder, env=environment, stdout=subprocess.DEVNULL,
                                        stderr=open(self.folder / "log.txt", "a"))

    def log(self):
        return (self.folder / "log.txt").read_text()

    def lines(self, name):
        path = self.folder / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def dead(self):
        return self.lines("dead.ndjson")


def run_with_kills(topology, receiver, seed, most_seconds):
    rng = random.Random(seed)
    kills = collections.Counter()
    started = time.monotonic()
    steps = list(STEPS)
    while True:
        calm = time.monotonic() - started > most_seconds  # then it is left alone until it ends
        step = (steps.pop() if steps else rng.choice(STEPS)) if not calm and (steps or rng.random() < 0.5) else ""
        topology.start(f"{step}:{rng.randrange(1, 20)}" if step else "")
        deadline = time.monotonic() + (100 if calm else 6 if step else rng.uniform(0.3, 3))
        while time.monotonic() < deadline and topology.process.poll() is None:
            time.sleep(0.02)
            if receiver.fails and rng.random() < 0.003:
                receiver.go_down(rng.uniform(0.1, 0.8))
        code = topology.process.poll()
        if code is None:
            assert not calm, "it does not end: " + topology.log()[-3000:]
            topology.process.kill()
            kills["at random"] += 1
        elif code == 0:
            return kills, time.monotonic() - started
        else:
            assert code == -signal.SIGKILL, topology.log()[-3000:]
            kills[step] += 1
        topology.process.wait()


def verify_receipts(topology, rows):
    """One receipt a row, with what the receiver said of it; the refused ones are rejects too."""
    receipts = topology.lines("receipts.ndjson")
    counts = collections.Counter(one["id"] for one in receipts)
    assert len(counts) == rows, f"DIFFERENCE: {rows - len(counts)} rows have no receipt"
    assert max(counts.values()) == 1, f"receipts twice: {counts.most_common(3)}"
    for one in receipts:
        row = one["id"]
        code = "bad_row" if refuses_batch(row) else "unknown_party" if refuses_row(row) else None
        assert one["receipt_outcome"] == ("refused" if code else "accepted") and one.get("receipt_code") == code, one
        assert one.get("receipt_number") == (None if code else f"R{row}"), one
        assert one["text"] == "汇流 \"quoted\"" and one["receipt_batch"].startswith("pushing.platform."), one
    refused = collections.Counter(one["id"] for one in topology.lines("refused.ndjson"))
    assert refused == collections.Counter(row for row in range(rows) if refuses_batch(row) or refuses_row(row)), refused
    assert {one["reject_code"] for one in topology.lines("refused.ndjson")} == {"bad_row", "unknown_party"}


def verify(topology, receiver, rows):
    assert not receiver.wrong, receiver.wrong[:3]
    taken = collections.Counter(row for _, of_batch, _ in receiver.taken.values() for row in of_batch)
    dead = collections.Counter(letter["row"]["id"] for letter in topology.dead())
    twice = [row for row, count in (taken + collections.Counter()).items() if count > 1]
    assert not twice, f"{len(twice)} rows were taken twice, such as {twice[:5]}"
    assert max(dead.values(), default=0) <= 1, f"letters twice: {dead.most_common(3)}"
    in_receipts = {row for row in taken if refuses_row(row)}
    refused = {row for row in range(rows) if refuses_batch(row)}
    if topology.letters:
        assert set(dead) == in_receipts | refused, f"dead letters differ: {sorted(set(dead) ^ (in_receipts | refused))[:9]}"
    verify_receipts(topology, rows)
    lost = set(range(rows)) - set(taken) - refused
    assert not lost, f"DIFFERENCE: {len(lost)} rows are nowhere, such as {sorted(lost)[:5]}"
    assert set(taken) == set(range(rows)) - refused, sorted(set(taken) & refused)[:5]
    codes = collections.Counter(letter["code"] for letter in topology.dead())
    assert not topology.letters or set(codes) == {"bad_row", "unknown_party"}, codes
    for secret in (KEY, TOKEN):
        assert secret not in topology.log(), "a secret is in the log"
    return len(taken), dict(codes)


def check_end(topology, receiver):
    """What is delivered is known at the next start: nothing is sent again."""
    before = receiver.requests
    topology.start()
    assert topology.process.wait(60) == 0, topology.log()[-2000:]
    assert receiver.requests == before, f"{receiver.requests - before} requests after the end"
    for command in ("plan", "validate"):
        said = subprocess.run([topology.huiliu, command, "t.yaml"], cwd=topology.folder, capture_output=True, text=True,
                              env=dict(os.environ, PUSH_TOKEN=TOKEN))
        assert said.returncode == 0, said.stdout + said.stderr
        assert TOKEN not in said.stdout + said.stderr, command


def failing(huiliu, rows, seed, form, letters):
    receiver = Receiver(seed, True)
    with tempfile.TemporaryDirectory(prefix="huiliu-push-") as name:
        topology = Topology(huiliu, Path(name), rate=1500, rows=rows, port=receiver.port, form=form, batch=50,
                            letters=letters)
        kills, took = run_with_kills(topology, receiver, seed, 35)
        receiver.fails = False
        taken, codes = verify(topology, receiver, rows)
        check_end(topology, receiver)
        print(f"{form}: {rows} rows in {took:.0f} s, {topology.lives} lives, killed {dict(kills)}; {receiver.requests} requests "
              f"{dict(receiver.seen)}, {receiver.repeated} known already; {taken} rows taken once, dead letters {codes}", flush=True)


def measure(huiliu, rate, seconds):
    receiver = Receiver(1, False)
    with tempfile.TemporaryDirectory(prefix="huiliu-push-") as name:
        topology = Topology(huiliu, Path(name), rate=rate, rows=rate * seconds, port=receiver.port, form="ndjson", batch=100,
                            letters=LETTERS)
        topology.start()
        topology.process.wait(100)
    # Of whole batches: when their last row would be there at the earliest is known up to a constant, the fastest's.
    whole = [(at, first, rows) for at, first, rows in receiver.arrivals if rows > 1]
    late = sorted(at - (first + rows) / rate for at, first, rows in whole)
    print(f"{sum(rows for _, _, rows in whole)} rows of {len(whole)} requests in "
          f"{receiver.arrivals[-1][0] - receiver.arrivals[0][0]:.1f} s; behind the fastest: "
          f"p50 {1000 * (late[len(late) // 2] - late[0]):.0f} ms, p99 {1000 * (late[len(late) * 99 // 100] - late[0]):.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("huiliu")
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--rate", type=int, default=5000)
    args = parser.parse_args()
    huiliu = str(Path(args.huiliu).resolve())
    if args.measure:
        return measure(huiliu, args.rate, 20)
    print(f"seed {args.seed}", flush=True)
    failing(huiliu, args.rows, args.seed, "ndjson", LETTERS)
    failing(huiliu, args.rows // 2, args.seed + 1, "json", "")


if __name__ == "__main__":
    sys.exit(main())
