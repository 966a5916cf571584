#!/usr/bin/env python3
"""Starts the image with podman, under the variables of a compose file for Kafka's image: it becomes healthy, runs as
nobody's root, takes and gives records over a restart, ends with status 0 at SIGTERM."""
from __future__ import annotations

import argparse
import subprocess
import sys
import time

from confluent_kafka import Consumer, KafkaError, Producer

RECORDS = 1000
NAME = "cohort-smoke-test"
VOLUME = "cohort-smoke-test-data"
PATIENCE_S = 60
ENGINE = ["podman", "--runtime", "runc", "--cgroup-manager=cgroupfs"]


def podman(*arguments: str, check: bool = True) -> str:
    done = subprocess.run([*ENGINE, *arguments], capture_output=True, text=True, timeout=120, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"podman {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def start(image: str, port: int) -> None:
    variables = {"KAFKA_NODE_ID": "1", "KAFKA_PROCESS_ROLES": "broker,controller",
                 "KAFKA_LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:{port + 1}",
                 "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://localhost:{port}",
                 "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
                 "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER", "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
                 "KAFKA_CONTROLLER_QUORUM_VOTERS": f"1@localhost:{port + 1}", "CLUSTER_ID": "MkU3OEVBNTcwNTJENDM2Qk"}
    environment = [part for name, value in variables.items() for part in ("--env", f"{name}={value}")]
    begun = time.monotonic()
    # Its health is asked below: podman's own timer needs systemd.
    podman("run", "--detach", "--name", NAME, "--network=host", "--ulimit", "nofile=20000:20000", "--ulimit",
           "nproc=4096:4096", "--no-healthcheck", "--read-only", "--volume", f"{VOLUME}:/var/lib/kafka/data", *environment,
           image)
    while subprocess.run([*ENGINE, "exec", NAME, "/etc/kafka/docker/run", "--healthcheck"], capture_output=True,
                         check=False).returncode != 0:
        if time.monotonic() - begun > PATIENCE_S:
            raise AssertionError("not healthy:\n" + podman("logs", NAME, check=False))
        time.sleep(0.1)
    print(f"healthy {time.monotonic() - begun:.1f} s after podman was asked to run it", flush=True)


def stop() -> None:
    begun = time.monotonic()
    podman("stop", "--time", "10", NAME)
    took = time.monotonic() - begun
    status = podman("inspect", "--format", "{{.State.ExitCode}}", NAME)
    if status != "0":
        raise AssertionError(f"ended with status {status}:\n" + podman("logs", NAME, check=False))
    print(f"ended with status 0 in {took:.1f} s, podman's part in it", flush=True)
    podman("rm", NAME)


def produce(address: str) -> None:
    failures: list[KafkaError] = []
    producer = Producer({"bootstrap.servers": address, "acks": "all"})
    for number in range(RECORDS):
        producer.produce("smoke", f"record {number}", on_delivery=lambda error, _: failures.append(error) if error else None)
    if producer.flush(30) or failures:
        raise AssertionError(f"records were not acknowledged: {failures[:3]}")


def consume(address: str) -> int:
    consumer = Consumer({"bootstrap.servers": address, "group.id": "smoke", "group.protocol": "consumer",
                         "auto.offset.reset": "earliest"})
    consumer.subscribe(["smoke"])
    seen: set[int] = set()
    deadline = time.monotonic() + PATIENCE_S
    while len(seen) < RECORDS and time.monotonic() < deadline:
        seen.update(message.offset() for message in consumer.consume(500, timeout=0.5) if not message.error())
    consumer.close()
    return len(seen)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", required=True)
    parser.add_argument("--port", type=int, required=True)
    args = parser.parse_args()
    address = f"localhost:{args.port}"
    try:
        start(args.image, args.port)
        user = podman("exec", NAME, "id", "-u")
        if user != "1000":
            raise AssertionError(f"it runs as user {user}")
        produce(address)
        stop()
        start(args.image, args.port)
        read = consume(address)
        if read != RECORDS:
            raise AssertionError(f"{read} of {RECORDS} records came back")
        print(f"{RECORDS} records written, read by a group after a restart")
        stop()
    finally:
        podman("rm", "--force", "--ignore", NAME, check=False)
        podman("volume", "rm", "--force", VOLUME, check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
