#!/usr/bin/env python3
"""The monitor over TLS: who is trusted, who is let in, and what a file that does not serve is answered with.

    tls_test.py HUILIU
"""
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import tempfile
import urllib.request

from prometheus import free_port, until

HUILIU = str(pathlib.Path(sys.argv[1]).resolve())
TOPOLOGY = """topology: private
epoch: 100ms
server: {{listen: "127.0.0.1:{port}", tls: {{{tls}}}}}
sources:
  rows: {{type: generate, rate: 1000/s, fields: [{{name: n, sequence: {{}}}}]}}
sinks:
  out: {{type: file, input: rows, path: out.ndjson}}
"""
FILES = "certificate: server.pem, key: server.key"


def openssl(folder, *command):
    subprocess.run(["openssl", *command], cwd=folder, check=True, stderr=subprocess.DEVNULL)


def make_certificates(folder):
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for name in ("ca", "other"):
        openssl(folder, "req", "-x509", *key, "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    for name in ("server", "client"):
        (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl(folder, "req", *key, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl(folder, "x509", "-req", "-days", "2", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-extfile", "names", "-out", f"{name}.pem")


class Run:
    def __init__(self, folder, tls):
        self.folder = folder
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        (folder / "t.yaml").write_text(TOPOLOGY.format(port=self.port, tls=tls))

    def __enter__(self):
        self.process = subprocess.Popen([HUILIU, "run", "-q", "t.yaml"], cwd=self.folder, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 130, self.process.returncode

    def says(self, *command, code=0):
        ended = subprocess.run([HUILIU, *command], cwd=self.folder, capture_output=True, text=True, timeout=60)
        assert ended.returncode == code, (command, ended)
        return ended.stdout + ended.stderr

    def answers(self, *options):
        return subprocess.run([HUILIU, "status", *options], cwd=self.folder, capture_output=True).returncode == 0


def check_trust(folder):
    with Run(folder, FILES) as run:
        until("the run answers", lambda: run.answers("t.yaml"))
        assert "private" in run.says("status", "--ca", "ca.pem", run.url)
        assert "private" in run.says("status", "--ca", "ca.pem", f"https://localhost:{run.port}")
        assert "--ca" in run.says("status", "--ca", "other.pem", run.url, code=2)
        assert "--ca" in run.says("status", run.url, code=2)
        run.says("status", f"127.0.0.1:{run.port}", code=1)  # plain HTTP
        assert "in/s" in run.says("top", "--interval", "0.5", "t.yaml")
        assert "paused" in run.says("pause", "t.yaml")
        run.says("resume", "--ca", "ca.pem", run.url)
        run.says("log-level", "warning", "--ca", "ca.pem", run.url)
        context = ssl.create_default_context(cafile=folder / "ca.pem")
        with urllib.request.urlopen(run.url + "/metrics", timeout=10, context=context) as page:
            assert b"huiliu_" in page.read()


def check_clients(folder):
    with Run(folder, FILES + ", client_ca: ca.pem") as run:
        ours = ("--certificate", "client.pem", "--key", "client.key")
        until("the run answers", lambda: run.answers("t.yaml", *ours))
        assert "private" in run.says("status", "--ca", "ca.pem", *ours, run.url)
        assert "--certificate" in run.says("status", "--ca", "ca.pem", run.url, code=2)
        run.says("status", "--ca", "ca.pem", "--certificate", "other.pem", "--key", "other.key", run.url, code=2)


def check_mistakes(folder):
    (folder / "noise.pem").write_text("noise\n")
    before = (folder / "out.ndjson").read_bytes()
    for tls, *words in (("certificate: none.pem, key: server.key", "none.pem", "No such file"),
                        ("certificate: server.pem, key: none.key", "none.key", "No such file"),
                        ("certificate: noise.pem, key: server.key", "noise.pem", "BEGIN CERTIFICATE"),
                        ("certificate: server.pem, key: other.key", "other.key", "does not fit", "server.pem"),
                        (FILES + ", client_ca: none.pem", "client_ca", "none.pem"),
                        ("certificate: server.pem", "key")):
        said = Run(folder, tls).says("run", "-q", "t.yaml", code=2)
        assert all(word in said for word in words), said
    assert (folder / "out.ndjson").read_bytes() == before


def main():
    os.environ["no_proxy"] = "*"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make_certificates(folder)
        check_trust(folder)
        check_clients(folder)
        check_mistakes(folder)
    print("tls: ok")


if __name__ == "__main__":
    main()
