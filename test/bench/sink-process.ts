/**
 * A Kinesis that only counts records and acknowledges them, over TLS, by HTTP/2 or kept HTTP/1.1: whatever
 * the client prefers. What is in the records is looked at by nobody.
 */
import { once } from 'node:events';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setPriority } from 'node:os';
import { cbor } from '@smithy/core/cbor';
import { serve } from './bench-process.ts';

try {
  // It shares its core with all of Zoom; acknowledgements must not wait for that.
  setPriority(-10);
} catch {
  // Not allowed: then latencies near the end of the ladder are also the bench's.
}

/** Stands in JSON and in CBOR, once for each record. */
const KEY = Buffer.from('PartitionKey');
const WINDOW_BYTES = 16 * 1024 * 1024;

const answers = new Map<string, string | Uint8Array>();
const got = { calls: 0, records: 0, bytes: 0 };

/** A stream of very many shards, each record on another, so that no writer holds back for a full one. */
function resultOf(index: number): object {
  return {
    SequenceNumber: '49543463076570308322303326326179887152428262250726293588',
    ShardId: `shardId-${String(index).padStart(12, '0')}`,
  };
}

function answerTo(records: number, isBatch: boolean, isCbor: boolean): string | Uint8Array {
  if (!isBatch) return JSON.stringify(resultOf(0));
  const name = `${records} ${isCbor}`;
  let answer = answers.get(name);
  if (answer === undefined) {
    const results = Array.from({ length: records }, (_, index) => resultOf(index));
    const value = { FailedRecordCount: 0, Records: results };
    answer = isCbor ? cbor.serialize(value) : JSON.stringify(value);
    answers.set(name, answer);
  }
  return answer;
}

const server = createSecureServer(
  {
    key: process.env['BENCH_TLS_KEY'],
    cert: process.env['BENCH_TLS_CERT'],
    allowHTTP1: true,
    settings: { initialWindowSize: WINDOW_BYTES },
  },
  (request, response) => {
    let records = 0;
    let tail = Buffer.alloc(0);
    request.on('data', (chunk: Buffer) => {
      got.bytes += chunk.length;
      // A key that is cut in two is found with the end of the chunk before.
      const seam = Buffer.concat([tail, chunk.subarray(0, KEY.length - 1)]);
      if (tail.length > 0 && seam.indexOf(KEY) >= 0) records += 1;
      for (let at = chunk.indexOf(KEY); at >= 0; at = chunk.indexOf(KEY, at + KEY.length)) {
        records += 1;
      }
      tail = Buffer.from(chunk.subarray(-(KEY.length - 1)));
    });
    request.on('end', () => {
      got.calls += 1;
      got.records += records;
      const isBatch = String(request.headers['x-amz-target']).endsWith('.PutRecords');
      const type = String(request.headers['content-type']);
      response.setHeader('content-type', type);
      response.end(answerTo(records, isBatch, type.includes('cbor')));
    });
  },
);
server.on('session', (session) => session.setLocalWindowSize(WINDOW_BYTES));
server.on('sessionError', () => {});
// The HTTP/1.1 half takes it from the server, which the types do not know.
Object.assign(server, { keepAliveTimeout: 600_000 });
server.listen(0, 'localhost', 4_096);
await once(server, 'listening');

serve({
  url: () => `https://localhost:${(server.address() as AddressInfo).port}`,
  /** What came since the last question. */
  got: () => {
    const { user, system } = process.cpuUsage();
    const answer = { ...got, cpuMs: (user + system) / 1_000 };
    Object.assign(got, { calls: 0, records: 0, bytes: 0 });
    return answer;
  },
});
