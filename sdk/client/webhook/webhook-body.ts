import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../../../shared/errors.ts';

/** A request of node:http or Express. A body parser has left `body` or `rawBody`. */
export type NodeRequest = IncomingMessage & {
  readonly body?: unknown;
  readonly rawBody?: unknown;
  readonly originalUrl?: string;
};

/** The body of a delivery, and whether its bytes are those that Zoom signed. */
export interface WebhookBody {
  readonly bytes: Buffer;
  /** `rebuilt`: only the parsed body was there, so the bytes are our own JSON of it. */
  readonly origin: 'wire' | 'rebuilt';
}

/** Zoom's events are a few hundred bytes. */
const MAX_BODY_BYTES = 256 * 1024;
/** Zoom waits 3 s for an answer. This time-out holds in a server of the program too, whatever time-outs that has. */
const BODY_TIMEOUT_MS = 10_000;

/**
 * Finds the body of a delivery: the bytes where a parser kept them (`rawBody`, or a raw or text parser), else the
 * stream where nobody has read it, else the parsed body written as JSON again.
 *
 * @param parsed the result of a body parser, undefined without one
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
  // A request that is too long is not destroyed, because the answer goes out on the same connection.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_BODY_BYTES) throw new ServiceError('webhook/too-large', 'body too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Fails a body that is late: one that comes byte by byte would keep its connection and our buffer for ever. */
async function inTime(body: Promise<Buffer>): Promise<Buffer> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new ServiceError('webhook/too-slow', 'body not complete in time')),
    BODY_TIMEOUT_MS,
  );
  // After the time-out the connection is closed and `body` rejects: nobody waits for it then, and Node would exit.
  body.catch(() => {});
  return Promise.race([body, late.promise]).finally(() => clearTimeout(timer));
}
