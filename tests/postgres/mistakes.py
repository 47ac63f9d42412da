"""What goes wrong for ever, or is special to PostgreSQL: each ends with an error that says what to do, or as a reject."""
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from server import PASSWORD, Postgres

MISTAKES = ["password", "columns", "key", "rights", "dropped", "two_sinks", "rejects", "zombie"]
END_S = 40
INVALID, TAKEN_OVER = 2, 5
TOPOLOGY = """topology: {name}
epoch: 50ms
rejects: rejected
sources:
  rows: {source}
sinks:
{sinks}
  rejected: {{type: file, path: rejected.ndjson}}
"""
SOURCE = "{type: file, path: rows.ndjson, fields: [id, {name: n, type: int64}, note]}"
SLOW = "{type: generate, rate: 2000/s, count: 20000, fields: [{name: n, sequence: {}}, {name: id, sequence: {}, pattern: 'i{}'}]}"
FIELDS = ["id", "n"]


class Mistakes:
    def __init__(self, huiliu: Path, work: Path, server: Postgres):
        self.huiliu, self.work, self.server = huiliu, work, server
        self.number = 0

    def folder(self, sinks: dict, name: str = "mistakes", source: str = SOURCE, rows: list = ()) -> Path:
        self.number += 1
        folder = self.work / f"mistake{self.number}"
        folder.mkdir()
        lines = "\n".join(f"  {sink}: {text}" for sink, text in sinks.items())
        (folder / "topology.yaml").write_text(TOPOLOGY.format(name=name, source=source, sinks=lines))
        with open(folder / "rows.ndjson", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows or [{"id": "a", "n": 1}])
        return folder

    def start(self, folder: Path, **env) -> subprocess.Popen:
        log = open(folder / "log.txt", "ab")
        return subprocess.Popen([self.huiliu, "run", "-q", "topology.yaml"], cwd=folder, env=dict(os.environ, **env),
                                stdout=log, stderr=log)

    def run(self, folder: Path, code: int, *says: str) -> None:
        process = self.start(folder)
        try:
            found = process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            found = process.wait()
        self.expect(folder, found, code, *says)

    @staticmethod
    def expect(folder: Path, found: int, code: int, *says: str) -> None:
        log = (folder / "log.txt").read_text(errors="replace")
        assert found == code, f"exit code {found} instead of {code}:\n{log[-2000:]}"
        for text in says:
            assert text in log, f"it does not say '{text}':\n{log[-2000:]}"
        assert PASSWORD not in log, "the log shows the password"

    def sink(self, table: str = "t", key: str = "", more: str = "", fields: list = FIELDS) -> str:
        return self.server.sink("rows", table, fields, key=key, more=more)

    # --- mistakes -----------------------------------------------------------------------------------------

    def password(self) -> None:
        self.server.empty()
        wrong = self.sink().replace(PASSWORD, PASSWORD + "x")
        self.run(self.folder({"out": wrong}), INVALID, "28P01", "pg_hba.conf")
        self.run(self.folder({"out": self.sink().replace("database: postgres", "database: nowhere")}), INVALID, "3D000")
        url = f"{{type: postgres, input: rows, url: 'postgresql://huiliu:{PASSWORD}@127.0.0.1/x', table: t}}"
        folder = self.folder({"out": url})
        self.run(folder, INVALID, "%2F")  # the password's slash must be written otherwise
        good = url.replace(PASSWORD, PASSWORD.replace("/", "%2F")).replace("127.0.0.1/x", f"127.0.0.1:{self.server.port}/postgres")
        self.run(self.folder({"out": good}), 0)
        assert self.server.rows("t", FIELDS) == [["a", "1"]]

    def columns(self) -> None:
        self.server.empty()
        self.server.ask("CREATE TABLE t(id text)")
        self.run(self.folder({"out": self.sink()}), INVALID, "the column public.t.n is missing", "ADD COLUMN \"n\" bigint")
        self.server.ask("ALTER TABLE t ADD COLUMN n integer")
        folder = self.folder({"out": self.sink()})
        self.run(folder, INVALID, "public.t.n is integer, the sink writes bigint")
        self.server.ask("ALTER TABLE t ALTER COLUMN n TYPE bigint")
        self.server.ask("ALTER TABLE t ADD COLUMN more text NOT NULL")
        self.run(folder, INVALID, "public.t.more must not be null")
        self.server.ask("ALTER TABLE t DROP COLUMN more, ADD COLUMN own text DEFAULT 'x'")
        self.run(folder, 0)
        assert self.server.rows("t", ["id", "n", "own"]) == [["a", "1", "x"]]
        self.run(self.folder({"out": self.sink("none", more="create: false")}), INVALID, "`create` is false", "CREATE TABLE")
        self.server.ask("COMMENT ON TABLE t IS 'huiliu 2: of later'")
        self.run(folder, INVALID, "later version")

    def key(self) -> None:
        self.server.empty()
        self.server.ask("CREATE TABLE t(id text, n bigint)")
        folder = self.folder({"out": self.sink(key="id")})
        self.run(folder, INVALID, "no unique index", "ADD PRIMARY KEY (\"id\")")
        self.server.ask("ALTER TABLE t ADD PRIMARY KEY (id)")
        self.run(folder, 0)
        self.server.ask("CREATE UNLOGGED TABLE u(id text PRIMARY KEY, n bigint)")
        self.run(self.folder({"out": self.sink("u", key="id")}, name="unlogged"), INVALID, "SET LOGGED")

    def rights(self) -> None:
        self.server.empty()
        self.server.ask("DROP ROLE IF EXISTS small")
        self.server.ask(f"CREATE ROLE small LOGIN PASSWORD '{PASSWORD}'; GRANT USAGE ON SCHEMA public TO small")
        small = self.sink().replace("user: huiliu", "user: small")
        folder = self.folder({"out": small})
        self.run(folder, INVALID, "42501", "GRANT")
        # Those who make tables and those who write them may be different.
        self.run(self.folder({"out": self.sink()}, name="maker"), 0)
        self.server.ask("DELETE FROM huiliu_positions; GRANT SELECT, INSERT, UPDATE ON huiliu_positions TO small")
        self.run(folder, INVALID, "GRANT INSERT ON \"public\".\"t\" TO small")
        self.server.ask("GRANT INSERT ON t TO small")
        self.run(folder, 0)
        self.server.empty()
        self.server.ask("DROP ROLE small")

    def dropped(self) -> None:
        """A table that goes while it runs is an error, and so is the next start: what was in it does not come again."""
        self.server.empty()
        folder = self.folder({"out": self.sink()}, source=SLOW)
        process = self.start(folder)
        self.wait(lambda: self.server.ask("SELECT count(*) > 100 FROM t", check=False) == "t\n")
        self.server.ask("DROP TABLE t")
        self.expect(folder, process.wait(END_S), INVALID, "42P01")
        self.run(folder, INVALID, "it is gone", "CREATE TABLE \"public\".\"t\"")

    def two_sinks(self) -> None:
        self.server.empty()
        folder = self.folder({"one": self.sink(), "two": self.sink()})
        self.run(folder, INVALID, "writes it too", "DELETE FROM")
        self.server.empty()
        self.run(self.folder({"one": self.sink()}, name="first"), 0)
        self.run(self.folder({"one": self.sink()}, name="second"), INVALID, "of topology 'first'")
        self.server.empty()
        self.run(self.folder({"one": self.sink(key="id"), "two": self.sink(key="id")}), 0)

    def rejects(self) -> None:
        """What the server would not take never stops the sink."""
        self.server.empty()
        rows = [{"id": "a", "n": 1}, {"id": "b\0c", "n": 2}, {"n": 3}, {"id": "x" * 3000, "n": 4}, {"id": "d", "n": 5}]
        source = SOURCE.replace("note", "{name: doc, type: json}")
        rows += [{"id": "e", "n": 6, "doc": {"k": "\0"}}, {"id": "f", "n": 7, "doc": {"k": "\ud800"}}]
        folder = self.folder({"out": self.sink(key="id", fields=["id", "n", "doc"])}, source=source, rows=rows)
        self.run(folder, 0)
        assert sorted(self.server.rows("t", FIELDS)) == [["a", "1"], ["d", "5"]], self.server.rows("t", FIELDS)
        refused = [json.loads(line) for line in (folder / "rejected.ndjson").read_text().splitlines()]
        codes = [(row["n"], row["reject_code"]) for row in refused if row["reject_by"] == "out"]
        assert {(3, "E815_NO_KEY"), (4, "E816_NOT_STORABLE")} <= set(codes) and len(refused) == 5, refused

    def zombie(self) -> None:
        """One that was stopped while another went on with a copy of its state writes nothing more."""
        self.server.empty()
        folder = self.folder({"out": self.sink()}, source=SLOW)
        process = self.start(folder, HUILIU_STOP_AT="outbox.before_apply:5")
        self.wait(lambda: Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T")
        copy = self.work / "copy"
        shutil.copytree(folder, copy)
        self.run(copy, 0)
        found = sorted(int(n) for n, in self.server.rows("t", ["n"]))
        process.send_signal(signal.SIGCONT)
        self.expect(folder, process.wait(END_S), TAKEN_OVER, "another one writes too")
        assert found == list(range(1, 20_001)), (len(found), len(set(found)))
        assert self.server.ask("SELECT count(*) FROM t") == "20000\n"

    @staticmethod
    def wait(holds) -> None:
        end = time.monotonic() + END_S
        while not holds():
            assert time.monotonic() < end, "it does not come to it"
            time.sleep(0.05)
