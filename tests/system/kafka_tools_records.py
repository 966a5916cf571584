"""The tour's steps with records: producers, consumers, offsets, sizes, and the files that Kafka's own reader finds."""
from __future__ import annotations

import json
import re
from pathlib import Path

from kafka_tools_host import Mismatch, Result, pattern
from kafka_tools_tour import Step, Tour, check

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
CONSUMER = ("--command-property", "group.protocol=consumer")
LONG = ("--timeout-ms", "60000")  # a consumer gives up when nothing comes for so long
EVERYTHING = [word for name in ("timestamp", "key", "offset", "epoch", "partition", "headers", "value")
              for word in ("--formatter-property", f"print.{name}=true")]


def written() -> list[tuple[str, str, str, str]]:
    """What step `produce` writes into topic `tour-p`: codec, headers, key, value of each record."""
    records = []
    for number, codec in enumerate(CODECS):
        records += [(codec, f"h1:{codec},h2:x", f"k{number}", f"value {codec} 1"),
                    (codec, f"h1:{codec}", f"k{number}", f"value {codec} 2")]
    records += [("none", "", "null", f"acks {acks}") for acks in ("0", "1", "all")]
    records += [("none", "", "null", "idempotent 1"), ("none", "", "null", "idempotent 2")]
    return [*records, ("none", "", "key", "null")]


def produce(tour: Tour) -> None:
    def write(*arguments: str, stdin: str) -> None:
        result = tour.run("console-producer", "--topic", "tour-p", *arguments, stdin=stdin).prints()
        check(result.err == "", f"{result.call}: {result.err}")

    tour.run("topics", "--create", "--topic", "tour-p", "--partitions", "1").prints("Created topic tour-p.")
    for codec in CODECS:
        lines = (f"{headers}\t{key}\t{value}\n" for c, headers, key, value in written()[:2 * len(CODECS)] if c == codec)
        write("--compression-codec", codec, "--reader-property", "parse.key=true", "--reader-property",
              "parse.headers=true", stdin="".join(lines))
    for acks in ("0", "1", "all"):
        write("--request-required-acks", acks, "--sync", stdin=f"acks {acks}\n")
    write("--command-property", "enable.idempotence=true", stdin="idempotent 1\nidempotent 2\n")
    write("--reader-property", "parse.key=true", "--reader-property", "null.marker=NULL", stdin="key\tNULL\n")


def consume(tour: Tour) -> None:
    def read(*arguments: str) -> Result:
        return tour.run("console-consumer", *LONG, *arguments)

    # The tool copies each record without its leader epoch before it prints it.
    everything = [pattern(f"CreateTime:<n> Partition:0 Offset:{offset} Epoch:NOT_PRESENT "
                          f"{headers or 'NO_HEADERS'} {key} {value}")
                  for offset, (_codec, headers, key, value) in enumerate(written())]
    number = str(len(everything))
    read("--topic", "tour-p", "--from-beginning", "--max-messages", number, "--group", "tour-console", *CONSUMER,
         *EVERYTHING).prints(*everything).warns(f"Processed a total of {number} messages")
    read("--include", "tour-[p]", "--from-beginning", "--max-messages", number, *CONSUMER, "--group",
         "tour-console-regex").prints(*(value for *_rest, value in written()))
    partition = ("--topic", "tour-p", "--partition", "0")
    read(*partition, "--offset", "3", "--max-messages", "2", "--formatter-property", "print.offset=true",
         "--formatter-property", "key.separator=|").prints("Offset:3|value gzip 2", "Offset:4|value snappy 1")
    read(*partition, "--offset", "earliest", "--max-messages", "1", "--isolation-level", "read_committed").prints(
        "value none 1")
    tour.run("console-consumer", *partition, "--offset", "latest", "--timeout-ms", "1000").prints().warns(
        "Processed a total of 0 messages")


# ------------------------------------------------------------------------------------- performance and verifiable tools

def perf(tour: Tour) -> None:
    tour.run("topics", "--create", "--topic", "tour-perf", "--partitions", "2").prints("Created topic tour-perf.")
    sent = ("2000 records sent, <n> records/sec (<n> MB/sec), <n> ms avg latency, <n> ms max latency, <n> ms 50th, "
            "<n> ms 95th, <n> ms 99th, <n> ms 99.9th.")
    for codec in CODECS:
        tour.run("producer-perf-test", "--topic", "tour-perf", "--num-records", "2000", "--record-size", "100",
                 "--throughput", "-1", "--command-property", f"compression.type={codec}", "acks=all").prints(
                     pattern(sent))
    ends = tour.run("get-offsets", "--topic", "tour-perf").lines()
    check(sum(int(line.split(":")[2]) for line in ends) == 10000, f"10000 records were sent, the ends are {ends}")

    read = tour.run("consumer-perf-test", "--topic", "tour-perf", "--num-records", "10000", "--group", "tour-perf",
                    "--timeout", "60000", *CONSUMER).prints(
        "start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, "
        "fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec", re.compile(r".*"))
    consumed = read.lines()[1].split(", ")
    check(consumed[2] == "0.9537" and consumed[4] == "10000", f"10000 records of 100 bytes: {consumed}")
    tour.run("consumer-groups", "--describe", "--group", "tour-perf").prints(
        "GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID",
        *(f"tour-perf tour-perf {p} {end} {end} 0 - - -" for p, end in enumerate(l.split(":")[2] for l in ends)))


def verifiable(tour: Tour) -> None:
    """Both print a line of JSON per event."""
    def events(tool: str, *arguments: str) -> list[dict]:
        process = tour.tools.start_alone(tool, *arguments)
        out, _err = process.communicate(timeout=120)
        check(process.returncode == 0, f"kafka-{tool} ended with status {process.returncode}: {out}")
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")]

    def named(all_events: list[dict], name: str) -> list[dict]:
        return [{k: v for k, v in event.items() if k not in ("timestamp", "name", "topic")}
                for event in all_events if event["name"] == name]

    # Its records are old, so that retention would take them in a tour of more than five minutes.
    tour.run("topics", "--create", "--topic", "tour-v", "--config", "retention.ms=-1").prints("Created topic tour-v.")
    sent = events("verifiable-producer", "--topic", "tour-v", "--max-messages", "20", "--acks", "-1", "--value-prefix",
                  "7", "--repeating-keys", "3", "--message-create-time", "1700000000000")
    expected = [{"key": str(n % 3), "value": f"7.{n}", "partition": 0, "offset": n} for n in range(20)]
    check(named(sent, "producer_send_success") == expected, f"verifiable producer: {sent}")
    check(not named(sent, "producer_send_error"), f"verifiable producer: {sent}")
    summary = named(sent, "tool_data")[0]
    check((summary["sent"], summary["acked"]) == (20, 20), f"verifiable producer: {summary}")

    got = events("verifiable-consumer", "--topic", "tour-v", "--group-id", "tour-v", "--group-protocol", "consumer",
                 "--max-messages", "20", "--verbose", "--reset-policy", "earliest")
    check(named(got, "record_data") == expected, f"verifiable consumer: {got}")
    check(named(got, "partitions_assigned") == [{"partitions": [{"topic": "tour-v", "partition": 0}]}], f"{got}")
    check(named(got, "offsets_committed")[-1] == {
        "offsets": [{"topic": "tour-v", "partition": 0, "offset": 20}], "success": True}, f"verifiable consumer: {got}")


# --------------------------------------------------------------------------------------------- offsets, deletion, sizes

def get_offsets(tour: Tour) -> None:
    """Of topic `tour-v`: 20 records whose times begin at 1700000000000 and rise."""
    def offsets(*arguments: str) -> Result:
        return tour.run("get-offsets", *arguments)

    latest = [("latest", "20"), ("-1", "20")]
    earliest = [("earliest", "0"), ("-2", "0"), ("earliest-local", "0"), ("-4", "0")]
    for time, offset in [*latest, *earliest]:
        offsets("--topic", "tour-v", "--time", time).prints(f"tour-v:0:{offset}")
    newest = offsets("--topic", "tour-v", "--time", "max-timestamp").prints(pattern("tour-v:0:<n>"))
    offsets("--topic", "tour-v", "--time", "-3").prints(*newest.lines())
    stored = [int(line.split(":")[1]) for line in tour.run(
        "console-consumer", *LONG, "--topic", "tour-v", "--partition", "0", "--offset", "earliest", "--max-messages",
        "20", "--formatter-property", "print.timestamp=true", "--formatter-property", "print.value=false").lines()]
    check(newest.lines() == [f"tour-v:0:{stored.index(max(stored))}"], f"max-timestamp is {newest.lines()} of {stored}")
    for time in (1, stored[0], stored[1], stored[0] + 1, max(stored)):
        first = next(n for n, t in enumerate(stored) if t >= time)
        offsets("--topic", "tour-v", "--time", str(time)).prints(f"tour-v:0:{first}")
    offsets("--topic", "tour-v", "--time", str(max(stored) + 1)).prints()
    for tiered in ("latest-tiered", "-5", "earliest-pending-upload", "-6"):
        offsets("--topic", "tour-v", "--time", tiered).prints()
    offsets("--topic", "tour-v", "--time", "x").fails_with("Malformed time argument x.")

    end = len(written())
    offsets("--topic-partitions", "tour-v:0,tour-p:0-2", "--exclude-internal-topics").prints(
        f"tour-p:0:{end}", "tour-v:0:20")
    offsets("--topic", "tour-p", "--partitions", "0,5").prints(f"tour-p:0:{end}")
    offsets("--topic", "tour-[v]").prints("tour-v:0:20")
    offsets("--topic", "none").fails_with("Could not match any topic-partitions with the specified filters")


def delete_records(tour: Tour) -> None:
    """Of topic `tour-d`, for the others are read again."""
    def delete(offset: int) -> Result:
        content = {"version": 1, "partitions": [{"topic": "tour-d", "partition": 0, "offset": offset}]}
        return tour.run("delete-records", "--offset-json-file", tour.file("delete.json", json.dumps(content)))

    def starts_at(offset: int) -> None:
        for time in ("earliest", "earliest-local"):
            tour.run("get-offsets", "--topic", "tour-d", "--time", time).prints(f"tour-d:0:{offset}")

    done = ("Executing records delete operation", "Records delete operation completed:")
    tour.run("topics", "--create", "--topic", "tour-d").prints("Created topic tour-d.")
    tour.run("console-producer", "--topic", "tour-d", stdin="".join(f"d{n}\n" for n in range(10))).prints()
    delete(4).prints(*done, "partition: tour-d-0 low_watermark: 4")
    starts_at(4)
    tour.run("console-consumer", *LONG, "--topic", "tour-d", "--partition", "0", "--offset", "earliest",
             "--max-messages", "6", "--formatter-property", "print.offset=true").prints(
                 *(f"Offset:{n} d{n}" for n in range(4, 10)))
    delete(2).prints(*done, "partition: tour-d-0 low_watermark: 4")
    delete(11).prints(*done, "partition: tour-d-0 error: org.apache.kafka.common.errors.OffsetOutOfRangeException: The "
                             "requested offset is not within the range of offsets maintained by the server.")
    starts_at(4)
    delete(-1).prints(*done, "partition: tour-d-0 low_watermark: 10")
    starts_at(10)


def log_dirs(tour: Tour) -> None:
    begin = ("Querying brokers for log directories information", "Received log directory information from brokers 1")
    shown = tour.run("log-dirs", "--describe", "--broker-list", "1", "--topic-list", "tour-p,tour-v").prints(
        *begin, re.compile(r"\{.*\}"))
    answer = json.loads(shown.lines()[2])
    check([broker["broker"] for broker in answer["brokers"]] == [1] and answer["version"] == 1, f"log-dirs: {answer}")
    [folder] = answer["brokers"][0]["logDirs"]
    check(folder["error"] is None and Path(folder["logDir"]).resolve() == tour.data.resolve(), f"log-dirs: {folder}")
    for name in ("tour-p-0", "tour-v-0"):
        [partition] = [p for p in folder["partitions"] if p["partition"] == name]
        size = sum(file.stat().st_size for file in (tour.data / name).glob("*.log"))
        check(partition == {"partition": name, "size": size, "offsetLag": 0, "isFuture": False},
              f"log-dirs: {partition}, its files have {size} bytes")
    check(len(folder["partitions"]) == 2, f"log-dirs: {folder}")
    tour.run("log-dirs", "--describe", "--broker-list", "7").fails_with(
        "The given brokers do not exist from --broker-list: 7. Current existent brokers: 1")


def producers(tour: Tour) -> None:
    """Idempotent producers wrote each codec, acks=all, the last three records and step `perf`."""
    head = "ProducerId ProducerEpoch LatestCoordinatorEpoch LastSequence LastTimestamp CurrentTransactionStartOffset"
    for more in ((), ("--broker-id", "1")):
        shown = tour.run("transactions", "describe-producers", "--topic", "tour-p", "--partition", "0", *more)
        sequences = (1, 1, 1, 1, 1, 0, 1, 0)
        shown.prints(head, *(pattern(f"<n> 0 -1 {last} <n> None") for last in sequences), in_order=False)
        ids = [line.split()[0] for line in shown.lines()[1:]]
        check(len(set(ids)) == len(ids), f"producer ids that are the same: {ids}")


# ---------------------------------------------------------------------------------------------------------------- files

BATCH = re.compile(r"baseOffset: (?P<base>\d+) lastOffset: (?P<last>\d+) count: (?P<count>\d+) baseSequence: -?\d+ "
                   r"lastSequence: -?\d+ producerId: (?P<producer>-?\d+) producerEpoch: -?\d+ partitionLeaderEpoch: "
                   r"(?P<epoch>-?\d+) isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty "
                   r"position: (?P<position>\d+) CreateTime: \d+ size: (?P<size>\d+) magic: 2 compresscodec: "
                   r"(?P<codec>\w+) crc: \d+ isvalid: true")
RECORD = re.compile(r"\| offset: (?P<offset>\d+) CreateTime: \d+ keySize: -?\d+ valueSize: -?\d+ sequence: -?\d+ "
                    r"headerKeys: \[(?P<headers>.*?)\](?: key: (?P<key>.*?))?(?: payload: (?P<value>.*))?")


def dump(tour: Tour, log: Path, *options: str) -> list[dict]:
    """What kafka-dump-log makes of all segments of a log, one dict per record, after a check of every batch."""
    records, next_offset = [], None
    for segment in sorted(log.glob("*.log")):
        result = tour.tools.run_as_given("dump-log", "--files", str(segment), *options)
        if result.status != 0:
            raise result.fail("should have succeeded")
        lines = result.lines()
        if lines[:2] != [f"Dumping {segment}", f"Log starting offset: {int(segment.stem)}"]:
            raise result.fail("another beginning")
        position = left = 0
        batch_of_last = None
        for line in lines[2:]:
            if batch := BATCH.fullmatch(line):
                base = int(batch["base"])
                holds = left == 0 and int(batch["position"]) == position and next_offset in (None, base)
                next_offset, position = int(batch["last"]) + 1, position + int(batch["size"])
                left = int(batch["count"])
                if not holds or left != next_offset - base or int(batch["epoch"]) < 0:
                    raise result.fail(f"not where the batch before it ends, or without a leader epoch: {line}")
            elif (record := RECORD.fullmatch(line)) and next_offset is not None:
                if int(record["offset"]) != next_offset - left:
                    raise result.fail(f"another offset than {next_offset - left}: {line}")
                left -= 1
                records.append({**record.groupdict(), "codec": batch_of_last["codec"]})
            else:
                raise result.fail(f"neither a batch nor a record: {line}")
            batch_of_last = batch or batch_of_last
        if left or position != segment.stat().st_size:
            raise result.fail(f"stops at {position} of {segment.stat().st_size} bytes, {left} records missing")
    if not records:
        raise Mismatch(f"no record in {log}")
    return records


def dump_topics(tour: Tour) -> None:
    found = [(r["codec"], r["headers"], r["key"] or "null", r["value"] or "null")
             for r in dump(tour, tour.data / "tour-p-0", "--print-data-log")]
    names = [",".join(part.split(":")[0] for part in headers.split(",")) for _codec, headers, *_rest in written()]
    expected = [(codec, keys, key, value) for keys, (codec, _headers, key, value) in zip(names, written())]
    check(found == expected, f"tour-p-0 holds {found}, written was {expected}")

    found = [(r["offset"], r["key"], r["value"]) for r in dump(tour, tour.data / "tour-v-0", "--print-data-log")]
    check(found == [(str(n), str(n % 3), f"7.{n}") for n in range(20)], f"tour-v-0 holds {found}")
    count = 0
    for p in (0, 1):
        records = dump(tour, tour.data / f"tour-perf-{p}", "--print-data-log")
        check(all(len(r["value"]) == 100 for r in records), f"tour-perf-{p} holds other records than of 100 bytes")
        count += len(records)
    check(count == 10000, f"tour-perf holds {count} records")


STEPS: list[Step] = [produce, consume, perf, verifiable, get_offsets, delete_records, log_dirs, producers]
STEPS_ON_FILES: list[Step] = [dump_topics]
