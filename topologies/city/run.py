#!/usr/bin/env python3
"""Starts the city on this machine (PostgreSQL with front-end database and libraries, the platform above, Huiliu, and
Prometheus if it is installed), feeds it by all three ways, kills its parts at random, and prints a reconciliation: what was
sent = what the libraries and the problems hold = what the platform took = what came back as receipts.

    topologies/city/run.py [HUILIU] [--seconds N] [--seed S] [--keep FOLDER]

It ends with 1 if a difference is not explained. Nothing listens beyond this machine.
"""
import argparse
import collections
import csv
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/postgres"), str(ROOT / "tests/sinks")]

from server import PASSWORD, Postgres  # noqa: E402
from target import free_port  # noqa: E402

TOKEN, PLATFORM_TOKEN = "city-token-0123456789abcdef", "platform-0123456789abcdef"
AUTHORITY, UNIT = "11350800004000016A", "龙岩市市场监督管理局"
LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
FIELDS = ["kind", "edition", "subject", "subject_type", "uscc", "legal_rep", "rep_doc_type", "rep_doc_no", "title", "document_no",
          "category", "content", "decided_on", "valid_from", "valid_to", "authority", "authority_code", "status", "source_unit", "source_code", "version", "source_time"]


def credit_code(number):
    """A unified social credit code with its check digit (GB 32100-2015) and that of its organisation code (GB 11714)."""
    body = f"{number:08d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, [3, 7, 9, 10, 5, 8, 4, 2]))
    organisation = body + "0123456789X0"[(11 - total % 11) % 11]
    code = "91350824" + organisation
    total = sum(LETTERS.index(letter) * 3**i % 31 for i, letter in enumerate(code))
    return code + LETTERS[(31 - total % 31) % 31]


class Rows:
    """Licences as departments hold them. Some are sent twice, by two ways; some cannot be accepted."""

    def __init__(self, rng):
        self.rng, self.next, self.lock = rng, 1, threading.Lock()
        self.good, self.bad = set(), set()

    def make(self):
        with self.lock:
            number = self.next
            self.next += 1
        document = f"城许字〔2026〕{number}号"
        wrong = number % 23 == 0
        code = credit_code(10_000_000 + number)
        if wrong:  # a wrong check digit
            code = code[:-1] + ("0" if code[-1] != "0" else "1")
        row = dict.fromkeys(FIELDS)
        row.update(kind="licence", edition="2018", subject=f"龙岩市第{number}食品有限公司", subject_type="法人及非法人组织", uscc=code,
                   legal_rep="陈守仁", rep_doc_type="身份证", rep_doc_no="350824190204219448", title="食品经营许可决定书", document_no=document, category="普通", content="食品销售", decided_on="2026-11-20",
                   valid_from="2026-11-20", valid_to="2031-11-19", authority=UNIT, authority_code=AUTHORITY, status="有效",
                   source_unit=UNIT, source_code=AUTHORITY, version="1", source_time="2026-11-23 10:00:00")
        with self.lock:
            (self.bad if wrong else self.good).add(document)
        return row


class Interface(threading.Thread):
    """A department's program: it sends a batch until it is told that it is there."""

    def __init__(self, rows, port, seed):
        super().__init__(daemon=True)
        self.rows, self.port, self.rng, self.ended = rows, port, random.Random(seed), False
        self.batches = self.tries = 0

    def run(self):
        while not self.ended:
            batch = [self.rows.make() for _ in range(self.rng.choice([1, 20, 100]))]
            self.send(batch, f"{self.name}-{self.batches}")
            self.batches += 1
            time.sleep(0.05)

    def send(self, batch, key):
        body = "\n".join(json.dumps(row, ensure_ascii=False) for row in batch).encode()
        while True:
            self.tries += 1
            request = urllib.request.Request(f"http://127.0.0.1:{self.port}/v1/batches", body, {
                "Authorization": f"Bearer {TOKEN}", "Idempotency-Key": key, "Content-Type": "application/x-ndjson"})
            try:
                with urllib.request.urlopen(request, timeout=3):
                    return
            except urllib.error.HTTPError as error:
                assert error.code in (429, 503), (error.code, error.read()[:500])
            except OSError:
                pass
            time.sleep(0.1)


class Front(threading.Thread):
    """A department that writes into the front-end database."""

    def __init__(self, rows, server, seed):
        super().__init__(daemon=True)
        self.rows, self.server, self.rng, self.ended, self.written = rows, server, random.Random(seed), False, 0

    def run(self):
        while not self.ended:
            batch = [self.rows.make() for _ in range(self.rng.choice([1, 30]))]
            values = ", ".join("(" + ", ".join(f"'{row[name]}'" for name in FIELDS) + ")" for row in batch)
            sql = f"INSERT INTO exchange.licences ({', '.join(FIELDS)}) VALUES {values} ON CONFLICT DO NOTHING; SELECT 1"
            while self.server.ask(sql, check=False) != "1\n":
                time.sleep(0.1)  # the server was killed: once more
            self.written += len(batch)
            time.sleep(0.2)


class Files(threading.Thread):
    """A department that puts files into its folder, under another name until they are whole."""

    def __init__(self, rows, folder, seed):
        super().__init__(daemon=True)
        self.rows, self.folder, self.rng, self.ended, self.files = rows, folder, random.Random(seed), False, 0

    def run(self):
        while not self.ended:
            name = f"{self.files % 90 + 10}_scjg_licence_{self.files}.ndjson"
            text = "\n".join(json.dumps(self.rows.make(), ensure_ascii=False) for _ in range(self.rng.choice([5, 200])))
            (self.folder / f".{name}").write_text(text + "\n")
            (self.folder / f".{name}").rename(self.folder / name)
            self.files += 1
            time.sleep(0.7)


class PlatformServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # who was killed


class Platform:
    """The platform above: knows keys, fails now and then, refuses some rows."""

    def __init__(self, seed):
        self.rng, self.lock, self.calm = random.Random(seed), threading.Lock(), False
        self.taken, self.rows, self.refused = {}, collections.Counter(), collections.Counter()
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                platform.take(self)

        self.server = PlatformServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"]))
        mood = "good" if self.calm else self.rng.choices(["good", "500", "lost", "forgets"], [12, 1, 1, 1])[0]
        if mood == "500":
            return self.answer(request, 500, {})
        with self.lock:
            key = request.headers["Idempotency-Key"]
            if key not in self.taken:
                results = []
                for index, line in enumerate(body.splitlines()):
                    document = json.loads(line)["document_no"]
                    refused = document[::-1][1:3] == "31"
                    (self.refused if refused else self.rows)[document] += 1
                    results.append({"index": index, "outcome": "rejected", "code": "not_ours", "message": "不属于本市"} if refused
                                   else {"index": index, "outcome": "accepted", "receipt": f"HZ{len(self.taken)}-{index}"})
                self.taken[key] = {"results": results}
            said = self.taken[key]
        if mood == "lost":
            request.close_connection = True
            return request.connection.shutdown(socket.SHUT_RDWR)
        return self.answer(request, 500 if mood == "forgets" else 200, said)

    @staticmethod
    def answer(request, status, said):
        body = json.dumps(said).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


class City:
    def __init__(self, huiliu, folder, seed):
        self.folder, self.huiliu, self.rng, self.kills = folder, huiliu, random.Random(seed), collections.Counter()
        self.interface, self.metrics = free_port(), free_port()
        self.server, self.platform = Postgres(folder / "postgres"), Platform(seed)
        self.server.start()
        self.server.ask(
            "CREATE SCHEMA exchange; CREATE SCHEMA library; CREATE TABLE exchange.licences ("
            + "".join(f"{name} text, " for name in self.fields()) + "exchange_status text DEFAULT '0', PRIMARY KEY (document_no)); "
            "CREATE INDEX ON exchange.licences (exchange_status, document_no)")
        (folder / "input").mkdir()
        with open(folder / "senders.csv", "w", newline="") as senders:
            csv.writer(senders).writerows([["sender", "token_sha256", "rows_per_minute", "until"],
                                           ["scjg", hashlib.sha256(TOKEN.encode()).hexdigest(), "", ""]])
        self.environment = dict(
            os.environ, STATE=str(folder / "state"), INPUT=str(folder / "input"), OUTPUT=str(folder / "output"),
            SENDERS=str(folder / "senders.csv"), INTERFACE=f"127.0.0.1:{self.interface}", METRICS=f"127.0.0.1:{self.metrics}",
            DATABASE=f"postgresql://huiliu@127.0.0.1:{self.server.port}/postgres", DATABASE_PASSWORD=PASSWORD,
            PLATFORM=f"http://127.0.0.1:{self.platform.port}", PLATFORM_TOKEN=PLATFORM_TOKEN)
        self.process = None
        self.prometheus = self.start_prometheus()

    @staticmethod
    def fields():
        return [line.split("name: ")[1].split("}")[0].split(",")[0] for line in
                (ROOT / "topologies/credit/rules/fields.yaml").read_text().splitlines() if line.startswith("- {name")]

    def start(self):
        self.process = subprocess.Popen([self.huiliu, "run", "-q", ROOT / "topologies/city/topology.yaml"], env=self.environment,
                                        stdout=subprocess.DEVNULL, stderr=open(self.folder / "huiliu.log", "a"))

    def start_prometheus(self):
        program = shutil.which("prometheus")
        if program is None:
            return None
        self.watched = free_port()
        (self.folder / "prometheus.yml").write_text(
            f"scrape_configs: [{{job_name: huiliu, scrape_interval: 1s, static_configs: [{{targets: ['127.0.0.1:{self.metrics}']}}]}}]\n")
        return subprocess.Popen([program, f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/metrics",
                                 f"--web.listen-address=127.0.0.1:{self.watched}"], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def kill_something(self):
        part = self.rng.choices(["huiliu", "postgres", "freeze"], [5, 2, 1])[0]
        self.kills[part] += 1
        if part == "huiliu":
            assert self.process.poll() is None, (self.folder / "huiliu.log").read_text()[-3000:]
            self.process.kill()
            self.process.wait()
            self.start()
        elif part == "postgres":
            self.server.kill()
            time.sleep(self.rng.uniform(0.1, 1))
            self.server.start()
        else:
            self.server.freeze()
            time.sleep(self.rng.uniform(0.5, 2))
            self.server.thaw()

    def asked(self, sql):
        return [line.split("|") for line in self.server.ask(sql, check=False).splitlines()]

    def reconcile(self, rows):
        """Per line: what it is, how many are expected, how many there are, and such that are in one only."""
        def texts(sql):
            return collections.Counter(line[0] for line in self.asked(sql))
        library = texts("SELECT document_no FROM library.legal_person")
        problems = texts("SELECT document_no FROM library.problems")
        receipts = texts("SELECT document_no FROM exchange.feedback WHERE outcome = 'ACCEPTED'")
        answered = texts("SELECT document_no FROM exchange.feedback WHERE outcome = 'ACCEPTED' AND receipt_outcome = 'accepted'")
        with self.platform.lock:
            taken, refused = self.platform.rows.copy(), self.platform.refused.copy()
        unread = texts("SELECT document_no FROM exchange.licences WHERE exchange_status <> '1'")
        return [("rows sent that can be accepted = legal_person", collections.Counter(rows.good), library),
                ("rows sent that cannot = problems", collections.Counter(rows.bad), problems),
                ("legal_person = taken or refused by the platform", library, taken + refused),
                ("legal_person = receipts", library, receipts),
                ("taken by the platform = accepted by receipt", taken, answered),
                ("rows of the front-end database without flag", collections.Counter(), unread)]

    def stop(self):
        for process in (self.process, self.prometheus):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(30)
        self.server.kill()


def run(city, seconds, seed):
    rows = Rows(random.Random(seed))
    senders = [Interface(rows, city.interface, seed + 1), Interface(rows, city.interface, seed + 2), Front(rows, city.server, seed + 3),
               Files(rows, city.folder / "input", seed + 4)]
    city.start()
    for sender in senders:
        sender.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(city.rng.uniform(0.5, 3))
        city.kill_something()
    for sender in senders:
        sender.ended = True
    for sender in senders:
        sender.join(60)
    city.platform.calm = True
    deadline = time.monotonic() + 90
    while any(one != other for _, one, other in city.reconcile(rows)) and time.monotonic() < deadline:
        assert city.process.poll() is None, (city.folder / "huiliu.log").read_text()[-3000:]
        time.sleep(0.5)
    return rows, senders


def report(city, rows, senders):
    interfaces = senders[:2]
    print(f"{rows.next - 1} rows: {sum(one.batches for one in interfaces)} batches by interface in {sum(one.tries for one in interfaces)} "
          f"tries, {senders[2].written} by front-end database, {senders[3].files} files; killed: {dict(city.kills)}; "
          f"platform: {len(city.platform.taken)} batches, {sum(city.platform.refused.values())} rows refused")
    differences = 0
    for name, one, other in city.reconcile(rows):
        difference = sum((one - other).values()) + sum((other - one).values())
        differences += difference
        such = list(((one - other) + (other - one)).items())[:3] if difference else ""
        print(f"  {name}: {sum(one.values())} and {sum(other.values())}, difference {difference} {such}")
    for table in ("history", "problems", "reconciliation"):
        print(f"  library.{table}: {city.asked(f'SELECT count(*) FROM library.{table}')[0][0]} rows")
    if city.prometheus is not None:
        with urllib.request.urlopen(f"http://127.0.0.1:{city.watched}/api/v1/query?query=count(huiliu_epoch_number)", timeout=5) as said:
            result = json.load(said)["data"]["result"]
        print(f"  Prometheus at http://127.0.0.1:{city.watched} sees {result[0]['value'][1] if result else 'no'} process")
        differences += 0 if result else 1
    print("no difference" if differences == 0 else f"DIFFERENCE: {differences}")
    return differences


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("huiliu", nargs="?", default=str(ROOT / "build/release/cli/huiliu"))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", help="a new folder that stays, with the log")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="huiliu-city-") as name:
        folder = Path(args.keep).resolve() if args.keep else Path(name)
        folder.mkdir(exist_ok=not args.keep)
        folder.chmod(0o755)
        print(f"seed {args.seed}", flush=True)
        city = City(str(Path(args.huiliu).resolve()), folder, args.seed)
        try:
            rows, senders = run(city, args.seconds, args.seed)
            return 1 if report(city, rows, senders) else 0
        finally:
            city.stop()


if __name__ == "__main__":
    sys.exit(main())
