#!/usr/bin/env python3
"""Holds the table of allowed includes per folder (docs/architecture.md) and of third parties.

Fails with file, line and rule. Files that grow too long are only listed.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ["domain", "formats", "runtime", "state", "operators", "connectors", "cli", "examples"]
# Folder → folders of ours that its files may include.
ALLOWED = {
    "domain": {"domain"},
    "formats": {"formats"},
    "runtime": {"runtime"},
    "state": {"runtime", "state"},
    "operators": {"runtime", "state", "domain", "formats", "operators"},
    "connectors": {"runtime", "state", "domain", "formats", "connectors"},
    "cli": set(FOLDERS) - {"examples"},
    "examples": {"runtime", "state"},
}
# Start of an include → the only places that may have it.
CONFINED = {
    "rocksdb/": ["state/", "tests/simulation/"],
    "yaml-cpp/": ["runtime/config.cpp"],
    "sqlite3.h": ["connectors/sqlite/"],
    "librdkafka/": ["connectors/kafka/", "bench/"],
    "simdjson": ["connectors/file/", "formats/", "bench/"],
    "luajit": ["operators/"],
    "lua.h": ["operators/"],
    "lua.hpp": ["operators/"],
    "lauxlib.h": ["operators/"],
    "archive": ["formats/"],
    "expat.h": ["formats/"],
    "xlsxwriter": ["formats/", "tools/"],
    "CLI/": ["cli/", "bench/", "tests/", "tools/"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')
MOST_LINES = 400


def forbidden(path: str, quoted: bool, included: str) -> str:
    """The rule that an include breaks, or nothing."""
    folder, target = path.split("/")[0], included.split("/")[0]
    if quoted and folder in ALLOWED and target in FOLDERS and target not in ALLOWED[folder]:
        # Test support is not part of the folder's interface.
        return f"{folder}/ may include only {', '.join(sorted(ALLOWED[folder]))}"
    for start, places in CONFINED.items():
        if included.startswith(start) and not quoted:
            if not any(path.startswith(place) for place in places):
                return f"<{start}> belongs to {', '.join(places)}"
    return ""


def main() -> int:
    broken, long_files = [], []
    for folder in FOLDERS + ["bench", "tools"]:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in (".h", ".cpp"):
                continue
            name = path.relative_to(ROOT).as_posix()
            lines = path.read_text(encoding="utf-8").splitlines()
            if len(lines) > MOST_LINES and not name.endswith("_test.cpp"):
                long_files.append(f"{name}: {len(lines)} lines")
            for number, line in enumerate(lines, 1):
                match = INCLUDE.match(line)
                rule = match and forbidden(name, match[1] == '"', match[2])
                if rule:
                    broken.append(f"{name}:{number}: includes {match[2]}: {rule}")
    if long_files:
        print(f"warning: longer than {MOST_LINES} lines:\n  " + "\n  ".join(long_files))
    if broken:
        print("\n".join(broken), file=sys.stderr)
        return 1
    print("includes keep the table")
    return 0


if __name__ == "__main__":
    sys.exit(main())
