"""kafka-python as a member of a group: see README.md."""
import json
import queue
import sys
import threading

from kafka import ConsumerRebalanceListener, KafkaConsumer
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

ASSIGNORS = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor,
             "sticky": StickyPartitionAssignor}


def tell(**event):
    print(json.dumps(event), flush=True)


def read_commands(commands):
    for line in sys.stdin:
        commands.put(line.strip())


class Listener(ConsumerRebalanceListener):
    def on_partitions_assigned(self, assigned):
        tell(assigned=[partition.partition for partition in assigned])

    def on_partitions_revoked(self, revoked):
        tell(assigned=[])


def main():
    bootstrap, group, topic, options = sys.argv[1:5]
    options = json.loads(options)
    static = {"group_instance_id": options["instance"],
              "session_timeout_ms": int(options["session_ms"])} if "instance" in options else {}
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest",
                             enable_auto_commit=False, **static,
                             partition_assignment_strategy=[ASSIGNORS[options["assignor"]]])
    consumer.subscribe([topic], listener=Listener())
    commands = queue.Queue()
    threading.Thread(target=read_commands, args=(commands,), daemon=True).start()
    while True:
        for records in consumer.poll(timeout_ms=50).values():
            for record in records:
                tell(record=[record.partition, record.offset, record.value.decode()])
        if commands.empty():
            continue
        if commands.get() == "commit":
            consumer.commit()
            tell(committed=True)
        else:
            consumer.close(autocommit=False)
            tell(closed=True)
            return


main()
