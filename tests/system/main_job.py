#!/usr/bin/env python3
"""The main job of cohort, played with real clients (confluent-kafka) against a real cohortd.

A topic of 6 partitions, 10,000 records, a KIP-848 consumer group of two; one member leaves, the server is killed with
SIGKILL and started again, a new member joins. Checked on the way: every record is read, and no record below a committed
offset is read again. Prints what happens; exits with 1 when something does not hold.
"""
from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from server import Server, ServerFailed, free_port, quiet_logger

PARTITIONS = 6
RECORDS = 10_000
PATIENCE_S = 60  # for any single step; a step that takes longer has failed


class JobFailed(Exception):
    pass


def say(text: str) -> None:
    print(text, flush=True)


def ms_since(start: float) -> str:
    return f"{(time.monotonic() - start) * 1000:.0f} ms"


# ---------------------------------------------------------------------------------------------------------- the clients

@dataclass
class Job:
    topic: str
    group: str
    address: str
    seen: dict[int, set[int]] = field(default_factory=lambda: {p: set() for p in range(PARTITIONS)})
    committed: dict[int, int] = field(default_factory=dict)  # offsets that the server acknowledged

    def total_seen(self) -> int:
        return sum(len(offsets) for offsets in self.seen.values())


class Member:
    """One consumer of the group. It commits what it has read, synchronously, every so often."""

    def __init__(self, job: Job, name: str) -> None:
        self.job, self.name = job, name
        self.uncommitted: dict[int, int] = {}
        self.consumer = Consumer({
            "bootstrap.servers": job.address, "group.id": job.group, "client.id": name, "group.protocol": "consumer",
            "auto.offset.reset": "earliest", "enable.auto.commit": False, "reconnect.backoff.max.ms": 100,
            "logger": quiet_logger()})
        self.consumer.subscribe([job.topic], on_revoke=self.on_revoke)

    def on_revoke(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.commit()

    def partitions(self) -> list[int]:
        return sorted(tp.partition for tp in self.consumer.assignment())

    def poll(self, most: int) -> int:
        """Reads at most so many records; checks that none of them was committed before."""
        messages = self.consumer.consume(most, timeout=0.1)
        count = 0
        for message in messages:
            if message.error():
                if message.error().code() == KafkaError._PARTITION_EOF or message.error().retriable():
                    continue
                raise JobFailed(f"{self.name}: {message.error()}")
            partition, offset = message.partition(), message.offset()
            if offset < self.job.committed.get(partition, 0):
                raise JobFailed(f"{self.name} was given partition {partition} offset {offset} again, although "
                                f"{self.job.committed[partition]} is committed")
            self.job.seen[partition].add(offset)
            self.uncommitted[partition] = offset + 1
            count += 1
        return count

    def commit(self) -> None:
        if not self.uncommitted:
            return
        offsets = [TopicPartition(self.job.topic, p, o) for p, o in self.uncommitted.items()]
        for done in self.consumer.commit(offsets=offsets, asynchronous=False):
            if done.error:
                raise JobFailed(f"{self.name}: commit of partition {done.partition} failed: {done.error}")
            self.job.committed[done.partition] = done.offset
        self.uncommitted.clear()

    def close(self) -> None:
        self.commit()
        self.consumer.close()


def read_until(job: Job, members: list[Member], target: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while job.total_seen() < target:
        if time.monotonic() > deadline:
            raise JobFailed(f"only {job.total_seen()} of {target} records read after {PATIENCE_S} s")
        for member in members:
            if (wanted := target - job.total_seen()) > 0:
                member.poll(min(500, wanted))
                member.commit()


def wait_for_assignment(members: list[Member], pause: bool = True) -> str:
    """Polls without reading until the members hold every partition between them, each about the same number."""
    begun = time.monotonic()
    most = -(-PARTITIONS // len(members))
    while time.monotonic() - begun < PATIENCE_S:
        held = [member.partitions() for member in members]
        if sorted(sum(held, [])) == list(range(PARTITIONS)) and all(len(parts) <= most for parts in held):
            return ms_since(begun)
        for member in members:
            if pause and member.consumer.assignment():
                member.consumer.pause(member.consumer.assignment())
            member.poll(1)
    raise JobFailed(f"no balanced assignment after {PATIENCE_S} s: {held}")


def resume(members: list[Member]) -> None:
    for member in members:
        member.consumer.resume(member.consumer.assignment())


def show_assignment(members: list[Member], took: str) -> None:
    for member in members:
        say(f"    {member.name}: partitions {', '.join(map(str, member.partitions()))}")
    say(f"    (after {took})")


def lag(job: Job, member: Member) -> int:
    total = 0
    for tp in member.consumer.committed([TopicPartition(job.topic, p) for p in range(PARTITIONS)], timeout=10):
        _low, high = member.consumer.get_watermark_offsets(TopicPartition(job.topic, tp.partition), timeout=10)
        expected = job.committed.get(tp.partition, -1001)
        if tp.offset != expected:
            raise JobFailed(f"partition {tp.partition}: the server says {tp.offset} is committed, it acknowledged {expected}")
        total += high - max(tp.offset, 0)
    return total


# -------------------------------------------------------------------------------------------------------------- the job

def create_topic(job: Job) -> None:
    admin = AdminClient({"bootstrap.servers": job.address})
    admin.create_topics([NewTopic(job.topic, PARTITIONS, 1)])[job.topic].result(timeout=10)
    say(f"  topic {job.topic} with {PARTITIONS} partitions")


def produce(job: Job) -> None:
    failures: list[KafkaError] = []
    begun = time.monotonic()
    producer = Producer({"bootstrap.servers": job.address, "acks": "all", "enable.idempotence": True})
    for n in range(RECORDS):
        producer.produce(job.topic, key=f"key-{n}", value=f"record {n}", partition=n % PARTITIONS,
                         on_delivery=lambda error, _message: failures.append(error) if error else None)
        producer.poll(0)
    if producer.flush(30) or failures:
        raise JobFailed(f"records were not acknowledged: {failures[:3]}")
    say(f"  {RECORDS:,} records written with acks=all in {ms_since(begun)}")


def play(server: Server) -> None:
    run = int(time.time())
    job = Job(f"orders-{run}", f"billing-{run}", server.address)
    say(f"cohortd on {server.address}, data in {server.data}: answered {server.start() * 1000:.0f} ms after its start")
    create_topic(job)
    produce(job)

    say(f"\n1. Two consumers (group.protocol=consumer) share group {job.group}")
    first, second = Member(job, "consumer-1"), Member(job, "consumer-2")
    show_assignment([first, second], wait_for_assignment([first, second]))
    say(f"    lag before: {lag(job, first):,}")
    resume([first, second])
    read_until(job, [first, second], 4_000)
    say(f"    {job.total_seen():,} records read and committed, lag now {lag(job, first):,}")

    say("\n2. consumer-2 leaves, consumer-1 takes over")
    second.close()
    show_assignment([first], wait_for_assignment([first]))
    resume([first])
    read_until(job, [first], 7_000)
    before = lag(job, first)
    say(f"    {job.total_seen():,} records read and committed, lag now {before:,}")

    say("\n3. The server is killed with SIGKILL and started again")
    server.kill()
    say(f"    answered {server.start() * 1000:.0f} ms after its start, lag still {(after := lag(job, first)):,}")
    if before != after:
        raise JobFailed(f"lag was {before} before the kill and is {after} now")

    say("\n4. consumer-3 joins; the group goes on from its committed offsets")
    third = Member(job, "consumer-3")
    show_assignment([first, third], wait_for_assignment([first, third]))
    resume([first, third])
    read_until(job, [first, third], RECORDS)
    for member in (first, third):
        member.commit()
    say(f"    {job.total_seen():,} records read, lag now {lag(job, first):,}")
    first.close()
    third.close()
    say("\nEvery record was read, and none below a committed offset was read again.")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohortd", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int, help="default: any free one")
    parser.add_argument("--once", action="store_true", help="stop the server at the end")
    args = parser.parse_args()
    server = Server(args.cohortd, args.data, args.port or free_port())
    try:
        play(server)
        if not args.once:
            assert server.process
            say(f"\nThe server goes on running on {server.address}; Ctrl-C ends it.")
            server.process.wait()
        return 0
    except (JobFailed, ServerFailed, KafkaException) as problem:
        say(f"\nFAILED: {problem}")
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
