"""What a sink's test must offer so that the scenarios of contract.py can be run on it."""
import abc
import socket


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Target(abc.ABC):
    """A server of its own on a free port of the loopback, in a folder of its own."""

    name: str  # for messages
    failpoints: list  # steps of the sink's own, of runtime/base/failpoint.cpp
    port: int  # where the server listens
    commit_request: bytes  # how the request that commits begins, for the proxy that loses its answer

    # --- the server -----------------------------------------------------------------------------------
    @abc.abstractmethod
    def start(self) -> None:
        """Returns when it answers; with what it had before."""

    @abc.abstractmethod
    def kill(self) -> None:
        """SIGKILL; also at the end of a test, and if it does not run."""

    @abc.abstractmethod
    def freeze(self) -> None:
        """It stays connected and says nothing more, until thaw()."""

    @abc.abstractmethod
    def thaw(self) -> None: ...

    # --- what is in it --------------------------------------------------------------------------------
    @abc.abstractmethod
    def empty(self) -> None:
        """Takes all tables and positions away."""

    @abc.abstractmethod
    def sink(self, stream: str, table: str, fields: list, key: str = "", more: str = "", port: int = 0) -> str:
        """The sink in YAML, in one line; with `key` rows are upserted. `port`: of a proxy before the server."""

    @abc.abstractmethod
    def rows(self, table: str, fields: list) -> list:
        """Texts of the fields of each row, read by another client than the sink's, in no order: numbers as Python's
        str() has them, booleans as true and false, times in ms since 1970, JSON without blanks, null as ""."""
