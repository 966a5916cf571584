"""The clients of kill_under_load.py. They live through every death of the server and try again until it answers; what
must never happen to them, such as a sequence error, they report to the ledger."""
from __future__ import annotations

import logging
import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from load_ledger import PLACES, TOPICS, Keeps, Ledger, Place, Track, client_settings, identity, value_of

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
MEMBER_GROUP, MEMBER_TOPIC = "members", "plain"
KEYS = 100  # of each producer in each partition of a compacted topic; few are hot, so that cold ones meet compaction
REQUEST_S, PATIENCE_S = 10, 60
PAUSE_S = 0.03  # between the records of a producer
SEQUENCE_ERROR = re.compile("out.of.order|duplicate.sequence|unknown.producer|epoch bump|fatal", re.IGNORECASE)
# When one batch could not be stored, those that were sent behind it are out of sequence; librdkafka repeats them.
FATAL_ERROR = re.compile("fatal", re.IGNORECASE)


class Worker(threading.Thread):
    """Calls step() until it is stopped. What it throws is a problem of the test run."""

    def __init__(self, name: str, ledger: Ledger, seed: int) -> None:
        super().__init__(name=name, daemon=True)
        self.ledger, self.chance, self.stopping = ledger, random.Random(seed), threading.Event()

    def step(self) -> None:
        raise NotImplementedError

    def end(self) -> None:
        pass

    def run(self) -> None:
        try:
            while not self.stopping.is_set():
                self.step()
            self.end()
        except Exception as problem:  # pylint: disable=broad-except
            self.ledger.problem(f"{self.name}: {type(problem).__name__} {problem}")


class SequenceErrors(logging.Handler):
    """librdkafka mends some sequence errors by itself and tells only its debug log of them."""

    def __init__(self, ledger: Ledger, errors: re.Pattern[str]) -> None:
        super().__init__()
        self.ledger, self.errors = ledger, errors

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if self.errors.search(text):
            self.ledger.problem(f"{record.name}: {text}")


class Writer(Worker):
    """One producer that writes to all its partitions in turn and never gives a record up."""

    def __init__(self, address: str, ledger: Ledger, seed: int, codec: str, acks: str, topics: list[str],
                 errors: re.Pattern[str]) -> None:
        idempotent = acks == "all"
        super().__init__(f"{codec}-acks-{acks}", ledger, seed)
        logger = logging.getLogger(self.name)
        logger.propagate = False
        logger.setLevel(logging.DEBUG)
        logger.addHandler(SequenceErrors(ledger, errors))
        self.producer = Producer({**client_settings(address), "acks": acks, "enable.idempotence": idempotent,
                                  "compression.type": codec, "linger.ms": 5, "message.timeout.ms": 0,
                                  "error_cb": self.failed, "logger": logger, **({"debug": "eos"} if idempotent else {})})
        self.places = [place for place in PLACES if place[0] in topics]
        for place in self.places:
            ledger.tracks[self.name, place] = Track(idempotent)

    def failed(self, error: KafkaError) -> None:
        if error.fatal():
            self.ledger.problem(f"{self.name}: {error}")

    def step(self) -> None:
        for place in self.places:
            for _ in range(self.chance.randrange(6)):
                self.produce(place, self.ledger.tracks[self.name, place])
        pause = time.monotonic() + PAUSE_S
        while (left := pause - time.monotonic()) > 0:
            self.producer.poll(left)

    def produce(self, place: Place, track: Track) -> None:
        number, topic = track.sent, TOPICS[place[0]]

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error or message.offset() < 0:
                self.ledger.problem(f"{self.name}: record {number} of {place}: {error or 'acknowledged without offset'}")
            else:
                track.acknowledge(number, message.offset())
                self.ledger.count("records")

        key, value = None, value_of(topic, number)
        if topic.keeps == Keeps.LAST_OF_KEY:
            key = f"{self.name}-{int(KEYS * self.chance.random() ** 3)}".encode()
            value = None if self.chance.random() < 0.1 else value
            track.keys.setdefault(key, []).append((number, value is None))
        try:
            self.producer.produce(place[0], value, key=key, partition=place[1], headers=identity(self.name, number),
                                  on_delivery=delivered)
            track.sent += 1
        except BufferError:
            if key:
                track.keys[key].pop()
            self.producer.poll(0.05)

    def end(self) -> None:
        if left := self.producer.flush(PATIENCE_S):
            self.ledger.problem(f"{self.name}: {left} records were never answered")


class Member(Worker):
    """Members of the one consumer group, one after the other: each is a process that ends by leaving or is killed."""

    def __init__(self, address: str, ledger: Ledger, seed: int, number: int, static: bool) -> None:
        super().__init__(f"member-{number}", ledger, seed)
        self.command = [sys.executable, str(Path(__file__).with_name("load_member.py")), address, MEMBER_GROUP, MEMBER_TOPIC,
                        *([self.name] if static else [])]

    def session(self, seconds: float, last_signal: signal.Signals) -> None:
        with subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True) as process:
            timers = [threading.Timer(seconds, process.send_signal, [last_signal]),
                      threading.Timer(seconds + PATIENCE_S, process.kill)]
            for timer in timers:
                timer.start()
            assert process.stdout
            for line in process.stdout:
                words = line.split()
                if line.endswith("\n") and len(words) >= 3:  # else it was killed while it wrote
                    self.ledger.member_says(words[0], float(words[1]), *map(int, words[2:]))
            status = process.wait()
            for timer in timers:
                timer.cancel()
        ends = {0: "leaves", -signal.SIGKILL: "deaths of members", -signal.SIGTERM: "members that never joined"}
        self.ledger.count(ends.get(status, f"members that end with status {status}"))

    def step(self) -> None:
        self.session(self.chance.uniform(1, 8), self.chance.choice((signal.SIGTERM, signal.SIGKILL)))

    def end(self) -> None:
        """The writers have ended: the group reads all that is left."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and not self.all_is_read():
            self.session(5, signal.SIGTERM)
        if not self.all_is_read():
            self.ledger.problem(f"{self.name}: the group does not reach the end: {self.ledger.member_commits}")

    def all_is_read(self) -> bool:
        return all(self.ledger.member_commits.get(place[1], 0) > track.highest
                   for (_, place), track in self.ledger.tracks.items() if place[0] == MEMBER_TOPIC)


class TopicChanger(Worker):
    """Creates topics, adds partitions, deletes them. Names are never used again."""

    def __init__(self, address: str, ledger: Ledger, seed: int) -> None:
        super().__init__("topics", ledger, seed)
        self.admin = AdminClient(client_settings(address))
        self.possible: dict[str, set[int]] = {}  # how many partitions a topic has, 0: it is not there
        self.settled = threading.Lock()  # held while an answer is on its way

    def step(self) -> None:
        with self.settled:
            self.change()
        time.sleep(0.05)

    def change(self) -> None:
        there = [name for name, counts in self.possible.items() if counts != {0}]
        name = self.chance.choice(there) if len(there) > self.chance.randrange(8) else f"changing-{len(self.possible)}"
        counts = self.possible.setdefault(name, {0})
        if counts == {0}:
            wanted = self.chance.randrange(1, 4)
            futures = self.admin.create_topics([NewTopic(name, wanted, 1)], request_timeout=REQUEST_S)
        elif len(counts) == 1 and self.chance.random() < 0.5:
            wanted = max(counts) + 1
            futures = self.admin.create_partitions([NewPartitions(name, wanted)], request_timeout=REQUEST_S)
        else:
            wanted = 0
            futures = self.admin.delete_topics([name], request_timeout=REQUEST_S)
        counts.add(wanted)
        try:
            futures[name].result(REQUEST_S + 5)
            self.possible[name] = {wanted}
            self.ledger.count("changes of topics")
        except KafkaException:
            pass  # no answer, or the answer to a second try: it may or may not have happened
