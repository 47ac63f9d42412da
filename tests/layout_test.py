#!/usr/bin/env python3
"""Holds the table of allowed includes per folder (docs/architecture.md) and of third parties.

Fails with file, line and rule, or if the picture of includes in docs/architecture.md is out of
date; `layout_test.py --draw` prints that picture. Files that grow too long are only listed.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BASE = {"runtime/base"}
RECORD = BASE | {"runtime/record"}
COMPONENT = RECORD | {"runtime/component"}
TOPOLOGY = COMPONENT | {"runtime/topology"}
ENGINE = TOPOLOGY | {"runtime/engine"}
DATA = {"domain", "formats"}
BELOW_SERVICE = ENGINE | DATA | {"codecs", "state", "operators", "net"}
# Folder → folders of ours that its files may include besides itself. A connector is a folder of its
# own below connectors/, and none may include another.
ALLOWED = {
    "domain": set(),
    "formats": set(),
    "runtime/base": set(),
    "runtime/record": BASE,
    "runtime/component": RECORD,
    "runtime/topology": COMPONENT,
    "runtime/engine": TOPOLOGY,
    "net": BASE,
    "codecs": COMPONENT | DATA,
    "state": COMPONENT,
    "operators": COMPONENT | DATA | {"state"},
    "connectors": COMPONENT | DATA | {"codecs", "state", "net"},
    "service": BELOW_SERVICE,
    "cli": BELOW_SERVICE | {"service"},
    "examples": COMPONENT | {"state"},
}
# The same for folders inside of a connector: what each may include of its connector besides itself.
INSIDE = {
    "connectors/kafka/client": set(),
    "connectors/kafka/source": {"client"},
    "connectors/kafka/sink": {"client"},
    "connectors/kafka/backend": {"client", "source", "sink"},
}
# What the picture of includes shows; examples, tools and benchmarks use what they like.
ROOTS = {name.split("/")[0] for name in ALLOWED} - {"examples"}
# Start of an include → the only places that may have it.
CONFINED = {
    "rocksdb/": ["state/", "tests/simulation/"],
    "yaml-cpp/": ["runtime/component/config.cpp"],
    "sqlite3.h": ["connectors/sqlite/"],
    "libpq-fe.h": ["connectors/postgres/"],
    "librdkafka/": ["connectors/kafka/", "bench/"],
    "simdjson": ["codecs/", "connectors/file/", "formats/", "bench/"],
    "luajit": ["operators/"],
    "lua.h": ["operators/"],
    "lua.hpp": ["operators/"],
    "lauxlib.h": ["operators/"],
    "archive": ["formats/"],
    "expat.h": ["formats/"],
    "xlsxwriter": ["formats/", "tools/"],
    "boost/": ["net/", "bench/"],
    "openssl/": ["net/"],
    "CLI/": ["cli/", "bench/", "tests/", "tools/"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')
MOST_LINES = 400


def room_of(path: str) -> str:
    """The folder of the table that a file is in: two names deep in runtime/ and connectors/."""
    parts = path.split("/")
    deep = parts[0] in ("runtime", "connectors") and len(parts) > 2
    return "/".join(parts[:2] if deep else parts[:1])


def is_test(path: str) -> bool:
    """A test may build what it tests of anything."""
    return path.endswith(("_test.cpp", "_fuzz.cpp", "harness.h")) or "/testing" in path


def forbidden_inside(path: str, included: str) -> str:
    """The rule that an include of the file's own connector breaks, or nothing."""
    room, target = path.rpartition("/")[0], included.rpartition("/")[0]
    allowed = INSIDE.get(room)
    if allowed is None or target == room or room_of(target + "/") != room_of(path) or is_test(path):
        return ""
    if target.rpartition("/")[2] in allowed:
        return ""
    return f"{room}/ may include of its connector only {', '.join(sorted(allowed)) or 'its own files'}"


def forbidden(path: str, quoted: bool, included: str) -> str:
    """The rule that an include breaks, or nothing."""
    if quoted and forbidden_inside(path, included):
        return forbidden_inside(path, included)
    room, target = room_of(path), room_of(included)
    allowed = ALLOWED.get("connectors" if room.startswith("connectors/") else room)
    if quoted and "/" in included and allowed is not None and not is_test(path):
        if target != room and target not in allowed:
            return f"{room}/ may include only {', '.join(sorted(allowed)) or 'its own files'}"
    for start, places in CONFINED.items():
        if included.startswith(start) and not quoted:
            if not any(path.startswith(place) for place in places):
                return f"<{start}> belongs to {', '.join(places)}"
    return ""


def picture(arrows: set) -> str:
    """Which folders include which, as Mermaid. What another folder hands on is not drawn again."""
    def reached(start: str, without: str) -> set:
        seen, todo = set(), [t for f, t in arrows if f == start and t != without]
        while todo:
            room = todo.pop()
            if room not in seen:
                seen.add(room)
                todo += [t for f, t in arrows if f == room]
        return seen

    drawn = sorted(a for a in arrows if a[1] not in reached(a[0], a[1]))
    names = {room: room.replace("/", "_") for arrow in arrows for room in arrow}
    lines = ["flowchart TD"]
    lines += [f'  {name}["{room}"]' for room, name in sorted(names.items())]
    lines += [f"  {names[f]} --> {names[t]}" for f, t in drawn]
    return "\n".join(lines) + "\n"


def circles(arrows: set) -> list:
    """Arrows that lead back to where they come from."""
    todo, gone = set(arrows), True
    while gone:
        gone = {a for a in todo if not any(a[1] == b[0] for b in todo)}
        todo -= gone
    return sorted(todo)


def main() -> int:
    broken, long_files, arrows = [], [], set()
    for folder in sorted({name.split("/")[0] for name in ALLOWED} | {"bench", "tools"}):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in (".h", ".cpp"):
                continue
            name = path.relative_to(ROOT).as_posix()
            lines = path.read_text(encoding="utf-8").splitlines()
            if len(lines) > MOST_LINES and not name.endswith("_test.cpp"):
                long_files.append(f"{name}: {len(lines)} lines")
            for number, line in enumerate(lines, 1):
                match = INCLUDE.match(line)
                if match and match[1] == '"' and "/" in match[2] and not is_test(name):
                    arrows.add((room_of(name), room_of(match[2])))
                rule = match and forbidden(name, match[1] == '"', match[2])
                if rule:
                    broken.append(f"{name}:{number}: includes {match[2]}: {rule}")
    arrows = {(f, t) for f, t in arrows if f != t and f.split("/")[0] in ROOTS}
    if "--draw" in sys.argv:
        print(picture(arrows), end="")
        return 0
    broken += [f"{f} includes {t}, which leads back to it" for f, t in circles(arrows)]
    if picture(arrows) not in (ROOT / "docs/architecture.md").read_text(encoding="utf-8"):
        broken.append("docs/architecture.md: its picture of includes is out of date; put the output "
                      "of tests/layout_test.py --draw there")
    if long_files:
        print(f"warning: longer than {MOST_LINES} lines:\n  " + "\n  ".join(long_files))
    if broken:
        print("\n".join(broken), file=sys.stderr)
        return 1
    print("includes keep the table")
    return 0


if __name__ == "__main__":
    sys.exit(main())
