"""confluent-kafka (librdkafka) as a member of a group: see README.md."""
import json
import queue
import sys
import threading

from confluent_kafka import Consumer, KafkaError


def tell(**event):
    print(json.dumps(event), flush=True)


def read_commands(commands):
    for line in sys.stdin:
        commands.put(line.strip())


def main():
    bootstrap, group, topic, options = sys.argv[1:5]
    options = json.loads(options)
    config = {"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest",
              "enable.auto.commit": False, "group.protocol": options["protocol"],
              "error_cb": lambda error: tell(error=str(error)) if error.fatal() else None, "log_level": 0}
    if options["protocol"] == "consumer":
        config["group.remote.assignor"] = options["assignor"]
    else:
        config["partition.assignment.strategy"] = options["assignor"]
    if "instance" in options:
        config["group.instance.id"] = options["instance"]
    if "instance" in options and options["protocol"] == "classic":  # else the server says how long
        config["session.timeout.ms"] = int(options["session_ms"])
    consumer = Consumer(config)

    def show(_consumer, _partitions):
        shown.clear()  # told after the callback, when the library has taken it over

    shown = [None]
    consumer.subscribe([topic], on_assign=show, on_revoke=show, on_lost=show)
    commands = queue.Queue()
    threading.Thread(target=read_commands, args=(commands,), daemon=True).start()
    while True:
        message = consumer.poll(0.05)
        if not shown:
            shown.append(None)
            tell(assigned=[partition.partition for partition in consumer.assignment()])
        if message is not None and message.error() is None:
            tell(record=[message.partition(), message.offset(), message.value().decode()])
        elif message is not None and message.error().code() != KafkaError._PARTITION_EOF:
            tell(error=str(message.error()))
        if commands.empty():
            continue
        if commands.get() == "commit":
            try:
                consumer.commit(asynchronous=False)
            except Exception as problem:  # nothing new to commit is no error here
                if getattr(problem.args[0], "code", lambda: 0)() != KafkaError._NO_OFFSET:
                    tell(error=f"commit: {problem}")
                    continue
            tell(committed=True)
        else:
            consumer.close()
            tell(closed=True)
            return


main()
