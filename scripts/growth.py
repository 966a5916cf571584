#!/usr/bin/env python3
"""How cost grows with the number of members, groups and offsets: measures cohortd and draws docs/growth.svg.

    scripts/growth.py [--build build/release] [--seconds S] [--out docs] [--quick]

Starts a server of its own for each series, with its defaults but for cohort.reactors, and asks it with
tests/bench/load. Restart is the time from exec to the first right OffsetFetch. Only what one run measures side by side
is comparable: absolute figures say as much about the machine. --quick leaves the largest sizes out."""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
GROUP_SIZE = 10
OFFSETS_OF_GROUP = 10


def make_programs(build):
    subprocess.run(["cmake", "--build", str(build), "--target", "cohortd", "cohort_load"], check=True,
                   stdout=subprocess.DEVNULL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, build, folder, reactors):
        self.port = free_port()
        self.command = [str(build / "server/app/cohortd"), "--override", f"listeners=PLAINTEXT://127.0.0.1:{self.port}",
                        "--override", f"log.dirs={folder}"]
        if reactors:
            self.command += ["--override", f"cohort.reactors={reactors}"]
        self.log = open(folder + ".log", "a")
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log)
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), 1)
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"cohortd ended: see {self.log.name}")
                time.sleep(0.0005)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait()

    def memory_mb(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0


@contextlib.contextmanager
def a_server(build, reactors):
    folder = tempfile.mkdtemp(prefix="cohort-growth-")
    server = Server(build, f"{folder}/data", reactors)
    try:
        server.start().close()
        yield server
    finally:
        server.stop(signal.SIGKILL)
        shutil.rmtree(folder)


def load(build, server, *arguments):
    command = [str(build / "tests/bench/cohort_load"), *map(str, arguments), "--bootstrap",
               f"127.0.0.1:{server.port}", "--server-pid", str(server.process.pid)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    return json.loads(done.stdout)


def compact(text):
    return bytes([len(text) + 1]) + text.encode()


def exchange(connection, api, version, correlation, body):
    """One request of a flexible version and the body of its answer."""
    request = struct.pack(">hhih", api, version, correlation, 1) + b"g" + b"\0" + body
    connection.sendall(struct.pack(">i", len(request)) + request)

    def receive(size):
        out = b""
        while len(out) < size:
            chunk = connection.recv(size - len(out))
            if not chunk:
                raise OSError("closed")
            out += chunk
        return out
    return receive(struct.unpack(">i", receive(4))[0])[5:]


def offset_fetch(connection, group, correlation):
    """The group's error and the offset of its first partition, -1 without one (OffsetFetch v8)."""
    topic = compact("load") + bytes([2]) + struct.pack(">i", group % 100) + b"\0"
    body = bytes([2]) + compact(f"load-{group}") + bytes([2]) + topic + b"\0" + b"\0" + b"\0"
    answer = exchange(connection, 9, 8, correlation, body)
    # throttle; groups; its name; topics; its name; partitions; index; the offset
    at = 4 + 1
    at += answer[at]      # the name and its length
    if answer[at] < 2:
        return struct.unpack(">h", answer[at + 1:at + 3])[0], -1
    at += 1
    at += answer[at] + 1
    return 0, struct.unpack(">q", answer[at + 4:at + 12])[0]


def restart_ms(server, groups):
    """From exec to the first right answer, after SIGKILL."""
    server.stop(signal.SIGKILL)
    begun = time.monotonic()
    connection = server.start()
    correlation = 0
    while offset_fetch(connection, groups - 1, correlation := correlation + 1)[1] < 0:
        time.sleep(0.0005)
    return (time.monotonic() - begun) * 1000


def measure(build, seconds, quick):
    rows = []
    sizes = [1_000, 10_000] if quick else [1_000, 10_000, 100_000]
    for reactors in (1, 2):
        for size in sizes:
            for workload, *sizes_of_it in (("heartbeat", "--members", size, "--groups", size // GROUP_SIZE),
                                           ("commit", "--groups", size)):
                with a_server(build, reactors) as server:
                    idle = server.memory_mb()
                    row = load(build, server, workload, *sizes_of_it, "--seconds", seconds)
                    row["bytes_each"] = (server.memory_mb() - idle) * 1024 * 1024 / size
                    rows.append(dict(row, reactors=reactors))
                    print(json.dumps(rows[-1]), flush=True)
    for size in [10_000, 100_000] if quick else [10_000, 100_000, 1_000_000]:
        for reactors in (1, 2):
            with a_server(build, reactors) as server:
                groups = size // OFFSETS_OF_GROUP
                load(build, server, "commit", "--groups", groups, "--offsets", OFFSETS_OF_GROUP, "--once")
                times = sorted(restart_ms(server, groups) for _ in range(5))
                rows.append({"workload": "restart", "jobs": size, "reactors": reactors, "ms": times[2],
                             "memory_mb": server.memory_mb()})
                print(json.dumps(rows[-1]), flush=True)
    return rows


# ---- drawing ----

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 300, 200, 62, 32, 34, 40
COLORS = {1: "#8a6d3b", 2: "#1f6f8b"}


def panel(x, title, unit, series):
    """series: {reactors: [(size, value)]}. The sizes go up by tens; values from 0."""
    sizes = sorted({size for points in series.values() for size, _ in points})
    top = max(value for points in series.values() for _, value in points) * 1.15
    across = lambda size: x + LEFT + (WIDTH - LEFT - RIGHT) * sizes.index(size) / max(1, len(sizes) - 1)
    up = lambda value: TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)
    number = lambda value: f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    out = [f'<text x="{x + LEFT}" y="18" class="title">{title}</text>']
    for part in (0, 0.5, 1):
        y = up(top / 1.15 * part)
        out.append(f'<line x1="{x + LEFT}" x2="{x + WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
                   f'<text x="{x + LEFT - 6}" y="{y + 4:.1f}" class="left">{number(top / 1.15 * part)}</text>')
    for size in sizes:
        out.append(f'<text x="{across(size):.1f}" y="{HEIGHT - BOTTOM + 18}" class="below">{size:,}</text>')
    out.append(f'<text x="{x + LEFT}" y="{HEIGHT - 4}" class="unit">{unit}</text>')
    for reactors, points in series.items():
        path = " ".join(f"{across(size):.1f},{up(value):.1f}" for size, value in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{COLORS[reactors]}" stroke-width="2"/>')
        out += [f'<circle cx="{across(size):.1f}" cy="{up(value):.1f}" r="3" fill="{COLORS[reactors]}"/>'
                for size, value in points]
    return "\n".join(out)


def draw(rows):
    def series(workload, key):
        out = {}
        for row in rows:
            if row["workload"] == workload:
                out.setdefault(row["reactors"], []).append((row["jobs"], row[key]))
        return out
    panels = [("Heartbeats", "CPU µs each, by members in groups of 10", series("heartbeat", "server_cpu_us")),
              ("Synced commits", "CPU µs each, by groups", series("commit", "server_cpu_us")),
              ("Restart after SIGKILL", "ms to the first OffsetFetch, by offsets", series("restart", "ms"))]
    body = "\n".join(panel(WIDTH * i, *each) for i, each in enumerate(panels))
    legend = "".join(f'<tspan fill="{color}" dx="{0 if n == 1 else 14}">● {n} reactor{"s" if n > 1 else ""}</tspan>'
                     for n, color in COLORS.items())
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * 3} {HEIGHT + 24}" font-family="sans-serif">
<style>.title{{font-size:13px;font-weight:bold}} .left{{font-size:10px;text-anchor:end}} .below{{font-size:10px;text-anchor:middle}}
.unit{{font-size:10px}} .grid{{stroke:#ddd}} .legend{{font-size:11px}}</style>
<rect width="100%" height="100%" fill="white"/>
{body}
<text x="{LEFT}" y="{HEIGHT + 16}" class="legend">{legend}</text>
</svg>
"""


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    arguments.add_argument("--seconds", type=float, default=4)
    arguments.add_argument("--out", type=pathlib.Path, default=ROOT / "docs")
    arguments.add_argument("--quick", action="store_true")
    options = arguments.parse_args()
    make_programs(options.build)
    rows = measure(options.build, options.seconds, options.quick)
    options.out.mkdir(exist_ok=True)
    (options.out / "growth.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
    (options.out / "growth.svg").write_text(draw(rows))
    print(f"{options.out}/growth.svg")


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    main()
