#!/usr/bin/env python3
"""The real binary under the variables of a compose file for Kafka's image: several listeners, each of which tells its
clients the address that they can use; health checks; what cannot be is a clear error and no start."""
from __future__ import annotations

import argparse
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fault"))

from confluent_kafka.admin import AdminClient  # noqa: E402

from request_frames import request_schemas  # noqa: E402
from server import Server, free_port  # noqa: E402

CLUSTER_ID = "4L6g3nShT-eMCtK--X86sw"


def check(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(what)


def coordinator_of(port: int) -> str:
    """What FindCoordinator v2 answers to a client of this listener."""
    frame = request_schemas()["FindCoordinatorRequest"].frame(2, random.Random(1), {"Key": "group", "KeyType": 0})
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(frame)
        reply = client.makefile("rb").read(struct.unpack(">i", client.recv(4, socket.MSG_WAITALL))[0])
    at = 4 + 4 + 2  # correlation id, throttle time, error
    at += 2 + max(0, struct.unpack(">h", reply[at:at + 2])[0]) + 4  # message, node id
    length = struct.unpack(">h", reply[at:at + 2])[0]
    host = reply[at + 2:at + 2 + length].decode()
    return f"{host}:{struct.unpack('>i', reply[at + 2 + length:at + 6 + length])[0]}"


def each_listener_has_its_address(cohortd: Path, folder: Path) -> None:
    inside, outside, controller = free_port(), free_port(), free_port()
    server = Server(cohortd, folder / "data", port=inside, environment={
        "KAFKA_NODE_ID": "7", "KAFKA_PROCESS_ROLES": "broker,controller", "CLUSTER_ID": CLUSTER_ID,
        "KAFKA_LISTENERS": f"CONTROLLER://:{controller},PLAINTEXT_HOST://0.0.0.0:{outside},PLAINTEXT://127.0.0.1:{inside}",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT_HOST://localhost:{outside},PLAINTEXT://127.0.0.1:{inside}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "PLAINTEXT", "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": f"7@localhost:{controller}", "KAFKA_HEAP_OPTS": "-Xmx256M",
        "KAFKA_JMX_PORT": "9101", "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0"})
    server.start()
    try:
        for port, address in ((inside, f"127.0.0.1:{inside}"), (outside, f"localhost:{outside}")):
            admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{port}"})
            metadata = admin.list_topics(timeout=10)
            broker = metadata.brokers[7]
            check(f"{broker.host}:{broker.port}" == address, f"Metadata on {port} names {broker.host}:{broker.port}")
            cluster = admin.describe_cluster().result(10)
            node = cluster.nodes[0]
            check(f"{node.host}:{node.port}" == address, f"DescribeCluster on {port} names {node.host}:{node.port}")
            check(cluster.cluster_id == CLUSTER_ID, f"the cluster id is {cluster.cluster_id}")
            check(coordinator_of(port) == address, f"FindCoordinator on {port} names {coordinator_of(port)}")
        with socket.socket() as probe:
            check(probe.connect_ex(("127.0.0.1", controller)) != 0, "the controller's listener is served")
        check(health_check(server).returncode == 0, "a server that runs is not healthy")
        server.stop()
        gone = health_check(server)
        check(gone.returncode == 1 and "cannot connect" in gone.stderr, f"health check of no server: {gone}")
    finally:
        if server.process and server.process.poll() is None:
            server.kill()


def health_check(server: Server) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*server.command(), "--healthcheck"], env={**os.environ, **server.environment},
                          capture_output=True, text=True, timeout=30, check=False)


def wrong_settings_do_not_start(cohortd: Path, folder: Path) -> None:
    cases = [({"KAFKA_NUM_PARTITIONS": "many"}, "KAFKA_NUM_PARTITIONS"),
             ({"KAFKA_ADVERTISED_LISTENERS": "PLAINTEXT://0.0.0.0:9092"}, "clients can connect to"),
             ({"KAFKA_LISTENERS": "PLAINTEXT://0.0.0.0:9092"}, "say in advertised.listeners"),
             ({"KAFKA_LISTENERS": "SASL_SSL://:9092"}, "TLS and SASL are not served"),
             ({"KAFKA_LISTENERS": "PLAINTEXT://:9092,B://:9092",
               "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,B:PLAINTEXT"}, "a different port")]
    for environment, expected in cases:
        done = subprocess.run([cohortd, "--override", f"log.dirs={folder / 'none'}"], env={**os.environ, **environment},
                              capture_output=True, text=True, timeout=30, check=False)
        check(done.returncode == 1 and expected in done.stderr, f"{environment}: {done}")
        check(not (folder / "none").exists(), f"{environment}: a data folder was made")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohortd", type=Path, required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cohort-listeners-") as folder:
        each_listener_has_its_address(args.cohortd, Path(folder))
        wrong_settings_do_not_start(args.cohortd, Path(folder))
    print("each listener tells its own address; wrong settings are refused")
    return 0


if __name__ == "__main__":
    sys.exit(main())
