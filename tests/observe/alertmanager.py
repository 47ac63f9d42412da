"""An Alertmanager that tells a receiver of ours, as it would tell whoever is on call."""
import http.server
import json
import shutil
import threading
import time

from prometheus import free_port, get, start_server, until

PROGRAMS = ("alertmanager", "prometheus-alertmanager")  # Debian's name is the longer one


class Receiver:
    """A webhook: what came is in `heard`, as (alert, status, time)."""

    def __init__(self):
        self.heard = []
        heard = self.heard

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                heard.extend((one["labels"]["alertname"], one["status"], time.monotonic()) for one in told["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/"

    def first(self, alert, status, since):
        """When it was first heard after `since`, or None."""
        return next((at for name, state, at in self.heard if (name, state) == (alert, status) and at >= since), None)


class Alertmanager:
    """Runs while it is entered; `target` is for Prometheus, and empty where no Alertmanager is installed."""

    def __init__(self, folder, receiver):
        self.program = next(filter(None, map(shutil.which, PROGRAMS)), None)
        self.port = free_port()
        self.target = f"127.0.0.1:{self.port}" if self.program else ""
        self.config, self.data = folder / "alertmanager.json", folder / "alertmanager"
        # In seconds, so that a test sees them; a real one groups for longer.
        route = {"receiver": "on_call", "group_by": ["alertname"], "group_wait": "1s", "group_interval": "1s",
                 "repeat_interval": "1h"}
        hook = {"url": receiver.url, "send_resolved": True}
        self.config.write_text(json.dumps({"route": route, "receivers": [{"name": "on_call", "webhook_configs": [hook]}]}))

    def __enter__(self):
        if self.program:
            self.process = start_server(self.program, f"--config.file={self.config}", f"--storage.path={self.data}",
                                        f"--web.listen-address={self.target}", "--cluster.listen-address=")
            until("Alertmanager is ready", lambda: get(f"http://{self.target}/-/ready"))
        return self

    def __exit__(self, *_):
        if self.program:
            self.process.terminate()
            self.process.wait(30)
