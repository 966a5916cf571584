"""aiokafka as a member of a group: see README.md."""
import asyncio
import json
import sys

from aiokafka import AIOKafkaConsumer
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

ASSIGNORS = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor}


def tell(**event):
    print(json.dumps(event), flush=True)


class Listener(ConsumerRebalanceListener):
    async def on_partitions_assigned(self, assigned):
        tell(assigned=[partition.partition for partition in assigned])

    async def on_partitions_revoked(self, revoked):
        tell(assigned=[])


async def commands():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode().strip()


async def read(consumer):
    while True:
        for records in (await consumer.getmany(timeout_ms=50)).values():
            for record in records:
                tell(record=[record.partition, record.offset, record.value.decode()])


async def main():
    bootstrap, group, topic, options = sys.argv[1:5]
    options = json.loads(options)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest",
                                enable_auto_commit=False,
                                partition_assignment_strategy=[ASSIGNORS[options["assignor"]]])
    consumer.subscribe([topic], listener=Listener())
    await consumer.start()
    reading = asyncio.create_task(read(consumer))
    async for command in commands():
        if command == "commit":
            await consumer.commit()
            tell(committed=True)
        else:
            reading.cancel()
            await consumer.stop()
            tell(closed=True)
            return


asyncio.run(main())
