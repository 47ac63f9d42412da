#!/usr/bin/env python3
"""Every library that does not fit is refused, with the place in the topology file and the reason.

usage: refusals_test.py HUILIU FOLDER_OF_LIBRARIES AN_OBJECT_FILE
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HUILIU, LIBRARIES, OBJECT = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
HEADER = Path(__file__).resolve().parents[2] / "runtime/component/library.h"
ABI = int(re.search(r"kLibraryAbi = (\d+)", HEADER.read_text())[1])
TOPOLOGY = """topology: refusal
libraries:
  - {library}
sources:
  in: {{type: file, path: ., pattern: ["*.csv"], fields: [a]}}
operators:
  step: {{type: fine, input: in}}
sinks:
  out: {{type: file, path: out.ndjson, input: step}}
rejects: out
"""


class Refusals(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def validate(self, library) -> str:
        """What `validate` says of a topology with the library; it must be an error of line 3."""
        path = self.folder / "topology.yaml"
        path.write_text(TOPOLOGY.format(library=library), encoding="utf-8")
        ended = subprocess.run([HUILIU, "validate", path], capture_output=True, text=True)
        self.assertEqual(ended.returncode, 2, ended.stdout + ended.stderr)
        self.assertIn(f"{path}:3:5: error: cannot use the library", ended.stderr)
        # The operator that the library should have brought is no second mistake.
        self.assertIn("\n1 error\n", ended.stderr)
        return ended.stderr

    def refused_unrun(self, library, *words):
        text = self.validate(library)
        for word in words:
            self.assertIn(word, text)
        self.assertNotIn("THE LIBRARY RAN", text)

    def refused(self, library, *words):
        text = self.validate(LIBRARIES / library)
        for word in words:
            self.assertIn(word, text)

    def test_a_missing_file(self):
        self.refused_unrun("lib/none.so", str(self.folder / "lib/none.so"), "there is no such file")

    def test_a_folder(self):
        self.refused_unrun(".", "it is no file")

    def test_text(self):
        (self.folder / "text.so").write_text("INPUT(libreal.so)")
        self.refused_unrun("text.so", "it is not an ELF file")
        (self.folder / "long.so").write_text("text " * 100)
        self.refused_unrun("long.so", "it is not an ELF file")

    def test_an_object_file(self):
        self.refused_unrun(OBJECT, "no shared library", "add_library(NAME MODULE ...)")

    def test_another_processor(self):
        content = bytearray((LIBRARIES / "ABI.so").read_bytes())
        content[18:20] = (8).to_bytes(2, "little")  # e_machine: MIPS
        (self.folder / "mips.so").write_bytes(content)
        self.refused_unrun("mips.so", "another kind of processor")

    def test_no_entry(self):
        self.refused_unrun(LIBRARIES / "NO_ENTRY.so", "no symbol 'huiliu_library_v1'", "HUILIU_LIBRARY")
        self.refused_unrun(LIBRARIES / "FUNCTION.so", "no symbol 'huiliu_library_v1'")

    def test_another_abi_number(self):
        self.refused_unrun(LIBRARIES / "ABI.so", f"its ABI number is {ABI + 1}, this huiliu's is {ABI}", "again")

    def test_another_version(self):
        self.refused_unrun(LIBRARIES / "VERSION.so", "built for huiliu 0.0.9, this is huiliu ")
        self.refused_unrun(LIBRARIES / "UNENDED_TEXT.so", "built for huiliu xxxx")

    def test_another_compiler(self):
        self.refused_unrun(LIBRARIES / "CXX_ABI.so", "its C++ ABI is 'x86_64 libstdc++-4 cxx11=0'")

    def test_other_headers(self):
        self.refused_unrun(LIBRARIES / "LAYOUT.so", "built with other headers")

    def test_a_name_that_exists(self):
        self.refused("SECOND_FILTER.so", "its operator type 'filter' exists already")
        self.refused("TWICE.so", "its operator type 'twice' exists already")

    def test_types_that_are_not_complete(self):
        self.refused("NO_CREATE.so", "its operator type 'half' lacks a function")
        self.refused("NOTHING.so", "it registers nothing")

    def test_a_register_function_that_throws(self):
        self.refused("THROWS.so", "its register function failed: no licence")

    def test_an_operator_that_throws(self):
        """It ended with "terminate called" and 134: the run ends with node, record and remedy."""
        path = self.folder / "topology.yaml"
        path.write_text(TOPOLOGY.format(library=LIBRARIES / "PROCESS_THROWS.so")
                        .replace("path: ., ", "path: in, "), encoding="utf-8")
        (self.folder / "in").mkdir()
        (self.folder / "in/a.csv").write_text("a\n1\n2\n3\n4\n")
        for threads in "1", "3":
            ended = subprocess.run([HUILIU, "run", "--quiet", "--parallelism", threads, path],
                                   capture_output=True, text=True)
            self.assertEqual(ended.returncode, 1, ended.stderr)
            self.assertIn("error: 'step' failed at a.csv:3: no band for 3; nothing of this epoch was "
                          "committed", ended.stderr)
        ended = subprocess.run([HUILIU, "explain", path, "--at", "a.csv:3"], capture_output=True, text=True)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn("'step' failed at a.csv:3: no band for 3", ended.stderr)

    def test_a_symbol_that_is_nowhere(self):
        self.refused("UNDEFINED_SYMBOL.so", "that_nobody_defines")

    def test_damaged_files_are_refused_and_never_crash(self):
        content = (LIBRARIES / "ABI.so").read_bytes()
        for step in range(1, 40):
            (self.folder / "damaged.so").write_bytes(content[: len(content) * step // 40])
            self.refused_unrun("damaged.so")
        for byte in [*range(16, 64), *range(len(content) - 2000, len(content), 53)]:
            damaged = bytearray(content)
            damaged[byte] ^= 0xFF
            (self.folder / "damaged.so").write_bytes(damaged)
            self.refused_unrun("damaged.so")

    def test_a_list_that_is_none(self):
        path = self.folder / "topology.yaml"
        path.write_text(TOPOLOGY.format(library="{a: b}"), encoding="utf-8")
        ended = subprocess.run([HUILIU, "validate", path], capture_output=True, text=True)
        self.assertIn(":3:5: error: 'libraries' expects a single value", ended.stderr)

    def test_the_command_line(self):
        library = LIBRARIES / "ABI.so"
        for command in (["list"], ["describe", "operator", "fine"], ["schema", "--topology"]):
            ended = subprocess.run([HUILIU, *command, "--library", library],
                                   capture_output=True, text=True)
            self.assertEqual(ended.returncode, 2)
            self.assertIn(f"its ABI number is {ABI + 1}", ended.stderr)


if __name__ == "__main__":
    os.environ.pop("LIBRARY", None)
    unittest.main(argv=sys.argv[:1])
