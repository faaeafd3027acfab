import { CreateStreamCommand } from '@aws-sdk/client-kinesis';
import { expect, test } from 'vitest';
import { startKinesisServer } from '../../local/kinesis/server.ts';
import { decodeMediaRecord } from '../../shared/record/decode-media-record.ts';
import { decodeAggregate } from '../../shared/record/kpl.ts';
import { FramePath } from '../../test/bench/frame-path.ts';
import { WORKLOADS } from '../../test/bench/workloads.ts';
import { readStored } from '../../test/peers/meeting/written-records.ts';
import { PoisonedPool } from '../../test/support/poisoned-pool.ts';
import { createKinesisClient, createPutClient } from './transport.ts';

const SESSIONS = 5;
const TROUBLE = { entryErrors: { InternalFailure: 0.3 }, errors: { InternalFailure: 0.1 } };

/**
 * Records, packed records and bodies of calls lie in memory that is used again. Here each piece is overwritten when it is
 * released, while Kinesis fails entries and calls so that records are sent again: whatever was released too early would arrive
 * as something else than was put (docs/adr/0008-reused-memory.md).
 */
test.each([
  { workload: 'audio', frames: 60 },
  { workload: 'video', frames: 60 },
  { workload: 'share', frames: 2 },
] as const)(
  'every byte of $workload arrives, although released memory is overwritten',
  async ({ workload, frames }) => {
    const server = await startKinesisServer();
    const pool = new PoisonedPool();
    const sdk = createKinesisClient({
      region: 'us-east-1',
      endpoint: server.url,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    const puts = createPutClient({ sdk, memory: pool, requestTimeoutMs: 30_000 });
    try {
      await sdk.send(new CreateStreamCommand({ StreamName: 'media', ShardCount: 64 }));
      server.faults.set({ seed: 5, rules: [{ operation: 'PutRecords', ...TROUBLE }] });
      const retry = { baseMs: 1, maxMs: 5 };
      const path = new FramePath(workload, SESSIONS, { client: puts, pool, retry });
      for (let frame = 0; frame < frames; frame += 1) {
        path.send();
        if (frame % 7 === 6) await path.flush();
      }
      await path.close();
      const { moments } = WORKLOADS[workload].flows[0];
      const sent = moments.map(([message]) =>
        Buffer.from((message as { content: { data: string } }).content.data, 'base64'),
      );
      let count = 0;
      for (const { partitionKey, data } of await readStored(sdk, 'media')) {
        for (const record of decodeAggregate(data, partitionKey)) {
          const { sequence, payload } = decodeMediaRecord(record.data);
          expect(sent[(sequence - 1) % sent.length]?.equals(payload)).toBe(true);
          count += 1;
        }
      }
      expect(count).toBeGreaterThanOrEqual(SESSIONS * frames);
      // All memory of records and of calls that were answered came back: the test would say nothing if none had.
      expect(pool.released).toBeGreaterThan(SESSIONS * frames);
    } finally {
      puts.destroy();
      sdk.destroy();
      await server.close();
    }
  },
);
