/** Makes PutRecords calls over TLS in different ways and says what each costs: `put-process.ts <kinesis url>`. */
import { KinesisClient } from '@aws-sdk/client-kinesis';
import type { PutEntry } from '../../runner/kinesis/put-client.ts';
import { SdkPutClient } from '../../runner/kinesis/sdk-put-client.ts';
import {
  createKinesisClient,
  createPutClient,
  REQUEST_TIMEOUT_MS,
} from '../../runner/kinesis/transport.ts';
import { PUT_MODES } from '../../shared/env.ts';
import { serve } from './bench-process.ts';
import { keptConnections } from './builds/batches.ts';
import { median } from './timing.ts';

export interface PutCost {
  readonly name: string;
  /** CPU of this process, ms for one MB of data. */
  readonly msPerMegabyte: number;
}

export interface PutShape {
  readonly records: number;
  readonly sizeBytes: number;
}

const [endpoint = ''] = process.argv.slice(2);
const ROUNDS = 15;
const CALLS = 60;
const AT_ONCE = 4;
const region = 'us-east-1';

const sdk = createKinesisClient({ region, endpoint });
const ways = new Map([
  [
    'SDK as it comes',
    new SdkPutClient(new KinesisClient({ region, endpoint }), REQUEST_TIMEOUT_MS),
  ],
  ['SDK, kept connections', new SdkPutClient(keptConnections(endpoint), REQUEST_TIMEOUT_MS)],
  ...PUT_MODES.map((mode) => [`runner: ${mode}`, createPutClient({ sdk, mode })] as const),
]);
const { signal } = new AbortController();

async function slotsOf(way: string, entries: readonly PutEntry[]): Promise<number> {
  const puts = ways.get(way);
  const megabytes = (CALLS * entries.reduce((sum, { data }) => sum + data.length, 0)) / 1e6;
  const cpu = process.cpuUsage();
  let left = CALLS;
  const caller = async () => {
    while (left-- > 0) {
      const results = await puts?.putRecords('media', entries, signal);
      if (results?.length !== entries.length) throw new Error(`${way}: not all were answered`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / 1_000 / megabytes;
}

serve({
  measure: async ({ records, sizeBytes }: PutShape) => {
    const entries = Array.from({ length: records }, (_, index) => ({
      partitionKey: `0123456789abcdef-${index}`,
      data: Buffer.alloc(sizeBytes, index),
    }));
    const rounds = new Map([...ways.keys()].map((name) => [name, [] as number[]]));
    for (let round = -2; round < ROUNDS; round++) {
      for (const name of ways.keys()) {
        const cost = await slotsOf(name, entries);
        if (round >= 0) rounds.get(name)?.push(cost);
      }
    }
    return [...rounds].map(([name, costs]): PutCost => ({ name, msPerMegabyte: median(costs) }));
  },
});
