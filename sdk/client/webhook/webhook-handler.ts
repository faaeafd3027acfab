import type { IncomingMessage, ServerResponse } from 'node:http';
import { ServiceError } from '../../../shared/errors.ts';
import { cutText } from '../../../shared/input-limits.ts';
import { environment } from '../settings/environment.ts';
import { createSdkLogger } from '../settings/logger.ts';
import { type NodeRequest, readWebhookBody } from './webhook-body.ts';
import {
  answerChallenge,
  checkSignature,
  followStream,
  parseDelivery,
  type ReceivedDelivery,
  type WebhookEvent,
} from './webhook-delivery.ts';

/** Called after the delivery was answered with 200. May stand wherever a `RawWebhookCallback` may. */
export type WebhookCallback = (payload: WebhookEvent) => unknown;
/** A callback that declares all three parameters answers the delivery itself. It may return a promise. */
export type RawWebhookCallback = (
  payload: WebhookEvent,
  req: IncomingMessage,
  res: ServerResponse,
) => unknown;

/** What `onWebhookEvent` and `createWebhookHandler` have in common. */
export interface WebhookOptions {
  /**
   * The app's webhook secret token; two, separated by a comma, while it is being rotated. With a token, forged and
   * stale deliveries are refused and URL validation is answered.
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

/** Answers one delivery. */
export type WebhookHandler = (request: HandlerRequest, response: HandlerResponse) => Promise<void>;

const logger = createSdkLogger('webhook');

/** Bounds the logged name of an event: anybody can post one. */
const MAX_LOGGED_BYTES = 128;

/** The same text for every refused signature, so that a forger learns nothing. The log has the reason. */
const SAID: Readonly<Record<number, string>> = { 401: 'Unauthorized' };

/**
 * Makes a handler of Zoom's webhooks for a server that the program has already.
 *
 * @param path the only path to answer, compared without the query; every path when left out. Behind a router
 *   either the whole path or what the router leaves of it
 */
export function createWebhookHandler(
  callback: RawWebhookCallback,
  path?: string,
  options: WebhookOptions = {},
): WebhookHandler {
  const configured = options.webhookSecret ?? environment('ZM_RTMS_WEBHOOK_SECRET') ?? '';
  const secretTokens = configured.split(',').flatMap((token) => token.trim() || []);
  if (secretTokens.length === 0) {
    logger.warn('no webhook secret, so anybody can post events: set ZM_RTMS_WEBHOOK_SECRET');
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
    if (origin === 'rebuilt')
      logger.warn('a parser has read the body and kept no bytes: have it keep them as rawBody');
    throw error;
  }
}

/**
 * Compares the path of a request with that of the webhook, without the query.
 *
 * A router changes the path of a route that it mounts: Express removes the mount path from `url` and keeps the whole
 * in `originalUrl`; Fastify keeps `url` and names the prefix. Zoom's SDK compares `url` alone. Programs configure
 * either form, so either is accepted.
 *
 * @param prefix of the Fastify plugin that the route is in
 */
function isWebhookPath(request: NodeRequest, path: string, prefix = ''): boolean {
  const [whole = '', seen = ''] = [request.originalUrl ?? request.url, request.url].map(pathOf);
  const cut = prefix !== '' && whole.startsWith(`${prefix}/`) ? whole.slice(prefix.length) : whole;
  return [whole, seen, cut].includes(pathOf(path));
}

/** Without a trailing slash, because routers take `/zoom/` for `/zoom`. */
function pathOf(url: string | undefined): string {
  const [path = ''] = (url ?? '').split('?');
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
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

/** The rule of Zoom's SDK: the number of declared parameters decides, so rest parameters do not count. */
function answersItself(callback: RawWebhookCallback): boolean {
  return callback.length >= 3;
}

/** Calls without request and response: the delivery is answered already. */
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
  // The rest of a body that was too large is not read, so the connection cannot be used again.
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
