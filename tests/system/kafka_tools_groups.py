"""The tour's steps with consumer groups and their offsets, and with what of them stands in __consumer_offsets."""
from __future__ import annotations

import json
import re

from kafka_tools_host import Result, pattern
from kafka_tools_records import CONSUMER, LONG, dump
from kafka_tools_tour import Step, Tour, check, wait_until

OFFSETS_HEAD = "GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID"
RESET_HEAD = "GROUP TOPIC PARTITION NEW-OFFSET"
DELETE_HEAD = "TOPIC PARTITION STATUS"
NO_MEMBERS = "Consumer group '{}' has no active members."
ENDS = (6, 4)  # of the two partitions of topic tour-g: where Kafka's partitioner sends keys k0 to k9
RESETS: list[tuple[int, int | None, int | None]] = []  # a number, what group tour-g was reset to; None: was not


def groups(tour: Tour, *arguments: str) -> Result:
    return tour.run("consumer-groups", *arguments)


def read_as_group(tour: Tour) -> None:
    tour.run("topics", "--create", "--topic", "tour-g", "--partitions", "2").prints("Created topic tour-g.")
    tour.run("console-producer", "--topic", "tour-g", "--reader-property", "parse.key=true",
             stdin="".join(f"k{n}\tv{n}\n" for n in range(10))).prints()
    tour.run("console-consumer", *LONG, "--topic", "tour-g", "--from-beginning", "--max-messages", "10", "--group",
             "tour-g", *CONSUMER).prints(*(f"v{n}" for n in range(10)), in_order=False)
    groups(tour, "--describe", "--group", "tour-g").prints(
        OFFSETS_HEAD, *(f"tour-g tour-g {p} {end} {end} 0 - - -" for p, end in enumerate(ENDS))).warns(
        NO_MEMBERS.format("tour-g"))


def active_group(tour: Tour) -> None:
    """While a member is there: Kafka's verifiable consumer, in a process of its own."""
    member = tour.tools.start_alone("verifiable-consumer", "--topic", "tour-g", "--group-id", "tour-g",
                                    "--group-protocol", "consumer", "--reset-policy", "earliest")
    try:
        wait_until(lambda: groups(tour, "--list", "--state"), "tour-g Stable")
        describe_active(tour)
        refuse_while_active(tour)
        list_groups(tour)
    finally:
        member.terminate()
        out, _err = member.communicate(timeout=60)
    check('"name":"shutdown_complete"' in out, f"verifiable consumer: {out}")
    wait_until(lambda: groups(tour, "--list", "--state"), "tour-g Empty")


def describe_active(tour: Tour) -> None:
    member = "<id> /127.0.0.1 consumer-tour-g-1"
    groups(tour, "--describe", "--group", "tour-g").prints(
        OFFSETS_HEAD, *(pattern(f"tour-g tour-g {p} {end} {end} 0 {member}") for p, end in enumerate(ENDS)))
    groups(tour, "--describe", "--group", "tour-g", "--offsets", "--verbose").prints(
        "GROUP TOPIC PARTITION LEADER-EPOCH CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID",
        *(pattern(f"tour-g tour-g {p} <n> {end} {end} 0 {member}") for p, end in enumerate(ENDS)))
    groups(tour, "--describe", "--group", "tour-g", "--members").prints(
        "GROUP CONSUMER-ID HOST CLIENT-ID #PARTITIONS", pattern(f"tour-g {member} 2"))
    # The epoch: a member came, one left, one came; each came in with epoch + 1.
    groups(tour, "--describe", "--group", "tour-g", "--members", "--verbose").prints(
        "GROUP CONSUMER-ID HOST CLIENT-ID #PARTITIONS CURRENT-EPOCH CURRENT-ASSIGNMENT TARGET-EPOCH TARGET-ASSIGNMENT",
        pattern(f"tour-g {member} 2 4 tour-g:0,1 4 tour-g:0,1"))
    coordinator = f"tour-g {tour.tools.address} (1) uniform Stable"
    groups(tour, "--describe", "--group", "tour-g", "--state").prints(
        "GROUP COORDINATOR (ID) ASSIGNMENT-STRATEGY STATE #MEMBERS", f"{coordinator} 1")
    groups(tour, "--describe", "--group", "tour-g", "--state", "--verbose").prints(
        "GROUP COORDINATOR (ID) ASSIGNMENT-STRATEGY STATE GROUP-EPOCH TARGET-ASSIGNMENT-EPOCH #MEMBERS",
        f"{coordinator} 4 4 1")
    for more in ((), ("--members",), ("--state",)):
        groups(tour, "--describe", "--group", "none", *more).says("GroupIdNotFoundException: Group none not found.")


def refuse_while_active(tour: Tour) -> None:
    groups(tour, "--reset-offsets", "--group", "tour-g", "--topic", "tour-g", "--to-earliest", "--execute").prints(
        "Error: Assignments can only be reset if the group 'tour-g' is inactive, but the current state is Stable.",
        RESET_HEAD)
    forbidden = ("Error: org.apache.kafka.common.errors.GroupSubscribedToTopicException: Deleting offsets of a topic is "
                 "forbidden while the consumer group is actively subscribed to it.")
    groups(tour, "--delete-offsets", "--group", "tour-g", "--topic", "tour-g").prints(
        "Error: Encountered some partition-level error, see the follow-up details.", DELETE_HEAD,
        f"tour-g 0 {forbidden}", f"tour-g 1 {forbidden}")
    groups(tour, "--delete", "--group", "tour-g").prints(
        "Error: Deletion of some consumer groups failed:", "* Group 'tour-g' could not be deleted due to: "
        "org.apache.kafka.common.errors.GroupNotEmptyException: The group is not empty.")


def list_groups(tour: Tour) -> None:
    empty = ("tour-console", "tour-console-regex", "tour-perf", "tour-v")
    every = (*empty, "tour-g")

    def lists(head: list[str], lines: list[str], *arguments: str) -> None:
        groups(tour, "--list", *arguments).prints(*head, *lines, in_order=False)

    lists([], [*every])
    lists(["GROUP STATE"], [*(f"{name} Empty" for name in empty), "tour-g Stable"], "--state")
    lists(["GROUP STATE"], ["tour-g Stable"], "--state", "stable")
    lists(["GROUP TYPE"], [f"{name} Consumer" for name in every], "--type")
    lists(["GROUP TYPE"], [f"{name} Consumer" for name in every], "--type", "consumer")
    lists(["GROUP TYPE"], [], "--type", "classic")
    lists(["GROUP TYPE STATE"], [*(f"{name} Consumer Empty" for name in empty), "tour-g Consumer Stable"],
          "--state", "empty,stable", "--type", "consumer")
    for filters in ((), ("--group-type", "consumer"), ("--consumer",), ("--protocol", "consumer")):
        tour.run("groups", "--list", *filters).prints(
            "GROUP TYPE PROTOCOL", *(f"{name} Consumer consumer" for name in every), in_order=False)
    tour.run("groups", "--list", "--share").prints("GROUP TYPE PROTOCOL")
    tour.run("groups", "--list", "--group-type", "classic").prints("GROUP TYPE PROTOCOL")


def reset_offsets(tour: Tour) -> None:
    def reset(first: int | None, second: int | None, *arguments: str, do: str = "--execute") -> Result:
        lines = [f"tour-g tour-g {p} {offset}" for p, offset in enumerate((first, second)) if offset is not None]
        result = groups(tour, "--reset-offsets", "--group", "tour-g", *arguments, *([do] if do else []))
        result.prints(RESET_HEAD, *lines, in_order=False)
        if do == "--execute":
            RESETS.append((len(RESETS), first, second))
        return result

    topic = ("--topic", "tour-g")
    reset(0, 0, *topic, "--to-earliest", do="--dry-run")
    reset(0, 0, *topic, "--to-earliest", do="").warns("No action will be performed as the --execute option is missing.")
    reset(*ENDS, *topic, "--to-latest")
    reset(2, 2, *topic, "--to-offset", "2")
    reset(3, 3, *topic, "--shift-by", "1")
    reset(1, 1, *topic, "--shift-by", "-2")
    reset(1, 1, *topic, "--to-current")
    reset(*ENDS, *topic, "--shift-by", "100")
    reset(0, 0, *topic, "--shift-by", "-100")
    reset(*ENDS, *topic, "--to-offset", "100")
    reset(0, 0, *topic, "--to-datetime", "2020-01-01T00:00:00.000")
    reset(0, 0, *topic, "--by-duration", "P1D")
    result = groups(tour, "--reset-offsets", "--group", "tour-g", *topic, "--by-duration", "PT0S", "--execute")
    warning = "Warn: Partition {} from topic tour-g is empty. Falling back to latest known offset."
    result.prints(*(warning.format(p) for p in (0, 1)), RESET_HEAD,
                  *(f"tour-g tour-g {p} {end}" for p, end in enumerate(ENDS)), in_order=False)
    RESETS.append((len(RESETS), *ENDS))
    groups(tour, "--reset-offsets", "--group", "tour-g", "--all-topics", "--to-latest", "--dry-run", "--export").prints(
        *(f"tour-g,{p},{end}" for p, end in enumerate(ENDS)), in_order=False)
    reset(1, 2, "--from-file", tour.file("reset.csv", "tour-g,0,1\ntour-g,1,2\n"))
    reset(None, 0, "--topic", "tour-g:1", "--to-earliest")
    groups(tour, "--describe", "--group", "tour-g").prints(OFFSETS_HEAD, "tour-g tour-g 0 1 6 5 - - -",
                                                           "tour-g tour-g 1 0 4 4 - - -")


def offsets_without_members(tour: Tour) -> None:
    """A group that came to be by a reset has offsets only: Kafka calls its type classic and its protocol nothing."""
    groups(tour, "--reset-offsets", "--group", "tour-n", "--topic", "tour-g", "--to-earliest", "--execute").prints(
        RESET_HEAD, "tour-n tour-g 0 0", "tour-n tour-g 1 0", in_order=False)
    groups(tour, "--describe", "--group", "tour-n").prints(OFFSETS_HEAD, "tour-n tour-g 0 0 6 6 - - -",
                                                           "tour-n tour-g 1 0 4 4 - - -").warns(NO_MEMBERS.format("tour-n"))
    groups(tour, "--describe", "--group", "tour-n", "--state").prints(
        "GROUP COORDINATOR (ID) ASSIGNMENT-STRATEGY STATE #MEMBERS", f"tour-n {tour.tools.address} (1) - Empty 0")
    tour.run("groups", "--list").has("tour-n Classic")
    groups(tour, "--describe", "--all-groups", "--state").has(
        f"tour-n {tour.tools.address} (1) - Empty 0", f"tour-g {tour.tools.address} (1) uniform Empty 0",
        f"tour-perf {tour.tools.address} (1) uniform Empty 0")


def delete_groups(tour: Tour) -> None:
    deleted = "Request succeeded for deleting offsets from group tour-g."
    groups(tour, "--delete-offsets", "--group", "tour-g", "--topic", "tour-g:0").prints(deleted, DELETE_HEAD,
                                                                                       "tour-g 0 Successful")
    groups(tour, "--delete-offsets", "--group", "tour-g", "--topic", "none").prints(
        deleted, DELETE_HEAD, "none - Error: org.apache.kafka.common.errors.UnknownTopicOrPartitionException: This server "
                              "does not host this topic-partition.")
    groups(tour, "--describe", "--group", "tour-g").prints(OFFSETS_HEAD, "tour-g tour-g 1 0 4 4 - - -")
    groups(tour, "--delete", "--group", "tour-console", "--group", "tour-n").prints(
        re.compile(r"Deletion of requested consumer groups \('tour-(console', 'tour-n|n', 'tour-console)'\) was "
                   r"successful\."))
    groups(tour, "--delete", "--group", "tour-n").prints(
        "Error: Deletion of some consumer groups failed:", "* Group 'tour-n' could not be deleted due to: "
        "org.apache.kafka.common.errors.GroupIdNotFoundException: The group id does not exist.")
    groups(tour, "--list").prints("tour-g", "tour-v", "tour-perf", "tour-console-regex", in_order=False)


# ---------------------------------------------------------------------------------------------------------------- files

def dump_offsets(tour: Tour) -> None:
    """Each record of __consumer_offsets as Kafka's decoder reads it; of group tour-g, what was committed, in order."""
    records = []
    for log in sorted(tour.data.glob("__consumer_offsets-*")):
        if any(segment.stat().st_size for segment in log.glob("*.log")):
            found = [(json.loads(r["key"]), None if r["value"] == "<DELETE>" else json.loads(r["value"])["data"])
                     for r in dump(tour, log, "--offsets-decoder")]
            owners = {owner_of(key) for key, _value in found}
            check(owners.isdisjoint(owner for *_rest, owner in records), f"{owners} stand in two partitions")
            records += [(log.name, key, value, owner_of(key)) for key, value in found]
    commits: dict[int, list[int | None]] = {0: [], 1: []}
    last: dict[str, dict | None] = {}
    for _log, key, value, group in records:
        if group == "tour-g" and key["type"] in ("0", "1"):
            check(key["data"]["topic"] == "tour-g", f"a commit for another topic: {key}")
            commits[key["data"]["partition"]].append(value["offset"] if value else None)
        elif group == "tour-g":
            last[f"{key['type']} {key['data'].get('memberId', '')}"] = value
    for p, end in enumerate(ENDS):
        expected = [reset[p + 1] for reset in RESETS if reset[p + 1] is not None] + ([None] if p == 0 else [])
        check(commits[p][-len(expected):] == expected, f"partition {p}: committed {expected}, the log has {commits[p]}")
        check(set(commits[p][:-len(expected)]) == {end}, f"partition {p}: members committed {end} alone: {commits[p]}")
    left = {key.split()[0] for key, value in last.items() if value is not None}
    check(left == {"3", "6"}, f"of a group whose members left its own records stay (3, 6), the log has {last}")
    gone = {key.split()[0] for key, value in last.items() if value is None}
    check(gone == {"5", "7", "8"}, f"two members left, of each three records are deleted (5, 7, 8): {last}")
    check(all(value is None for _log, key, value, group in final(records) if group in ("tour-n", "tour-console")),
          "a group that was deleted has records that are not")


def owner_of(key: dict) -> str:
    return key["data"].get("groupId") or key["data"]["group"]


def final(records: list[tuple]) -> list[tuple]:
    """The last record of each key, as compaction leaves them."""
    return list({(log, json.dumps(key)): (log, key, value, group) for log, key, value, group in records}.values())


STEPS: list[Step] = [read_as_group, active_group, reset_offsets, offsets_without_members, delete_groups]
STEPS_ON_FILES: list[Step] = [dump_offsets]
