import type {
  KinesisClient,
  PutRecordsInput,
  PutRecordsRequestEntry,
} from '@aws-sdk/client-kinesis';

type Entry = Pick<PutRecordsRequestEntry, 'PartitionKey' | 'Data'>;

/**
 * Makes a client write the bodies of its PutRecords calls with `encodePutBody`. The rest stays the SDK's: endpoint,
 * credentials, signature, clock skew, errors.
 */
export function useNativeBodies({ middlewareStack: stack }: KinesisClient): void {
  const bodies = new WeakMap<object, Buffer>();
  /** Memory of answered calls. To allocate a megabyte for each call would cost more than to fill it. */
  const spare: Buffer[] = [];
  stack.add(
    (next, context) => async (call) => {
      const { input } = call;
      if (!('Records' in input)) return next(call);
      const { StreamName = '', Records = [] } = input as PutRecordsInput;
      const body = encodePutBody(StreamName, Records, spare.pop());
      bodies.set(context, body);
      const output = await next({ ...call, input: { ...input, Records: [] } });
      // Only after an answer: a socket may still read the body of a call that failed.
      if (spare.length < MAX_SPARE) spare.push(body);
      return output;
    },
    { step: 'initialize', name: 'nativeBodyEncoder' },
  );
  stack.add(
    (next, context) => (call) => {
      const body = bodies.get(context);
      if (body !== undefined) Object.assign(call.request as object, { body });
      return next(call);
    },
    { step: 'serialize', priority: 'low', name: 'nativeBody' },
  );
}

const MAX_SPARE = 4;
const DATA = '{"Data":"';

/**
 * The body of a PutRecords call, AWS JSON 1.1, as the SDK would write it: stream, partition keys and data.
 *
 * The SDK encodes base64 byte by byte in JavaScript: this is half the CPU of a PutRecords call under load
 * (`docs/performance.md`). Node's own encoder costs a tenth of that.
 *
 * @param memory of an earlier body, written over if it is large enough
 */
export function encodePutBody(
  streamName: string,
  entries: readonly Entry[],
  memory?: Buffer,
): Buffer {
  const head = `{"StreamName":${JSON.stringify(streamName)},"Records":[`;
  const tails = entries.map(
    ({ PartitionKey }) => `","PartitionKey":${JSON.stringify(PartitionKey)}},`,
  );
  let sizeBytes = Buffer.byteLength(head) + 2;
  for (const tail of tails) sizeBytes += DATA.length + Buffer.byteLength(tail);
  for (const { Data = EMPTY } of entries) sizeBytes += 4 * Math.ceil(Data.length / 3);
  const isEnough = memory !== undefined && memory.buffer.byteLength >= sizeBytes;
  const out = isEnough ? Buffer.from(memory.buffer) : Buffer.allocUnsafeSlow(sizeBytes);
  let at = out.write(head);
  for (const [index, { Data = EMPTY }] of entries.entries()) {
    at += out.write(DATA, at, 'latin1');
    at = writeBase64(out, asBuffer(Data), at);
    at += out.write(tails[index] as string, at);
  }
  // Overwrites the trailing comma.
  if (entries.length > 0) at -= 1;
  at += out.write(']}', at, 'latin1');
  return out.subarray(0, at);
}

const EMPTY = new Uint8Array();
/**
 * A multiple of three, so that no piece ends in padding. V8 allocates a much longer text outside of its young generation,
 * where collecting it costs more than writing it.
 */
const PIECE_BYTES = 48 * 1024;

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
