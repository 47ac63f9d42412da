#!/usr/bin/env python3
"""Wraps the prose of Markdown files at 100 columns; code, tables, headings and HTML stay as they are.

usage: wrap_markdown.py [--check] FILE...
With --check it changes nothing and fails if a file would change.
"""
import re
import sys
import textwrap
from pathlib import Path

COLUMNS = 100
ITEM = re.compile(r"^(\s*)([-*+]|\d+[.)])\s+")
# A line that begins so would mean something else than prose.
MARKUP = re.compile(r"^([-*+>#|]|\d+[.)]\s|[-=]+$)")


def wrapped(words: str, first: str, rest: str) -> list[str]:
    # A link's text or a piece of code may be broken at its blanks: Markdown reads it the same.
    lines = textwrap.wrap(words, COLUMNS, initial_indent=first, subsequent_indent=rest,
                          break_long_words=False, break_on_hyphens=False)
    for number in range(1, len(lines)):
        if MARKUP.match(lines[number].strip()):  # take the word that stood before along
            head, _, last = lines[number - 1].rpartition(" ")
            lines[number - 1] = head
            lines[number] = rest + last + " " + lines[number].strip()
    return lines


def wrap(text: str) -> str:
    out: list[str] = []
    block: list[str] = []
    first = rest = ""
    in_code = False

    def flush() -> None:
        nonlocal block
        if block:
            out.extend(wrapped(" ".join(block), first, rest))
            block = []

    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith(("```", "~~~")):
            flush()
            in_code = not in_code
            out.append(line)
            continue
        item = ITEM.match(line)
        prose = stripped and not in_code and not stripped.startswith(("|", "#", "<", ">", "[^"))
        if not prose or (line.startswith("    ") and not block and not item):
            flush()
            out.append(line)
            continue
        if item:
            flush()
            first, rest = item[0], " " * len(item[0])
            block = [line[item.end():].strip()]
        elif block:
            block.append(stripped)
        else:
            indent = line[: len(line) - len(line.lstrip())]
            first = rest = indent
            block = [stripped]
        if line.endswith(("  ", "\\")):  # a line break that is meant
            flush()
    flush()
    return "\n".join(out) + "\n"


def main() -> int:
    check = "--check" in sys.argv
    changed = 0
    for name in sys.argv[1:]:
        if name == "--check":
            continue
        path = Path(name)
        text = path.read_text(encoding="utf-8")
        new = wrap(text)
        if new == text:
            continue
        changed += 1
        if check:
            print(f"{name}: not wrapped at {COLUMNS} columns; run scripts/format", file=sys.stderr)
        else:
            path.write_text(new, encoding="utf-8")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
