import type { IncomingMessage, ServerResponse } from 'node:http';
import { ServiceError } from '../../../shared/errors.ts';
import { cutText } from '../../../shared/input-limits.ts';
import { environment } from '../settings/environment.ts';
import { createLogger } from '../settings/logger.ts';
import { type NodeRequest, readWebhookBody } from './webhook-body.ts';
import {
  answerChallenge,
  checkSignature,
  followStream,
  parseDelivery,
  type ReceivedDelivery,
  type WebhookEvent,
} from './webhook-delivery.ts';
import { isWebhookPath } from './webhook-path.ts';

/** Called after the delivery was answered with 200. Fits wherever a `RawWebhookCallback` does. */
export type WebhookCallback = (payload: WebhookEvent) => unknown;
/** One that declares all three parameters answers the delivery itself; it may return a promise. */
export type RawWebhookCallback = (
  payload: WebhookEvent,
  req: IncomingMessage,
  res: ServerResponse,
) => unknown;

export interface WebhookOptions {
  /**
   * The app's webhook secret token; two with a comma between while it is being rotated. With one, forged
   * and stale deliveries are refused and URL validation is answered.
   *
   * @default ZM_RTMS_WEBHOOK_SECRET
   */
  webhookSecret?: string;
}

/** A request of node:http, of Express, or of Fastify. */
export type HandlerRequest =
  | NodeRequest
  | {
      readonly raw: NodeRequest;
      readonly body?: unknown;
      readonly rawBody?: unknown;
      readonly server?: { readonly prefix?: string };
    };
/** A response of node:http, of Express, or of Fastify. */
export type HandlerResponse = ServerResponse | { readonly raw: ServerResponse; hijack(): unknown };

export type WebhookHandler = (request: HandlerRequest, response: HandlerResponse) => Promise<void>;

const logger = createLogger('webhook');

/** Of an event's name, which is whatever was posted. */
const MAX_LOGGED_BYTES = 128;

/** What a refusal says whatever the reason: who forges signatures learns nothing, our log knows. */
const SAID: Readonly<Record<number, string>> = { 401: 'Unauthorized' };

/**
 * Makes the handler of Zoom's webhook for a server that is already there.
 *
 * @param path the only path to answer, compared without the query; every path when left out. Behind a router
 *   the whole path, or what the router leaves of it
 */
export function createWebhookHandler(
  callback: RawWebhookCallback,
  path?: string,
  options: WebhookOptions = {},
): WebhookHandler {
  const configured = options.webhookSecret ?? environment('ZM_RTMS_WEBHOOK_SECRET') ?? '';
  const secretTokens = configured.split(',').flatMap((token) => token.trim() || []);
  if (secretTokens.length === 0) {
    logger.warn('no webhook secret: anybody can post events; set ZM_RTMS_WEBHOOK_SECRET');
  }
  return async (request, response) => {
    const [raw, answer] = unwrap(request, response);
    try {
      const event = await receive(request, raw, path, secretTokens);
      if ('challenge' in event) return send(answer, 200, event.challenge);
      await handOver(callback, event.delivery, raw, answer);
    } catch (error) {
      refuse(error, raw, answer);
    }
  };
}

async function receive(
  request: HandlerRequest,
  raw: NodeRequest,
  path: string | undefined,
  secretTokens: readonly string[],
): Promise<{ readonly challenge: object } | { readonly delivery: ReceivedDelivery }> {
  const prefix = 'server' in request ? request.server?.prefix : undefined;
  if (raw.method !== 'POST' || (path !== undefined && !isWebhookPath(raw, path, prefix))) {
    throw new ServiceError('webhook/not-found', 'Not Found');
  }
  const { bytes, origin } = await readWebhookBody(raw, request.rawBody, request.body);
  if (secretTokens.length === 0) return { delivery: parseDelivery(bytes) };
  const headers = {
    timestamp: header(raw, 'x-zm-request-timestamp'),
    signature: header(raw, 'x-zm-signature'),
  };
  try {
    const secretToken = checkSignature(bytes, headers, secretTokens);
    const delivery = parseDelivery(bytes);
    const challenge = answerChallenge(delivery, secretToken);
    return challenge === undefined ? { delivery } : { challenge };
  } catch (error) {
    if (origin === 'rebuilt') logger.warn('the body was parsed before: keep its bytes as rawBody');
    throw error;
  }
}

async function handOver(
  callback: RawWebhookCallback,
  delivery: ReceivedDelivery,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const event = cutText(delivery.event, MAX_LOGGED_BYTES);
  logger.info('event received', { event });
  const followed = followStream(delivery);
  if (!followed && answersItself(callback)) {
    await callback(delivery.body, request, response);
    return;
  }
  send(response, 200, { status: 'ok' });
  if (followed) return;
  process.nextTick(() => void callLater(callback as WebhookCallback, delivery, event));
}

/** Zoom's rule: by the number of declared parameters, so that rest parameters do not count. */
function answersItself(callback: RawWebhookCallback): boolean {
  return callback.length >= 3;
}

/** Without request and response: they are answered and done with. */
async function callLater(
  callback: WebhookCallback,
  { body }: ReceivedDelivery,
  event: string,
): Promise<void> {
  try {
    await callback(body);
  } catch (error) {
    logger.error('webhook callback failed', { event, error });
  }
}

function refuse(error: unknown, request: IncomingMessage, response: ServerResponse): void {
  const known = error instanceof ServiceError && error.code.startsWith('webhook/');
  if (known) logger.warn('delivery refused', { code: error.code });
  else logger.error('webhook callback failed', { error });
  if (response.headersSent || response.destroyed) return;
  // What is left of a body that was too large is not read.
  if (!request.readableEnded) response.setHeader('connection', 'close');
  const status = known ? error.statusCode : 500;
  send(response, status, {
    error: known ? (SAID[status] ?? error.message) : 'Internal Server Error',
  });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function unwrap(
  request: HandlerRequest,
  response: HandlerResponse,
): readonly [NodeRequest, ServerResponse] {
  if ('hijack' in response) response.hijack();
  return ['raw' in request ? request.raw : request, 'raw' in response ? response.raw : response];
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
