"""What must hold after each death of the server in kill_under_load.py. The clients go on meanwhile: each check compares
with what had been acknowledged before it looked, and allows what may have been done since."""
from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Callable

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from load_clients import MEMBER_GROUP, TopicChanger
from load_committer import committed
from load_ledger import NOT_YET, PLACES, TOPICS, Keeps, Ledger, Place, Track, client_settings, identity_of, value_of
from raw_client import Client
from server import Server

PATIENCE_S = 60
COMPACTED_TRIES = 3
Key = tuple[tuple[str, Place], bytes]  # whose track, and the key


class Violation(AssertionError):
    pass


def require(holds: bool, what: str) -> None:
    if not holds:
        raise Violation(what)


@dataclass
class Bounds:
    start: int = 0
    end: int = 0
    leader_epoch: int = 0


@dataclass
class Seen:
    """The records of one track, as they were read."""

    next_number: int = 0
    may_jump: bool = False  # records are gone that retention may have taken
    compared: int = 0  # below it, all that was acknowledged has been compared
    offsets: dict[int, list[int]] = field(default_factory=dict)  # by number, from `compared` on


class Checks:
    def __init__(self, server: Server, ledger: Ledger, changer: TopicChanger) -> None:
        self.server, self.ledger, self.changer = server, ledger, changer
        self.admin = AdminClient(client_settings(server.address))
        self.bounds = {place: Bounds() for place in PLACES}
        self.read_to = {place: 0 for place in PLACES}
        self.epochs = {place: -1 for place in PLACES}
        self.seen = {key: Seen() for key in ledger.tracks}
        self.gaps: dict[Place, int] = {}  # of this reading: where it went on
        self.member_offsets: dict[int, int] = {}

    def run(self, from_the_start: bool) -> int:
        """The number of records read."""
        self.check_groups()
        self.check_assignments()
        self.check_topics()
        return self.check_records(from_the_start)

    # ------------------------------------------------------------------------------------------------- groups, topics

    def check_groups(self) -> None:
        known = {name: group.acknowledged for name, group in self.ledger.groups.items()}
        known_of_members = dict(self.ledger.member_commits)
        with Client(self.server, timeout_s=PATIENCE_S) as connection:
            offsets = {group: committed(connection, group) for group in (*known, MEMBER_GROUP)}
        for name, acknowledged in known.items():
            group, there = self.ledger.groups[name], offsets[name].get(0)
            if there is None:
                possible = acknowledged == 0 or any(number >= acknowledged for number in group.deletions)
            else:
                possible = acknowledged <= there <= group.tried and there not in group.deletions
            require(possible, f"{name}: {acknowledged} was acknowledged, {group.tried} tried, {there} is there")
        there = offsets[MEMBER_GROUP]
        for partition in known_of_members | self.member_offsets:
            wanted = max(known_of_members.get(partition, 0), self.member_offsets.get(partition, 0))
            require(there.get(partition, 0) >= wanted,
                    f"{MEMBER_GROUP} partition {partition}: {wanted} was committed, {there.get(partition)} is there")
        self.member_offsets = there

    def check_assignments(self) -> None:
        """Whoever is given a partition goes on where the group had committed, or later."""
        for assigned, partition, offset in self.ledger.firsts:
            wanted = max((o for moment, p, o in self.ledger.commits if p == partition and moment < assigned), default=0)
            require(offset >= wanted, f"{MEMBER_GROUP}: partition {partition} was read from {offset} on, although {wanted} "
                                      f"had been committed before it was assigned")

    def check_topics(self) -> None:
        with self.changer.settled:
            topics = self.admin.list_topics(timeout=PATIENCE_S).topics
            for name, counts in self.changer.possible.items():
                count = len(topics[name].partitions) if name in topics else 0
                require(count in counts, f"{name} may have {sorted(counts)} partitions, there are {count}")
                self.changer.possible[name] = {count}
        unknown = {name for name in topics if not name.startswith("__")} - set(TOPICS) - set(self.changer.possible)
        require(not unknown, f"nobody created {sorted(unknown)}")

    # -------------------------------------------------------------------------------------------------------- records

    def offsets(self, spec: OffsetSpec) -> dict[Place, tuple[int, int]]:
        asked = {TopicPartition(*place): spec for place in PLACES}
        answers = self.admin.list_offsets(asked, request_timeout=PATIENCE_S)
        results = {(tp.topic, tp.partition): future.result() for tp, future in answers.items()}
        return {place: (result.offset, result.leader_epoch or 0) for place, result in results.items()}

    def check_bounds(self) -> None:
        highest = {place: max(track.highest for (_, p), track in self.ledger.tracks.items() if p == place)
                   for place in PLACES}
        starts, ends = self.offsets(OffsetSpec.earliest()), self.offsets(OffsetSpec.latest())
        for place, before in self.bounds.items():
            now = Bounds(starts[place][0], ends[place][0], ends[place][1])
            require(now.end > highest[place], f"{place}: the log ends at {now.end}, {highest[place]} was acknowledged")
            require(now.start >= before.start, f"{place}: the log's start fell from {before.start} to {now.start}")
            require(now.end >= before.end, f"{place}: the log's end fell from {before.end} to {now.end}")
            require(now.leader_epoch >= before.leader_epoch,
                    f"{place}: the leader epoch fell from {before.leader_epoch} to {now.leader_epoch}")
            self.bounds[place] = now

    def check_records(self, from_the_start: bool) -> int:
        last_of_keys = {(where, key): number for where, track in self.ledger.tracks.items() for key in list(track.keys)
                        if (number := track.last_acknowledged(key)) is not None}
        self.check_bounds()
        compacted = [place for place in PLACES if TOPICS[place[0]].keeps == Keeps.LAST_OF_KEY]
        others = [place for place in PLACES if place not in compacted]
        if from_the_start:
            self.forget([place for place in PLACES if TOPICS[place[0]].keeps == Keeps.ALL])
        self.gaps.clear()
        count = self.read(others, self.take)
        starts = self.offsets(OffsetSpec.earliest())
        for place, end in self.gaps.items():
            require(starts[place][0] >= end, f"{place}: below {end} records are gone, the log starts at {starts[place]}")
        for (producer, place), track in self.ledger.tracks.items():
            if place in others:
                self.compare(producer, place, track, starts[place][0])
        return count + self.check_compacted(compacted, last_of_keys)

    def forget(self, places: list[Place]) -> None:
        for place in places:
            self.read_to[place], self.epochs[place] = 0, -1
            self.seen.update((key, Seen()) for key in self.seen if key[1] == place)

    def read(self, places: list[Place], take: Callable[[Place, Message], None]) -> int:
        """From where reading stopped last to where the logs ended a moment ago."""
        reader = Consumer({**client_settings(self.server.address), "group.id": "checks", "enable.auto.commit": False,
                           "enable.partition.eof": True, "check.crcs": True, "fetch.wait.max.ms": 20,
                           "auto.offset.reset": "earliest"})
        reader.assign([TopicPartition(*place, max(self.read_to[place], self.bounds[place].start)) for place in places])
        unread = {place for place in places if self.bounds[place].end > self.read_to[place]}
        count, deadline = 0, time.monotonic() + PATIENCE_S
        while unread and time.monotonic() < deadline:
            for message in reader.consume(10_000, timeout=0.1):
                place = (message.topic(), message.partition())
                if place in unread:
                    deadline = time.monotonic() + PATIENCE_S
                if message.error() is None:
                    self.check_record(place, message)
                    take(place, message)
                    count += 1
                elif message.error().code() != KafkaError._PARTITION_EOF:
                    raise Violation(f"{place}: {message.error()}")
                if message.offset() >= self.bounds[place].end - (1 if message.error() is None else 0):
                    unread.discard(place)
        reader.close()
        ends = {place: (self.read_to[place], self.bounds[place].end) for place in unread}
        require(not unread, f"reading stands still for {PATIENCE_S} s before the ends: {ends}; {count} records were read")
        return count

    def check_record(self, place: Place, message: Message) -> None:
        epoch = message.leader_epoch() or 0
        require(epoch >= self.epochs[place], f"{place} offset {message.offset()}: leader epoch {epoch} after a higher one")
        self.epochs[place] = epoch
        number = identity_of(message)[1]
        require(message.value() in (None, value_of(TOPICS[place[0]], number)),
                f"{place} offset {message.offset()}: the value is not that of record {number}")

    def take(self, place: Place, message: Message) -> None:
        producer, number = identity_of(message)
        offset, seen = message.offset(), self.seen[producer, place]
        if offset != self.read_to[place]:
            require(TOPICS[place[0]].keeps == Keeps.NEWEST and offset > self.read_to[place],
                    f"{place}: offset {offset} where {self.read_to[place]} was expected")
            self.gaps[place] = offset
            for key, other in self.seen.items():
                other.may_jump = other.may_jump or key[1] == place
        self.read_to[place] = offset + 1
        if self.ledger.tracks[producer, place].idempotent:
            require(number == seen.next_number or (seen.may_jump and number > seen.next_number),
                    f"{place} offset {offset}: record {number} of {producer}, {seen.next_number} was expected")
        seen.next_number, seen.may_jump = number + 1, False
        seen.offsets.setdefault(number, []).append(offset)

    def compare(self, producer: str, place: Place, track: Track, log_start: int) -> None:
        """What was acknowledged with what was read."""
        seen = self.seen[producer, place]
        while seen.compared < track.known:
            offset = track.acknowledged[seen.compared]
            if offset == NOT_YET or offset >= self.read_to[place]:
                break
            there = seen.offsets.pop(seen.compared, [])
            require(offset in there or offset < log_start, f"{place}: record {seen.compared} of {producer} was acknowledged "
                                                           f"at offset {offset} and is at {there or 'none'}")
            seen.compared += 1

    # -------------------------------------------------------------------------------------------------- compacted topics

    def check_compacted(self, places: list[Place], wanted: dict[Key, int]) -> int:
        """A reader may have passed a record before a round of compaction takes it and its key's tombstone. So what is
        missing is looked for again: what is lost stays lost."""
        for _ in range(COMPACTED_TRIES):
            found: dict[Key, int] = {}
            last: dict[tuple[str, Place], int] = {}

            def take(place: Place, message: Message) -> None:
                producer, number = identity_of(message)
                track, offset = self.ledger.tracks[producer, place], message.offset()
                require(number > last.get((producer, place), NOT_YET),
                        f"{place} offset {offset}: record {number} of {producer} comes after {last.get((producer, place))}")
                last[producer, place] = number
                acknowledged = track.acknowledged[number] if number < track.known else NOT_YET
                require(acknowledged in (NOT_YET, offset), f"{place}: record {number} of {producer} was acknowledged at "
                                                           f"offset {acknowledged} and is at {offset}")
                found[(producer, place), message.key()] = number

            for place in places:
                self.read_to[place], self.epochs[place] = 0, -1
            count = self.read(places, take)
            missing = [(where, key) for (where, key), number in wanted.items()
                       if found.get((where, key), NOT_YET) < number
                       and ((where, key) in found or not self.ledger.tracks[where].was_deleted(key, number))]
            if not missing:
                break
        lost = [f"{key}: record {wanted[key]} was acknowledged, {found.get(key)} is there" for key in missing]
        require(not lost, f"{len(lost)} keys have lost their last value, such as {lost[:3]}")
        for (where, key), number in wanted.items():
            self.ledger.tracks[where].forget_below(key, number)
        return count
