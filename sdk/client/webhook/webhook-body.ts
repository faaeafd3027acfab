import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../../../shared/errors.ts';

/** A request of node:http or Express; `body` and `rawBody` where a parser has been at work. */
export type NodeRequest = IncomingMessage & {
  readonly body?: unknown;
  readonly rawBody?: unknown;
  readonly originalUrl?: string;
};

/** The body of a delivery, and whether these are the bytes that Zoom signed. */
export interface WebhookBody {
  readonly bytes: Buffer;
  /** `rebuilt`: only the parsed body was left, so the bytes are our own spelling of it. */
  readonly origin: 'wire' | 'rebuilt';
}

/** Zoom's events are a few hundred bytes. */
const MAX_BODY_BYTES = 256 * 1024;
/** Zoom gives up on an answer after 3 s. Holds in a server of others too, whatever its own time-outs are. */
const BODY_TIMEOUT_MS = 10_000;

/**
 * Finds the body of a delivery: the bytes if anybody kept them (`rawBody`, or a raw or text parser), else
 * the stream if nobody has read it, else the parsed body written as JSON again.
 *
 * @param parsed what a body parser left, undefined without one
 * @throws ServiceError `webhook/too-large`, `webhook/too-slow`, `webhook/malformed`
 */
export async function readWebhookBody(
  request: NodeRequest,
  rawBody: unknown,
  parsed: unknown,
): Promise<WebhookBody> {
  const kept = asBytes(rawBody) ?? asBytes(parsed);
  if (kept !== undefined) return { bytes: kept, origin: 'wire' };
  if (!request.readableEnded && !request.destroyed) {
    return { bytes: await inTime(readStream(request)), origin: 'wire' };
  }
  if (typeof parsed !== 'object' || parsed === null) {
    throw new ServiceError('webhook/malformed', 'the request has no body');
  }
  return { bytes: Buffer.from(JSON.stringify(parsed)), origin: 'rebuilt' };
}

function asBytes(value: unknown): Buffer | undefined {
  if (typeof value === 'string') return Buffer.from(value);
  if (!(value instanceof Uint8Array)) return undefined;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

async function readStream(request: NodeRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  // Not destroyed when it is too long: the answer goes out on the same connection.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_BODY_BYTES) throw new ServiceError('webhook/too-large', 'body too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A body that comes byte by byte would keep its connection and our buffer for ever. */
async function inTime(body: Promise<Buffer>): Promise<Buffer> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new ServiceError('webhook/too-slow', 'body not complete in time')),
    BODY_TIMEOUT_MS,
  );
  // Once it is late, the connection is closed, and that ends the reading with an error for nobody.
  body.catch(() => {});
  return Promise.race([body, late.promise]).finally(() => clearTimeout(timer));
}
