/**
 * How much the local Kinesis takes, alone in its process, over each protocol:
 * `node test/bench/kinesis-server.ts`. 500 shards, so that no shard limit is met.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:http2';
import { text } from 'node:stream/consumers';

const RUN_MS = 3_000;
const CONCURRENCY = 4;
const JSON_1_1 = 'application/x-amz-json-1.1';
const LOADS = [
  { records: 500, sizeBytes: 640 },
  { records: 40, sizeBytes: 25_000 },
  { records: 1, sizeBytes: 1_000_000 },
];

type Call = (operation: string, body: string) => Promise<string>;

const server = spawn(process.execPath, ['local/kinesis/main.ts'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [line] = await once(server.stdout, 'data');
const { url } = JSON.parse(String(line)) as { url: string };
const agent = new Agent({ keepAlive: true });
const session = connect(url);

const overHttp1: Call = async (operation, body) => {
  const headers = { 'x-amz-target': `Kinesis_20131202.${operation}`, 'content-type': JSON_1_1 };
  const outgoing = request(url, { method: 'POST', agent, headers });
  outgoing.end(body);
  const [incoming] = await once(outgoing, 'response');
  return text(incoming);
};

const overHttp2: Call = (operation, body) => {
  const exchange = session.request({
    ':method': 'POST',
    'x-amz-target': `Kinesis_20131202.${operation}`,
    'content-type': JSON_1_1,
  });
  exchange.end(body);
  return text(exchange);
};

await overHttp1('CreateStream', JSON.stringify({ StreamName: 'bench', ShardCount: 500 }));
for (const { records, sizeBytes } of LOADS) {
  const bodies = Array.from({ length: 50 }, () =>
    JSON.stringify({
      StreamName: 'bench',
      Records: Array.from({ length: records }, () => ({
        Data: randomBytes(sizeBytes).toString('base64'),
        PartitionKey: randomBytes(8).toString('hex'),
      })),
    }),
  );
  for (const [protocol, call] of [
    ['HTTP/1.1', overHttp1],
    ['h2c', overHttp2],
  ] as const) {
    const perSecond = await measure(call, bodies);
    const mebibytes = ((perSecond * records * sizeBytes) / 1_048_576).toFixed(1);
    process.stdout.write(
      `${protocol.padEnd(8)} ${records} x ${sizeBytes} B: ${Math.round(perSecond)} calls/s, ` +
        `${Math.round(perSecond * records)} records/s, ${mebibytes} MiB/s\n`,
    );
  }
}
session.close();
agent.destroy();
server.kill();

/** @returns PutRecords calls per second */
async function measure(call: Call, bodies: readonly string[]): Promise<number> {
  const startedAtMs = performance.now();
  let calls = 0;
  const client = async () => {
    while (performance.now() - startedAtMs < RUN_MS) {
      await call('PutRecords', bodies[calls++ % bodies.length] as string);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, client));
  return (calls * 1000) / (performance.now() - startedAtMs);
}
