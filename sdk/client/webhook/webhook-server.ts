import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { ServiceError } from '../../../shared/errors.ts';
import { environment, type SdkVariable } from '../settings/environment.ts';
import { createSdkLogger } from '../settings/logger.ts';
import {
  createWebhookHandler,
  type RawWebhookCallback,
  type WebhookOptions,
} from './webhook-handler.ts';

/** Options of `onWebhookEvent`. */
export interface WebhookServerOptions extends WebhookOptions {
  /** 0 picks a free port. @default ZM_RTMS_PORT, else 8080 */
  port?: number;
  /** @default ZM_RTMS_PATH, else `/` */
  path?: string;
  /** Path of a PEM file; with `key` the server speaks HTTPS. @default ZM_RTMS_CERT */
  cert?: string;
  /** Path of a PEM file. @default ZM_RTMS_KEY */
  key?: string;
  /** Path of a PEM file; clients then need a certificate signed by it. @default ZM_RTMS_CA_WEBHOOK */
  ca?: string;
}

/** The server that `onWebhookEvent` starts. */
export interface WebhookServer {
  /** Resolves when the server listens; rejects when it cannot. */
  readonly ready: Promise<{ readonly port: number }>;
  /** Stops taking deliveries, and waits for those that are being answered. */
  close(): Promise<void>;
}

const DEFAULT_PORT = 8_080;

export interface ListenerTimeouts {
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly connectionsCheckingInterval: number;
}

/**
 * Together they end a connection whose request is not complete within 10 s; values in ms. Zoom waits 3 s for an
 * answer. All three are needed: Node allows a minute for the headers alone, and checks its connections every 30 s.
 */
export const LISTENER_TIMEOUTS: ListenerTimeouts = {
  headersTimeout: 8_000,
  requestTimeout: 8_000,
  connectionsCheckingInterval: 1_000,
};

const logger = createSdkLogger('webhook');
const open = new Set<WebhookServer>();

/**
 * Starts a server for Zoom's webhooks. A callback with three parameters answers each delivery itself; a callback with
 * fewer is called after the server has answered with 200.
 *
 * @throws ServiceError `config/invalid` for a certificate without a key or a key without a certificate, an unreadable
 *   file, or a port that is no port number
 */
export function onWebhookEvent(
  callback: RawWebhookCallback,
  options: WebhookServerOptions = {},
): WebhookServer {
  const path = options.path ?? environment('ZM_RTMS_PATH') ?? '/';
  const port = options.port ?? Number(environment('ZM_RTMS_PORT') ?? DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new ServiceError('config/invalid', 'ZM_RTMS_PORT is not a port number');
  }
  const handler = createWebhookHandler(callback, path, options);
  const tls = readTls(options);
  const server = createListener(handler, tls);
  const ready = Promise.withResolvers<{ port: number }>();
  // A program that does not wait for `ready` must not end here: the log has the reason.
  ready.promise.catch(() => {});
  server.on('error', (error) => {
    logger.error('webhook server failed', { port, error });
    ready.reject(error);
  });
  server.listen(port, () => {
    const address = server.address() as AddressInfo;
    logger.info('listening for webhooks', { port: address.port, path, tls: tls !== undefined });
    ready.resolve({ port: address.port });
  });
  const webhookServer: WebhookServer = {
    ready: ready.promise,
    close: () =>
      new Promise((resolve) => {
        open.delete(webhookServer);
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
  open.add(webhookServer);
  return webhookServer;
}

/** A server that speaks HTTPS with `tls`, else HTTP. */
export function createListener(
  handler: RequestListener,
  tls: ServerOptions | undefined,
  timeouts: ListenerTimeouts = LISTENER_TIMEOUTS,
): Server {
  return tls === undefined
    ? createServer({ ...timeouts }, handler)
    : createSecureServer(
        { ...tls, ...timeouts, handshakeTimeout: timeouts.requestTimeout },
        handler,
      );
}

/** Closes every server that `onWebhookEvent` started. */
export async function closeWebhookServers(): Promise<void> {
  await Promise.all([...open].map((server) => server.close()));
}

function readTls(options: WebhookServerOptions) {
  const cert = readPem(options.cert, 'ZM_RTMS_CERT');
  const key = readPem(options.key, 'ZM_RTMS_KEY');
  const ca = readPem(options.ca, 'ZM_RTMS_CA_WEBHOOK');
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new ServiceError('config/invalid', 'Both certificate and key must be provided for HTTPS');
  }
  return {
    cert,
    key,
    ...(ca !== undefined && { ca, requestCert: true, rejectUnauthorized: true }),
  };
}

function readPem(path: string | undefined, name: SdkVariable): Buffer | undefined {
  const file = path ?? environment(name);
  if (file === undefined) return undefined;
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new ServiceError('config/invalid', `${name}: the file cannot be read`, { cause });
  }
}
