"""What the clients of kill_under_load.py have sent and what the server has acknowledged. Clients write, the checks read."""
from __future__ import annotations

import threading
from array import array
from dataclasses import dataclass, field
from enum import Enum

from confluent_kafka import Message

from server import quiet_logger

Place = tuple[str, int]  # topic and partition
NOT_YET = -1


class Keeps(Enum):
    ALL = "all records"
    NEWEST = "the newest bytes"  # retention.bytes
    LAST_OF_KEY = "the last record of each key"  # cleanup.policy=compact


@dataclass(frozen=True)
class Topic:
    name: str
    partitions: int
    keeps: Keeps
    value_bytes: int
    config: dict[str, str] = field(default_factory=dict)

    def places(self) -> list[Place]:
        return [(self.name, partition) for partition in range(self.partitions)]


SEGMENT = {"segment.bytes": "1048576"}  # the smallest
TOPICS = {topic.name: topic for topic in (
    Topic("plain", 4, Keeps.ALL, 100),
    Topic("synced", 2, Keeps.ALL, 100, {"cohort.durability": "sync"}),
    Topic("retained", 2, Keeps.NEWEST, 4000, {**SEGMENT, "retention.bytes": "1048576"}),
    Topic("compacted", 2, Keeps.LAST_OF_KEY, 4000, {**SEGMENT, "cleanup.policy": "compact", "delete.retention.ms": "0"}))}
PLACES = [place for topic in TOPICS.values() for place in topic.places()]


class Track:
    """The records of one producer in one partition: record number n of the track is its n-th."""

    def __init__(self, idempotent: bool) -> None:
        self.idempotent = idempotent
        self.sent = 0
        self.acknowledged = array("q")  # by number: the offset, or NOT_YET
        self.known = 0  # 1 + the highest number that was acknowledged
        self.highest = NOT_YET  # offset
        self.keys: dict[bytes, list[tuple[int, bool]]] = {}  # of a compacted topic: number, whether it deletes

    def acknowledge(self, number: int, offset: int) -> None:
        while len(self.acknowledged) <= number:
            self.acknowledged.append(NOT_YET)
        self.acknowledged[number] = offset
        self.known = max(self.known, number + 1)
        self.highest = max(self.highest, offset)

    def last_acknowledged(self, key: bytes) -> int | None:
        for number, _deletes in reversed(self.keys[key]):
            if number < self.known and self.acknowledged[number] != NOT_YET:
                return number
        return None

    def was_deleted(self, key: bytes, number: int) -> bool:
        """By this record or a later one, answered or not."""
        return any(deletes for n, deletes in self.keys[key] if n >= number)

    def forget_below(self, key: bytes, number: int) -> None:
        numbers = self.keys[key]
        del numbers[:next(at for at, (n, _) in enumerate(numbers) if n >= number)]


@dataclass
class GroupOffset:
    """Operations on one group's offset, numbered in the order of their one client; a commit's number is its offset."""

    tried: int = 0
    acknowledged: int = 0
    deletions: set[int] = field(default_factory=set)


class Ledger:
    def __init__(self) -> None:
        self.tracks: dict[tuple[str, Place], Track] = {}
        self.groups: dict[str, GroupOffset] = {}
        self.member_commits: dict[int, int] = {}  # partition of the members' topic: highest acknowledged offset
        self.commits: list[tuple[float, int, int]] = []  # of members: when, which partition, which offset
        self.firsts: list[tuple[float, int, int]] = []  # when it was assigned, partition, offset of the first record
        self.problems: list[str] = []
        self.counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def problem(self, text: str) -> None:
        with self._lock:
            self.problems.append(text)

    def count(self, what: str, number: int = 1) -> None:
        with self._lock:
            self.counts[what] = self.counts.get(what, 0) + number

    def member_says(self, event: str, moment: float, partition: int, offset: int = 0) -> None:
        with self._lock:
            if event == "committed":
                self.commits.append((moment, partition, offset))
                self.member_commits[partition] = max(offset, self.member_commits.get(partition, 0))
            elif event == "first":
                self.firsts.append((moment, partition, offset))
        self.count({"committed": "commits of members", "assigned": "assignments", "first": "partitions gone on with"}[event])


def client_settings(address: str) -> dict[str, object]:
    """They must find the server again soon after its start."""
    return {"bootstrap.servers": address, "reconnect.backoff.ms": 10, "reconnect.backoff.max.ms": 100,
            "retry.backoff.ms": 20, "retry.backoff.max.ms": 100, "topic.metadata.refresh.fast.interval.ms": 20,
            "metadata.recovery.strategy": "none", "logger": quiet_logger()}


def identity(producer: str, number: int) -> list[tuple[str, bytes]]:
    """The headers by which a record is known again, also one without a value."""
    return [("id", f"{producer} {number}".encode())]


def identity_of(message: Message) -> tuple[str, int]:
    producer, number = message.headers()[0][1].decode().split()
    return producer, int(number)


def value_of(topic: Topic, number: int) -> bytes:
    return (b"%010d" % (number * 7919 % 10**10)) * (topic.value_bytes // 10)
