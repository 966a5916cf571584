// @platformatic/kafka as a member of a group: see ../README.md.
import { Consumer, MessagesStreamFallbackModes, MessagesStreamModes, stringDeserializers } from '@platformatic/kafka';
import { bootstrap, group, obey, options, Positions, tell, topic } from './member.js';

const consumer = new Consumer({
  clientId: 'platformatic',
  bootstrapBrokers: [bootstrap],
  groupId: group,
  groupProtocol: options.protocol,
  ...(options.instance && { groupInstanceId: options.instance }),
  deserializers: stringDeserializers,
  retries: 60,
  retryDelay: 250,
});
const positions = new Positions();

function told() {
  tell({ assigned: (consumer.assignments ?? []).filter((a) => a.topic === topic).flatMap((a) => a.partitions) });
}
for (const event of ['consumer:group:join', 'consumer:group:rebalance', 'consumer:group:sync']) consumer.on(event, told);
setInterval(told, 200).unref();

const stream = await consumer.consume({
  topics: [topic],
  mode: MessagesStreamModes.COMMITTED,
  fallbackMode: MessagesStreamFallbackModes.EARLIEST,
  autocommit: false,
  maxWaitTime: 100,
});
stream.on('error', (problem) => tell({ error: problem.message }));
stream.on('data', ({ partition, offset, value }) => {
  positions.read(partition, BigInt(offset));
  tell({ record: [partition, Number(offset), value] });
});

await obey({
  commit: () =>
    consumer.commit({
      offsets: positions.entries.map(([partition, offset]) => ({ topic, partition, offset, leaderEpoch: -1 })),
    }),
  close: async () => {
    await stream.close();
    await consumer.close();
  },
});
