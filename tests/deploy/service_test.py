#!/usr/bin/env python3
"""Runs the installed program as its unit does, in a root, and watches it from outside.

usage: service_test.py ROOT        (as root: it enters ROOT as the user huiliu)

It has the unit's word to the service manager, the kernel's refusal of memory that is written and
executed (MemoryDenyWriteExecute=), no further privileges, and a script, so that LuaJIT runs.
"""
import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(sys.argv[1])
PR_SET_NO_NEW_PRIVS, PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 38, 65, 1
TOPOLOGY = """\
topology: tiny
sources:
  in: {type: file, path: /etc/huiliu/tiny/in, watch: true, fields: [k]}
operators:
  twice: {type: script, input: in, sets: {k: string}, code: "k = k .. k"}
sinks:
  out: {type: file, input: twice, path: /var/lib/huiliu/out.ndjson}
  bad: {type: file, path: /var/lib/huiliu/bad.ndjson}
rejects: bad
"""


def confine() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")
    if libc.prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the kernel (6.3 or later) cannot refuse W^X")


def wait_for(manager: socket.socket, what: str) -> None:
    while True:
        text = manager.recv(4096).decode()
        if text == what:
            return


def main() -> int:
    folder = ROOT / "etc/huiliu/tiny"
    (folder / "in").mkdir(parents=True)
    (folder / "topology.yaml").write_text(TOPOLOGY, encoding="utf-8")
    (folder / "in/a.csv").write_text("k\nx\ny\n", encoding="utf-8")
    name = f"huiliu-package-test-{os.getpid()}"
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind("\0" + name)
    manager.settimeout(30)
    run = subprocess.Popen(
        ["chroot", "--userspec=huiliu:huiliu", str(ROOT), "/usr/bin/huiliu", "run", "--quiet",
         "--listen", "127.0.0.1:0", "--state", "/var/lib/huiliu/tiny/state", "/etc/huiliu/tiny/topology.yaml"],
        env={"PATH": "/usr/bin:/usr/sbin", "NOTIFY_SOCKET": "@" + name, "WATCHDOG_USEC": "30000000"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        address = ""
        for line in run.stdout:
            print("  " + line, end="")
            if found := re.search(r"http://([0-9.:]+)/", line):
                address = found[1]
                break
        assert address, "it does not say where it listens"
        wait_for(manager, "READY=1")
        wait_for(manager, "WATCHDOG=1")
        for page in ("livez", "readyz", "metrics"):
            with urllib.request.urlopen(f"http://{address}/{page}", timeout=10) as answer:
                assert answer.status == 200, page
        status = subprocess.run(["chroot", str(ROOT), "huiliu", "status", address],
                                check=True, capture_output=True, text=True).stdout
        print("  " + status.splitlines()[0])
        out = ROOT / "var/lib/huiliu/out.ndjson"
        while not (out.exists() and "yy" in out.read_text(encoding="utf-8")):
            wait_for(manager, "WATCHDOG=1")  # a second; 30 s of silence end the test
            assert run.poll() is None, "it ended"
        run.send_signal(signal.SIGTERM)
        wait_for(manager, "STOPPING=1")
        assert run.wait(timeout=30) == 130, run.returncode
        assert out.read_text(encoding="utf-8").split() == ['{"k":"xx"}', '{"k":"yy"}'], out.read_text()
    finally:
        if run.poll() is None:
            run.kill()
            print(run.stdout.read())
    print("ready, watched and stopped with 130; the script ran where no memory is written and executed")
    return 0


if __name__ == "__main__":
    # Before anything is started: what is started inherits both.
    if os.geteuid() != 0:
        sys.exit("service_test.py: needs root to enter the root")
    confine()
    sys.exit(main())
