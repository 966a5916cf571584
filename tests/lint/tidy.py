#!/usr/bin/env python3
"""Runs clang-tidy over every .cc file of the project that a build knows, with the checks of .clang-tidy.

    tests/lint/tidy.py [--root ROOT] [--build BUILD] [PART...]     PART: only files whose path contains one of these

A file that passed is remembered by a hash of all that can change the verdict: its text and that of every header of the
project below it, the command, .clang-tidy, the version of clang-tidy. Headers of the system are not looked at: they
change with the distribution. What is remembered stands in $XDG_CACHE_HOME/cohort-tidy (~/.cache/cohort-tidy), one
empty file per hash; remove the folder to start anew.

Nearly all time goes into headers, so the files of one folder that are not known to pass are checked as one translation
unit that includes them all; where that does not compile, because two of them use a name for different things, one by
one. The exit status is 1 when there is any finding.
"""
from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

CLANG_TIDY = "clang-tidy-19"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
FORGET_AFTER_S = 30 * 24 * 3600


class Project:
    def __init__(self, root: Path, build: Path) -> None:
        self.root, self.build = root, build
        self.include_folders = [root, build / "generated"]  # every include is written from one of them: rooms.py
        version = subprocess.run([CLANG_TIDY, "--version"], capture_output=True, text=True, check=True).stdout
        self.common = version + (root / ".clang-tidy").read_text()

    def commands(self) -> dict[Path, str]:
        """The command by file, for our own files: what is below the build folder is generated."""
        found: dict[Path, str] = {}
        for entry in json.loads((self.build / "compile_commands.json").read_text()):
            path = Path(entry["file"])
            if path.suffix == ".cc" and path.is_relative_to(self.root) and not path.is_relative_to(self.build):
                found.setdefault(path, entry["command"])
        return found

    @cache
    def digest_and_includes(self, path: Path) -> tuple[str, tuple[Path, ...]]:
        text = path.read_text()
        includes = (folder / name for name in INCLUDE.findall(text) for folder in self.include_folders)
        return hashlib.sha256(text.encode()).hexdigest(), tuple(header for header in includes if header.is_file())

    def key(self, path: Path, command: str) -> str:
        seen, waiting = {path}, [path]
        while waiting:
            new = set(self.digest_and_includes(waiting.pop())[1]) - seen
            seen |= new
            waiting.extend(new)
        # Without the place of the checkout, so that another one knows the verdict too.
        parts = [self.common, command.replace(str(self.root), ".")]
        parts += sorted(f"{os.path.relpath(one, self.root)} {self.digest_and_includes(one)[0]}" for one in seen)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def check(self, paths: list[Path], command: str) -> tuple[list[Path], list[str]]:
        """Which files have not passed, and what clang-tidy says of them."""
        including = "".join(f'#include "{path}"\n' for path in paths)
        with tempfile.TemporaryDirectory(prefix="cohort-tidy-") as folder:
            unit = Path(folder) / "unit.cc"
            unit.write_text(including)
            done = subprocess.run([CLANG_TIDY, "--quiet", f"--config-file={self.root / '.clang-tidy'}",
                                   unit, "--", *flags_of(command)], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return [], []
        if len(paths) > 1 and "[clang-diagnostic-error" in done.stdout:
            parts = [self.check([path], command) for path in paths]
            return [path for failed, _ in parts for path in failed], [finding for _, said in parts for finding in said]
        findings = re.split(r"\n(?=/\S+:\d+:\d+: (?:error|warning):)", done.stdout.strip() or done.stderr.strip())
        # A finding in a header is everybody's.
        guilty = [path for path in paths if any(finding.startswith(f"{path}:") for finding in findings)]
        headers = any(not any(finding.startswith(f"{path}:") for path in paths) for finding in findings)
        return (paths if headers else guilty), findings


def flags_of(command: str) -> list[str]:
    """The compiler's flags without compiler, source and object."""
    words = shlex.split(command)
    return words[1:words.index("-o")]


def remembered_folder() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cohort-tidy"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.stat().st_mtime < time.time() - FORGET_AFTER_S:
            old.unlink(missing_ok=True)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2])
    parser.add_argument("--build", type=Path, help="default: build/dev below the root")
    parser.add_argument("part", nargs="*")
    args = parser.parse_args()
    root = args.root.resolve()
    project = Project(root, (args.build or root / "build/dev").resolve())
    passed = remembered_folder()

    commands = {path: command for path, command in sorted(project.commands().items())
                if not args.part or any(part in str(path.relative_to(root)) for part in args.part)}
    if not commands:
        print("no files to check", file=sys.stderr)
        return 1
    keys = {path: project.key(path, command) for path, command in commands.items()}
    groups: dict[tuple[Path, tuple[str, ...]], list[Path]] = {}
    for path, command in commands.items():
        if (passed / keys[path]).exists():
            (passed / keys[path]).touch()
        else:
            groups.setdefault((path.parent, tuple(flags_of(command))), []).append(path)
    units = sorted(groups.values(), key=len, reverse=True)
    print(f"clang-tidy: {len(commands)} files, {sum(map(len, units))} of them not known to pass", flush=True)

    failed: list[Path] = []
    said: set[str] = set()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        running = {pool.submit(project.check, paths, commands[paths[0]]): paths for paths in units}
        for done in concurrent.futures.as_completed(running):
            paths, (guilty, findings) = running[done], done.result()
            for path in paths:
                if path not in guilty:
                    (passed / keys[path]).touch()
            failed += guilty
            for finding in findings:
                if finding not in said:  # a header's are found by many
                    print(finding, flush=True)
                said.add(finding)
    if failed:
        print(f"clang-tidy: {len(said)} findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
