// What both Node programs share: options, events and commands (see ../README.md).
import { createInterface } from 'node:readline';

export const [bootstrap, group, topic] = process.argv.slice(2, 5);
export const options = JSON.parse(process.argv[5]);

export function tell(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

// Calls them one after the other; `close` is the last.
export async function obey({ commit, close }) {
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      if (line === 'commit') {
        await commit();
        tell({ committed: true });
      } else {
        await close();
        tell({ closed: true });
        process.exit(0);
      }
    } catch (problem) {
      tell({ error: `${line}: ${problem.message}` });
    }
  }
}

// The offsets behind all records that were read, by partition.
export class Positions {
  #next = new Map();

  read(partition, offset) {
    this.#next.set(partition, offset + 1n);
  }

  get entries() {
    return [...this.#next];
  }
}
