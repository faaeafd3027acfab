/**
 * Which HTTP carries PutRecords best: kept HTTP/1.1 connections, one shared HTTP/2 connection, or the SDK's
 * default for Kinesis, a new HTTP/2 connection per call. `node test/bench/put-transport.ts`
 *
 * Without TLS, which would only widen the distance of the third: a handshake per call.
 */
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateStreamCommand, KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { NodeHttp2Handler, NodeHttpHandler } from '@smithy/node-http-handler';
import { startKinesisProcess } from '../chaos/kinesis-process.ts';

const ROUNDS = 3;
const CALLS = 300;
const RECORD_BYTES = 24_900;
/** What a call takes in AWS, so that connections wait for answers as they do there. */
const SERVICE_MS = 10;

const HANDLERS = {
  'kept HTTP/1.1': () =>
    new NodeHttpHandler({ httpAgent: new Agent({ keepAlive: true, maxSockets: 18 }) }),
  'shared HTTP/2': () => new NodeHttp2Handler({ disableConcurrentStreams: false }),
  'HTTP/2 per call (default)': () => new NodeHttp2Handler({ disableConcurrentStreams: true }),
};

interface Cost {
  /** Milliseconds a call, as the caller waits, and of our CPU. */
  readonly waitMs: number;
  readonly cpuMs: number;
}

async function measure(
  url: string,
  handler: keyof typeof HANDLERS,
  parallel: number,
): Promise<Cost> {
  const client = new KinesisClient({
    region: 'us-east-1',
    endpoint: url,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
    requestHandler: HANDLERS[handler](),
  });
  const Data = Buffer.alloc(RECORD_BYTES, 7);
  let waitedMs = 0;
  let left = CALLS;
  const caller = async () => {
    while (left-- > 0) {
      // Several keys, as lanes would send them.
      const Records = ['a', 'b'].map((key) => ({ PartitionKey: key, Data }));
      const startedAtMs = performance.now();
      await client.send(new PutRecordsCommand({ StreamName: 'bench', Records }));
      waitedMs += performance.now() - startedAtMs;
    }
  };
  const cpu = process.cpuUsage();
  await Promise.all(Array.from({ length: parallel }, caller));
  const { user, system } = process.cpuUsage(cpu);
  client.destroy();
  return { waitMs: waitedMs / CALLS, cpuMs: (user + system) / 1000 / CALLS };
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

const kinesis = await startKinesisProcess();
try {
  const admin = new KinesisClient({
    region: 'us-east-1',
    endpoint: kinesis.url,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestHandler: new NodeHttpHandler(),
  });
  await admin.send(new CreateStreamCommand({ StreamName: 'bench', ShardCount: 1 }));
  admin.destroy();
  const rules = [{ operation: 'PutRecords', latencyMs: SERVICE_MS }];
  await kinesis.setFaults({ rules });
  for (const parallel of [1, 8]) {
    const costs = new Map<string, Cost[]>();
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const handler of Object.keys(HANDLERS) as (keyof typeof HANDLERS)[]) {
        const cost = await measure(kinesis.url, handler, parallel);
        // Round 0 warms up.
        if (round > 0) costs.set(handler, [...(costs.get(handler) ?? []), cost]);
        await delay(50);
      }
    }
    const first = costs.get('kept HTTP/1.1') ?? [];
    const base = median(first.map(({ cpuMs }) => cpuMs));
    for (const [handler, list] of costs) {
      const [waitMs, cpuMs] = [median(list.map((c) => c.waitMs)), median(list.map((c) => c.cpuMs))];
      const line = [
        `${parallel} at once`.padEnd(10),
        handler.padEnd(26),
        `${waitMs.toFixed(1)} ms a call`.padEnd(16),
        `${cpuMs.toFixed(2)} ms CPU`.padEnd(12),
        `${(cpuMs / base).toFixed(2)} x`,
      ];
      process.stdout.write(`${line.join('  ')}\n`);
    }
  }
} finally {
  await kinesis.stop();
}
