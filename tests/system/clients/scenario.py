"""The life of a group that every client library must lead: share, leave, a killed server, go on, come later."""
from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from member import PATIENCE_S, Failed, Member
from server import Server, quiet_logger

PARTITIONS = 4
FIRST, SECOND, THIRD, LAST = 200, 100, 100, 50
SETTLED_S = 1
SESSION_MS = 6000  # a static member that leaves is waited for so long


@dataclass
class Scenario:
    server: Server
    group: str
    topic: str
    options: dict[str, str]
    make_member: Callable[[str, list[str]], Member]  # name, arguments
    members: list[Member] = field(default_factory=list)
    produced: set[str] = field(default_factory=set)

    def run(self) -> None:
        try:
            self._make_topic()
            self._live()
        finally:
            for member in self.members:
                member.kill()

    def _live(self) -> None:
        # 1. Two share.
        a = self._join("a")
        a.wait("assignment of all partitions", lambda: len(a.assigned) == PARTITIONS)
        b = self._join("b")
        self._wait_shared(a, b)
        self._produce(FIRST)
        self._wait_read(a, b)
        # 2. One leaves, and what either has read is not read again: where a rebalance takes everything from everybody,
        # the one that stays begins anew at what it has committed.
        a.commit()
        b.commit()
        b.close()
        a.wait("assignment of all partitions again", lambda: len(a.assigned) == PARTITIONS)
        self._produce(SECOND)
        self._wait_read(a, b)
        a.commit()
        # 3. The server dies and comes back under a live member.
        self.server.kill()
        self.server.start()
        self._produce(THIRD)
        self._wait_read(a, b)
        a.commit()
        a.close()
        # 4. One that comes later begins where the last commit was.
        c = self._join("c")
        c.wait("assignment of all partitions", lambda: len(c.assigned) == PARTITIONS)
        self._produce(LAST)
        self._wait_read(a, b, c)
        c.commit()
        c.close()

    def _make_topic(self) -> None:
        admin = AdminClient({"bootstrap.servers": self.server.address, "logger": quiet_logger()})
        for done in admin.create_topics([NewTopic(self.topic, PARTITIONS, 1)]).values():
            done.result(PATIENCE_S)

    def _join(self, name: str) -> Member:
        options = dict(self.options)
        if options.pop("static", None):
            options |= {"instance": f"{self.group}-{name}", "session_ms": f"{SESSION_MS}"}
        member = self.make_member(name, [self.server.address, self.group, self.topic, json.dumps(options)])
        self.members.append(member)
        return member

    @staticmethod
    def _wait_shared(a: Member, b: Member) -> None:
        everything = set(range(PARTITIONS))
        deadline = time.monotonic() + PATIENCE_S
        since = None  # when it began to look as it should: what members tell may be a moment old
        while time.monotonic() < deadline:
            shared = a.assigned and b.assigned and a.assigned | b.assigned == everything and not a.assigned & b.assigned
            since = (since or time.monotonic()) if shared else None
            if since and time.monotonic() - since > SETTLED_S:
                return
            for member in (a, b):
                if member.process.poll() is not None:
                    raise Failed(f"{member.name} ended: {member.last_words()}")
            time.sleep(0.05)
        raise Failed(f"not shared: a {a.last_words()}; b {b.last_words()}")

    def _produce(self, count: int) -> None:
        producer = Producer({"bootstrap.servers": self.server.address, "logger": quiet_logger(), "acks": "all"})
        begin = len(self.produced)
        for number in range(begin, begin + count):
            producer.produce(self.topic, f"{number}", partition=number % PARTITIONS)
            self.produced.add(f"{number}")
        if producer.flush(PATIENCE_S) > 0:
            raise Failed("records could not be produced")

    def _wait_read(self, *members: Member) -> None:
        """Until every record was read; then none may have been read twice."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            values = [value for member in members for _, _, value in list(member.records)]
            if len(set(values)) >= len(self.produced) or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        missing = self.produced - set(values)
        if missing:
            raise Failed(f"{len(missing)} of {len(self.produced)} records were not read; "
                         + "; ".join(f"{member.name} {member.last_words()}" for member in members))
        if len(values) > len(self.produced):
            raise Failed(f"{len(values) - len(self.produced)} records were read twice: {self._repeats(members)}")

    @staticmethod
    def _repeats(members: tuple[Member, ...]) -> str:
        """The first few, as partition@offset of those who read them."""
        readers: dict[tuple[int, int], str] = {}
        repeats = []
        for member in members:
            for partition, offset, _ in list(member.records):
                who = readers.get((partition, offset))
                if who:
                    repeats.append(f"{partition}@{offset} by {who} and {member.name}")
                readers[partition, offset] = member.name
        return ", ".join(repeats[:5])


def clients_folder() -> Path:
    return Path(__file__).resolve().parent
