#!/usr/bin/env python3
"""A member of the consumer group of kill_under_load.py, a process of its own so that it can be killed: reads, commits and
says so, until SIGTERM, when it leaves. Each line on stdout is an event with its time (of the machine's steady clock):

    assigned TIME PARTITION          first ASSIGNED PARTITION OFFSET: the first record after the assignment at that time
    committed TIME PARTITION OFFSET

    load_member.py ADDRESS GROUP TOPIC [INSTANCE]
"""
from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from confluent_kafka import Consumer, KafkaException, TopicPartition  # noqa: E402

from load_ledger import client_settings  # noqa: E402


class Member:
    def __init__(self, address: str, group: str, topic: str, instance: str | None) -> None:
        self.topic = topic
        self.positions: dict[int, int] = {}
        self.assigned_at: dict[int, float] = {}  # partitions of which no record has been read since
        self.leaving, self.parent = False, os.getppid()
        signal.signal(signal.SIGTERM, self.leave)
        settings = {**client_settings(address), "group.id": group, "group.protocol": "consumer",
                    "enable.auto.commit": False, "auto.offset.reset": "earliest", "fetch.wait.max.ms": 50}
        self.consumer = Consumer({**settings, **({"group.instance.id": instance} if instance else {})})
        self.consumer.subscribe([topic], on_assign=self.assigned, on_revoke=self.revoked, on_lost=self.lost)

    def leave(self, *_: object) -> None:
        self.leaving = True

    def assigned(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for tp in partitions:
            self.assigned_at[tp.partition] = time.monotonic()
            print("assigned", self.assigned_at[tp.partition], tp.partition, flush=True)

    def revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.commit()
        self.lost(consumer, partitions)

    def lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for tp in partitions:
            self.positions.pop(tp.partition, None)

    def commit(self) -> None:
        if not self.positions:
            return
        offsets = [TopicPartition(self.topic, partition, offset) for partition, offset in self.positions.items()]
        try:
            for tp in self.consumer.commit(offsets=offsets, asynchronous=False):
                if not tp.error:
                    print("committed", time.monotonic(), tp.partition, tp.offset, flush=True)
        except KafkaException:
            pass  # no answer: it may or may not have happened

    def run(self) -> None:
        while not self.leaving and os.getppid() == self.parent:  # the test may have ended without a word
            for message in self.consumer.consume(500, timeout=0.1):
                if error := message.error():
                    if error.fatal():  # such as a static member whose predecessor has not been given up
                        return
                    continue
                partition, offset = message.partition(), message.offset()
                if assigned := self.assigned_at.pop(partition, None):
                    print("first", assigned, partition, offset, flush=True)
                self.positions[partition] = offset + 1
            self.commit()


if __name__ == "__main__":
    member = Member(*sys.argv[1:4], sys.argv[4] if len(sys.argv) > 4 else None)
    try:
        member.run()
        member.consumer.close()
    except BrokenPipeError:
        os._exit(1)  # nobody listens any more: the test has ended
