import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';

export interface ListenerTimeouts {
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly connectionsCheckingInterval: number;
}

/**
 * Ends a connection whose request is not complete within 10 s, ms. Zoom gives up on an answer after 3 s. All
 * three are needed: Node gives headers a minute of their own, and looks at its connections every 30 s only.
 */
export const LISTENER_TIMEOUTS: ListenerTimeouts = {
  headersTimeout: 8_000,
  requestTimeout: 8_000,
  connectionsCheckingInterval: 1_000,
};

/** A server for webhooks, HTTPS with `tls`. */
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
