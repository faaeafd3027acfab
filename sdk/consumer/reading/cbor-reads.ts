import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { cbor } from '@smithy/core/cbor';
import { asBuffer } from '../../../shared/record/protobuf.ts';

const CONTENT_TYPE = 'application/x-amz-cbor-1.1';

/** As much of the SDK's own protocol as stands between a command and its request, and between an answer and its output. */
interface Protocol {
  serializeRequest(operation: Operation, input: unknown, context: object): Promise<HttpRequest>;
  deserializeResponse(operation: Operation, context: Context, answer: HttpAnswer): Promise<object>;
  deserializeMetadata(answer: HttpAnswer): object;
}

interface Operation {
  readonly name: string;
}

interface HttpRequest {
  headers: Record<string, string>;
  body: unknown;
}

interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  body: unknown;
}

interface Context {
  streamCollector(body: unknown): Promise<Uint8Array>;
}

/**
 * Makes a client of the SDK ask for GetRecords in CBOR, which Kinesis answers in the same form: the members of AWS JSON, but data
 * are bytes. In JSON they are base64 in a text of megabytes, and reading that is a third of what polling costs. All other calls
 * stay as they are.
 *
 * A service that does not answer in CBOR is asked in JSON from then on; the call that found out fails as one that may pass.
 *
 * @returns the same client
 * @see docs/adr/0014-our-own-putrecords-writer.md for what Kinesis says about this form, and emulators do over it
 */
export function readsInCbor(client: KinesisClient): KinesisClient {
  const config = client.config as unknown as { protocol: Protocol };
  config.protocol = inCbor(config.protocol);
  return client;
}

function inCbor(json: Protocol): Protocol {
  let isSpoken = true;
  const own: Pick<Protocol, 'serializeRequest' | 'deserializeResponse'> = {
    async serializeRequest(operation, input, context) {
      const request = await json.serializeRequest(operation, input, context);
      if (operation.name !== 'GetRecords' || !isSpoken) return request;
      request.headers['content-type'] = CONTENT_TYPE;
      request.body = cbor.serialize(input);
      return request;
    },
    async deserializeResponse(operation, context, answer) {
      const isCbor = answer.headers['content-type'] === CONTENT_TYPE;
      if (isCbor) {
        const output = cbor.deserialize(await context.streamCollector(answer.body)) as object;
        if (answer.statusCode < 300)
          return { ...recordsOf(output), $metadata: json.deserializeMetadata(answer) };
        // The SDK makes its error of the members, whatever form they came in.
        answer.body = Buffer.from(JSON.stringify(output));
      } else if (operation.name === 'GetRecords' && isSpoken) {
        isSpoken = false;
        throw notSpoken(json.deserializeMetadata(answer));
      }
      return json.deserializeResponse(operation, context, answer);
    },
  };
  // The SDK calls other methods of its protocol too.
  return Object.assign(Object.create(json) as Protocol, own);
}

/** Kinesis gives times in whole milliseconds, where the standard and other services have seconds (RFC 8949, tag 1). */
function recordsOf(output: object): object {
  const { Records = [], ...rest } = output as { Records?: readonly Record<string, unknown>[] };
  return {
    ...rest,
    Records: Records.map((record) => {
      const { Data, ApproximateArrivalTimestamp: at } = record;
      return {
        ...record,
        ...(Data instanceof Uint8Array && { Data: asBuffer(Data) }),
        ...(at !== undefined && { ApproximateArrivalTimestamp: timeOf(at) }),
      };
    }),
  };
}

function timeOf(tagged: unknown): Date {
  const value =
    typeof tagged === 'object' && tagged !== null && 'value' in tagged ? tagged.value : tagged;
  return new Date(Number(value));
}

/** Retryable for the SDK and for a reader: the same call in JSON may be answered. */
function notSpoken($metadata: object): Error {
  const error = new Error('GetRecords was not answered in CBOR, and is asked for in JSON');
  return Object.assign(error, { name: 'InternalFailure', $metadata, $retryable: {} });
}
