"""Runs the scenario with every client library that can be installed here; a summary line for each.

    run.py --cohortd PATH --folder FOLDER [--only NAME]

Ends with 1 when one failed. What is left out because its toolchain is missing is said, and is no failure."""
from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from catalogue import Client, LeftOut, catalogue
from member import Failed, Member
from scenario import SESSION_MS, Scenario
from server import Server, ServerFailed


AT_ONCE = 4
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


def run_client(client: Client, cohortd: Path, folder: Path) -> list[str]:
    """A summary line for each of its runs. It has a server of its own, which the scenario kills."""
    name = client.name.replace("/", "-").strip("@")
    try:
        command = client.install(folder / name)
    except LeftOut as reason:
        return [f"left out  {client.name} {client.version}: {reason}"]
    data = folder / f"{name}-data"
    shutil.rmtree(data, ignore_errors=True)
    server = Server(cohortd, data, overrides=SETTINGS)
    server.start()
    lines = []
    for number, options in enumerate(client.runs):
        begun = time.monotonic()
        problem = run_one(client, command, options, server, number)
        line = f"{client.name} {client.version} ({describe(options)}) in {time.monotonic() - begun:.1f} s"
        lines.append(f"FAILED    {line}: {problem}" if problem else f"ok        {line}")
    server.stop()
    return lines


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--cohortd", type=Path, required=True)
    arguments.add_argument("--folder", type=Path, required=True, help="for what is installed, and for the servers' data")
    arguments.add_argument("--only", help="the name of one client")
    given = arguments.parse_args()
    clients = [client for client in catalogue() if given.only in (None, client.name)]
    told: list[str] = []
    # They wait for sessions and rebalances most of the time.
    with ThreadPoolExecutor(AT_ONCE) as pool:
        work = [pool.submit(run_client, client, given.cohortd.resolve(), given.folder.resolve()) for client in clients]
        for done in as_completed(work):
            told += done.result()
            print("\n".join(done.result()), flush=True)
    passed, failed, left_out = (sum(line.startswith(word) for line in told) for word in ("ok", "FAILED", "left out"))
    print(f"{passed} passed, {failed} failed, {left_out} left out")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
