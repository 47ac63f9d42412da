#!/usr/bin/env python3
"""A topology that runs flat out is not slowed down by those who hang on to its monitor: silent connections, and requests that come byte
by byte.

    crowd_test.py HUILIU
"""
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from prometheus import free_port, get, until

HUILIU = str(pathlib.Path(sys.argv[1]).resolve())
SILENT, SLOW = 1000, 60
LEAST = 0.9  # of the rate without them

TOPOLOGY = """topology: crowded
epoch: 200ms
parallelism: 1
server: {{listen: "127.0.0.1:{port}"}}
sources:
  rows: {{type: generate, fields: [{{name: n, sequence: {{}}}}, {{name: dept, zipf: {{keys: 1000}}}}]}}
sinks:
  out: {{type: blackhole, input: rows}}
"""
HEADER = b"GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " + b"x" * 400
BODY = b"POST /control/resume HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 400\r\n\r\n"


class Crowd:
    """Connections that say nothing, or a byte at a time; one that is cut off comes again."""

    def __init__(self, port):
        self.port = port
        self.come_again = 0
        self.stop = threading.Event()

    def __enter__(self):
        self.silent = [self.connect() for _ in range(SILENT)]
        self.thread = threading.Thread(target=self.trickle)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        for one in self.silent:
            one.close()

    def connect(self):
        one = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        one.setblocking(False)
        return one

    def begin(self, number):
        """Half of them send headers that never end, half bodies."""
        one = self.connect()
        if number % 2:
            one.send(BODY)
        return [one, HEADER if number % 2 == 0 else b"x" * 400, 0]

    def trickle(self):
        slow = [self.begin(number) for number in range(SLOW)]
        while not self.stop.wait(0.1):
            for number, (one, text, at) in enumerate(slow):
                try:
                    one.send(text[at:at + 1])
                    slow[number][2] += 1
                except OSError:
                    one.close()
                    slow[number] = self.begin(number)
                    self.come_again += 1
        for one, _, _ in slow:
            one.close()


def emitted(base):
    """Records that the source has given, and when the page says so."""
    page = get(base + "/metrics")
    found = re.search(r'huiliu_node_emitted_records_total\{topology="crowded",node="rows",kind="source"\} (\S+)', page)
    return float(found[1]), time.monotonic()


def rate(base, seconds):
    """Records a second, the median of a few seconds."""
    rates = []
    count, at = emitted(base)
    for _ in range(seconds):
        time.sleep(1)
        now, then = emitted(base)
        rates.append((now - count) / (then - at))
        count, at = now, then
    return statistics.median(rates)


def compare(base, port):
    before = rate(base, 6)
    with Crowd(port) as crowd:
        during = rate(base, 13)  # longer than a request may take, so that some are cut off
        started = time.monotonic()
        assert get(base + "/readyz")
        answer = time.monotonic() - started
    after = rate(base, 6)
    assert crowd.come_again > 0, "nobody was cut off"
    print(f"records/s: before {before:,.0f}, with {SILENT} silent and {SLOW} slow connections {during:,.0f}, after {after:,.0f}; "
          f"an answer takes {answer * 1000:.0f} ms then; {crowd.come_again} slow ones were cut off and came again", flush=True)
    return during / before, during / min(before, after)


def main():
    os.environ["no_proxy"] = "*"
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as name:
        (pathlib.Path(name) / "t.yaml").write_text(TOPOLOGY.format(port=port))
        run = subprocess.Popen([HUILIU, "run", "-q", "t.yaml"], cwd=name, stdout=subprocess.DEVNULL)
        try:
            until("records come", lambda: run.poll() is not None or emitted(base)[0] > 0)
            # The machine may be busy with others in any of the three parts.
            shares = []
            while not shares or (max(shares) < LEAST and len(shares) < 5):
                to_before, to_both = compare(base, port)
                shares.append(to_before if to_before >= LEAST else to_both)
        finally:
            run.send_signal(signal.SIGTERM)
            assert run.wait(30) == 130, run.returncode
    assert max(shares) >= LEAST, shares
    print(f"crowd: ok, {max(shares):.2f} of the rate without")


if __name__ == "__main__":
    main()
