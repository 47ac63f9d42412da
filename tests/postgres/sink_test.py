#!/usr/bin/env python3
"""The sink `postgres` on a real server: the contract of every sink (tests/sinks), then what is special to PostgreSQL.

    sink_test.py HUILIU [--kills N] [--seed N] [SCENARIO ...]
"""
import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "sinks"))

from contract import SCENARIOS, Contract, run_contract  # noqa: E402
from mistakes import MISTAKES, Mistakes  # noqa: E402
from server import Postgres  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("huiliu", type=Path)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS + MISTAKES))
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    unknown = set(args.scenarios) - set(SCENARIOS + MISTAKES)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    work = Path(tempfile.mkdtemp(prefix="huiliu-postgres-"))
    os.chmod(work, 0o755)  # the server runs as another user
    server = Postgres(work / "server")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the server ends with the test
    try:
        server.start()
        run_contract(Contract(args.huiliu.resolve(), work, server, args.seed, args.kills), args.scenarios)
        mistakes = Mistakes(args.huiliu.resolve(), work, server)
        for name in MISTAKES:
            if args.scenarios and name not in args.scenarios:
                continue
            begun = time.monotonic()
            getattr(mistakes, name)()
            print(f"postgres {name} ({time.monotonic() - begun:.0f} s)", flush=True)
        shutil.rmtree(work)
        return 0
    except AssertionError as error:
        print(f"FAILED: {error}; see {work}", file=sys.stderr)
        return 1
    finally:
        server.kill()


if __name__ == "__main__":
    sys.exit(main())
