/** Makes PutRecords calls over TLS in different ways and says what each costs: `put-process.ts <kinesis url>`. */
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { encodePutBody } from '../../runner/kinesis/put-body.ts';
import { createKinesisClient } from '../../runner/kinesis/transport.ts';
import { serve } from './bench-process.ts';
import { keptConnections } from './builds/batches.ts';
import { median } from './timing.ts';

export interface PutCost {
  readonly name: string;
  /** CPU of this process, ms for one MB of data. */
  readonly msPerMegabyte: number;
}

const [endpoint = ''] = process.argv.slice(2);
const ROUNDS = 7;
const CALLS = 40;
const AT_ONCE = 4;
const REGION = 'us-east-1';

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
const hmac = (key: string | Buffer, what: string) =>
  createHmac('sha256', key).update(what).digest();

/** Signature version 4 by hand: as lean as a call can be, but without anything the SDK knows about trouble. */
async function putByHand(records: readonly { PartitionKey: string; Data: Buffer }[]) {
  const body = encodePutBody('media', records);
  const { host } = new URL(endpoint);
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const scope = `${time.slice(0, 8)}/${REGION}/kinesis/aws4_request`;
  const target = 'Kinesis_20131202.PutRecords';
  const headers = { host, 'x-amz-date': time, 'x-amz-target': target };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const hash = createHash('sha256').update(body).digest('hex');
  const canonical = ['POST', '/', '', lines.join(''), names, hash].join('\n');
  const digest = createHash('sha256').update(canonical).digest('hex');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, digest].join('\n');
  const key = ['aws4_request', 'kinesis', REGION, time.slice(0, 8)].reduceRight<string | Buffer>(
    hmac,
    'AWS4bench',
  );
  const signature = hmac(key, toSign).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=bench/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  const outgoing = request(endpoint, {
    method: 'POST',
    agent,
    headers: {
      ...headers,
      authorization,
      'content-type': 'application/x-amz-json-1.1',
      'content-length': body.length,
    },
  });
  outgoing.end(body);
  const [incoming] = await once(outgoing, 'response');
  JSON.parse(await text(incoming));
}

const clients = {
  'SDK as it comes': new KinesisClient({ region: REGION, endpoint }),
  'SDK, kept connections': keptConnections(endpoint),
  'runner: SDK, kept connections, native body': createKinesisClient({ region: REGION, endpoint }),
};
type Records = { PartitionKey: string; Data: Buffer }[];
const ways = new Map<string, (records: Records) => Promise<unknown>>(
  Object.entries(clients).map(([name, client]) => [
    name,
    (Records: Records) => client.send(new PutRecordsCommand({ StreamName: 'media', Records })),
  ]),
);
ways.set('signed by hand, native body', putByHand);

async function slotsOf(put: (records: Records) => Promise<unknown>, records: Records) {
  const megabytes = (CALLS * records.reduce((sum, { Data }) => sum + Data.length, 0)) / 1e6;
  const cpu = process.cpuUsage();
  let left = CALLS;
  const caller = async () => {
    while (left-- > 0) await put(records);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / 1_000 / megabytes;
}

serve({
  measure: async ({ records, sizeBytes }: { records: number; sizeBytes: number }) => {
    const entries = Array.from({ length: records }, (_, index) => ({
      PartitionKey: `0123456789abcdef-${index}`,
      Data: Buffer.alloc(sizeBytes, index),
    }));
    const rounds = new Map([...ways.keys()].map((name) => [name, [] as number[]]));
    for (let round = -1; round < ROUNDS; round++) {
      for (const [name, put] of ways) {
        const cost = await slotsOf(put, entries);
        if (round >= 0) rounds.get(name)?.push(cost);
      }
    }
    return [...rounds].map(([name, costs]): PutCost => ({ name, msPerMegabyte: median(costs) }));
  },
});
