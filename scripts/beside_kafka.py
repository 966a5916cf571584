#!/usr/bin/env python3
"""Start and memory beside Apache Kafka on the same machine, runs interleaved, median of --reps; and cohortd's syncs.

    scripts/beside_kafka.py --kafka-jars FOLDER [--build build/release] [--reps 5] [--json FILE]

Measures from exec to the first right OffsetFetch: in an empty folder (nothing is committed: offset -1), and in one with
10,000 committed offsets after an orderly end. Kafka's folder is formatted before its clock starts. FOLDER: Kafka's jars
(scripts/kafka-tools.sh fetches them); its JVM gets the flags of kafka-server-start.sh. Then, of cohortd alone: what a
member more takes at 10,000 members, and how many commits share a sync (counted by strace, where it is installed)."""
import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import growth

GROUPS, OFFSETS_OF_GROUP, MEMBERS = 1_000, 10, 10_000
JVM = ("-Xmx1G", "-Xms1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
       "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true")
KAFKA = """process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
offsets.topic.replication.factor=1
log.dirs={folder}/data
"""


class Kafka(growth.Server):
    def __init__(self, jars, folder):
        self.port, controller = growth.free_port(), growth.free_port()
        properties = pathlib.Path(folder) / "server.properties"
        properties.write_text(KAFKA.format(port=self.port, controller=controller, folder=folder))
        java = ["java", "-cp", f"{jars}/*"]
        subprocess.run([*java, "kafka.tools.StorageTool", "format", "--standalone", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c",
                        str(properties)], check=True, stdout=subprocess.DEVNULL)
        self.command = [*java[:1], *JVM, *java[1:], "kafka.Kafka", str(properties)]
        self.log = open(f"{folder}/output", "a")
        self.process = None


def find_coordinator(connection, group, correlation):
    """A client's first request; Kafka makes __consumer_offsets when it is asked."""
    body = growth.compact(group) + b"\0" + b"\0"
    growth.exchange(connection, 10, 3, correlation, body)


def first_answer_ms(server, group, committed):
    begun = time.monotonic()
    correlation = 0
    while True:
        try:
            with server.start() if server.process is None else socket.create_connection(("127.0.0.1", server.port)) as c:
                c.settimeout(5)
                while True:
                    find_coordinator(c, f"load-{group}", correlation := correlation + 1)
                    error, offset = growth.offset_fetch(c, group, correlation := correlation + 1)
                    if error == 0 and (offset >= 0) == committed:
                        return (time.monotonic() - begun) * 1000
                    time.sleep(0.001)
        except OSError:
            time.sleep(0.001)


def measure(make, build):
    folder = tempfile.mkdtemp(prefix="cohort-beside-")
    server = make(folder)
    try:
        row = {"empty_ms": first_answer_ms(server, 0, False)}
        time.sleep(2)
        row["idle_mb"] = server.memory_mb()
        growth.load(build, server, "commit", "--groups", GROUPS, "--offsets", OFFSETS_OF_GROUP, "--once")
        server.stop()
        server.process = None
        row["offsets_ms"] = first_answer_ms(server, GROUPS - 1, True)
        return row
    finally:
        if server.process:
            server.stop(signal.SIGKILL)
        shutil.rmtree(folder)


def of_cohort_alone(build):
    folder = tempfile.mkdtemp(prefix="cohort-beside-")
    try:
        server = growth.Server(build, f"{folder}/data", None)
        server.start().close()
        time.sleep(2)
        idle = server.memory_mb()
        growth.load(build, server, "heartbeat", "--members", MEMBERS, "--groups", MEMBERS // 10, "--seconds", 3)
        print(f"memory of a member, {MEMBERS:,} in groups of 10: {(server.memory_mb() - idle) * 1024 / MEMBERS:.1f} KiB")
        server.stop()
        if not shutil.which("strace"):
            return
        server = growth.Server(build, f"{folder}/commits", None)
        counts = pathlib.Path(folder) / "syscalls"
        server.command = ["strace", "-f", "--seccomp-bpf", "-c", "-e", "trace=fsync,fdatasync", "-o", str(counts),
                          *server.command]
        server.start().close()
        row = growth.load(build, server, "commit", "--groups", GROUPS, "--seconds", 5)
        # strace passes no signal on: its child is the server.
        child = pathlib.Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()[0]
        os.kill(int(child), signal.SIGTERM)
        server.process.wait()
        syncs = sum(int(line.split()[3]) for line in counts.read_text().splitlines() if line.endswith("sync"))
        commits = row["ops_s"] * (5 + 1.5)  # it settles for a second and a half
        print(f"syncs: {syncs:,} while about {commits:,.0f} commits were answered: {commits / syncs:.0f} share one")
    finally:
        shutil.rmtree(folder)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kafka-jars", type=pathlib.Path, required=True)
    arguments.add_argument("--build", type=pathlib.Path, default=growth.ROOT / "build/release")
    arguments.add_argument("--reps", type=int, default=5)
    arguments.add_argument("--json", type=pathlib.Path)
    options = arguments.parse_args()
    growth.make_programs(options.build)
    servers = {"cohort": lambda folder: growth.Server(options.build, f"{folder}/data", None),
               "kafka": lambda folder: Kafka(options.kafka_jars.resolve(), folder)}
    rows = {name: [] for name in servers}
    for _ in range(options.reps):
        for name, make in servers.items():
            rows[name].append(measure(make, options.build))
            print(name, json.dumps(rows[name][-1]), file=sys.stderr, flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    for key, what in (("empty_ms", "start in an empty folder, ms"), ("offsets_ms", "start with 10,000 offsets, ms"),
                      ("idle_mb", "idle memory, MB")):
        ours, theirs = (statistics.median(row[key] for row in rows[name]) for name in ("cohort", "kafka"))
        print(f"{what}: cohort {ours:.1f}, Kafka {theirs:.0f}: {theirs / ours:.0f} times")
    of_cohort_alone(options.build)


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    main()
