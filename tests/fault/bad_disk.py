#!/usr/bin/env python3
"""A disk that is full, that refuses writes, that refuses syncs: producers and committers get Kafka's errors, never a
success for what is not stored; reading goes on, a start works; when the disk is well again so is the server, by itself.
After each of these the server is killed with SIGKILL and everything that was acknowledged is read back.

Failures come from a library that is preloaded into the server; with root there is a real full disk, too (tmpfs).
"""
from __future__ import annotations

import argparse
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition  # noqa: E402
from confluent_kafka.admin import AdminClient, NewTopic  # noqa: E402

from raw_client import Client  # noqa: E402
from request_frames import NULL, request_schemas  # noqa: E402
from server import Server, quiet_logger  # noqa: E402

TOPIC, PARTITIONS = "disk", 3
GROUP = "disk-group"
RECORD_BYTES = 20_000
COMMIT_VERSION = 8
NOT_COORDINATOR = 16
COMMIT_ERRORS = {15: "COORDINATOR_NOT_AVAILABLE", NOT_COORDINATOR: "NOT_COORDINATOR", 14: "COORDINATOR_LOAD_IN_PROGRESS"}
PATIENCE_S = 20
COMMIT = request_schemas()["OffsetCommitRequest"]


def check(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(what)


class Work:
    """Produces and commits, and remembers what was acknowledged."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.records: dict[tuple[int, int], bytes] = {}
        self.number = self.committed = 0
        self.maybe_committed: set[int] = set()

    def produce(self, count: int) -> set[str]:
        """One try each, no retries; the names of the errors."""
        errors: set[str] = set()

        def delivered(error: KafkaError | None, message: object) -> None:
            if error:
                errors.add(error.name())
            else:
                self.records[(message.partition(), message.offset())] = message.value()

        producer = Producer({"bootstrap.servers": self.server.address, "acks": "all", "retries": 0, "linger.ms": 0,
                             "message.timeout.ms": 10_000, "logger": quiet_logger()})
        for _ in range(count):
            self.number += 1
            value = f"{self.number}:".encode().ljust(RECORD_BYTES, b"x")
            producer.produce(TOPIC, value, partition=self.number % PARTITIONS, on_delivery=delivered)
            producer.flush(15)
        return errors

    def commit(self) -> int:
        """The error of one commit."""
        self.number += 1
        frame = COMMIT.frame(COMMIT_VERSION, random.Random(1), {
            "GroupId": GROUP, "GenerationIdOrMemberEpoch": -1, "MemberId": "", "GroupInstanceId": NULL,
            "Topics": [{"Name": TOPIC, "Partitions": [{"PartitionIndex": 0, "CommittedOffset": self.number,
                                                       "CommittedLeaderEpoch": -1, "CommittedMetadata": ""}]}]})
        with Client(self.server, timeout_s=PATIENCE_S) as client:
            error = struct.unpack(">h", client.ask(frame)[-5:-3])[0]
        if error == 0:
            self.committed = self.number
        return error

    def read_all(self) -> dict[tuple[int, int], bytes]:
        reader = Consumer({"bootstrap.servers": self.server.address, "group.id": "reader", "enable.auto.commit": False,
                           "enable.partition.eof": True, "logger": quiet_logger()})
        reader.assign([TopicPartition(TOPIC, p, 0) for p in range(PARTITIONS)])
        found: dict[tuple[int, int], bytes] = {}
        ended: set[int] = set()
        deadline = time.monotonic() + PATIENCE_S
        while len(ended) < PARTITIONS and time.monotonic() < deadline:
            for message in reader.consume(1000, timeout=0.2):
                if message.error():
                    check(message.error().code() == KafkaError._PARTITION_EOF, str(message.error()))
                    ended.add(message.partition())
                else:
                    found[(message.partition(), message.offset())] = message.value()
        reader.close()
        return found

    def verify(self) -> None:
        """All that was acknowledged is there, and the commit."""
        found = self.read_all()
        missing = [place for place, value in self.records.items() if found.get(place) != value]
        check(not missing, f"{len(missing)} acknowledged records are gone or changed, such as {missing[:3]}")
        reader = Consumer({"bootstrap.servers": self.server.address, "group.id": GROUP, "logger": quiet_logger()})
        there = reader.committed([TopicPartition(TOPIC, 0)], timeout=PATIENCE_S)[0].offset
        reader.close()
        check(there == self.committed, f"{self.committed} was committed, {there} is there")


def until(holds: Callable[[], bool], what: str) -> float:
    begun = time.monotonic()
    while not holds():
        check(time.monotonic() - begun < PATIENCE_S, f"not within {PATIENCE_S} s: {what}")
        time.sleep(0.2)
    return time.monotonic() - begun


def play(server: Server, name: str, break_it: Callable[[], None], mend_it: Callable[[], None],
         restart_broken: bool) -> None:
    work = Work(server)
    server.start()
    admin = AdminClient({"bootstrap.servers": server.address, "logger": quiet_logger()})
    admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(30)
    check(not work.produce(9) and work.commit() == 0, f"{name}: work on a good disk")

    # 1. Broken: errors, and reading goes on.
    break_it()
    refused = work.produce(6)
    check(bool(refused) and refused <= {"KAFKA_STORAGE_ERROR"}, f"{name}: produce is answered with {refused or 'success'}")
    # A commit is small: some may still fit into the last block of its file.
    commits: set[int] = set()
    for _ in range(200):
        if error := work.commit():
            commits.add(error)
            if len(commits) == len(COMMIT_ERRORS) or error == NOT_COORDINATOR:
                break
    check(bool(commits) and commits <= COMMIT_ERRORS.keys(), f"{name}: commits are answered with {commits or 'success'}")
    check(len(work.read_all()) >= len(work.records), f"{name}: records cannot be read")
    said = f"produce {', '.join(refused)}, commit {', '.join(COMMIT_ERRORS[error] for error in sorted(commits))}"

    # 2. A start on the broken disk: what is there can be read.
    if restart_broken:
        server.kill()
        begun = server.start()
        work.verify()
        check(work.produce(3) <= {"KAFKA_STORAGE_ERROR"}, f"{name}: produce after a start on the broken disk")
        said += f", started on it in {begun * 1000:.0f} ms"

    # 3. Mended: back by itself.
    mend_it()
    back = until(lambda: not work.produce(PARTITIONS), f"{name}: records are taken again")
    back_commits = until(lambda: work.commit() == 0, f"{name}: commits are taken again")
    check(not work.produce(9), f"{name}: work on the mended disk")
    work.verify()
    server.kill()
    server.start()
    work.verify()
    server.stop()
    server.start()
    work.verify()
    server.stop()
    print(f"{name}: {said}; records taken again after {back:.1f} s, commits after {back_commits:.1f} s more; "
          f"{len(work.records)} records there after kill -9", flush=True)


def preloaded(cohortd: Path, library: Path, folder: Path) -> None:
    synced = {"cohort.durability": "sync"}  # a failed sync is theirs, too
    # Synced with every fifth record: when that fails, those before it had been acknowledged.
    flushed = {"log.flush.interval.messages": "5"}
    for name, failure, overrides, restart in (
            ("no space for writes", "write ENOSPC", synced, True), ("writes fail", "write EIO", synced, False),
            ("syncs fail", "sync EIO", synced, False), ("syncs fail behind the answers", "sync EIO", flushed, False)):
        control = folder / "failure"
        control.write_text("")
        server = Server(cohortd, folder / name.replace(" ", "-"), overrides=overrides,
                        environment={"LD_PRELOAD": str(library), "COHORT_FAILING_DISK": str(control)})
        with_server(server, lambda s=server, n=name, c=control, f=failure, r=restart: play(
            s, n, lambda: c.write_text(f) and None, lambda: c.write_text("") and None, r))


def on_small_disk(folder: Path, action: Callable[[Path], None]) -> None:
    disk = folder / "tmpfs"
    disk.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "cohort-test", disk], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        print(f"no real full disk: {done.stderr.strip()}")
        return
    try:
        action(disk)
    finally:
        subprocess.run(["umount", "--lazy", disk], check=False)


def full_of_old_records(cohortd: Path, folder: Path) -> None:
    """Retention makes room where there is none at all for what it has to write itself."""

    def fill_and_wait(server: Server) -> None:
        server.start()
        admin = AdminClient({"bootstrap.servers": server.address, "logger": quiet_logger()})
        admin.create_topics([NewTopic(TOPIC, 1, 1, config={"segment.bytes": "1048576", "retention.ms": "4000"})])[
            TOPIC].result(30)
        errors: list[str] = []
        producer = Producer({"bootstrap.servers": server.address, "enable.idempotence": True, "linger.ms": 0,
                             "message.timeout.ms": 2_000, "logger": quiet_logger()})

        def send(size: int) -> bool:
            errors.clear()
            producer.produce(TOPIC, bytes(size), partition=0,
                             on_delivery=lambda error, _message: errors.append(error.name()) if error else None)
            producer.flush(15)
            return not errors

        count = 0
        for size in (200_000, 10_000, 500):
            while send(size):
                count += 1
        back = until(lambda: send(100_000), "retention makes room on a full disk")
        server.kill()
        server.start()
        check(send(100_000), "produce after kill -9")
        server.stop()
        print(f"full of old records: {count} batches filled it; records taken again after {back:.1f} s", flush=True)

    def play_it(disk: Path) -> None:
        server = Server(cohortd, disk / "data", overrides={"log.retention.check.interval.ms": "1000"})
        server.log_file = folder / "tmpfs.log"
        with_server(server, lambda: fill_and_wait(server))

    on_small_disk(folder, play_it)


def real_full_disk(cohortd: Path, folder: Path) -> None:
    def play_it(disk: Path) -> None:
        ballast = disk / "ballast"

        def fill() -> None:
            with open(ballast, "wb", buffering=0) as out:
                try:
                    while True:
                        out.write(bytes(1 << 12))
                except OSError:
                    pass

        server = Server(cohortd, disk / "data", overrides={"offsets.topic.segment.bytes": "1048576"})
        # The server's own output must not be lost with the disk.
        server.log_file = folder / "tmpfs.log"
        with_server(server, lambda: play(server, "a full disk", fill, ballast.unlink, True))

    on_small_disk(folder, play_it)


def with_server(server: Server, action: Callable[[], None]) -> None:
    try:
        action()
    except (Exception, KafkaException):
        print("".join(server.log.read_text(errors="replace").splitlines(keepends=True)[-15:]), file=sys.stderr)
        raise
    finally:
        if server.process and server.process.poll() is None:
            server.kill()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohortd", type=Path, required=True)
    parser.add_argument("--failing-disk", type=Path, required=True, help="the library to preload")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cohort-disk-") as folder:
        preloaded(args.cohortd, args.failing_disk, Path(folder))
        if os.geteuid() == 0:
            real_full_disk(args.cohortd, Path(folder))
            full_of_old_records(args.cohortd, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
