"""Starts, kills and stops a real cohortd for the quick start and the system and fault tests."""
from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

START_LIMIT_S = 60
STOP_LIMIT_S = 10


class ServerFailed(Exception):
    pass


def quiet_logger() -> logging.Logger:
    """For clients that see the server die: librdkafka reports each refused connection, which is not news here."""
    logger = logging.getLogger("quiet")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger


def free_port() -> int:
    """A port that was free a moment ago. Not port 0: a restarted server must be found where it was."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Server:
    cohortd: Path
    data: Path
    port: int = field(default_factory=free_port)
    overrides: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)  # besides the test's own
    process: subprocess.Popen[bytes] | None = None
    log_file: Path | None = None  # default: beside the data

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.log_file or self.data.parent / f"{self.data.name}.log"

    def command(self) -> list[str]:
        settings = {"log.dirs": str(self.data), **self.overrides}
        if "KAFKA_LISTENERS" not in self.environment:
            settings.setdefault("listeners", f"PLAINTEXT://{self.address}")
        return [str(self.cohortd), *(part for key, value in settings.items() for part in ("--override", f"{key}={value}"))]

    def launch(self) -> None:
        """Starts cohortd and does not wait for it."""
        self.data.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, env={**os.environ, **self.environment})

    def start(self) -> float:
        """Starts cohortd; the seconds until it answered a Metadata request."""
        begun = time.monotonic()
        self.launch()
        self._wait_for_port(begun)
        admin = AdminClient({"bootstrap.servers": self.address, "logger": quiet_logger()})
        while time.monotonic() - begun < START_LIMIT_S:
            try:
                admin.list_topics(timeout=1)
                return time.monotonic() - begun
            except KafkaException:
                self._check_alive()
        raise ServerFailed(f"cohortd does not answer on {self.address}: see {self.log}")

    def _wait_for_port(self, begun: float) -> None:
        while time.monotonic() - begun < START_LIMIT_S:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                self._check_alive()
                time.sleep(0.001)
        raise ServerFailed(f"cohortd does not listen on {self.address}: see {self.log}")

    def _check_alive(self) -> None:
        assert self.process
        if self.process.poll() is not None:
            tail = self.log.read_text(errors="replace").splitlines()[-3:]
            raise ServerFailed(f"cohortd ended with status {self.process.returncode}: " + " | ".join(tail))

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> float:
        """SIGTERM; the seconds until the process was gone. It must end with status 0."""
        if self.process is None or self.process.poll() is not None:
            return 0.0
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=STOP_LIMIT_S)
        except subprocess.TimeoutExpired as problem:
            self.kill()
            raise ServerFailed(f"cohortd did not end within {STOP_LIMIT_S} s of SIGTERM") from problem
        if status != 0:
            raise ServerFailed(f"cohortd ended with status {status} after SIGTERM: see {self.log}")
        return time.monotonic() - begun

    def resident_kib(self) -> int:
        assert self.process
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise ServerFailed("no VmRSS")
