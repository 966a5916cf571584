#!/usr/bin/env python3
"""kill -9 in the middle of rounds of compaction, under load: the last acknowledged record of each key must be there.

Each round starts cohortd with a cleaner that never rests, lets a producer overwrite few keys again and again (and delete
some) while groups commit, kills the server, starts it again, reads the compacted topic from its beginning to its end and
compares. The log's end must never fall.
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

from confluent_kafka import Consumer, Producer, TopicPartition  # noqa: E402
from confluent_kafka.admin import AdminClient, NewTopic  # noqa: E402
from kill_under_load import GROUPS, PARTITIONS, TOPIC, Committer, check_commits  # noqa: E402
from server import Server, quiet_logger  # noqa: E402

KEYS, VALUE_BYTES = 50, 4096
METADATA = "m" * 4000  # so that few commits make a segment
Values = dict[tuple[int, bytes], dict[int, bytes | None]]  # by partition and key, then by offset


class Writer(threading.Thread):
    """Overwrites and deletes keys with acks=all. Offsets that were acknowledged, values that got no answer."""

    def __init__(self, address: str, round_number: int, seed: int) -> None:
        super().__init__()
        self.acknowledged: Values = {}
        self.unanswered: dict[tuple[int, bytes], set[bytes | None]] = {}
        self.produced = 0
        self.round, self.chance, self.stopping = round_number, random.Random(seed), threading.Event()
        self.producer = Producer({"bootstrap.servers": address, "acks": "all", "enable.idempotence": True,
                                  "linger.ms": 1, "message.timeout.ms": 5000, "logger": quiet_logger()})

    def run(self) -> None:
        number = 0
        while not self.stopping.is_set():
            for _ in range(20):
                place = (number % PARTITIONS, f"key-{self.chance.randrange(KEYS)}".encode())
                head = f"{self.round}:{number}:".encode()
                value = None if self.chance.random() < 0.1 else head.ljust(VALUE_BYTES, b"x")
                self.produce(place, value)
                number += 1
            self.producer.poll(0.005)
        self.producer.flush(5)
        self.produced = number

    def produce(self, place: tuple[int, bytes], value: bytes | None) -> None:
        def delivered(error, message) -> None:
            if error is None:
                self.acknowledged.setdefault(place, {})[message.offset()] = value
            else:
                self.unanswered.setdefault(place, set()).add(value)

        try:
            self.producer.produce(TOPIC, value, key=place[1], partition=place[0], on_delivery=delivered)
        except BufferError:
            self.producer.poll(0.05)


def read_all(server: Server) -> tuple[Values, list[int]]:
    """Everything from the beginning to the end, and where that is."""
    reader = Consumer({"bootstrap.servers": server.address, "group.id": "checker", "enable.auto.commit": False,
                       "enable.partition.eof": True})
    ends = [reader.get_watermark_offsets(TopicPartition(TOPIC, p), timeout=30)[1] for p in range(PARTITIONS)]
    reader.assign([TopicPartition(TOPIC, p, 0) for p in range(PARTITIONS)])
    found: Values = {}
    unread = {p for p in range(PARTITIONS) if ends[p] > 0}
    deadline = time.monotonic() + 60
    while unread and time.monotonic() < deadline:
        for message in reader.consume(10_000, timeout=0.2):
            if message.error() is None:
                found.setdefault((message.partition(), message.key()), {})[message.offset()] = message.value()
            elif message.error().code() == -191:  # _PARTITION_EOF
                unread.discard(message.partition())
            else:
                raise AssertionError(str(message.error()))
    reader.close()
    if unread:
        raise AssertionError(f"partitions {sorted(unread)} cannot be read to their ends {ends}")
    return found, ends


def check_values(found: Values, acknowledged: Values, unanswered: dict[tuple[int, bytes], set[bytes | None]]) -> None:
    """The last acknowledged value of each key, or a later one that got no answer."""
    for place, values in acknowledged.items():
        wanted = max(values)
        there = found.get(place, {})
        last = max(there, default=-1)
        if last == wanted and there[last] == values[wanted]:
            continue
        if last > wanted and there[last] in unanswered.get(place, set()):
            continue
        # A tombstone that has done its work is gone with what it deleted.
        if not there and (values[wanted] is None or None in unanswered.get(place, set())):
            continue
        raise AssertionError(f"{place}: offset {wanted} with {(values[wanted] or b'nothing')[:20]!r} was acknowledged, "
                             f"offset {last} with {(there.get(last) or b'nothing')[:20]!r} is there")
    for place, values in found.items():
        for offset, value in values.items():
            if acknowledged.get(place, {}).get(offset, value) != value:
                raise AssertionError(f"{place} offset {offset}: another value was acknowledged")


def rounds_of(server: Server, topic: str) -> int:
    lines = server.log.read_text(errors="replace").splitlines()
    return sum(f" {topic}-" in line and ": compacted below offset " in line for line in lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohortd", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    args = parser.parse_args()
    chance = random.Random(args.seed)
    print(f"seed {args.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="cohort-kill-") as folder:
        server = Server(args.cohortd, Path(folder) / "data",
                        overrides={"log.cleaner.backoff.ms": "20", "log.cleaner.min.cleanable.ratio": "0.01",
                                   "offsets.topic.segment.bytes": "1048576"})
        server.start()
        admin = AdminClient({"bootstrap.servers": server.address, "logger": quiet_logger()})
        config = {"cleanup.policy": "compact", "segment.bytes": "1048576", "delete.retention.ms": "0"}
        admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1, config=config)])[TOPIC].result(10)
        acknowledged: Values = {}
        unanswered: dict[tuple[int, bytes], set[bytes | None]] = {}
        ends = [0] * PARTITIONS
        produced = 0
        for number in range(1, args.rounds + 1):
            committers = [Committer(server.address, f"group-{g}", number * 1_000_000, METADATA) for g in range(GROUPS)]
            writer = Writer(server.address, number, chance.randrange(1 << 30))
            threads = [*committers, writer]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0.5, 1.5))
            server.kill()
            for thread in threads:
                thread.stopping.set()
            restart = server.start()
            for thread in threads:
                thread.join()
            for place, values in writer.acknowledged.items():
                acknowledged.setdefault(place, {}).update(values)
            for place, lost in writer.unanswered.items():
                unanswered.setdefault(place, set()).update(lost)
            produced += writer.produced
            found, ends_now = read_all(server)
            check_values(found, acknowledged, unanswered)
            if any(now < before for now, before in zip(ends_now, ends)):
                raise AssertionError(f"the log ends at {ends_now}, before at {ends}")
            ends = ends_now
            commits = check_commits(server, committers)
            print(f"round {number}: restart {restart * 1000:.0f} ms, {commits} committed partitions, "
                  f"{sum(map(len, found.values()))} records of {sum(ends)} are left", flush=True)
        server.stop()
        rounds = [rounds_of(server, name) for name in (TOPIC, "__consumer_offsets")]
        print(f"rounds of compaction: {rounds[0]} of the topic, {rounds[1]} of the offsets")
        if min(rounds) == 0:
            raise AssertionError("nothing was compacted")
    print(f"{args.rounds} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
