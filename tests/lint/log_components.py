#!/usr/bin/env python3
"""Checks that every component that writes to the log stands in the list of protocol/base/log.cc, and no other: only
those can be given a level of their own.

    tests/lint/log_components.py [ROOT]     the tree to check, default: this project
"""
from __future__ import annotations

import re
import sys
from pathlib import Path

CALL = re.compile(r"\blog::(?:debug|info|warn|error|write)\(\s*(?:log::Level::\w+,\s*)?(?:\"(\w+)\"|(k\w+))")
CONSTANT = re.compile(r"constexpr\s+std::string_view\s+(k\w+)\s*=\s*\"(\w+)\";")
LIST = re.compile(r"kComponents = std::to_array<std::string_view>\(\s*\{(.*?)\}\)", re.S)


def constants(path: Path) -> dict[str, str]:
    """Those of the file itself; else of the headers beside it."""
    found = {}
    for source in [*sorted(path.parent.glob("*.h")), path]:
        found.update(CONSTANT.findall(source.read_text()))
    return found


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    listed = set(re.findall(r'"(\w+)"', LIST.search((root / "protocol/base/log.cc").read_text()).group(1)))
    used: dict[str, str] = {}
    problems = []
    for path in sorted(p for p in (root / "server").rglob("*") if p.suffix in (".h", ".cc")):
        for literal, constant in CALL.findall(path.read_text()):
            name = literal or constants(path).get(constant)
            where = path.relative_to(root).as_posix()
            if name is None:
                problems.append(f"{where}: {constant} is not a constant of this file or of a header beside it")
            else:
                used.setdefault(name, where)
    problems += [f"{where}: {name} is missing in kComponents of protocol/base/log.cc"
                 for name, where in used.items() if name not in listed]
    problems += [f"protocol/base/log.cc: nobody logs as {name}" for name in sorted(listed - used.keys())]
    print("\n".join(problems) or f"{len(used)} components of the log are listed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
