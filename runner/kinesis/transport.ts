import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { KinesisClient, type KinesisClientConfig } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { DEFAULT_PUT_MODE, type PutMode } from '../../shared/env.ts';
import type { Logger } from '../../shared/logger.ts';
import type { MemoryPool } from '../../shared/memory-pool.ts';
import { HttpPutClient } from './http/http-put-client.ts';
import { PUT_CONNECTIONS, type PutRecordsClient } from './put-client.ts';
import { SdkPutClient, useNativeBodies } from './sdk-put-client.ts';

/** What a call may take, from its beginning to the last byte of its answer. */
export const REQUEST_TIMEOUT_MS = 5_000;

export interface TransportOptions {
  readonly region: string;
  /** @default the Region's own */
  readonly endpoint?: string;
  /** From the call to the head of the answer. @default REQUEST_TIMEOUT_MS */
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
  const { region, endpoint, credentials, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
  const agent = {
    keepAlive: true,
    maxSockets: PUT_CONNECTIONS.most,
    keepAliveMsecs: 10_000,
    timeout: PUT_CONNECTIONS.idleMs,
  };
  const client = new KinesisClient({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: PUT_CONNECTIONS.connectMs,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
    }),
  });
  useNativeBodies(client);
  return client;
}

export interface PutClientOptions {
  /** Has the endpoint, the credentials and the clock offset; makes the calls themselves in mode `sdk`. */
  readonly sdk: KinesisClient;
  /** @default DEFAULT_PUT_MODE */
  readonly mode?: PutMode;
  /** From the call to the last byte of its answer, the connection included. @default REQUEST_TIMEOUT_MS */
  readonly requestTimeoutMs?: number;
  /** Where the memory of bodies comes from. @default a pool of its own */
  readonly memory?: MemoryPool;
  readonly logger?: Logger;
}

/** Makes the client for the PutRecords calls of one producer. */
export function createPutClient(options: PutClientOptions): PutRecordsClient {
  const { mode = DEFAULT_PUT_MODE, sdk, requestTimeoutMs = REQUEST_TIMEOUT_MS, ...rest } = options;
  if (mode === 'sdk') return new SdkPutClient(sdk, requestTimeoutMs);
  return new HttpPutClient(sdk, {
    ...rest,
    requestTimeoutMs,
    format: mode === 'http-cbor' ? 'cbor' : 'json',
  });
}
