#!/usr/bin/env python3
"""`scripts/demo --observe` as its user sees it: what it prints answers, rows come, Ctrl-C ends it, and nothing is left.

    demo_test.py HUILIU CREDIT_SAMPLE
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from prometheus import get, until

HERE = Path(__file__).resolve().parent


def rows(prometheus):
    found = json.loads(get(prometheus + "/api/v1/query?query=sum(huiliu_by_department_records_total)"))["data"]["result"]
    return float(found[0]["value"][1]) if found else 0


def read_addresses(demo):
    said = ""
    for line in demo.stdout:
        said += line
        if line.startswith("Ctrl-C"):
            break
    return dict(re.findall(r"^  (metrics|status|graphs|alerts) +(\S+)", said, re.M)), said


def children(pid):
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def main():
    os.environ["no_proxy"] = "*"
    with tempfile.TemporaryDirectory() as folder:
        demo = subprocess.Popen([sys.executable, "-B", HERE / "demo.py", "--huiliu", sys.argv[1], "--sample", sys.argv[2],
                                 "--every", "0.3", "--any-ports"], env=os.environ | {"TMPDIR": folder},
                                stdout=subprocess.PIPE, text=True)
        try:
            addresses, said = read_addresses(demo)
            assert len(addresses) == 4, said
            for address in addresses.values():
                assert get(address), address
            base = addresses["graphs"].removesuffix("/graph")
            until("Prometheus has rows of departments", lambda: rows(base) > 300)
            groups = json.loads(get(base + "/api/v1/rules"))["data"]["groups"]
            assert any(rule["name"] == "HuiliuDown" for group in groups for rule in group["rules"]), groups
            started = children(demo.pid)
            assert len(started) >= 2, started
            demo.send_signal(signal.SIGINT)
            assert demo.wait(60) == 0, demo.returncode
        finally:
            demo.kill()
            demo.wait()
        left = [pid for pid in started if Path(f"/proc/{pid}").exists()]
        assert not left and not os.listdir(folder), (left, os.listdir(folder))
    print("the demo showed rows of departments, ended by Ctrl-C and left nothing")


if __name__ == "__main__":
    main()
