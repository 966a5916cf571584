"""Commits for many groups and reads what is committed, without a client library: librdkafka 2.16 aborts now and then when
a request of its admin client to a coordinator loses its connection (its issue 4605) or is answered NOT_COORDINATOR."""
from __future__ import annotations

import io
import random
import struct
import time

from load_clients import MEMBER_TOPIC, Worker
from load_ledger import GroupOffset, Ledger
from raw_client import Client
from request_frames import NULL, request_schemas
from server import Server

COMMIT, COMMIT_VERSION = request_schemas()["OffsetCommitRequest"], 8
DELETE, DELETE_VERSION = request_schemas()["DeleteGroupsRequest"], 2
FETCH, FETCH_VERSION = request_schemas()["OffsetFetchRequest"], 5
LARGE_METADATA = "m" * 4000  # so that few commits fill a segment of __consumer_offsets
PATIENCE_S = 60
NOT_NOW = {14, 15, 16}  # COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR


class Committer(Worker):
    """Commits rising offsets for many groups that have no members, and deletes such a group now and then."""

    def __init__(self, server: Server, ledger: Ledger, seed: int, first: int, groups: int) -> None:
        super().__init__(f"committer-{first}", ledger, seed)
        self.server = server
        self.names = [f"group-{g}" for g in range(first, first + groups)]
        for name in self.names:
            ledger.groups[name] = GroupOffset()

    def step(self) -> None:
        try:
            with Client(self.server, timeout_s=PATIENCE_S) as connection:
                while not self.stopping.is_set():
                    self.ask_for_all(connection)
        except TimeoutError:
            self.ledger.problem(f"{self.name}: no answer within {PATIENCE_S} s")
        except OSError:
            time.sleep(0.01)  # the server is gone; what had no answer may or may not have happened

    def ask_for_all(self, connection: Client) -> None:
        asked = []
        for name in self.names:
            group = self.ledger.groups[name]
            there = group.acknowledged == group.tried > 0 and group.tried not in group.deletions
            if there and self.chance.random() < 0.02:
                group.deletions.add(group.tried + 1)
                group.tried += 1
                connection.socket.sendall(self.deletion(name))
            else:
                group.tried += 1
                connection.socket.sendall(self.commit(name, group.tried))
            asked.append((name, group))
        for name, group in asked:
            error = struct.unpack(">h", self.error_in(connection.reply(), group))[0]
            if error == 0:
                group.acknowledged = group.tried
                self.ledger.count("commits and deletions of groups")
            elif error not in NOT_NOW:
                self.ledger.problem(f"{self.name}: error {error} for {name}")
        time.sleep(0.005)

    def commit(self, group: str, offset: int) -> bytes:
        metadata = LARGE_METADATA if self.chance.random() < 0.1 else ""
        return COMMIT.frame(COMMIT_VERSION, self.chance, {
            "GroupId": group, "GenerationIdOrMemberEpoch": -1, "MemberId": "", "GroupInstanceId": NULL,
            "Topics": [{"Name": MEMBER_TOPIC, "Partitions": [{"PartitionIndex": 0, "CommittedOffset": offset,
                                                              "CommittedLeaderEpoch": -1, "CommittedMetadata": metadata}]}]})

    def deletion(self, group: str) -> bytes:
        return DELETE.frame(DELETE_VERSION, self.chance, {"GroupsNames": [group]})

    @staticmethod
    def error_in(reply: bytes, group: GroupOffset) -> bytes:
        """It stands before the tags of partition, topic and answer, or of group and answer."""
        tags = 2 if group.tried in group.deletions else 3
        return reply[-tags - 2:-tags]


def committed(connection: Client, group: str) -> dict[int, int]:
    """The group's offsets by partition of the members' topic; waits while its coordinator loads."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        request = {"GroupId": group, "Topics": NULL}
        body = io.BytesIO(connection.ask(FETCH.frame(FETCH_VERSION, random.Random(1), request)))

        def take(form: str) -> int:
            return struct.unpack(form, body.read(struct.calcsize(form)))[0]

        offsets: dict[int, int] = {}
        body.read(4 + 4)  # correlation id, throttle time
        for _topic in range(take(">i")):
            body.read(take(">h"))
            for _partition in range(take(">i")):
                index, offset = take(">i"), take(">q")
                body.read(4)  # leader epoch
                body.read(max(0, take(">h")))  # metadata
                if (error := take(">h")) != 0:
                    raise AssertionError(f"{group}: error {error} for partition {index}")
                offsets[index] = offset
        if (error := take(">h")) == 0:
            return offsets
        if error not in NOT_NOW or time.monotonic() > deadline:
            raise AssertionError(f"{group}: OffsetFetch is answered with error {error}")
        time.sleep(0.01)
