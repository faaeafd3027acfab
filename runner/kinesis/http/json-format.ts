import type { PutEntry } from '../put-client.ts';

const DATA = '{"Data":"';
/**
 * A multiple of three, so that no piece ends in padding. V8 allocates a much longer text outside of its young generation,
 * where collecting it costs more than writing it.
 */
const PIECE_BYTES = 48 * 1024;

/**
 * The body of a PutRecords call in AWS JSON 1.1, as the SDK would write it: stream, partition keys and data.
 *
 * @param room bytes that are left free before the body, for the head of the request
 * @param acquire gives memory for room and body; what it gives may be longer
 * @returns room and body
 */
export function encodeJsonBody(
  streamName: string,
  entries: readonly PutEntry[],
  room: number,
  acquire: (sizeBytes: number) => Buffer,
): Buffer {
  const head = `{"StreamName":${JSON.stringify(streamName)},"Records":[`;
  const tails = entries.map(
    ({ partitionKey }) => `","PartitionKey":${JSON.stringify(partitionKey)}},`,
  );
  let sizeBytes = room + Buffer.byteLength(head) + 2;
  for (const tail of tails) sizeBytes += DATA.length + Buffer.byteLength(tail);
  for (const { data } of entries) sizeBytes += 4 * Math.ceil(data.length / 3);
  const out = acquire(sizeBytes);
  let at = room;
  at += out.write(head, at);
  for (const [index, { data }] of entries.entries()) {
    at += out.write(DATA, at, 'latin1');
    at = writeBase64(out, asBuffer(data), at);
    at += out.write(tails[index] as string, at);
  }
  // Overwrites the trailing comma.
  if (entries.length > 0) at -= 1;
  at += out.write(']}', at, 'latin1');
  return out.subarray(0, at);
}

function writeBase64(out: Buffer, data: Buffer, start: number): number {
  let at = start;
  for (let from = 0; from < data.length; from += PIECE_BYTES) {
    const text = data.toString('base64', from, Math.min(data.length, from + PIECE_BYTES));
    at += out.write(text, at, 'latin1');
  }
  return at;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
