"""A group of ten Java consumers under load changes its protocol one member after the other, and back again.

    rolling_migration.py --cohortd PATH [--runs 1] [--members 10]

Each run: ten members of the classic protocol; one after the other is stopped and another takes its place that speaks the
consumer protocol; then back. Records are produced all the while. None may be missed; one that is processed twice must
have been processed in two epochs: never by two owners of the same. Needs Java and Kafka's jars; ends with 77 without."""
from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from server import Server, quiet_logger

ROOT = Path(__file__).resolve().parents[2]
PARTITIONS = 20
RECORDS_PER_S = 500
PATIENCE_S = 90
SKIPPED = 77
SETTINGS = {
    "group.initial.rebalance.delay.ms": "0",
    "group.consumer.heartbeat.interval.ms": "500",
    "group.consumer.min.heartbeat.interval.ms": "500",
    "group.consumer.assignment.interval.ms": "0",
}


class Failed(Exception):
    pass


class Load:
    """Produces all the time; what was acknowledged can be asked for."""

    def __init__(self, address: str, topic: str) -> None:
        self.topic, self.acknowledged, self.failed, self.goes_on = topic, set(), 0, True
        self.producer = Producer({"bootstrap.servers": address, "acks": "all", "linger.ms": 5, "logger": quiet_logger()})
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _delivered(self, error, message) -> None:
        if error:
            self.failed += 1
        else:
            self.acknowledged.add((message.partition(), message.offset()))

    def _run(self) -> None:
        number = 0
        while self.goes_on:
            self.producer.produce(self.topic, f"{number}", partition=number % PARTITIONS, on_delivery=self._delivered)
            self.producer.poll(0)
            number += 1
            time.sleep(1 / RECORDS_PER_S)  # the rate of the load; nothing waits for it
        self.producer.flush(PATIENCE_S)

    def stop(self) -> None:
        self.goes_on = False
        self.thread.join()


class Group:
    """The process with all members, and what they have told."""

    def __init__(self, java: list[str], address: str, group: str, topic: str) -> None:
        self.changed = threading.Condition()
        self.partitions: dict[str, int] = {}
        self.closed: set[str] = set()
        self.errors: list[str] = []
        self.lost_commits = 0
        self.readers: dict[tuple[int, int], list[tuple[str, int]]] = defaultdict(list)  # member, epoch
        self.process = subprocess.Popen([*java, "Rolling", address, group, topic], text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            event = json.loads(line)
            with self.changed:
                self._take(event["member"], event)
                self.changed.notify_all()

    def _take(self, member: str, event: dict) -> None:
        if "assigned" in event:
            self.partitions[member] = event["assigned"]
        for partition, offset, epoch in event.get("records", []):
            self.readers[partition, offset].append((member, epoch))
        if "error" in event:
            self.errors.append(f"{member}: {event['error']}")
        self.lost_commits += "lost" in event
        if "closed" in event:
            self.closed.add(member)
            self.partitions.pop(member, None)

    def tell(self, *words: str) -> None:
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()

    def wait(self, what: str, reached) -> None:
        with self.changed:
            if not self.changed.wait_for(lambda: self.errors or reached(), PATIENCE_S):
                raise Failed(f"no {what} within {PATIENCE_S} s: {self.partitions}")
            if self.errors:
                raise Failed("; ".join(self.errors[:3]))

    def start(self, name: str, protocol: str) -> None:
        self.tell("start", name, protocol)
        self.wait(f"share for {name}", lambda: self.partitions.get(name, 0) > 0)

    def stop(self, name: str) -> None:
        self.tell("stop", name)
        self.wait(f"end of {name}", lambda: name in self.closed)

    def settle(self) -> None:
        self.wait("whole assignment", lambda: sum(self.partitions.values()) == PARTITIONS)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.reader.join()


def group_type(admin: AdminClient, group: str) -> str:
    for listed in admin.list_consumer_groups().result(PATIENCE_S).valid:
        if listed.group_id == group:
            return listed.type.name.lower()
    raise Failed(f"{group} is not listed")


def check(group: Group, load: Load) -> str:
    if load.failed:
        raise Failed(f"{load.failed} records were not acknowledged")
    group.wait("all records", lambda: load.acknowledged <= group.readers.keys())
    twice = {record: readers for record, readers in group.readers.items() if len(readers) > 1}
    # More pairs of owner and epoch than epochs: one epoch had two owners.
    wrong = {record: readers for record, readers in twice.items()
             if len({epoch for _, epoch in readers}) < len(set(readers))}
    if wrong:
        raise Failed(f"{len(wrong)} records had two owners in one epoch, as {next(iter(wrong.items()))}")
    return f"{len(load.acknowledged)} records, {len(twice)} processed again in a later epoch"


def roll(group: Group, old: list[str], protocol: str) -> list[str]:
    new = []
    for name in old:
        group.stop(name)
        new.append(f"{protocol}-{name.split('-')[-1]}")
        group.closed.discard(new[-1])
        group.start(new[-1], protocol)
    group.settle()
    return new


def run(java: list[str], server: Server, number: int, count: int) -> str:
    name = f"rolling-{number}"
    admin = AdminClient({"bootstrap.servers": server.address, "logger": quiet_logger()})
    admin.create_topics([NewTopic(name, PARTITIONS, 1)])[name].result(PATIENCE_S)
    load, group = Load(server.address, name), Group(java, server.address, name, name)
    try:
        members = [f"first-{i}" for i in range(count)]
        for member in members:
            group.start(member, "classic")
        group.settle()
        types = [group_type(admin, name)]
        members = roll(group, members, "consumer")
        types.append(group_type(admin, name))
        members = roll(group, members, "classic")
        types.append(group_type(admin, name))
        if types != ["classic", "consumer", "classic"]:
            raise Failed(f"the group went from {' to '.join(types)}")
        load.stop()
        return check(group, load)
    finally:
        load.stop()
        group.end()


def compile_java(folder: Path) -> list[str] | None:
    if not all(shutil.which(program) for program in ("java", "javac", "mvn")):
        return None
    jars = ROOT / "build" / "kafka-tools"
    subprocess.run([ROOT / "scripts" / "kafka-tools.sh", jars], check=True)
    program = ROOT / "tests" / "system" / "clients" / "java" / "Rolling.java"
    subprocess.run(["javac", "-cp", f"{jars}/*", "-d", folder, program], check=True)
    return ["java", "-XX:+UseSerialGC", "-Xmx512m", "-cp", f"{folder}:{jars}/*"]


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--cohortd", type=Path, required=True)
    arguments.add_argument("--runs", type=int, default=1)
    arguments.add_argument("--members", type=int, default=10)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="cohort-rolling-") as folder:
        java = compile_java(Path(folder))
        if java is None:
            print("left out: there is no Java or no Maven")
            return SKIPPED
        server = Server(given.cohortd.resolve(), Path(folder) / "data", overrides=SETTINGS)
        server.start()
        failed = 0
        for number in range(given.runs):
            begun = time.monotonic()
            try:
                print(f"run {number}: {run(java, server, number, given.members)}, {time.monotonic() - begun:.0f} s", flush=True)
            except Failed as problem:
                failed += 1
                print(f"run {number}: FAILED: {problem}", flush=True)
        server.stop()
        print(f"{given.runs - failed} passed, {failed} failed")
        return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
