"""A PostgreSQL of its own: free port of the loopback, a temporary folder, never as root."""
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "sinks"))

from target import Target, free_port  # noqa: E402

ACCOUNT = "postgres"  # which the Debian package makes
PASSWORD = "s3cret/word"
START_S = 60


def programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise SystemExit("there is no PostgreSQL: scripts/setup tests")
    return found[-1].parent


class Postgres(Target):
    name = "postgres"
    failpoints = ["postgres.before_commit", "postgres.after_commit"]
    commit_request = b"Q\0\0\0\x0bCOMMIT\0"

    def __init__(self, folder: Path):
        self.folder, self.port = folder, free_port()
        self.process: subprocess.Popen | None = None
        self.bin = programs()
        folder.mkdir()
        secret = folder / "password"
        secret.write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (folder, secret):
                shutil.chown(path, ACCOUNT, ACCOUNT)
        subprocess.run([*self._as_account(), self.bin / "initdb", "-D", folder / "data", "-U", "huiliu", "-A",
                        "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--locale=C.UTF-8", "-N"],
                       check=True, stdout=subprocess.DEVNULL, cwd=folder)

    @staticmethod
    def _as_account() -> list:
        if os.geteuid() != 0:
            return []
        return ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups", "--"]

    def start(self) -> None:
        end = time.monotonic() + START_S
        while True:
            # After a SIGKILL the old one's children may hold its memory for a moment. Nothing here is about a loss of
            # power, so that nothing need be synced.
            if self.process is None or self.process.poll() is not None:
                with open(self.folder / "log.txt", "ab") as log:
                    self.process = subprocess.Popen(
                        [*self._as_account(), self.bin / "postgres", "-D", self.folder / "data", "-p", str(self.port),
                         "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"],
                        stdout=log, stderr=log, cwd=self.folder)
            if self.ask("SELECT 1", check=False) == "1\n":
                return
            if time.monotonic() > end:
                raise AssertionError((self.folder / "log.txt").read_text()[-2000:])
            time.sleep(0.1)

    def _processes(self) -> list:
        """The server first, then those that it has started."""
        if self.process is None:
            return []
        found = [self.process.pid]
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(path.read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
            if parent == self.process.pid:
                found.append(int(path.parent.name))
        return found

    def _signal_all(self, number: int) -> None:
        for pid in self._processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def kill(self) -> None:
        self._signal_all(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def freeze(self) -> None:
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    def ask(self, sql: str, check: bool = True, user: str = "huiliu") -> str:
        command = ["psql", "-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", str(self.port), "-U", user, "-d", "postgres",
                   "-v", "ON_ERROR_STOP=1", "-c", sql]
        ended = subprocess.run(command, env=dict(os.environ, PGPASSWORD=PASSWORD), capture_output=True, text=True,
                               encoding="utf-8", check=False)
        if check and ended.returncode != 0:
            raise AssertionError(f"{sql}: {ended.stderr}")
        return ended.stdout if ended.returncode == 0 else ""

    def ask_file(self, path: Path) -> None:
        subprocess.run(["psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", "huiliu", "-d", "postgres", "-v",
                        "ON_ERROR_STOP=1", "-f", path], env=dict(os.environ, PGPASSWORD=PASSWORD), check=True)

    def empty(self) -> None:
        self.ask("DROP SCHEMA public CASCADE; CREATE SCHEMA public")

    def sink(self, stream: str, table: str, fields: list, key: str = "", more: str = "", port: int = 0) -> str:
        parts = [f"type: postgres, input: {stream}, host: 127.0.0.1, port: {port or self.port}, database: postgres",
                 f"user: huiliu, password: '{PASSWORD}', timeout: 5s, table: {table}, fields: [{', '.join(fields)}]"]
        parts += [f"key: [{key}]"] if key else []
        return "{" + ", ".join(parts + ([more] if more else [])) + "}"

    TEXTS = {"boolean": "CASE WHEN {0} THEN 'true' WHEN NOT {0} THEN 'false' END",
             "timestamp with time zone": "(extract(epoch FROM {0}) * 1000)::bigint::text",
             "jsonb": "replace(replace({0}::text, ', ', ','), ': ', ':')"}

    def rows(self, table: str, fields: list) -> list:
        types = dict(line.split("|") for line in self.ask(
            f"SELECT column_name, data_type FROM information_schema.columns WHERE table_name = '{table}'").splitlines())
        texts = [self.TEXTS.get(types[field], "{0}::text").format(f'"{field}"') for field in fields]
        # Between fields and rows stand signs that no value has.
        columns = ", ".join(f"coalesce({text}, '')" for text in texts)
        found = self.ask(f"SELECT string_agg(concat_ws(chr(31), {columns}, ''), chr(30)) FROM \"{table}\"")
        return [row.split("\x1f")[:-1] for row in found[:-1].split("\x1e")] if found.strip() else []
