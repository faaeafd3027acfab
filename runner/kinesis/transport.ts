import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { KinesisClient, type KinesisClientConfig } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { useNativeBodies } from './put-body.ts';

/** Most PutRecords calls that one client makes at once, each over a connection of its own. */
export const MAX_CALLS = 16;

export interface TransportOptions {
  readonly region: string;
  /** @default the Region's own */
  readonly endpoint?: string;
  /** From the first byte sent to the last byte of the answer. @default 5000 */
  readonly requestTimeoutMs?: number;
  /** @default the SDK's default chain */
  readonly credentials?: NonNullable<KinesisClientConfig['credentials']>;
}

/**
 * A Kinesis client for one producer. Do not share it: long calls of others would occupy its connections.
 *
 * HTTP/1.1 over kept connections. The SDK's default for Kinesis opens and closes a TLS connection for every
 * call (aws-sdk-js-v3#8279); pooled HTTP/2 is no faster at our concurrency (`test/bench/put-transport.ts`).
 * The SDK must not repeat PutRecords (`maxAttempts`): its retries do not see failed entries, and the producer's do.
 */
export function createKinesisClient(options: TransportOptions): KinesisClient {
  const { region, endpoint, credentials, requestTimeoutMs = 5_000 } = options;
  // Kinesis closes idle connections after about a minute. A call sent at that moment would fail, so ours close earlier.
  const agent = {
    keepAlive: true,
    maxSockets: MAX_CALLS + 2,
    keepAliveMsecs: 10_000,
    timeout: 30_000,
  };
  const client = new KinesisClient({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 2_000,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
    }),
  });
  useNativeBodies(client);
  return client;
}
