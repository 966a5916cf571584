#!/usr/bin/env python3
"""Clients that would use up the server's memory: thousands that are idle, that stop in the middle of a request, that
announce 100 MB, that take no answers, that ask without end. Resident memory stays under a ceiling that follows from the
configuration, and another client's heartbeats and records get through meanwhile.

    floods.py --cohortd PATH           a short version
    floods.py --cohortd PATH --full    ten thousand connections
"""
from __future__ import annotations

import argparse
import json
import random
import resource
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from confluent_kafka import Producer  # noqa: E402
from confluent_kafka.admin import AdminClient, NewTopic  # noqa: E402

from raw_client import Client  # noqa: E402
from request_frames import NULL, request_schemas  # noqa: E402
from server import Server, quiet_logger  # noqa: E402

MIB = 1 << 20
REQUEST_MEMORY, REPLY_MEMORY = 128 * MIB, 64 * MIB
ANNOUNCED = 100 * MIB
STALL_MS = 1500
SWEEPS_S = 1.6  # deadlines are looked at about once a second
REST_S = 3.2  # after so long without a request a connection holds no buffers
TOPIC, PARTITIONS, TOPIC_BYTES = "flood", 200, 64 * MIB
# The ceiling: what the server holds at rest, the two budgets, a small buffer and the bookkeeping of each connection, and
# what is under way between them (one batch for each reactor, records that the allocator has not given back).
PER_CONNECTION, UNDER_WAY = 8 << 10, 64 * MIB
IDLE_LIMIT = 4 << 10      # of a connection that holds no buffers
SLOWEST_HEARTBEAT_S = 5.0  # generous: the machine is busy with the attackers, too
SCHEMAS = request_schemas()


def frame(name: str, version: int, values: dict[str, object]) -> bytes:
    return SCHEMAS[name].frame(version, random.Random(1), values)


API_VERSIONS = frame("ApiVersionsRequest", 0, {})
METADATA = frame("MetadataRequest", 12, {"Topics": NULL, "AllowAutoTopicCreation": 0})
HEARTBEAT = frame("ConsumerGroupHeartbeatRequest", 1, {
    "GroupId": "good", "MemberId": "AAAAAAAAAAAAAAAAAAAAAA", "MemberEpoch": 0, "InstanceId": NULL, "RackId": NULL,
    "RebalanceTimeoutMs": 60_000, "SubscribedTopicNames": [TOPIC], "SubscribedTopicRegex": NULL, "ServerAssignor": NULL,
    "TopicPartitions": []})
FETCH_ALL = {
    "MaxWaitMs": 0, "MinBytes": 0, "MaxBytes": 0x7FFFFFFF, "IsolationLevel": 0, "SessionId": 0, "SessionEpoch": -1,
    "RackId": "", "ForgottenTopicsData": [], "Topics": [{"Topic": TOPIC, "Partitions": [
        {"Partition": 0, "CurrentLeaderEpoch": -1, "FetchOffset": 0, "LastFetchedEpoch": -1, "LogStartOffset": -1,
         "PartitionMaxBytes": 0x7FFFFFFF}]}]}
FETCH = frame("FetchRequest", 12, FETCH_ALL)
LATE_FETCH = FETCH_ALL | {"MinBytes": 0x7FFFFFFF}


# ------------------------------------------------------------------------------------------------------ the good client

def be_good(port: int) -> None:
    """Its own process, so that the attackers' Python does not slow it down: heartbeats on one connection and records on
    another, until its input ends; a line of figures for each line of input."""
    server = Server(Path(), Path(), port=port)
    heartbeats: list[float] = []
    records: list[float] = []
    failures: list[str] = []
    producer = Producer({"bootstrap.servers": server.address, "acks": "all", "linger.ms": 0, "logger": quiet_logger()})

    def delivered(begun: float) -> Callable[[object, object], None]:
        return lambda error, _message: failures.append(str(error)) if error else records.append(time.monotonic() - begun)

    with Client(server, timeout_s=60) as client:
        while True:
            if select.select([sys.stdin], [], [], 0.005)[0]:
                if not sys.stdin.readline():
                    return
                slow, slow_record = sorted(heartbeats), sorted(records)
                print(json.dumps({"heartbeats": len(slow), "records": len(slow_record), "failures": failures,
                                  "p99_ms": 1000 * slow[len(slow) * 99 // 100] if slow else -1,
                                  "slowest_ms": 1000 * slow[-1] if slow else -1,
                                  "slowest_record_ms": 1000 * slow_record[-1] if slow_record else -1}), flush=True)
                heartbeats.clear()
                records.clear()
            begun = time.monotonic()
            client.ask(HEARTBEAT)
            heartbeats.append(time.monotonic() - begun)
            producer.produce(TOPIC, b"good", partition=1, on_delivery=delivered(time.monotonic()))
            producer.poll(0)


class GoodClient:
    def __init__(self, server: Server) -> None:
        self.process = subprocess.Popen([sys.executable, __file__, "--good", str(server.port)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def report(self) -> dict[str, float]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stop(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(timeout=60)


# ---------------------------------------------------------------------------------------------------------- the attacks

class Floods:
    def __init__(self, server: Server, scale: float) -> None:
        self.server, self.scale = server, scale
        self.at_rest = server.resident_kib() << 10
        self.connections: list[socket.socket] = []

    def count(self, full: int) -> int:
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 500
        return min(int(full * self.scale), most)

    def connect(self, count: int, receive_buffer: int = 4096) -> list[socket.socket]:
        made = []
        for number in range(count):
            if number % 40 == 39:
                time.sleep(0.002)  # the queue of connections to be accepted is short, and who finds it full waits a second
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            client.settimeout(30)
            client.connect(("127.0.0.1", self.server.port))
            made.append(client)
        self.connections += made
        return made

    def ceiling(self) -> int:
        return self.at_rest + REQUEST_MEMORY + REPLY_MEMORY + UNDER_WAY + PER_CONNECTION * len(self.connections)

    def send(self, clients: list[socket.socket], data: bytes) -> None:
        """As much of it as the server takes."""
        for client in clients:
            client.settimeout(0.02)
            try:
                client.sendall(data)
            except OSError:
                pass  # held back, or closed

    def idle(self) -> str:
        """Connections that ask once and then nothing more: what each of them costs."""
        before = self.server.resident_kib()
        clients = self.connect(self.count(10_000))
        time.sleep(0.5)
        silent = (self.server.resident_kib() - before) << 10
        for client in clients:
            client.sendall(API_VERSIONS)
        for client in clients:
            length = struct.unpack(">i", client.recv(4, socket.MSG_WAITALL))[0]
            client.recv(length, socket.MSG_WAITALL)
        asked = (self.server.resident_kib() - before) << 10
        time.sleep(REST_S)
        # What was given back is there for the next ones; the process need not have shrunk.
        more = self.connect(len(clients) // 2)
        self.send(more, API_VERSIONS)
        rested = (self.server.resident_kib() - before) << 10
        if silent > IDLE_LIMIT * len(clients):
            raise AssertionError(f"{len(clients)} connections that said nothing cost {silent // len(clients)} bytes each")
        return (f"{len(clients)} connections: {silent // len(clients)} bytes each before they ask, "
                f"{asked // len(clients)} when all have, {rested // (len(clients) + len(more))} with half as many more later")

    def half_frames(self) -> str:
        clients = self.connect(self.count(10_000))
        for client in clients:
            client.sendall(METADATA[:9])
        time.sleep(STALL_MS / 1000 + SWEEPS_S)
        return f"{self.closed(clients)} of {len(clients)} that stopped in the middle of a request were closed"

    def announced(self) -> str:
        """100 MB announced, 60 KB sent: many times the budget in all."""
        clients = self.connect(self.count(8_000))
        self.send(clients, struct.pack(">i", ANNOUNCED) + bytes(60_000))
        time.sleep(STALL_MS / 1000 + SWEEPS_S)
        return f"{self.closed(clients)} of {len(clients)} that announced 100 MB were closed"

    def no_reader(self) -> str:
        """Each asks for all records of a partition, again and again, and takes none."""
        clients = self.connect(self.count(1_500))
        self.send(clients, FETCH * 20)
        self.send(clients, METADATA * 50)
        time.sleep(STALL_MS / 1000 + SWEEPS_S)
        return f"{self.closed(clients)} of {len(clients)} that took no answers were closed"

    def endless(self) -> str:
        """Requests without end, their answers thrown away as they come."""
        clients = self.connect(max(4, self.count(40)))
        deadline = time.monotonic() + 2
        sent = [0] * len(clients)

        def drain(client: socket.socket) -> None:
            try:
                while client.recv(1 << 16):
                    pass
            except OSError:
                pass

        def ask(index: int) -> None:
            data = (HEARTBEAT if index % 4 else METADATA) * 20
            try:
                while time.monotonic() < deadline:
                    sent[index] += clients[index].send(data)
            except OSError:
                pass
            try:
                clients[index].shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # closed by the server

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(clients))]
        threads += [threading.Thread(target=drain, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return f"{len(clients)} clients sent {sum(sent) // MIB} MiB of requests"

    def late(self) -> str:
        """Large answers that fall due when connections are looked at for being idle; who gets the first bytes goes.
        Meanwhile others read all they can, so that turns are long and have many deadlines."""
        deadline = time.monotonic() + (20 if self.scale >= 1 else 4)
        readers = [threading.Thread(target=self.read_on, args=(deadline,)) for _ in range(3)]
        for reader in readers:
            reader.start()
        clients: dict[int, socket.socket] = {}

        def ask() -> None:
            client = self.connect(1, 32768)[0]
            client.sendall(frame("FetchRequest", 12, LATE_FETCH | {"MaxWaitMs": random.randrange(1000, 1500)}))
            clients[client.fileno()] = client

        for _ in range(max(100, self.count(600))):
            ask()
        answers = 0
        while time.monotonic() < deadline:
            for client in select.select(list(clients.values()), [], [], 0.2)[0]:
                del clients[client.fileno()]
                answers += bool(client.recv(1000))
                client.close()
                self.connections.remove(client)
                ask()
        for reader in readers:
            reader.join()
        return f"{answers} answers were begun"

    def read_on(self, deadline: float) -> None:
        buffer = bytearray(MIB)
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=30) as client:
            while time.monotonic() < deadline:
                client.sendall(FETCH)
                left = struct.unpack(">i", client.recv(4, socket.MSG_WAITALL))[0]
                while left:
                    left -= client.recv_into(buffer, min(left, MIB))

    def closed(self, clients: list[socket.socket]) -> int:
        """How many the server has closed: there is an end of the stream, or an error, to be read without waiting."""
        count = 0
        for client in clients:
            client.setblocking(False)
            try:
                while data := client.recv(1 << 20):
                    del data
                count += 1
            except BlockingIOError:
                pass
            except OSError:
                count += 1
        return count

    def run(self, good: GoodClient, floods: list[Callable[[], str]]) -> None:
        for flood in floods:
            Path(f"/proc/{self.server.process.pid}/clear_refs").write_text("5")  # the peak begins anew
            before = self.server.resident_kib() >> 10
            good.report()
            begun = time.monotonic()
            said = flood()
            figures = good.report()
            peak, ceiling = self.peak(), self.ceiling()
            print(f"{flood.__name__:12} {time.monotonic() - begun:5.1f} s: {said}\n"
                  f"{'':12} {before} MiB resident before, at most {peak // MIB}, ceiling {ceiling // MIB} MiB; good client: "
                  f"{figures['heartbeats']} heartbeats, 99 % within {figures['p99_ms']:.0f} ms, slowest "
                  f"{figures['slowest_ms']:.0f} ms; {figures['records']} records, slowest "
                  f"{figures['slowest_record_ms']:.0f} ms", flush=True)
            if peak > ceiling:
                raise AssertionError(f"{flood.__name__}: {peak // MIB} MiB resident, the ceiling is {ceiling // MIB} MiB")
            if figures["failures"] or figures["slowest_ms"] > 1000 * SLOWEST_HEARTBEAT_S or figures["heartbeats"] == 0:
                raise AssertionError(f"{flood.__name__}: the good client was disturbed: {figures}")
            for client in self.connections:
                client.close()
            self.connections.clear()
            time.sleep(SWEEPS_S)  # by then what a flood took is given back to the system

    def peak(self) -> int:
        for line in Path(f"/proc/{self.server.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
        raise AssertionError("no VmHWM")


# ----------------------------------------------------------------------------------------------------------- the limits

def is_open(client: socket.socket) -> bool:
    try:
        client.settimeout(10)
        client.sendall(API_VERSIONS)
        return bool(client.recv(1))
    except OSError:
        return False


def limits(cohortd: Path, folder: Path) -> None:
    """max.connections, max.connections.per.ip and connections.max.idle.ms."""
    server = Server(cohortd, folder / "limits", overrides={
        "max.connections": "30", "max.connections.per.ip": "20", "connections.max.idle.ms": "1500",
        "listeners": "PLAINTEXT://:0", "advertised.listeners": "PLAINTEXT://localhost:9092"})
    server.overrides["listeners"] = f"PLAINTEXT://:{server.port}"
    server.overrides["advertised.listeners"] = f"PLAINTEXT://localhost:{server.port}"
    server.start()
    try:
        time.sleep(2.5)  # the connections of start() are idle, too, and closed

        def from_host(host: str, count: int) -> list[socket.socket]:
            return [socket.create_connection(("127.0.0.1", server.port), source_address=(host, 0)) for _ in range(count)]

        one = from_host("127.0.0.2", 25)
        opened = [client for client in one if is_open(client)]
        if len(opened) != 20:
            raise AssertionError(f"max.connections.per.ip=20: {len(opened)} of one address are open")
        opened += [client for client in from_host("127.0.0.3", 15) if is_open(client)]
        if len(opened) != 30:
            raise AssertionError(f"max.connections=30: {len(opened)} are open")
        opened[0].close()
        time.sleep(0.3)
        if not is_open(from_host("127.0.0.3", 1)[0]):
            raise AssertionError("no room again after a connection was closed")
        begun = time.monotonic()
        opened[-1].settimeout(10)
        while opened[-1].recv(1 << 16):
            pass
        silent = time.monotonic() - begun
        if not 0.5 < silent < 6:
            raise AssertionError(f"connections.max.idle.ms=1500: closed after {silent:.1f} s")
        print(f"limits: 20 connections of an address, 30 in all, closed when idle after {silent:.1f} s", flush=True)
        server.stop()
    finally:
        if server.process and server.process.poll() is None:
            server.kill()


def fill_topic(server: Server) -> None:
    admin = AdminClient({"bootstrap.servers": server.address, "logger": quiet_logger()})
    admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(30)
    producer = Producer({"bootstrap.servers": server.address, "logger": quiet_logger(), "linger.ms": 50})
    for _ in range(TOPIC_BYTES >> 16):
        producer.produce(TOPIC, bytes(1 << 16), partition=0)
        producer.poll(0)
    if producer.flush(60):
        raise AssertionError("the topic cannot be filled")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohortd", type=Path)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--good", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.good:
        be_good(args.good)
        return 0
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="cohort-floods-") as folder:
        limits(args.cohortd, Path(folder))
        scale = 1.0 if args.full else 0.04
        flood(args.cohortd, Path(folder) / "data", {}, scale,
              lambda floods: [floods.idle, floods.half_frames, floods.announced, floods.no_reader, floods.endless])
        flood(args.cohortd, Path(folder) / "one", {"cohort.reactors": "1"}, scale, lambda floods: [floods.late])
    return 0


def flood(cohortd: Path, data: Path, overrides: dict[str, str], scale: float,
          chosen: Callable[[Floods], list[Callable[[], str]]]) -> None:
    server = Server(cohortd, data, overrides=overrides | {
        "queued.max.request.bytes": str(REQUEST_MEMORY), "cohort.queued.max.reply.bytes": str(REPLY_MEMORY),
        "cohort.connections.stall.timeout.ms": str(STALL_MS), "auto.create.topics.enable": "false",
        "cohort.log.levels": "Connection=ERROR"})
    server.start()
    good = None
    try:
        fill_topic(server)
        good = GoodClient(server)
        floods = Floods(server, scale)
        floods.run(good, chosen(floods))
        good.stop()
        print(f"stopped in {server.stop():.2f} s")
    except Exception:
        print("".join(server.log.read_text(errors="replace").splitlines(keepends=True)[-10:]), file=sys.stderr)
        raise
    finally:
        if good and good.process.poll() is None:
            good.process.kill()
        if server.process and server.process.poll() is None:
            server.kill()


if __name__ == "__main__":
    sys.exit(main())
