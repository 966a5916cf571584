#!/usr/bin/env python3
"""Starts cohortd on a fresh folder, runs a command with its address as last argument, stops it; passes the status on.

    with_server.py --cohortd PATH [--override key=value]... -- COMMAND [ARG]...
"""
from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from server import Server


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohortd", type=Path, required=True)
    parser.add_argument("--override", action="append", default=[])
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cohort-") as folder:
        server = Server(args.cohortd, Path(folder) / "data",
                        overrides=dict(pair.split("=", 1) for pair in args.override))
        server.start()
        status = subprocess.run([*args.command, server.address], check=False).returncode
        server.stop()
        if status != 0:
            print(server.log.read_text(errors="replace"))
        return status


if __name__ == "__main__":
    sys.exit(main())
