#!/usr/bin/env python3
"""What leader epochs are for, with real clients (confluent-kafka) against a real cohortd.

A consumer goes on reading over a SIGKILL and a restart, which raises the epoch: nothing is lost, nothing comes twice, and
what it commits carries the epoch. Then the log loses its last batch, as in a power cut, and other records take its place:
the consumer must notice and read those. At last records are deleted, and who begins at the start begins behind them.
Prints what happens; exits with 1 when something does not hold.
"""
from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from server import Server, ServerFailed, quiet_logger

TOPIC = "epochs"
PATIENCE_S = 60


class Failed(Exception):
    pass


def say(text: str) -> None:
    print(text, flush=True)


def expect(what: str, got: object, wanted: object) -> None:
    if got != wanted:
        raise Failed(f"{what}: {got}, expected {wanted}")
    say(f"  {what}: {got}")


def expect_offsets(records: list[tuple[int, str, int]], first: int, last: int) -> None:
    wanted = list(range(first, last + 1))
    if (got := [offset for offset, _, _ in records]) != wanted:
        raise Failed(f"offsets {got}, expected {first} to {last}")
    say(f"  offsets: {first} to {last}")


def consumer(server: Server, group: str) -> Consumer:
    made = Consumer({"bootstrap.servers": server.address, "group.id": group, "group.protocol": "consumer",
                     "auto.offset.reset": "earliest", "enable.auto.commit": False, "reconnect.backoff.max.ms": 100,
                     "topic.metadata.refresh.interval.ms": 500, "logger": quiet_logger()})
    made.subscribe([TOPIC])
    return made


def read(reader: Consumer, last: str) -> list[tuple[int, str, int]]:
    """Offset, value and leader epoch of each record, up to the one with that value."""
    records: list[tuple[int, str, int]] = []
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        message = reader.poll(0.1)
        if message is None or (message.error() and message.error().retriable()):
            continue
        if message.error():
            raise Failed(f"the consumer says {message.error()}")
        records.append((message.offset(), message.value().decode(), message.leader_epoch()))
        if records[-1][1] == last:
            return records
    raise Failed(f"no record {last} within {PATIENCE_S} s, but {records[-3:]}")


def produce(server: Server, values: list[str]) -> None:
    producer = Producer({"bootstrap.servers": server.address, "enable.idempotence": True, "logger": quiet_logger()})
    for value in values:
        producer.produce(TOPIC, value)
    if producer.flush(PATIENCE_S) != 0:
        raise Failed("not all records were produced")


def play(server: Server) -> None:
    server.start()
    admin = AdminClient({"bootstrap.servers": server.address, "logger": quiet_logger()})
    admin.create_topics([NewTopic(TOPIC, 1)])[TOPIC].result(PATIENCE_S)

    say("1. A consumer over a SIGKILL and a restart")
    produce(server, [f"a{i}" for i in range(100)])
    reader = consumer(server, "g")
    first = read(reader, "a99")
    expect_offsets(first, 0, 99)
    expect("epochs", {epoch for _, _, epoch in first}, {0})
    server.kill()
    say(f"  back after {server.start() * 1000:.0f} ms")
    produce(server, [f"b{i}" for i in range(50)])
    second = read(reader, "b49")
    expect_offsets(second, 100, 149)
    expect("epochs", {epoch for _, _, epoch in second}, {1})
    committed = reader.commit(asynchronous=False)
    expect("committed", [(part.offset, part.error) for part in committed], [(150, None)])
    known = reader.committed([TopicPartition(TOPIC, 0)], timeout=PATIENCE_S)[0]
    expect("committed as", (known.offset, known.leader_epoch), (150, 1))

    say("2. The log loses what the consumer has read, and goes on")
    produce(server, ["lost"])
    expect("read", read(reader, "lost"), [(150, "lost", 1)])
    server.kill()
    segment = server.data / f"{TOPIC}-0" / "00000000000000000000.log"
    with open(segment, "r+b") as file:
        file.truncate(segment.stat().st_size - 1)
    server.start()
    produce(server, ["other", "last"])
    third = read(reader, "last")
    expect("read again from where the logs part, or before", third[-2:], [(150, "other", 2), (151, "last", 2)])
    reader.close()

    say("3. Deleted records")
    deleted = admin.delete_records([TopicPartition(TOPIC, 0, 149)])
    expect("low watermark", [done.result(PATIENCE_S).low_watermark for done in deleted.values()], [149])
    fresh = consumer(server, "h")
    expect("read", read(fresh, "last"), [(149, "b49", 1), (150, "other", 2), (151, "last", 2)])
    fresh.close()
    server.kill()
    server.start()
    fresh = consumer(server, "i")
    expect("read after a kill", [offset for offset, _, _ in read(fresh, "last")], [149, 150, 151])
    fresh.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohortd", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="made anew")
    options = parser.parse_args()
    shutil.rmtree(options.data, ignore_errors=True)
    server = Server(options.cohortd, options.data)
    try:
        play(server)
        server.stop()
    except (Failed, ServerFailed) as problem:
        say(f"FAILED: {problem}")
        return 1
    finally:
        if server.process and server.process.poll() is None:
            server.kill()
    say("Done.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
