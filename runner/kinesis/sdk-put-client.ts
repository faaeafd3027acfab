import {
  type KinesisClient,
  PutRecordsCommand,
  type PutRecordsInput,
} from '@aws-sdk/client-kinesis';
import { withDeadline } from './call-deadline.ts';
import { encodeJsonBody } from './http/json-format.ts';
import { notOwner, type PutEntry, type PutRecordsClient, type PutResult } from './put-client.ts';

const PUT = 'PutRecordsCommand';

/** PutRecords by the SDK's client, which `createKinesisClient` has given our body. */
export class SdkPutClient implements PutRecordsClient {
  readonly #sdk: KinesisClient;
  readonly #requestTimeoutMs: number;

  /** @param requestTimeoutMs from the call to the last byte of its answer */
  constructor(sdk: KinesisClient, requestTimeoutMs: number) {
    this.#sdk = sdk;
    this.#requestTimeoutMs = requestTimeoutMs;
  }

  async putRecords(
    streamName: string,
    entries: readonly PutEntry[],
    signal: AbortSignal,
  ): Promise<readonly PutResult[]> {
    const command = new PutRecordsCommand({
      StreamName: streamName,
      Records: entries.map(({ partitionKey, data }) => ({
        PartitionKey: partitionKey,
        Data: data,
      })),
    });
    // The SDK's own time-out ends with the head of the answer. Of an answer that stops in its body, its call has no end.
    return withDeadline(this.#requestTimeoutMs, signal, async (abortSignal) => {
      const { Records: results = [] } = await this.#sdk.send(command, { abortSignal });
      return results;
    });
  }

  fence(writeTerm: () => number | undefined): void {
    const { middlewareStack: stack } = this.#sdk;
    /** The term in which each call began. */
    const terms = new WeakMap<object, number>();
    const checkedTerm = async (): Promise<number> => {
      // Asked in a later microtask, because `writeTerm` may change the buffers of the producer that is calling.
      await null;
      const term = writeTerm();
      if (term === undefined) throw notOwner();
      return term;
    };
    stack.add(
      (next, context) => async (args) => {
        if (context['commandName'] === PUT) terms.set(context, await checkedTerm());
        return next(args);
      },
      { step: 'initialize', name: 'fenceWrites' },
    );
    stack.add(
      (next, context) => async (args) => {
        const isPut = context['commandName'] === PUT;
        if (isPut && (await checkedTerm()) !== terms.get(context)) throw notOwner();
        return next(args);
      },
      // The last step before the request handler: the first one on the way back, hence its name.
      { step: 'deserialize', name: 'fenceSignedWrites', priority: 'low' },
    );
  }

  /** The SDK's client is the caller's. */
  destroy(): void {}
}

const MAX_SPARE = 4;

/**
 * Makes a client of the SDK write the bodies of its PutRecords calls with `encodeJsonBody`, which costs a tenth of what
 * the SDK's own encoder of base64 costs, in JavaScript and byte by byte. The rest stays the SDK's: endpoint, credentials,
 * signature, clock skew, errors.
 */
export function useNativeBodies({ middlewareStack: stack }: KinesisClient): void {
  const bodies = new WeakMap<object, Buffer>();
  /** Memory of answered calls. To allocate a megabyte for each call would cost more than to fill it. */
  const spare: Buffer[] = [];
  const acquire = (sizeBytes: number): Buffer => {
    const memory = spare.pop();
    if (memory !== undefined && memory.buffer.byteLength >= sizeBytes) {
      return Buffer.from(memory.buffer, 0, sizeBytes);
    }
    return Buffer.allocUnsafeSlow(sizeBytes);
  };
  stack.add(
    (next, context) => async (call) => {
      const { input } = call;
      if (!('Records' in input)) return next(call);
      const { StreamName = '', Records = [] } = input as PutRecordsInput;
      const entries = Records.map(({ PartitionKey = '', Data = new Uint8Array() }) => ({
        partitionKey: PartitionKey,
        data: Data,
      }));
      const body = encodeJsonBody(StreamName, entries, 0, acquire);
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
