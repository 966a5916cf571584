#!/usr/bin/env python3
"""The lint scripts must find what they are there for: each case plants one violation in a small tree."""
from __future__ import annotations

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


if __name__ == "__main__":
    unittest.main()
