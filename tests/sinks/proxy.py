"""A way between a sink and its server on which the answer to a commit gets lost: the moment that effectively once is
about. Bytes go through as they come; after a request that begins with `commit` nothing comes back, and the
connection ends."""
import socket
import threading
import time

ANSWER_S = 0.5  # in which the server commits, though nobody hears of it


class LosingProxy:
    def __init__(self, target_port: int, commit: bytes):
        self.target_port, self.commit = target_port, commit
        self.to_lose = 0  # commits whose answer is to be lost
        self.lost = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.target_port))
        except OSError:
            client.close()
            return
        deaf = threading.Event()
        threading.Thread(target=self._answers, args=(server, client, deaf), daemon=True).start()
        with client, server:
            try:
                while data := client.recv(1 << 16):
                    loses = self.to_lose > 0 and data.startswith(self.commit)
                    if loses:
                        deaf.set()
                    server.sendall(data)
                    if loses:
                        self.to_lose -= 1
                        time.sleep(ANSWER_S)
                        self.lost += 1
                        return
            except OSError:
                pass

    @staticmethod
    def _answers(server: socket.socket, client: socket.socket, deaf: threading.Event) -> None:
        try:
            while data := server.recv(1 << 16):
                if deaf.is_set():
                    continue
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
