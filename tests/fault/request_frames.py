"""Request frames made from the schemas, for tests that speak to the server without a client library: valid ones with
random or given values, for every API and version. Knows how Kafka writes things, not what they mean."""
from __future__ import annotations

import json
import random
import struct
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas" / "messages"
INTEGERS = {"int8": ">b", "int16": ">h", "int32": ">i", "int64": ">q", "uint16": ">H", "uint32": ">I"}
Values = dict[str, Any]
NULL = object()  # as a value: null on the wire; None is "any value"


def varint(value: int) -> bytes:
    """Kafka's unsigned varint: seven bits a byte, the lowest first."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def covers(versions: str | None, version: int) -> bool:
    if not versions or versions == "none":
        return False
    if versions.endswith("+"):
        return version >= int(versions[:-1])
    first, _, last = versions.partition("-")
    return int(first) <= version <= int(last or first)


class RequestSchema:
    """One request: bytes of it in any of its versions."""

    def __init__(self, text: str) -> None:
        schema = json.loads(text)
        self.name: str = schema["name"]
        self.key: int = schema["apiKey"]
        first, _, last = schema["validVersions"].partition("-")
        self.versions = range(int(first), int(last or first) + 1)
        self.flexible: str = schema["flexibleVersions"]
        self.fields: list[Values] = schema["fields"]
        self.common: dict[str, list[Values]] = {c["name"]: c["fields"] for c in schema.get("commonStructs", [])}

    def is_flexible(self, version: int) -> bool:
        return covers(self.flexible, version)

    def frame(self, version: int, chance: random.Random, values: Values | None = None, correlation: int = 7) -> bytes:
        """With its length. Fields not in values get random ones."""
        head = struct.pack(">hhih", self.key, version, correlation, 4) + b"evil"
        if self.is_flexible(version):
            head += b"\0"
        payload = head + Writer(self, version, chance).struct(self.fields, values or {})
        return struct.pack(">i", len(payload)) + payload


class Writer:
    def __init__(self, schema: RequestSchema, version: int, chance: random.Random) -> None:
        self.schema, self.version, self.chance = schema, version, chance
        self.flexible = schema.is_flexible(version)

    def struct(self, fields: list[Values], values: Values) -> bytes:
        out = b""
        tagged = []
        for field in fields:
            if not covers(field["versions"], self.version):
                continue
            if covers(field.get("taggedVersions"), self.version):
                if field["name"] in values:
                    tagged.append((field["tag"], self.field(field, values)))
                continue
            out += self.field(field, values)
        if self.flexible:
            out += varint(len(tagged)) + b"".join(varint(tag) + varint(len(data)) + data for tag, data in tagged)
        return out

    def field(self, field: Values, values: Values) -> bytes:
        kind: str = field["type"]
        given = values.get(field["name"])
        if given is NULL:
            return b"\0" if self.flexible else struct.pack(">h" if kind == "string" else ">i", -1)
        if kind.startswith("[]"):
            items = given if given is not None else [None] * self.chance.randrange(1, 4)
            length = varint(len(items) + 1) if self.flexible else struct.pack(">i", len(items))
            return length + b"".join(self.value(kind[2:], field, item) for item in items)
        return self.value(kind, field, given)

    def value(self, kind: str, field: Values, given: Any) -> bytes:
        if kind in INTEGERS:
            bits = 8 * struct.calcsize(INTEGERS[kind])
            lowest = 0 if kind.startswith("u") else -(1 << (bits - 1))
            drawn = self.chance.choice([0, 1, -1 if lowest else 1, lowest, lowest + (1 << bits) - 1])
            return struct.pack(INTEGERS[kind], drawn if given is None else given)
        if kind == "bool":
            return bytes([self.chance.randrange(2) if given is None else given])
        if kind == "float64":
            return struct.pack(">d", 0.5 if given is None else given)
        if kind == "uuid":
            return self.chance.randbytes(16) if given is None else given
        if kind in ("string", "bytes", "records"):
            return self.blob(kind, given)
        there = b"\x01" if not field["type"].startswith("[]") and covers(field.get("nullableVersions"), self.version) else b""
        return there + self.struct(field.get("fields") or self.schema.common[kind], given or {})

    def blob(self, kind: str, given: Any) -> bytes:
        if given is None:
            given = self.chance.randbytes(self.chance.randrange(12)).hex()
        data = given.encode() if isinstance(given, str) else given
        if self.flexible:
            return varint(len(data) + 1) + data
        return struct.pack(">h" if kind == "string" else ">i", len(data)) + data


def request_schemas() -> dict[str, RequestSchema]:
    """By name, such as FetchRequest."""
    found = [RequestSchema(path.read_text()) for path in sorted(SCHEMAS.glob("*Request.json"))]
    return {schema.name: schema for schema in found}
