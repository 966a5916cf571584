#!/usr/bin/env python3
"""Clients that lie, stall and break off: the server answers with a clear error or closes the connection, says so in one
log line, keeps its memory, and a well-behaved client beside them notices nothing."""
from __future__ import annotations

import argparse
import random
import socket
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from confluent_kafka import Producer  # noqa: E402
from confluent_kafka.admin import AdminClient, NewTopic  # noqa: E402

from raw_client import SLOW_ANSWER_S, Client  # noqa: E402
from request_frames import NULL, RequestSchema, Values, request_schemas  # noqa: E402
from server import Server, quiet_logger  # noqa: E402

SCHEMAS = request_schemas()
TOPIC, PARTITIONS, TOPIC_BYTES = "bytes", 100, 8 << 20
MAX_REQUEST = 1 << 20
WRITE_TIMEOUT_S = 1.0
MEMORY_LIMIT_KIB = 400 << 10
REFUSED = "Closing the connection of"
METADATA: Values = {"Topics": [{"TopicId": bytes(16), "Name": TOPIC}], "AllowAutoTopicCreation": 0}
METADATA_VERSION, FETCH_VERSION, HEARTBEAT_VERSION = 12, 12, 1
SOMEBODY = "AAAAAAAAAAAAAAAAAAAAAA"  # a member id


class GoodClient(threading.Thread):
    """Metadata and heartbeats, one after the other, on one connection, until told to stop."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.server, self.stopping = server, threading.Event()
        self.rounds, self.slowest_s = 0, 0.0
        self.failure: Exception | None = None

    def run(self) -> None:
        chance = random.Random(1)
        heartbeat: Values = {"GroupId": "good", "MemberId": SOMEBODY, "MemberEpoch": 0, "InstanceId": NULL,
                             "RackId": NULL, "RebalanceTimeoutMs": 60_000, "SubscribedTopicNames": [TOPIC],
                             "SubscribedTopicRegex": NULL, "ServerAssignor": NULL, "TopicPartitions": []}
        requests = [SCHEMAS["MetadataRequest"].frame(METADATA_VERSION, chance, METADATA),
                    SCHEMAS["ConsumerGroupHeartbeatRequest"].frame(HEARTBEAT_VERSION, chance, heartbeat)]
        try:
            with Client(self.server) as client:
                while not self.stopping.wait(0.002):
                    begun = time.monotonic()
                    for request in requests:
                        client.ask(request)
                    self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
                    self.rounds += 1
        except (OSError, struct.error) as problem:
            self.failure = problem


class Attack:
    def __init__(self, server: Server, seed: int, served: dict[int, tuple[int, int]]) -> None:
        self.server, self.chance = server, random.Random(seed)
        self.served: list[tuple[RequestSchema, int]] = []
        for schema in SCHEMAS.values():
            lowest, highest = served.get(schema.key, (0, -1))
            self.served += [(schema, v) for v in schema.versions if lowest <= v <= highest]

    def metadata(self, correlation: int = 7) -> bytes:
        return SCHEMAS["MetadataRequest"].frame(METADATA_VERSION, self.chance, METADATA, correlation)

    def log_lines(self) -> int:
        return self.server.log.read_text(errors="replace").count(REFUSED)

    def refused(self, data: bytes, why: str) -> None:
        """The server closes the connection and says why in one line."""
        before = self.log_lines()
        with Client(self.server) as client:
            client.socket.sendall(data)
            if not client.is_closed():
                raise AssertionError(f"{why}: answered, not refused")
        if self.log_lines() != before + 1:
            raise AssertionError(f"{why}: {self.log_lines() - before} lines in the log, not one")

    # ---- the attacks ----

    def wrong_lengths(self) -> None:
        for length in (MAX_REQUEST + 1, 0x7FFFFFFF, -1, -0x80000000, 0, 3):
            self.refused(struct.pack(">i", length) + b"\0" * 8, f"a length of {length}")

    def unknown_apis(self) -> None:
        for key, version in ((999, 0), (-1, 0), (32767, 0), (3, 99), (3, -1), (11, 0), (1, 3), (-32768, 32767)):
            head = struct.pack(">hhih", key, version, 5, 4) + b"evil\0"
            self.refused(struct.pack(">i", len(head)) + head, f"API {key} v{version}")
        head = struct.pack(">hhih", 18, 99, 5, 4) + b"evil\0"
        with Client(self.server) as client:
            reply = client.ask(struct.pack(">i", len(head)) + head)
        if struct.unpack(">ih", reply[:6]) != (5, 35):
            raise AssertionError("ApiVersions v99 must be answered in version 0 with UNSUPPORTED_VERSION")

    def other_protocols(self) -> None:
        self.refused(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP")
        self.refused(bytes.fromhex("16030100c8010000c40303") + self.chance.randbytes(200), "TLS")
        self.refused(b"SSH-2.0-OpenSSH_9.2\r\n", "SSH")

    def log_forgery(self) -> None:
        """What a client writes into its requests cannot begin a line of the log."""
        values: Values = {"TransactionalId": "\n[2026-01-01] forged\r\n\x1b[31m", "ProducerId": -1, "ProducerEpoch": -1,
                          "TransactionTimeoutMs": 1000}
        with Client(self.server) as client:
            client.ask(SCHEMAS["InitProducerIdRequest"].frame(4, self.chance, values))
        text = self.server.log.read_text(errors="replace")
        if "\n[2026-01-01] forged" in text or "\x1b[31m" in text or "forged" not in text:
            raise AssertionError("a client's text stands raw in the log")

    def lying_arrays(self) -> None:
        """Every request in every version, with lengths and bytes that are wrong: an answer or the end, never a hang."""
        for schema, version in self.served:
            for _ in range(3):
                self.answered_or_closed(self.mutated(schema.frame(version, self.chance, {"MaxWaitMs": 0})))

    def mutated(self, frame: bytes) -> bytes:
        body = bytearray(frame[4:])
        first = 14  # behind the header
        kind = self.chance.randrange(4)
        if kind == 0:
            body = body[:self.chance.randrange(first, len(body) + 1)]
        elif kind == 1:
            at = self.chance.randrange(first, len(body) + 1)
            body[at:at + 4] = self.chance.choice([b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\xff\xff\xff\xff\x0f", b"\0\x0f\x42\x41"])
        else:
            for _ in range(kind):
                body[self.chance.randrange(min(first, len(body) - 1), len(body))] = self.chance.randrange(256)
        return struct.pack(">i", len(body)) + bytes(body)

    def answered_or_closed(self, frame: bytes) -> None:
        with Client(self.server) as client:
            client.socket.sendall(frame)
            # acks=0 has no answer, what stands behind it has.
            client.socket.shutdown(socket.SHUT_WR)
            try:
                client.socket.recv(4)
            except ConnectionResetError:
                pass
            except TimeoutError as problem:
                raise AssertionError(f"neither an answer nor the end for {frame.hex()}") from problem

    def repeated_resources(self) -> None:
        """A small request must not make a large answer by naming the same thing again and again."""
        resource: Values = {"ResourceType": 4, "ResourceName": "1", "ConfigurationKeys": NULL}
        values: Values = {"Resources": [resource] * 20_000, "IncludeSynonyms": 1, "IncludeDocumentation": 1}
        with Client(self.server) as client:
            request = SCHEMAS["DescribeConfigsRequest"].frame(4, self.chance, values)
            reply = client.ask(request)
        if len(reply) > 50 * len(request):
            raise AssertionError(f"{len(request)} bytes of DescribeConfigs brought {len(reply)}")

    def invented_groups(self) -> None:
        """Groups that nobody has heard of have settings too, but an answer does not describe them without end."""
        resources = [{"ResourceType": 32, "ResourceName": str(i), "ConfigurationKeys": NULL} for i in range(110_000)]
        values: Values = {"Resources": resources, "IncludeSynonyms": 1, "IncludeDocumentation": 1}
        with Client(self.server) as client:
            request = SCHEMAS["DescribeConfigsRequest"].frame(4, self.chance, values)
            client.socket.sendall(request)
            announced = struct.unpack(">i", client.socket.recv(4, socket.MSG_WAITALL))[0]
        if announced > 25 * len(request):
            raise AssertionError(f"{len(request)} bytes of DescribeConfigs would bring {announced}")

    def half_frames(self) -> None:
        for _ in range(50):
            frame = self.metadata()
            with Client(self.server) as client:
                client.socket.sendall(frame[:self.chance.randrange(1, len(frame))])

    def byte_by_byte(self) -> None:
        with Client(self.server) as client:
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in self.metadata(99):
                client.socket.sendall(bytes([byte]))
            if struct.unpack(">i", client.reply()[:4])[0] != 99:
                raise AssertionError("a request that came byte by byte got a wrong answer")

    def announced_only(self) -> None:
        """Many announce much and send little: memory follows what came."""
        before = self.server.resident_kib()
        clients = [Client(self.server) for _ in range(300)]
        for client in clients:
            client.socket.sendall(struct.pack(">i", MAX_REQUEST) + b"\0")
        time.sleep(0.05)
        grown = self.server.resident_kib() - before
        for client in clients:
            client.socket.close()
        if grown > 100 << 10:
            raise AssertionError(f"300 clients that announced 1 MiB and sent nothing cost {grown} KiB")

    def comes_and_goes(self) -> None:
        for i in range(3000):
            with Client(self.server) as client:
                if i % 2:
                    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if i % 3 == 0:
                    client.socket.sendall(self.metadata())

    def pipelined(self) -> None:
        """A few hundred requests in one write: answered all, in order."""
        count = 300
        with Client(self.server) as client:
            answers: list[int] = []
            reader = threading.Thread(target=lambda: answers.extend(
                struct.unpack(">i", client.reply()[:4])[0] for _ in range(count)))
            reader.start()
            client.socket.sendall(b"".join(self.metadata(i) for i in range(count)))
            reader.join()
        if answers != list(range(count)):
            raise AssertionError(f"{len(answers)} of {count} pipelined requests answered, or out of order")

    def slow_readers(self) -> None:
        """Clients that ask for megabytes and read nothing: held back, then closed after the deadline of a writer."""
        fetch = SCHEMAS["FetchRequest"].frame(FETCH_VERSION, self.chance, {
            "MaxWaitMs": 0, "MinBytes": 0, "MaxBytes": 0x7FFFFFFF, "IsolationLevel": 0, "SessionId": 0,
            "SessionEpoch": -1, "ForgottenTopicsData": [], "Topics": [{"Topic": TOPIC, "Partitions": [
                {"Partition": 0, "CurrentLeaderEpoch": -1, "FetchOffset": 0, "LastFetchedEpoch": -1,
                 "LogStartOffset": -1, "PartitionMaxBytes": 0x7FFFFFFF}]}]})
        before = self.log_lines()
        clients = [Client(self.server, receive_bytes=4096) for _ in range(20)]
        for i, client in enumerate(clients):
            client.socket.settimeout(0.05)
            try:
                for _ in range(200):
                    client.socket.sendall(fetch if i % 2 else self.metadata() * 100)
            except OSError:
                pass  # back-pressure: the server reads no more
        deadline = time.monotonic() + 20 * WRITE_TIMEOUT_S
        while self.log_lines() < before + len(clients):
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.log_lines() - before} of {len(clients)} stalled readers were closed")
            time.sleep(0.05)
        for client in clients:
            client.socket.close()

    def run(self, good: GoodClient) -> None:
        for attack in (self.wrong_lengths, self.unknown_apis, self.other_protocols, self.log_forgery,
                       self.lying_arrays, self.repeated_resources, self.invented_groups, self.half_frames,
                       self.byte_by_byte, self.announced_only, self.comes_and_goes, self.pipelined, self.slow_readers):
            begun = time.monotonic()
            attack()
            rounds, resident = good.rounds, self.server.resident_kib()
            print(f"{attack.__name__:20} {time.monotonic() - begun:5.2f} s, {resident} KiB, good client: {rounds} "
                  f"rounds, slowest {1000 * good.slowest_s:.0f} ms", flush=True)
            if resident > MEMORY_LIMIT_KIB:
                raise AssertionError(f"{attack.__name__}: {resident} KiB resident")


def served_versions(server: Server) -> dict[int, tuple[int, int]]:
    """What ApiVersions v0 announces: lowest and highest version by API key."""
    with Client(server) as client:
        reply = client.ask(SCHEMAS["ApiVersionsRequest"].frame(0, random.Random(0)))
    count = struct.unpack(">i", reply[6:10])[0]
    return {key: (low, high) for key, low, high in struct.iter_unpack(">hhh", reply[10:10 + 6 * count])}


def fill_topic(server: Server) -> None:
    admin = AdminClient({"bootstrap.servers": server.address, "logger": quiet_logger()})
    admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result()
    producer = Producer({"bootstrap.servers": server.address, "logger": quiet_logger(), "linger.ms": 50})
    for _ in range(TOPIC_BYTES // 65536):
        producer.produce(TOPIC, bytes(65536), partition=0)
    if producer.flush(30):
        raise AssertionError("the topic cannot be filled")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohortd", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cohort-bad-bytes-") as folder:
        server = Server(args.cohortd, Path(folder) / "data", overrides={
            "socket.request.max.bytes": str(MAX_REQUEST),
            "cohort.connections.stall.timeout.ms": str(int(1000 * WRITE_TIMEOUT_S)),
            "auto.create.topics.enable": "false"})
        server.start()
        good = GoodClient(server)
        try:
            fill_topic(server)
            good.start()
            Attack(server, args.seed, served_versions(server)).run(good)
            good.stopping.set()
            good.join()
            if good.failure or good.rounds == 0 or good.slowest_s > SLOW_ANSWER_S:
                raise AssertionError(f"the good client was disturbed: {good.failure}, {good.rounds} rounds, slowest "
                                     f"{good.slowest_s:.2f} s")
            print(f"stopped in {server.stop():.2f} s")
        except Exception:
            print("".join(server.log.read_text(errors="replace").splitlines(keepends=True)[-10:]), file=sys.stderr)
            raise
        finally:
            good.stopping.set()
            if server.process and server.process.poll() is None:
                server.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
