#!/usr/bin/env python3
"""A tour of Apache Kafka's own command-line tools against a real cohortd: each prints what Kafka 4.3.1 makes it print.

Needs Java 17 and Kafka's jars: --jars, or KAFKA_HOME, or what scripts/kafka-tools.sh fetches with Maven. Without them
nothing is checked: it says so and ends with status 77, which ctest shows as "Skipped".

With --reference HOST:PORT the tour goes to an Apache Kafka (fresh, node.id=1) whose data folder is --data, to see that
the expectations are its own.
"""
from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import kafka_tools_groups
import kafka_tools_records
import kafka_tools_topics
from kafka_tools_host import HostGone, Mismatch, Tools
from kafka_tools_tour import Step, Tour
from server import Server

SKIPPED = 77
BEFORE_STOP = [*kafka_tools_topics.STEPS, *kafka_tools_records.STEPS, *kafka_tools_groups.STEPS]
AFTER_STOP = [*kafka_tools_records.STEPS_ON_FILES, *kafka_tools_groups.STEPS_ON_FILES]


def find_jars(given: Path | None) -> Path | str:
    """The folder of Kafka's jars, or why there is none."""
    if given:
        return given
    if home := os.environ.get("KAFKA_HOME"):
        return Path(home) / "libs"
    root = Path(__file__).resolve().parents[2]
    fetch = subprocess.run([root / "scripts" / "kafka-tools.sh", root / "build" / "kafka-tools"], check=False,
                           stderr=subprocess.PIPE, text=True)
    if fetch.returncode == 0:
        return root / "build" / "kafka-tools"
    return f"KAFKA_HOME is not set, and fetching Kafka's jars failed: {fetch.stderr.strip()}"


def skip(why: str) -> int:
    print(f"NOT CHECKED: no step of the tour of Kafka's tools ran: {why}")
    return SKIPPED


def walk(tour: Tour, steps: list[Step]) -> int:
    """Runs the steps, the next one also when one fails. The number that failed."""
    failed = 0
    for step in steps:
        begun = time.monotonic()
        try:
            step(tour)
            verdict = "ok"
        except Mismatch as problem:
            failed += 1
            verdict = f"FAILED: {problem}"
        print(f"{step.__module__.removeprefix('kafka_tools_')}/{step.__name__}: {verdict} "
              f"({time.monotonic() - begun:.1f} s)", flush=True)
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohortd", type=Path)
    parser.add_argument("--reference", metavar="HOST:PORT")
    parser.add_argument("--data", type=Path, help="the reference's data folder")
    parser.add_argument("--jars", type=Path)
    args = parser.parse_args()
    if not args.cohortd and not (args.reference and args.data):
        parser.error("give --cohortd, or --reference and --data")
    if not (java := shutil.which("java")):
        return skip("there is no java")
    if isinstance(jars := find_jars(args.jars), str):
        return skip(jars)

    with tempfile.TemporaryDirectory(prefix="cohort-tour-") as folder:
        server = None if args.reference else Server(args.cohortd, Path(folder) / "data", overrides={"node.id": "1"})
        if server:
            server.start()
        tools = Tools(java, jars, server.address if server else args.reference)
        tour = Tour(tools, Path(folder), server.data if server else args.data, reference=server is None)
        try:
            failed = walk(tour, BEFORE_STOP)
            if server:
                server.stop()
            failed += walk(tour, AFTER_STOP)
        except HostGone as problem:
            print(f"FAILED: {problem}")
            failed = 1
        finally:
            tools.close()
            if server:
                server.stop()
        if failed and server:
            print(server.log.read_text(errors="replace")[-4000:])
    print(f"{failed} of {len(BEFORE_STOP) + len(AFTER_STOP)} steps failed" if failed else
          "every step as with Kafka 4.3.1")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
