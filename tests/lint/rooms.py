#!/usr/bin/env python3
"""Checks that every room includes only what ARCHITECTURE.md allows and that pure rooms stay pure.

    tests/lint/rooms.py [ROOT]     the tree to check, default: this project

Prints one line per violation; the exit status is 1 when there is any.
"""
from __future__ import annotations

import re
import sys
from pathlib import Path

# Room → the rooms it may include besides itself. A room's closure is spelled out: what may be reached may be included.
BASE = {"protocol/base"}
PROTOCOL = BASE | {"protocol"}
CONFIG = PROTOCOL | {"server/config"}
STORAGE = PROTOCOL | {"server/storage"}
REACTOR = BASE | {"server/reactor"}
COORDINATOR = CONFIG | {"server/coordinator"}
RUNTIME = STORAGE | REACTOR | COORDINATOR | {"server/runtime"}
TOPICS = STORAGE | REACTOR | CONFIG | {"server/topics"}
API = RUNTIME | TOPICS | {"server/api"}
NET = API | {"server/net"}
ALLOWED = {
    "protocol/base": BASE,
    "protocol": PROTOCOL,
    "server/config": CONFIG,
    "server/storage": STORAGE,
    "server/reactor": REACTOR,
    "server/coordinator": COORDINATOR,
    "server/runtime": RUNTIME,
    "server/topics": TOPICS,
    "server/api": API,
    "server/net": NET,
    "server/app": NET | {"server/app"},
}

# Pure: a function of its arguments. Folders, or prefixes of file names.
PURE = ("protocol/", "server/config/", "server/coordinator/", "server/runtime/shard_core", "server/runtime/log_replay",
        "server/runtime/pending_batches", "server/runtime/timer_queue", "server/runtime/partition_for",
        "server/runtime/group_family", "server/topics/partition_core", "server/topics/catalogue_core",
        "server/topics/producer_state", "server/topics/topic_config", "server/topics/topic_name",
        "server/topics/recompress", "server/topics/fetch_session")
IMPURE_INCLUDES = re.compile(r"#include\s*<(boost/asio|boost/beast|thread|mutex|condition_variable|filesystem|fstream|random|"
                             r"sys/|unistd\.h|fcntl\.h|poll\.h|pthread\.h|future)")
IMPURE_WORDS = re.compile(r"_clock::now|\brandom_device\b|\bstd::rand\b|\brand\(\)|\bgettimeofday\b|\bclock_gettime\b|"
                          r"\bstd::thread\b|\bstd::this_thread\b|\btime\(nullptr\)|\bgetenv\b")
# Outside the pure rooms the clock is read here only: each place hands Now onwards.
CLOCK_WORDS = re.compile(r"_clock::now|\bclock_gettime\b|\bgettimeofday\b")
CLOCK_ALLOWED = ("server/reactor/", "server/app/")
# And random ids are made in one place.
RANDOM_WORDS = re.compile(r"\brandom_device\b|\bgetrandom\b")
RANDOM_ALLOWED = "server/runtime/random_ids"

INCLUDE = re.compile(r'#include\s*"([^"]+)"')
COMMENT = re.compile(r"//.*")


def room_of(path: str) -> str | None:
    if path.startswith("protocol/base/"):
        return "protocol/base"
    if path.startswith("protocol/"):
        return "protocol"
    parts = path.split("/")
    if parts[0] == "server" and len(parts) > 2:
        return "/".join(parts[:2])
    return None


def check_file(root: Path, path: Path) -> list[str]:
    name = path.relative_to(root).as_posix()
    room = room_of(name)
    if room is None:
        return []
    problems = []
    pure = name.startswith(PURE)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        where = f"{name}:{number}"
        include = INCLUDE.search(line)
        if include:
            target = room_of(include.group(1))
            if target is None:
                problems.append(f"{where}: includes \"{include.group(1)}\", which is not a path from the project root")
            elif room not in ALLOWED:
                problems.append(f"{where}: {room} is not a known room; add it to ARCHITECTURE.md and here")
            elif target not in ALLOWED[room]:
                problems.append(f"{where}: {room} must not include {target}")
        if pure and IMPURE_INCLUDES.search(line):
            problems.append(f"{where}: a pure room includes {line.strip()}")
        code = COMMENT.sub("", line)
        # The log façade's atomics are base's only state; everything else in a pure room is a function of its arguments.
        if pure and IMPURE_WORDS.search(code):
            problems.append(f"{where}: a pure room reads the world: {code.strip()}")
        elif not pure and CLOCK_WORDS.search(code) and not name.startswith(CLOCK_ALLOWED):
            problems.append(f"{where}: only {' and '.join(CLOCK_ALLOWED)} read a clock: {code.strip()}")
        if RANDOM_WORDS.search(code) and not name.startswith(RANDOM_ALLOWED):
            problems.append(f"{where}: only {RANDOM_ALLOWED} makes random ids: {code.strip()}")
    return problems


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    files = sorted(p for top in ("protocol", "server") for p in (root / top).rglob("*") if p.suffix in (".h", ".cc", ".cpp"))
    if not files:
        print(f"no sources below {root}")
        return 1
    problems = [problem for path in files for problem in check_file(root, path)]
    print("\n".join(problems) or f"{len(files)} files keep to their rooms")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
