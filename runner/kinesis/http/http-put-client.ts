import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { type Logger, SILENT_LOGGER } from '../../../shared/logger.ts';
import { MemoryPool } from '../../../shared/memory-pool.ts';
import { withDeadline } from '../call-deadline.ts';
import {
  notOwner,
  PUT_CONNECTIONS,
  type PutEntry,
  type PutRecordsClient,
  type PutResult,
} from '../put-client.ts';
import type { WireAnswer } from './answer-reader.ts';
import { encodeCborBody } from './cbor-format.ts';
import { ConnectionPool } from './connection-pool.ts';
import { encodeJsonBody } from './json-format.ts';
import {
  type BadBodyError,
  isBrokenOverFormat,
  isFormatRefused,
  type PutRefusedError,
  readPutAnswer,
} from './put-answer.ts';
import { askForTarget, type ServiceTarget } from './service-target.ts';
import { PostSigner } from './signature.ts';

export interface HttpPutOptions {
  readonly format: 'json' | 'cbor';
  /** From the call to the last byte of its answer. */
  readonly requestTimeoutMs: number;
  /** @default a pool of its own */
  readonly memory?: MemoryPool;
  readonly logger?: Logger;
}

interface PutFormat {
  readonly contentType: string;
  readonly encode: typeof encodeJsonBody;
}

const FORMATS = {
  json: { contentType: 'application/x-amz-json-1.1', encode: encodeJsonBody },
  cbor: { contentType: 'application/x-amz-cbor-1.1', encode: encodeCborBody },
} as const satisfies Record<HttpPutOptions['format'], PutFormat>;

/** Most bytes of a head, not counting the values whose length varies: host, path, scope, key id and session token. */
const HEAD_BYTES = 640;
/** Memory of bodies comes in powers of two from here on, so that bodies of all lengths use it again. */
const MIN_BODY_BYTES = 16 * 1024;
/**
 * Kept for later calls: 16 bodies of 2 MiB, as many as there may be at once. With a quarter of that, bodies of different
 * lengths drove each other out, and a share cost a sixth more CPU. Bodies have a pool of their own: a few of them fill one,
 * and in a full pool the memory of records is not used again, which cost a tenth of all CPU with 400 sessions of audio.
 */
const SPARE_BODY_BYTES = 32 * 1024 * 1024;
/** An answer that took longer says too little about the service's clock; the SDK's own bound. */
const MAX_CLOCK_ANSWER_MS = 900_000;
const YEAR_10000_MS = Date.UTC(10_000, 0);

/**
 * Makes PutRecords calls over kept HTTP/1.1 connections of its own. Region, endpoint, credentials and clock offset are
 * those of a client of the SDK; everything else of the call is here. Why: docs/performance.md.
 *
 * Head and body lie in one piece of memory, which leaves in one write: TLS would copy several into new memory first.
 */
export class HttpPutClient implements PutRecordsClient {
  readonly #sdk: KinesisClient;
  readonly #requestTimeoutMs: number;
  readonly #memory: MemoryPool;
  readonly #logger: Logger;
  readonly #signer = new PostSigner();
  #format: PutFormat;
  /** A call in this format has had a result for each entry: what nobody can read later on has another cause. */
  #isFormatTaken = false;
  #ready: Promise<Ready> | undefined;
  #connections: ConnectionPool | undefined;
  #writeTerm: () => number | undefined = () => 0;

  constructor(sdk: KinesisClient, options: HttpPutOptions) {
    this.#sdk = sdk;
    this.#format = FORMATS[options.format];
    this.#requestTimeoutMs = options.requestTimeoutMs;
    this.#memory = options.memory ?? new MemoryPool(SPARE_BODY_BYTES);
    this.#logger = options.logger ?? SILENT_LOGGER;
  }

  putRecords(
    streamName: string,
    entries: readonly PutEntry[],
    signal: AbortSignal,
  ): Promise<readonly PutResult[]> {
    return withDeadline(this.#requestTimeoutMs, signal, (ending) =>
      this.#putFenced(streamName, entries, ending),
    );
  }

  fence(writeTerm: () => number | undefined): void {
    this.#writeTerm = writeTerm;
  }

  destroy(): void {
    this.#connections?.destroy();
  }

  async #putFenced(
    streamName: string,
    entries: readonly PutEntry[],
    signal: AbortSignal,
  ): Promise<readonly PutResult[]> {
    // Asked in a later microtask, because `writeTerm` may change the buffers of the producer that is calling.
    await null;
    const term = this.#checkedTerm();
    const checkFence = () => {
      if (this.#checkedTerm() !== term) throw notOwner();
    };
    const ready = await this.#prepare();
    const format = this.#format;
    try {
      const results = await this.#put(ready, format, streamName, entries, signal, checkFence);
      this.#isFormatTaken ||= results.length === entries.length;
      return results;
    } catch (error) {
      if (format === FORMATS.json) throw error;
      if (!isFormatRefused(error)) {
        // Nobody knows whether the records are written: the producer decides.
        if (!this.#isFormatTaken && isBrokenOverFormat(error)) this.#useJson(error);
        throw error;
      }
      const results = await this.#put(ready, FORMATS.json, streamName, entries, signal, checkFence);
      // Not before: what is on the way and refuses JSON, too, has another reason, and JSON costs half as much again for every call.
      this.#useJson(error);
      return results;
    }
  }

  async #put(
    { target, connections, correctsClock }: Ready,
    { contentType, encode }: PutFormat,
    streamName: string,
    entries: readonly PutEntry[],
    signal: AbortSignal,
    beforeWrite: () => void,
  ): Promise<readonly PutResult[]> {
    const { config } = this.#sdk;
    const credentials = await config.credentials();
    const sentAtMs = Date.now();
    const { host, path, signedPath, region, service } = target;
    const { accessKeyId, sessionToken = '' } = credentials;
    const values = [host, path, region, service, accessKeyId, sessionToken];
    const room = values.reduce((sum, { length }) => sum + length, HEAD_BYTES);
    let memory: Buffer = NONE;
    const message = encode(streamName, entries, room, (sizeBytes) => {
      memory = this.#memory.acquire(bodyClass(sizeBytes));
      return memory;
    });
    const headers = this.#signer.sign({
      path: signedPath,
      region,
      service,
      headers: {
        host,
        'content-type': contentType,
        'x-amz-target': 'Kinesis_20131202.PutRecords',
      },
      body: message.subarray(room),
      atMs: sentAtMs + (correctsClock ? config.systemClockOffset : 0),
      credentials,
    });
    const head = headOf(path, headers, message.length - room);
    const start = room - head.length;
    message.write(head, start, 'latin1');
    const { answer, isSent } = await connections.call({
      bytes: message.subarray(start),
      signal,
      beforeWrite,
    });
    // Only after an answer: a socket may still read the body of a call that failed.
    if (isSent) this.#memory.release(memory);
    if (correctsClock) this.#learnClock(answer, sentAtMs);
    return readPutAnswer(answer);
  }

  /** @throws ServiceError `session/not-owner` */
  #checkedTerm(): number {
    const term = this.#writeTerm();
    if (term === undefined) throw notOwner();
    return term;
  }

  /** Asks the SDK for the target once; the next call asks again when that failed. */
  #prepare(): Promise<Ready> {
    this.#ready ??= this.#open().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  async #open(): Promise<Ready> {
    const target = await askForTarget(this.#sdk);
    const isDisabled = await this.#sdk.config.disableClockSkewCorrection?.();
    const connections = new ConnectionPool(target.origin, {
      maxConnections: PUT_CONNECTIONS.most,
      connectTimeoutMs: PUT_CONNECTIONS.connectMs,
      idleMs: PUT_CONNECTIONS.idleMs,
    });
    this.#connections = connections;
    return { target, connections, correctsClock: isDisabled !== true };
  }

  /** Tells the SDK, by its own rule, how far the service's clock is ahead of ours: signatures are made with the service's time. */
  #learnClock({ headers }: WireAnswer, sentAtMs: number): void {
    const serviceMs = Date.parse(headers.get('date') ?? '');
    const nowMs = Date.now();
    // A signature has four digits for its year. With a later one no call would leave, so none would bring a better date.
    if (serviceMs >= YEAR_10000_MS) return;
    // An answer with an age comes from a cache, which has its date from an earlier one.
    if (Number.isNaN(serviceMs) || headers.has('age')) return;
    if (nowMs - sentAtMs > MAX_CLOCK_ANSWER_MS) return;
    this.#sdk.config.systemClockOffset = serviceMs - nowMs;
  }

  #useJson({ name }: PutRefusedError | BadBodyError): void {
    if (this.#format === FORMATS.json) return;
    this.#format = FORMATS.json;
    this.#logger.warn('PutRecords goes on in JSON: its calls in CBOR are refused', {
      event: 'put_format_refused',
      awsError: name,
    });
  }
}

/** What is known before the first call. */
interface Ready {
  readonly target: ServiceTarget;
  readonly connections: ConnectionPool;
  readonly correctsClock: boolean;
}

const NONE = Buffer.alloc(0);

function bodyClass(sizeBytes: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(sizeBytes, MIN_BODY_BYTES)));
}

/** The head of the request as text of one byte a character, empty line included. */
function headOf(
  path: string,
  headers: Readonly<Record<string, string>>,
  bodyBytes: number,
): string {
  let head = `POST ${path} HTTP/1.1\r\n`;
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
  return `${head}user-agent: rtms-kinesis\r\ncontent-length: ${bodyBytes}\r\n\r\n`;
}
