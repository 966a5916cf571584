#!/usr/bin/env python3
"""Checks that conf/KEYS.md says of every configuration key in the sources what becomes of it, and of no other.

    tests/lint/keys.py [ROOT]     the tree to check, default: this project
"""
from __future__ import annotations

import re
import sys
from pathlib import Path

STATES = {"honoured", "kept"}
ROW = re.compile(r"^\| `([^`]+)` \|(.*)\|$", re.M)


def sections(text: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def named(path: Path) -> list[str]:
    """The keys of a table in the sources, in its order."""
    return re.findall(r'\.name = "([^"]+)"', path.read_text())


def passed_over(path: Path) -> set[str]:
    text = path.read_text()
    prefixes, names = text.index("kPrefixes[] ="), text.index("kNames[] =")
    end = text.index("};", names)
    return ({f"{prefix}*" for prefix in re.findall(r'"([^"]+)"', text[prefixes:names])} |
            set(re.findall(r'"([^"]+)"', text[names:end])))


def group_settings(root: Path) -> list[str]:
    return re.findall(r'kGroup\w+ = "([^"]+)"', (root / "server/config/group_settings.h").read_text())


def compare(where: str, wanted: set[str], found: list[str]) -> list[str]:
    problems = [f"conf/KEYS.md, {where}: {key} is missing" for key in sorted(wanted - set(found))]
    problems += [f"conf/KEYS.md, {where}: {key} is not in the sources" for key in sorted(set(found) - wanted)]
    problems += [f"conf/KEYS.md, {where}: {key} stands there twice" for key in sorted(set(found)) if found.count(key) > 1]
    return problems


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    config = root / "server/config"
    parts = sections((root / "conf/KEYS.md").read_text())
    tables = {"The server": named(config / "net_keys.cc"),
              "Topics and their logs: defaults of the server": named(config / "log_keys.cc"),
              "Topics": named(root / "server/topics/topic_config_keys.cc"),
              "Groups and offsets: the server's part": named(config / "group_keys.cc"),
              "Groups' own settings (resource type GROUP)": group_settings(root)}
    problems = []
    for where, wanted in tables.items():
        rows = ROW.findall(parts.get(where, ""))
        problems += compare(where, set(wanted), [key for key, _ in rows])
        problems += [f"conf/KEYS.md, {where}: {key} is neither of {', '.join(sorted(STATES))}" for key, rest in rows
                     if not STATES & {cell.strip() for cell in rest.split("|")}]
        if not wanted:
            problems.append(f"{where}: no keys found in the sources")
    wanted = passed_over(config / "ignored_keys.cc")
    problems += compare("Passed over", wanted, re.findall(r"`([^`]+)`", parts.get("Passed over", "")))
    count = sum(map(len, tables.values()))
    print("\n".join(problems) or f"{count} keys are described, {len(wanted)} passed over")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
