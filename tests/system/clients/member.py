"""A client program that runs as a member of a group: its commands, and what it has told so far."""
from __future__ import annotations

import json
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

PATIENCE_S = 60
KEPT_LINES = 20


class Failed(Exception):
    """The scenario did not go as it should; the message says what was seen."""


@dataclass
class Member:
    name: str
    command: list[str]
    environment: dict[str, str]
    folder: Path
    assigned: set[int] = field(default_factory=set)
    records: list[tuple[int, int, str]] = field(default_factory=list)
    committed: int = 0
    closed: bool = False
    errors: list[str] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)  # the last lines that are no events

    def __post_init__(self) -> None:
        self.changed = threading.Condition()
        self.process = subprocess.Popen(self.command, cwd=self.folder, env=self.environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.readers = [threading.Thread(target=self._read, args=(stream,), daemon=True)
                        for stream in (self.process.stdout, self.process.stderr)]
        for reader in self.readers:
            reader.start()

    def _read(self, stream) -> None:
        for line in stream:
            with self.changed:
                self._take(line.strip())
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def _take(self, line: str) -> None:
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            self.noise = [*self.noise, line][-KEPT_LINES:]
        elif "assigned" in event:
            self.assigned = set(event["assigned"])
        elif "record" in event:
            self.records.append(tuple(event["record"]))
        elif "committed" in event:
            self.committed += 1
        elif "closed" in event:
            self.closed = True
        elif "error" in event:
            self.errors.append(event["error"])

    def wait(self, what: str, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        with self.changed:
            while not reached():
                left = deadline - time.monotonic()
                if not any(reader.is_alive() for reader in self.readers) and not self.closed:
                    self.process.wait()
                    raise Failed(f"{self.name} ended with status {self.process.returncode}: {self.last_words()}")
                if left <= 0:
                    raise Failed(f"{self.name}: no {what} within {PATIENCE_S} s; {self.last_words()}")
                self.changed.wait(min(left, 0.2))

    def last_words(self) -> str:
        return (f"has {sorted(self.assigned)} and {len(self.records)} records; errors {self.errors[-3:]}; "
                f"printed {self.noise[-3:]}")

    def tell(self, command: str) -> None:
        assert self.process.stdin
        try:
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()
        except BrokenPipeError as gone:
            raise Failed(f"{self.name} is gone: {self.last_words()}") from gone

    def commit(self) -> None:
        before = self.committed
        self.tell("commit")
        self.wait("commit", lambda: self.committed > before)

    def close(self) -> None:
        self.tell("close")
        self.wait("end", lambda: self.closed)
        self.process.wait(timeout=PATIENCE_S)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
