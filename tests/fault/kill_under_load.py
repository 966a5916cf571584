#!/usr/bin/env python3
"""kill -9 at random moments under load: whatever was acknowledged must be there afterwards.

Each round starts cohortd, lets real clients commit offsets and produce with acks=all, kills the server in the middle,
starts it again and checks every acknowledged commit and record.
"""
from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition  # noqa: E402
from confluent_kafka.admin import AdminClient, NewTopic  # noqa: E402

from server import Server, quiet_logger  # noqa: E402

TOPIC, PARTITIONS, GROUPS = "load", 4, 4


class Committer(threading.Thread):
    """Commits rising offsets for one group, one at a time, and remembers what was acknowledged."""

    def __init__(self, address: str, group: str, first: int, metadata: str = "") -> None:
        super().__init__()
        self.group, self.next, self.metadata = group, first, metadata
        self.acknowledged: dict[int, int] = {}
        self.unanswered: dict[int, set[int]] = {}  # tried since the last acknowledged one
        self.stopping = threading.Event()
        self.consumer = Consumer({"bootstrap.servers": address, "group.id": group, "enable.auto.commit": False,
                                  "logger": quiet_logger()})

    def run(self) -> None:
        while not self.stopping.is_set():
            partition = self.next % PARTITIONS
            self.unanswered.setdefault(partition, set()).add(self.next)
            try:
                self.consumer.commit(offsets=[TopicPartition(TOPIC, partition, self.next, self.metadata)],
                                     asynchronous=False)
                self.acknowledged[partition] = self.next
                self.unanswered[partition] = set()
            except KafkaException:
                pass  # no answer: it may or may not have happened
            self.next += 1
        self.consumer.close()


class Writer(threading.Thread):
    """Produces numbered records with acks=all and remembers the acknowledged (partition, offset) of each."""

    def __init__(self, address: str, round_number: int) -> None:
        super().__init__()
        self.acknowledged: dict[tuple[int, int], bytes] = {}
        self.round, self.stopping = round_number, threading.Event()
        self.producer = Producer({"bootstrap.servers": address, "acks": "all", "enable.idempotence": True,
                                  "linger.ms": 1, "message.timeout.ms": 5000, "logger": quiet_logger()})

    def delivered(self, error, message) -> None:
        if error is None:
            self.acknowledged[(message.partition(), message.offset())] = message.value()

    def run(self) -> None:
        number = 0
        while not self.stopping.is_set():
            for _ in range(20):
                self.producer.produce(TOPIC, f"{self.round}:{number}".encode(), partition=number % PARTITIONS,
                                      on_delivery=self.delivered)
                number += 1
            self.producer.poll(0.005)
        self.producer.flush(5)


def check_commits(server: Server, committers: list[Committer]) -> int:
    """An acknowledged commit is there; a later one that got no answer may be there instead. Never anything else."""
    checked = 0
    for committer in committers:
        if not committer.acknowledged:
            continue
        reader = Consumer({"bootstrap.servers": server.address, "group.id": committer.group})
        for tp in reader.committed([TopicPartition(TOPIC, p) for p in committer.acknowledged], timeout=30):
            wanted, maybe = committer.acknowledged[tp.partition], committer.unanswered[tp.partition]
            if tp.offset != wanted and tp.offset not in maybe:
                raise AssertionError(f"{committer.group} partition {tp.partition}: {wanted} was acknowledged, "
                                     f"{sorted(maybe)} got no answer, the server says {tp.offset}")
            checked += 1
        reader.close()
    return checked


def check_records(server: Server, acknowledged: dict[tuple[int, int], bytes]) -> None:
    reader = Consumer({"bootstrap.servers": server.address, "group.id": "checker", "enable.auto.commit": False})
    missing = dict(acknowledged)
    reader.assign([TopicPartition(TOPIC, p, 0) for p in range(PARTITIONS)])
    deadline = time.monotonic() + 60
    while missing and time.monotonic() < deadline:
        for message in reader.consume(10_000, timeout=0.2):
            if message.error():
                raise AssertionError(str(message.error()))
            wanted = missing.pop((message.partition(), message.offset()), None)
            if wanted is not None and wanted != message.value():
                raise AssertionError(f"partition {message.partition()} offset {message.offset()}: {wanted!r} was "
                                     f"acknowledged, {message.value()!r} is there")
    reader.close()
    if missing:
        raise AssertionError(f"{len(missing)} acknowledged records are gone, such as {sorted(missing)[:3]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohortd", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    args = parser.parse_args()
    chance = random.Random(args.seed)
    print(f"seed {args.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="cohort-kill-") as folder:
        server = Server(args.cohortd, Path(folder) / "data")
        server.start()
        admin = AdminClient({"bootstrap.servers": server.address, "logger": quiet_logger()})
        admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(10)
        records: dict[tuple[int, int], bytes] = {}
        for number in range(1, args.rounds + 1):
            committers = [Committer(server.address, f"group-{g}", number * 1_000_000) for g in range(GROUPS)]
            writer = Writer(server.address, number)
            threads = [*committers, writer]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0.3, 1.5))
            server.kill()
            for thread in threads:
                thread.stopping.set()
            restart = server.start()
            for thread in threads:
                thread.join()
            records.update(writer.acknowledged)
            commits = check_commits(server, committers)
            check_records(server, records)
            print(f"round {number}: restart {restart * 1000:.0f} ms, {commits} committed partitions and {len(records)} "
                  f"records are all there", flush=True)
        server.stop()
    print(f"{args.rounds} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
