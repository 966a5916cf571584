#!/usr/bin/env python3
"""kill -9 at random moments under load, also in the middle of a start: what was acknowledged is there afterwards.

Idempotent producers of every codec and plain ones write to a topic that keeps all, one that syncs, one from which
retention deletes and one that is compacted, all the time; members of a consumer group come, commit, leave and die; many
groups commit; topics are created, grown and deleted. The clients live through every death of the server. After each of
its starts, while they go on:
  - each record of an idempotent producer is there once, in its producer's order, unless retention or compaction took it;
    of a compacted topic, the last one of each key;
  - log starts, log ends and leader epochs have not fallen, and no log ends below what was acknowledged;
  - each group's committed offset is the acknowledged one or a later one of the same client;
  - the topics and their partitions are those whose creation, growth or deletion was acknowledged;
and no client saw a sequence error, or was given a record again that its group had committed. At the end all is read
once more, and each client must have had all its answers.

With --failing-disk the disk refuses or stalls writes or syncs for a while in each round. Then all topics sync, and all
producers are idempotent: where syncs fail, nothing else is promised.

--seed repeats what is drawn (moments, clients' choices), as far as timing allows. The data folder stays after a failure.
"""
from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from confluent_kafka import KafkaException  # noqa: E402
from confluent_kafka.admin import AdminClient, NewTopic  # noqa: E402

from load_checks import Checks, require  # noqa: E402
from load_clients import CODECS, FATAL_ERROR, SEQUENCE_ERROR, Member, TopicChanger, Worker, Writer  # noqa: E402
from load_committer import Committer  # noqa: E402
from load_ledger import TOPICS, Keeps, Ledger, client_settings  # noqa: E402
from server import Server, ServerFailed, free_port  # noqa: E402

SETTINGS = {"auto.create.topics.enable": "false", "log.cleaner.backoff.ms": "20",
            "log.cleaner.min.cleanable.ratio": "0.01", "offsets.topic.segment.bytes": "1048576",
            "log.retention.check.interval.ms": "100", "log.segment.delete.delay.ms": "100",
            "group.consumer.heartbeat.interval.ms": "200", "group.consumer.min.heartbeat.interval.ms": "200",
            "group.consumer.session.timeout.ms": "1500", "group.consumer.min.session.timeout.ms": "1500",
            "group.consumer.assignment.interval.ms": "100"}
MEMBERS, STATIC_MEMBERS, COMMITTERS, GROUPS_OF_COMMITTER = 4, 2, 3, 10
READ_ALL_EVERY, ENOUGH_ROUNDS = 20, 20  # to have seen everything
FATES_OF_DISK = ("write EIO 20", "write ENOSPC", "sync EIO 20", "sync EIO", "write stall 100", "sync stall 500")


class Run:
    def __init__(self, cohortd: Path, folder: Path, port: int, seed: int, failing_disk: Path | None) -> None:
        self.chance = random.Random(seed)
        self.server = Server(cohortd, folder / "data", port, overrides=SETTINGS)
        self.disk = folder / "disk"  # what becomes of the disk, when it is a failing one
        if failing_disk:
            self.server.overrides = {**SETTINGS, "cohort.durability": "sync"}
            self.server.environment = {"LD_PRELOAD": str(failing_disk), "COHORT_FAILING_DISK": str(self.disk)}
        self.ledger = Ledger()
        self.kills = self.kills_in_start = 0
        self.restarts: list[float] = []
        self.writers, self.others, self.checks = self.clients()

    def begin(self) -> None:
        self.server.start()
        admin = AdminClient(client_settings(self.server.address))
        topics = [NewTopic(topic.name, topic.partitions, 1, config=topic.config) for topic in TOPICS.values()]
        for created in admin.create_topics(topics).values():
            created.result(10)
        for client in self.writers + self.others:
            client.start()

    def clients(self) -> tuple[list[Worker], list[Worker], Checks]:
        address, ledger = self.server.address, self.ledger

        def seed() -> int:
            return self.chance.randrange(1 << 30)

        writers: list[Worker]
        if self.server.environment:
            writers = [Writer(address, ledger, seed(), codec, "all", list(TOPICS), FATAL_ERROR) for codec in CODECS]
        else:
            writers = [Writer(address, ledger, seed(), codec, "all", list(TOPICS), SEQUENCE_ERROR) for codec in CODECS]
            writers += [Writer(address, ledger, seed(), codec, "1", ["plain", "retained"], SEQUENCE_ERROR)
                        for codec in ("none", "lz4")]
        changer = TopicChanger(address, ledger, seed())
        others: list[Worker] = [changer]
        others += [Committer(self.server, ledger, seed(), n * GROUPS_OF_COMMITTER, GROUPS_OF_COMMITTER)
                   for n in range(COMMITTERS)]
        others += [Member(address, ledger, seed(), n, n < STATIC_MEMBERS) for n in range(MEMBERS)]
        return writers, others, Checks(self.server, ledger, changer)

    def kill_and_restart(self) -> None:
        self.kill()
        self.disk.write_text("")
        while self.chance.random() < 0.5:  # once more before it is up
            self.server.launch()
            time.sleep(self.chance.uniform(0, 0.015))
            self.kill()
        self.restarts.append(self.server.start())

    def kill(self) -> None:
        self.kills += 1
        self.kills_in_start += not self.server.listens()
        self.server.kill()

    def round(self, number: int) -> None:
        time.sleep(self.chance.uniform(0.2, 2.0))
        if self.server.environment:
            self.trouble(number)
        self.kill_and_restart()
        self.check(f"round {number}: up after {self.restarts[-1] * 1000:.0f} ms", number % READ_ALL_EVERY == 0)

    def trouble(self, number: int) -> None:
        """The disk fails for a while. Either the server is killed then, or the disk is well again and so is the server."""
        fate = self.chance.choice(FATES_OF_DISK)
        self.disk.write_text(fate)
        time.sleep(self.chance.uniform(0.05, 1.0))
        if self.chance.random() < 0.5:
            self.disk.write_text("")
            self.check(f"round {number}: {fate}, then well", from_the_start=False)
        else:
            print(f"round {number}: {fate}", flush=True)

    def check(self, what: str, from_the_start: bool) -> None:
        begun = time.monotonic()
        read = self.checks.run(from_the_start)
        self.complain()
        print(f"{what}; {read} records read and all else compared in {time.monotonic() - begun:.1f} s; "
              f"so far {self.ledger.counts}", flush=True)

    def complain(self) -> None:
        require(not self.ledger.problems, "\n".join(self.ledger.problems[:10]))

    def end(self) -> None:
        for clients in (self.writers, self.others):
            for client in clients:
                client.stopping.set()
            for client in clients:
                client.join()
            self.complain()
        read = self.checks.run(from_the_start=True)
        for name, group in self.ledger.groups.items():
            require(group.acknowledged > 0, f"no commit of {name} was ever answered")
        self.server.stop()
        self.say_what_was_seen(read)

    def say_what_was_seen(self, read: int) -> None:
        log = self.server.log.read_text(errors="replace").splitlines()
        rounds = {name: sum(f" {name}-" in line and ": compacted below offset " in line for line in log)
                  for name in ("compacted", "__consumer_offsets")}
        starts = {place: bounds.start for place, bounds in self.checks.bounds.items()
                  if TOPICS[place[0]].keeps == Keeps.NEWEST}
        times = sorted(self.restarts)
        print(f"{self.kills} kills, {self.kills_in_start} of them in the middle of a start; "
              f"up after {times[len(times) // 2] * 1000:.0f} ms (median), {times[-1] * 1000:.0f} ms at most")
        print(f"acknowledged: {self.ledger.counts}; {read} records read at the end")
        print(f"rounds of compaction: {rounds}; retained logs start at {starts}")
        if len(self.restarts) >= ENOUGH_ROUNDS:
            require(min(rounds.values()) > 0 and min(starts.values()) > 0, "nothing was compacted or deleted")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohortd", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--failing-disk", type=Path, help="the library to preload: the disk fails now and then")
    parser.add_argument("--port", type=int, help="default: any free one")
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="cohort-kill-"))
    run = Run(args.cohortd, folder, args.port or free_port(), args.seed, args.failing_disk)
    try:
        run.begin()
        for number in range(1, args.rounds + 1):
            run.round(number)
        run.end()
    except (AssertionError, ServerFailed, KafkaException) as problem:
        print(f"FAILED: {problem}\nseed {args.seed}; the data folder stays: {folder}")
        return 1
    finally:
        run.server.kill()
    shutil.rmtree(folder)
    print(f"{args.rounds} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
