"""What the steps of the tour share."""
from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kafka_tools_host import Mismatch, Result, Tools


@dataclass
class Tour:
    """`reference`: the server is Apache Kafka; a few things that cohort does not have are then let pass."""

    tools: Tools
    scratch: Path  # files that the tools read
    data: Path  # the server's data folder
    reference: bool

    def run(self, tool: str, *arguments: str, stdin: str = "") -> Result:
        return self.tools.run(tool, *arguments, stdin=stdin)

    def file(self, name: str, content: str) -> str:
        path = self.scratch / name
        path.write_text(content)
        return str(path)

    def cohort_only(self, *lines: str) -> list[str]:
        return [] if self.reference else list(lines)


Step = Callable[[Tour], None]


def check(holds: bool, what: str) -> None:
    if not holds:
        raise Mismatch(what)


def wait_until(call: Callable[[], Result], line: str, limit_s: float = 120) -> Result:
    """Repeats the call until it prints this line: for states that a group reaches by itself."""
    deadline = time.monotonic() + limit_s
    while line not in (result := call()).lines():
        if time.monotonic() > deadline:
            raise result.fail(f"after {limit_s:.0f} s still without the line: {line}")
        time.sleep(0.1)
    return result
