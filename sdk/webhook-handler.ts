import type { IncomingMessage, ServerResponse } from 'node:http';
import { ServiceError } from '../shared/errors.ts';
import { environment } from './environment.ts';
import { createLogger } from './logger.ts';
import { type NodeRequest, readWebhookBody } from './webhook-body.ts';
import {
  answerChallenge,
  checkSignature,
  followStream,
  parseDelivery,
  type WebhookEvent,
} from './webhook-delivery.ts';

/** With fewer than three parameters it is called after the delivery was answered with 200; else it answers. */
export type WebhookCallback = (
  event: WebhookEvent,
  request: IncomingMessage,
  response: ServerResponse,
) => unknown;

export interface WebhookOptions {
  /**
   * The app's webhook secret token; two with a comma between while it is being rotated. With one, forged
   * and stale deliveries are refused and URL validation is answered.
   *
   * @default ZM_RTMS_WEBHOOK_SECRET
   */
  readonly webhookSecret?: string;
}

/** A request of node:http, of Express, or of Fastify. */
export type HandlerRequest =
  | NodeRequest
  | { readonly raw: NodeRequest; readonly body?: unknown; readonly rawBody?: unknown };
/** A response of node:http, of Express, or of Fastify. */
export type HandlerResponse = ServerResponse | { readonly raw: ServerResponse; hijack(): unknown };

export type WebhookHandler = (request: HandlerRequest, response: HandlerResponse) => Promise<void>;

const logger = createLogger('webhook');

/**
 * Makes the handler of Zoom's webhook for a server that is already there.
 *
 * @param path the only path to answer, compared without the query; every path when left out
 */
export function createWebhookHandler(
  callback: WebhookCallback,
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
): Promise<{ readonly challenge: object } | { readonly delivery: WebhookEvent }> {
  const [pathname] = (raw.originalUrl ?? raw.url ?? '').split('?');
  if (raw.method !== 'POST' || (path !== undefined && pathname !== path)) {
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
  callback: WebhookCallback,
  event: WebhookEvent,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  logger.info('event received', { event: event.event });
  const followed = followStream(event);
  if (callback.length < 3 || followed) {
    send(response, 200, { status: 'ok' });
    if (!followed)
      process.nextTick(() => void callLater(callback as (event: WebhookEvent) => unknown, event));
    return;
  }
  await callback(event, request, response);
}

/** Without request and response: they are answered and done with. */
async function callLater(
  callback: (event: WebhookEvent) => unknown,
  event: WebhookEvent,
): Promise<void> {
  try {
    await callback(event);
  } catch (error) {
    logger.error('webhook callback failed', { event: event.event, error });
  }
}

function refuse(error: unknown, request: IncomingMessage, response: ServerResponse): void {
  const known = error instanceof ServiceError && error.code.startsWith('webhook/');
  if (known) logger.warn('delivery refused', { code: error.code });
  else logger.error('webhook callback failed', { error });
  if (response.headersSent || response.destroyed) return;
  // What is left of a body that was too large is not read.
  if (!request.readableEnded) response.setHeader('connection', 'close');
  send(response, known ? error.statusCode : 500, {
    error: known ? error.message : 'Internal Server Error',
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
