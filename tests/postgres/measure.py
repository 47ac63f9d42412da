#!/usr/bin/env python3
"""What a row costs through the sink `postgres`, beside a plain COPY of the same rows by psql: measure.py HUILIU [ROWS]

CPU is that of the client and of all of the server's processes, in µs a row; the server does not sync.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from server import PASSWORD, Postgres

FIELDS = "n bigint, id text, amount bigint, kind text"
TOPOLOGY = """topology: {name}
epoch: 500ms
parallelism: 1
rejects: rejected
sources:
  rows:
    type: generate
    count: {count}
    fields:
      - {{name: n, sequence: {{}}}}
      - {{name: id, sequence: {{}}, pattern: "row-{{:010}}"}}
      - {{name: amount, uniform: {{from: 1, to: 100000000}}}}
      - {{name: kind, choice: [licence, fine, notice]}}
sinks:
  out: {sink}
  rejected: {{type: blackhole}}
"""


def server_cpu(server: Postgres) -> float:
    """Seconds, also of those of its processes that have ended."""
    ticks = 0
    for pid in server._processes():
        try:
            parts = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += sum(int(part) for part in parts[11:15 if pid == server.process.pid else 13])
    return ticks / os.sysconf("SC_CLK_TCK")


def timed(server: Postgres, count: int, title: str, command: list, cwd: Path) -> float:
    """CPU of a row in µs."""
    before, begun = server_cpu(server), time.monotonic()
    process = subprocess.Popen(command, cwd=cwd, env=dict(os.environ, PGPASSWORD=PASSWORD), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begun
    time.sleep(0.3)  # until the server has waited for the session's process
    assert status == 0, title
    client, in_server = usage.ru_utime + usage.ru_stime, server_cpu(server) - before
    total = (client + in_server) / count * 1e6
    print(f"{title}: {count / seconds:,.0f} rows/s; CPU µs/row: client {client / count * 1e6:.2f}, server "
          f"{in_server / count * 1e6:.2f}, both {total:.2f}", flush=True)
    return total


def main() -> int:
    huiliu, count = Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 500_000
    work = Path(tempfile.mkdtemp(prefix="huiliu-measure-"))
    os.chmod(work, 0o755)
    server = Postgres(work / "server")
    try:
        server.start()
        for name, key in (("append", ""), ("upsert", "n")):
            folder = work / name
            folder.mkdir()
            sink = server.sink("rows", name, ["n", "id", "amount", "kind"], key=key)
            (folder / "topology.yaml").write_text(TOPOLOGY.format(name=name, count=count, sink=sink))
            through = timed(server, count, f"huiliu, {name}", [huiliu, "run", "-q", "topology.yaml"], folder)
            assert server.ask(f"SELECT count(*) FROM {name}") == f"{count}\n"
            psql = ["psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(server.port), "-U", "huiliu", "-d", "postgres", "-c"]
            subprocess.run([*psql, f"\\copy {name} to rows.txt"], cwd=folder, check=True, env=dict(os.environ, PGPASSWORD=PASSWORD))
            server.ask(f"CREATE TABLE copied_{name}({FIELDS}{', PRIMARY KEY(n)' if key else ''})")
            plain = timed(server, count, f"psql, COPY into the same table as {name}", [*psql, f"\\copy copied_{name} from rows.txt"], folder)
            print(f"{name}: {through / plain:.2f} times the CPU of COPY", flush=True)
    finally:
        server.kill()
        shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
