"""Runs Apache Kafka's command-line tools, nearly all in one JVM (ToolHost.java), and compares what they print."""
from __future__ import annotations

import base64
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

CLASSES = {
    "topics": "org.apache.kafka.tools.TopicCommand",
    "configs": "kafka.admin.ConfigCommand",
    "console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "producer-perf-test": "org.apache.kafka.tools.ProducerPerformance",
    "consumer-perf-test": "org.apache.kafka.tools.ConsumerPerformance",
    "verifiable-producer": "org.apache.kafka.tools.VerifiableProducer",
    "verifiable-consumer": "org.apache.kafka.tools.VerifiableConsumer",
    "get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "transactions": "org.apache.kafka.tools.TransactionsCommand",
    "consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "groups": "org.apache.kafka.tools.GroupsCommand",
    "cluster": "org.apache.kafka.tools.ClusterTool",
    "broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
    "features": "org.apache.kafka.tools.FeatureCommand",
    "dump-log": "org.apache.kafka.tools.DumpLogSegments",
    "metadata-quorum": "org.apache.kafka.tools.MetadataQuorumCommand",
    "leader-election": "org.apache.kafka.tools.LeaderElectionCommand",
    "reassign-partitions": "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
    "acls": "org.apache.kafka.tools.AclCommand",
    "delegation-tokens": "org.apache.kafka.tools.DelegationTokenCommand",
}
CALL_LIMIT_S = 120  # patience is for busy machines, where a JVM alone may take half a minute to start
SHOWN_LINES = 60  # of what a tool printed when it printed something else than expected
JVM = ("-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m",
       "-Dorg.apache.logging.log4j.level=OFF")

Expected = "str | re.Pattern[str]"


class Mismatch(Exception):
    """A tool said something else than what Apache Kafka 4.3.1 makes it say."""


class HostGone(Exception):
    """There is no JVM any more to run tools in."""


@dataclass
class Result:
    call: str
    status: int
    out: str
    err: str

    def fail(self, why: str) -> Mismatch:
        printed = [line for line in (self.out + self.err).splitlines() if not line.startswith("\tat ")]
        more = [f"... and {len(printed) - SHOWN_LINES} more lines"] if len(printed) > SHOWN_LINES else []
        return Mismatch(f"{self.call}\n  {why}\n  status {self.status}, printed:\n"
                        + "\n".join(f"    {line}" for line in printed[:SHOWN_LINES] + more))

    def lines(self) -> list[str]:
        """The lines printed, but empty ones, each run of white space being one blank: tables align their columns."""
        return [" ".join(line.split()) for line in self.out.splitlines() if line.strip()]

    def prints(self, *expected: Expected, in_order: bool = True) -> Result:
        """Status 0 and exactly these lines."""
        if self.status != 0:
            raise self.fail("should have succeeded")
        self._compare(self.lines(), list(expected), in_order)
        return self

    def has(self, *expected: Expected) -> Result:
        """Status 0 and these lines among others, in any order."""
        if self.status != 0:
            raise self.fail("should have succeeded")
        for line in expected:
            if not any(matches(line, l) for l in self.lines()):
                raise self.fail(f"a line is missing: {line if isinstance(line, str) else line.pattern}")
        return self

    def warns(self, text: str) -> Result:
        if text not in self.err:
            raise self.fail(f"should have said on its error output: {text}")
        return self

    def says(self, text: str) -> Result:
        """For tools that report an error and end with status 0."""
        return self.fails_with(text, status=0)

    def fails_with(self, text: str, status: int = 1) -> Result:
        if self.status != status or text not in " ".join((self.out + self.err).split()):
            raise self.fail(f"should have ended with status {status} and said: {text}")
        return self

    def _compare(self, lines: list[str], expected: list[Expected], in_order: bool) -> None:
        left = list(lines)
        for place, line in enumerate(expected):
            found = next((l for l in (left[:1] if in_order else left) if matches(line, l)), None)
            if found is None:
                raise self.fail(f"line {place + 1} should be: {line if isinstance(line, str) else line.pattern}")
            left.remove(found)
        if left:
            raise self.fail(f"should not have printed: {left[0]}")


def matches(expected: Expected, line: str) -> bool:
    return line == expected if isinstance(expected, str) else expected.fullmatch(line) is not None


def pattern(text: str) -> re.Pattern[str]:
    """A line in which <n> stands for a number, <id> for an id of Kafka's, <word> for anything without a blank."""
    regex = re.escape(text)
    for name, what in (("<n>", r"-?[0-9]+(?:\.[0-9]+)?"), ("<id>", r"[A-Za-z0-9_-]{22}"), ("<word>", r"\S+"),
                       ("<any>", r".*")):
        regex = regex.replace(re.escape(name), what)
    return re.compile(regex)


class Tools:
    """Used by one thread. `folder` of jars: Kafka's own `libs`, or what scripts/kafka-tools.sh fetched."""

    def __init__(self, java: str, jars: Path, address: str) -> None:
        self.java, self.address = java, address
        self.all_jars = f"{jars}/*"
        own = next(jars.glob("kafka-tools-[0-9]*[0-9].jar"))
        others = ":".join(str(jar) for jar in sorted(jars.glob("*.jar")) if jar != own)
        self.host = subprocess.Popen(
            [java, *JVM, "-cp", others, str(Path(__file__).with_name("ToolHost.java")), str(own)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, tool: str, *arguments: str, stdin: str = "") -> Result:
        """The tool with these arguments behind --bootstrap-server."""
        return self.run_as_given(tool, "--bootstrap-server", self.address, *arguments, stdin=stdin)

    def run_as_given(self, tool: str, *arguments: str, stdin: str = "") -> Result:
        assert self.host.stdin and self.host.stdout
        words = [stdin, CLASSES[tool], *arguments]
        self.host.stdin.write(" ".join(base64.b64encode(word.encode()).decode() or "-" for word in words) + "\n")
        self.host.stdin.flush()
        call = " ".join([f"kafka-{tool}", *arguments])
        watchdog = threading.Timer(CALL_LIMIT_S, self._give_up)
        watchdog.start()
        answer = self.host.stdout.readline().split()
        watchdog.cancel()
        if len(answer) != 3:
            threads = self.host.stdout.read()
            raise HostGone(f"{call}\n  ended its JVM, or did not end within {CALL_LIMIT_S} s\n"
                           + threads[max(0, threads.find('"main"')):][:3000])
        out, err = ("" if word == "-" else base64.b64decode(word).decode() for word in answer[1:])
        return Result(call, int(answer[0]), out, err)

    def _give_up(self) -> None:
        """Has the JVM print its threads, then ends it."""
        self.host.send_signal(signal.SIGQUIT)
        time.sleep(1)
        self.host.kill()

    def start_alone(self, tool: str, *arguments: str) -> subprocess.Popen[str]:
        """A JVM of its own, for what ends its process itself or runs beside others."""
        return subprocess.Popen([self.java, *JVM, "-cp", self.all_jars, CLASSES[tool],
                                 "--bootstrap-server", self.address, *arguments], stdout=subprocess.PIPE, text=True)

    def close(self) -> None:
        assert self.host.stdin
        self.host.stdin.close()
        self.host.wait(timeout=30)
