"""A topology that a sink's scenarios run: one source, three sinks of the type under test, and what must be in their
tables, computed from the input alone."""
import json
import os
import random
import signal
import subprocess
from pathlib import Path

END_S = 180
STOP_S = 10  # of docs/guides/upgrade-a-topology.md
APPENDED = ["n", "id", "amount", "active", "at", "note", "doc"]
CURRENT = ["id", "version", "note", "active"]
BY_CHANGE = ["id", "dept"]
GONE = "gone"
TOPOLOGY = """topology: contract
epoch: 20ms
parallelism: 2
rejects: rejected
sources:
  rows:
    type: file
    path: rows.ndjson
    fields:
      - {{name: n, type: int64}}
      - id
      - {{name: version, type: int64}}
      - dept
      - status
      - {{name: amount, type: float64}}
      - {{name: active, type: bool}}
      - {{name: at, type: timestamp}}
      - note
      - {{name: doc, type: json}}
operators:
  versions: {{type: compare, input: rows, key: [id], version: [version], withdrawn: {{status: gone}}, changes: [dept]}}
sinks:
  appended: {appended}
  current: {current}
  by_change: {by_change}
  rejected: {{type: file, path: rejected.ndjson}}
"""
NOTES = ["", "plain", "汇流", "it's \"quoted\"", "tab\there", "back\\slash", "new\nline", "😀", None]


def make_rows(count: int, seed: int = 1) -> list:
    rng = random.Random(seed)
    rows = []
    for n in range(1, count + 1):
        rows.append({
            "n": n, "id": f"r{rng.randrange(max(1, count // 5))}", "version": n, "dept": f"d{rng.randrange(9)}",
            "status": GONE if rng.random() < 0.15 else "valid", "amount": rng.randrange(-10**6, 10**6) + 0.25,
            "active": rng.random() < 0.5, "at": "2026-03-0%d 12:00:00" % rng.randint(1, 9), "note": rng.choice(NOTES),
            "doc": {"k": rng.randrange(99), "t": [True, None, "汇"]} if rng.random() < 0.5 else None})
    return rows


def text(value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def at_ms(row: dict) -> str:
    # A time without a zone is Chinese time: 12:00 there is 04:00 UTC. 1 March 2026 is day 20,513 since 1970.
    return str((20513 + int(row["at"][9]) - 1) * 86_400_000 + 4 * 3_600_000)


def expected(rows: list) -> dict:
    """Table → sorted rows of texts."""
    current = {}
    for row in rows:
        current.pop(row["id"], None)
        if row["status"] != GONE:
            current[row["id"]] = row
    return {
        "appended": sorted([[at_ms(row) if field == "at" else text(row[field]) for field in APPENDED] for row in rows]),
        "current": sorted([[text(row[field]) for field in CURRENT] for row in current.values()]),
        "by_change": sorted([[row["id"], row["dept"]] for row in current.values()]),
    }


class Job:
    """A folder with a topology and its state."""

    def __init__(self, huiliu: Path, folder: Path, target, rows: list, port: int = 0, more: str = ""):
        self.huiliu, self.folder, self.target, self.rows = huiliu, folder, target, rows
        folder.mkdir(parents=True)
        deletes = f"delete_when: {{status: {GONE}}}"
        (folder / "topology.yaml").write_text(TOPOLOGY.format(
            appended=target.sink("rows", "appended", APPENDED, more=more, port=port),
            current=target.sink("rows", "current", CURRENT, key="id", more=deletes, port=port),
            by_change=target.sink("versions.changes", "by_change", BY_CHANGE, key="id", port=port)))
        with open(folder / "rows.ndjson", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    def start(self, **env) -> subprocess.Popen:
        log = open(self.folder / "log.txt", "ab")
        return subprocess.Popen([self.huiliu, "run", "-q", "topology.yaml"], cwd=self.folder, env=dict(os.environ, **env),
                                stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def run_to_end(self, **env) -> None:
        code = self.start(**env).wait(END_S)
        assert code == 0, f"a run ended with {code}:\n{self.log()}"

    def whole_log(self) -> str:
        return (self.folder / "log.txt").read_text(errors="replace")

    def log(self) -> str:
        return self.whole_log()[-3000:]

    def check(self, wanted: dict) -> None:
        for table, fields in (("appended", APPENDED), ("current", CURRENT), ("by_change", BY_CHANGE)):
            found = sorted(self.target.rows(table, fields))
            if found == wanted[table]:
                continue
            pairs = zip(found + [None], wanted[table] + [None])
            first = next(pair for pair in pairs if pair[0] != pair[1])
            raise AssertionError(f"{table}: {len(found)} rows, {len(wanted[table])} wanted; first difference "
                                 f"{first[0]} instead of {first[1]}\n{self.log()}")


def terminate(process: subprocess.Popen) -> int:
    """Its exit code; AssertionError if it does not end in time."""
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(f"SIGTERM did not end the run within {STOP_S} s")
