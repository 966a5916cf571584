#!/usr/bin/env python3
"""SIGTERM while clients work: long polls are answered at once, a commit is answered or its connection closed, the
process ends with status 0 within a second, and what was acknowledged is there after the next start."""
from __future__ import annotations

import argparse
import random
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from confluent_kafka import Consumer, TopicPartition  # noqa: E402
from confluent_kafka.admin import AdminClient, NewTopic  # noqa: E402

from raw_client import Client  # noqa: E402
from request_frames import NULL, request_schemas  # noqa: E402
from server import Server, quiet_logger  # noqa: E402

SCHEMAS = request_schemas()
TOPIC, PARTITIONS, POLLERS, COMMITTERS = "ends", 300, 20, 4
LONG_POLL_MS = 30_000
END_LIMIT_S = 1.0
FETCH_VERSION, COMMIT_VERSION = 12, 8
NOT_COORDINATOR = 16


def fetch_frame(partition: int) -> bytes:
    return SCHEMAS["FetchRequest"].frame(FETCH_VERSION, random.Random(1), {
        "MaxWaitMs": LONG_POLL_MS, "MinBytes": 1, "MaxBytes": 1 << 20, "IsolationLevel": 0, "SessionId": 0,
        "SessionEpoch": -1, "ForgottenTopicsData": [], "RackId": "", "Topics": [{"Topic": TOPIC, "Partitions": [
            {"Partition": partition, "CurrentLeaderEpoch": -1, "FetchOffset": 0, "LastFetchedEpoch": -1,
             "LogStartOffset": -1, "PartitionMaxBytes": 1 << 20}]}]})


def commit_frame(group: str, offset: int) -> bytes:
    return SCHEMAS["OffsetCommitRequest"].frame(COMMIT_VERSION, random.Random(1), {
        "GroupId": group, "GenerationIdOrMemberEpoch": -1, "MemberId": "", "GroupInstanceId": NULL,
        "Topics": [{"Name": TOPIC, "Partitions": [{"PartitionIndex": 0, "CommittedOffset": offset,
                                                   "CommittedLeaderEpoch": -1, "CommittedMetadata": ""}]}]})


class Poller(threading.Thread):
    """A fetch that finds nothing and would wait for half a minute."""

    def __init__(self, server: Server, partition: int) -> None:
        super().__init__()
        self.client = Client(server, timeout_s=LONG_POLL_MS / 1000)
        self.client.socket.sendall(fetch_frame(partition))
        self.outcome = "nothing"

    def run(self) -> None:
        try:
            reply = self.client.reply()
            # Correlation id, tagged fields of the header, throttle time, error.
            error = struct.unpack(">h", reply[9:11])[0]
            self.outcome = "answered" if error == 0 else f"error {error}"
        except OSError as problem:
            self.outcome = str(problem)


class Committer(threading.Thread):
    """Commits rising offsets, one at a time."""

    def __init__(self, server: Server, group: str) -> None:
        super().__init__()
        self.client, self.group = Client(server), group
        self.acknowledged, self.failure = -1, ""

    def run(self) -> None:
        offset = 0
        try:
            while True:
                offset += 1
                reply = self.client.ask(commit_frame(self.group, offset))
                error = error_of_commit(reply)
                if error == 0:
                    self.acknowledged = offset
                elif error != NOT_COORDINATOR:
                    self.failure = f"commit {offset} was answered with error {error}"
                    return
        except TimeoutError:
            self.failure = f"commit {offset} got neither an answer nor the end of the connection"
        except OSError:
            pass  # closed


def error_of_commit(reply: bytes) -> int:
    """OffsetCommit v8 of one partition: it ends with the error and three empty sets of tagged fields."""
    return struct.unpack(">h", reply[-5:-3])[0]


def end_under_load(server: Server) -> None:
    pollers = [Poller(server, p) for p in range(POLLERS)]
    committers = [Committer(server, f"group-{g}") for g in range(COMMITTERS)]
    for thread in [*pollers, *committers]:
        thread.start()
    time.sleep(0.3)
    took = server.stop()
    for thread in [*pollers, *committers]:
        thread.join()
    outcomes = {poller.outcome for poller in pollers}
    if outcomes != {"answered"}:
        raise AssertionError(f"long polls at the end: {outcomes}")
    for committer in committers:
        if committer.failure or committer.acknowledged < 1:
            raise AssertionError(f"{committer.group}: {committer.failure or 'nothing was committed'}")
    if took > END_LIMIT_S:
        raise AssertionError(f"the end took {took:.2f} s")
    print(f"ended in {took * 1000:.0f} ms: {len(pollers)} long polls answered, "
          f"{sum(c.acknowledged for c in committers)} commits acknowledged", flush=True)
    started = server.start()
    for committer in committers:
        reader = Consumer({"bootstrap.servers": server.address, "group.id": committer.group})
        there = reader.committed([TopicPartition(TOPIC, 0)], timeout=10)[0].offset
        reader.close()
        # The one that was under way when the server ended may be there, too.
        if there not in (committer.acknowledged, committer.acknowledged + 1):
            raise AssertionError(f"{committer.group}: {committer.acknowledged} was acknowledged, {there} is there")
    print(f"started again in {started * 1000:.0f} ms, every acknowledged commit is there", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohortd", type=Path, required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cohort-end-") as folder:
        server = Server(args.cohortd, Path(folder) / "data")
        try:
            server.start()
            admin = AdminClient({"bootstrap.servers": server.address, "logger": quiet_logger()})
            admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(30)
            for _ in range(2):
                end_under_load(server)
            server.stop()
        finally:
            if server.process and server.process.poll() is None:
                server.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
