// kafkajs as a member of a group: see ../README.md.
import kafkajs from 'kafkajs';
import { bootstrap, group, obey, options, Positions, tell, topic } from './member.js';

const { Kafka, logLevel, PartitionAssigners } = kafkajs;

const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING, retry: { retries: 20, maxRetryTime: 1000 } });
const consumer = kafka.consumer({ groupId: group, partitionAssigners: [PartitionAssigners.roundRobin] });
const positions = new Positions();

consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => tell({ assigned: payload.memberAssignment[topic] ?? [] }));
consumer.on(consumer.events.REBALANCING, () => tell({ assigned: [] }));
consumer.on(consumer.events.CRASH, ({ payload }) => {
  if (!payload.restart) tell({ error: payload.error.message });
});

await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachMessage: async ({ partition, message }) => {
    positions.read(partition, BigInt(message.offset));
    tell({ record: [partition, Number(message.offset), message.value.toString()] });
  },
});

await obey({
  commit: () =>
    consumer.commitOffsets(positions.entries.map(([partition, offset]) => ({ topic, partition, offset: `${offset}` }))),
  close: () => consumer.disconnect(),
});
