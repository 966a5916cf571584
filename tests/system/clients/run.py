"""Runs the scenario with every client library that can be installed here; a summary line for each.

    run.py --cohortd PATH --folder FOLDER [--only NAME]

Ends with 1 when one failed. What is left out because its toolchain is missing is said, and is no failure."""
from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from catalogue import Client, LeftOut, catalogue
from member import Failed, Member
from scenario import SESSION_MS, Scenario
from server import Server, ServerFailed


SETTINGS = {
    "group.initial.rebalance.delay.ms": "500",
    "group.consumer.session.timeout.ms": f"{SESSION_MS}",
    "group.consumer.min.session.timeout.ms": f"{SESSION_MS}",
    "group.consumer.heartbeat.interval.ms": "1000",
    "group.consumer.min.heartbeat.interval.ms": "1000",
}


def describe(options: dict[str, str]) -> str:
    return f"{options['protocol']}, {options['assignor']}" + (", static" if "static" in options else "")


def run_one(client: Client, command: list[str], options: dict[str, str], server: Server, number: int) -> str:
    """What went wrong; empty: nothing."""
    def make_member(name: str, arguments: list[str]) -> Member:
        return Member(name, [*command, *arguments], dict(os.environ), Path.cwd())

    try:
        Scenario(server, f"group-{number}", f"topic-{number}", options, make_member).run()
        return ""
    except (Failed, ServerFailed) as problem:
        return str(problem)


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--cohortd", type=Path, required=True)
    arguments.add_argument("--folder", type=Path, required=True, help="for what is installed, and for the server's data")
    arguments.add_argument("--only", help="the name of one client")
    given = arguments.parse_args()
    folder = given.folder.resolve()
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    server = Server(given.cohortd.resolve(), data, overrides=SETTINGS)
    server.start()
    failed = passed = left_out = 0
    for client in catalogue():
        if given.only and client.name != given.only:
            continue
        try:
            command = client.install(folder / client.name.replace("/", "-").strip("@"))
        except LeftOut as reason:
            left_out += 1
            print(f"left out  {client.name} {client.version}: {reason}", flush=True)
            continue
        for options in client.runs:
            begun = time.monotonic()
            problem = run_one(client, command, options, server, passed + failed)
            failed, passed = failed + bool(problem), passed + (not problem)
            took = time.monotonic() - begun
            print(f"{'FAILED' if problem else 'ok':9} {client.name} {client.version} ({describe(options)}) in {took:.1f} s"
                  + (f": {problem}" if problem else ""), flush=True)
    server.stop()
    print(f"{passed} passed, {failed} failed, {left_out} left out")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
