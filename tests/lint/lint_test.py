#!/usr/bin/env python3
"""The lint scripts must find what they are there for: each case plants one violation in a small tree."""
from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent


def run(script: str, files: dict[str, str]) -> tuple[int, str]:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = subprocess.run([sys.executable, HERE / script, folder], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout


class Rooms(unittest.TestCase):
    def test_clean_tree_passes(self) -> None:
        status, _ = run("rooms.py", {"server/storage/log.cc": '#include "protocol/base/result.h"\n#include <thread>\n'})
        self.assertEqual(status, 0)

    def test_forbidden_include(self) -> None:
        status, out = run("rooms.py", {"server/coordinator/a.cc": '#include "server/storage/log.h"\n'})
        self.assertEqual(status, 1)
        self.assertIn("server/coordinator must not include server/storage", out)

    def test_include_not_from_the_root(self) -> None:
        self.assertEqual(run("rooms.py", {"server/storage/a.cc": '#include "log.h"\n'})[0], 1)

    def test_clock_in_a_pure_room(self) -> None:
        status, out = run("rooms.py", {"server/coordinator/a.cc": "auto t = std::chrono::steady_clock::now();\n"})
        self.assertEqual(status, 1)
        self.assertIn("reads the world", out)

    def test_asio_in_a_pure_room(self) -> None:
        self.assertEqual(run("rooms.py", {"server/runtime/shard_core.h": "#include <boost/asio.hpp>\n"})[0], 1)

    def test_clock_outside_its_places(self) -> None:
        self.assertEqual(run("rooms.py", {"server/topics/partition.cc": "std::chrono::system_clock::now();\n"})[0], 1)

    def test_all_pure_parts_of_a_mixed_room_are_pure(self) -> None:
        for name in ("server/runtime/timer_queue.h", "server/runtime/log_replay.cc", "server/topics/producer_state.cc"):
            self.assertEqual(run("rooms.py", {name: "#include <thread>\n"})[0], 1, name)

    def test_random_ids_outside_their_place(self) -> None:
        self.assertEqual(run("rooms.py", {"server/topics/a.cc": "std::random_device device;\n"})[0], 1)
        self.assertEqual(run("rooms.py", {"server/runtime/random_ids.cc": "::getrandom(bytes, size, 0);\n"})[0], 0)

    def test_comment_about_a_clock_is_fine(self) -> None:
        self.assertEqual(run("rooms.py", {"server/coordinator/a.cc": "// no steady_clock::now() here\n"})[0], 0)

    def test_empty_tree_is_an_error(self) -> None:
        self.assertEqual(run("rooms.py", {})[0], 1)


class Sizes(unittest.TestCase):
    def test_long_file(self) -> None:
        self.assertEqual(run("sizes.py", {"server/a/b.cc": "\n" * 501})[0], 1)

    def test_long_line(self) -> None:
        self.assertEqual(run("sizes.py", {"server/a/b.cc": "x" * 121})[0], 1)

    def test_unfinished(self) -> None:
        self.assertEqual(run("sizes.py", {"server/a/b.cc": "// " + "TO" + "DO: later\n"})[0], 1)


class Tidy(unittest.TestCase):
    """A project of two files that use the name `twice` differently, and one header."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name) / "project"
        (self.root / "build").mkdir(parents=True)
        (self.root / "server").mkdir()
        self.write(".clang-tidy", (HERE.parents[1] / ".clang-tidy").read_text())
        self.write("server/a.h", "#pragma once\nstruct A {\n  int value = 0;\n};\n")
        self.write("server/a.cc", '#include "server/a.h"\nstatic int twice(A a) { return 2 * a.value; }\n'
                                  "int a_of(A a) { return twice(a); }\n")
        self.write("server/b.cc", "static int twice = 2;\nint b_of() { return twice; }\n")
        commands = [{"directory": str(self.root), "file": str(self.root / "server" / name),
                     "command": f"clang++-19 -std=c++23 -I{self.root} -o {name}.o -c server/{name}"}
                    for name in ("a.cc", "b.cc")]
        self.write("build/compile_commands.json", json.dumps(commands))

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def tidy(self) -> tuple[int, str]:
        done = subprocess.run([sys.executable, HERE / "tidy.py", "--root", self.root, "--build", self.root / "build"],
                              env=os.environ | {"XDG_CACHE_HOME": str(self.root / "cache")}, capture_output=True,
                              text=True, check=False)
        return done.returncode, done.stdout

    def test_what_passed_is_remembered_until_something_below_it_changes(self) -> None:
        self.assertEqual(self.tidy(), (0, "clang-tidy: 2 files, 2 of them not known to pass\n"))
        self.assertEqual(self.tidy(), (0, "clang-tidy: 2 files, 0 of them not known to pass\n"))
        self.write("server/a.h", "#pragma once\nstruct A {\n  int value = 1;\n};\n")
        self.assertEqual(self.tidy(), (0, "clang-tidy: 2 files, 1 of them not known to pass\n"))

    def test_a_finding_fails_again_and_again_and_the_other_file_passes(self) -> None:
        self.write("server/b.cc", "#include <string>\nvoid take(std::string);\n"
                                  "void b_of(std::string s) {\n  take(std::move(s));\n  take(s);\n}\n")
        for unknown in (2, 1):
            status, out = self.tidy()
            self.assertEqual(status, 1)
            self.assertIn(f"{unknown} of them", out)
            self.assertIn("server/b.cc:5:8: error: 's' used after it was moved", out)

    def test_a_finding_in_a_header(self) -> None:
        self.write("server/a.h", "#pragma once\nstruct A {\n  A() { A(1); }\n  explicit A(int v) : value(v) {}\n"
                                 "  int value = 0;\n};\n")
        status, out = self.tidy()
        self.assertEqual(status, 1)
        self.assertIn("bugprone-undelegated-constructor", out)

    def test_what_does_not_compile_fails(self) -> None:
        self.write("server/b.cc", "int b_of() { return nothing; }\n")
        self.assertEqual(self.tidy()[0], 1)


if __name__ == "__main__":
    unittest.main()
