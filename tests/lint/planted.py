#!/usr/bin/env python3
"""Checks that each planted bug (tests/sim/planted) still applies: scripts/full.sh builds them, far too rarely to notice.

    tests/lint/planted.py
"""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    root = Path(__file__).resolve().parents[2]
    patches = sorted((root / "tests/sim/planted").glob("*.patch"))
    # Each for itself: two may change the same lines. git applies outside of a repository, too.
    stale = [patch.name for patch in patches
             if subprocess.run(["git", "apply", "--check", patch], cwd=root).returncode != 0]
    print(f"do not apply: {', '.join(stale)}" if stale else f"{len(patches)} planted bugs apply")
    return 1 if stale or not patches else 0


if __name__ == "__main__":
    sys.exit(main())
