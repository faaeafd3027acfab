import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Account } from './account.ts';
import { ApiError } from './api-error.ts';
import {
  type BodyFormat,
  bodyFormatOf,
  EVENT_STREAM,
  encodeStreamError,
  encodeStreamEvent,
} from './body-format.ts';
import { FaultSwitch } from './fault-switch.ts';
import type { CallFate, FaultScript } from './faults.ts';
import { forwardCall } from './forward.ts';
import { type Exchange, startHttpServer } from './http.ts';
import type { Input } from './input.ts';
import { KINESIS_QUOTAS, MAX_BODY_BYTES } from './limits.ts';
import { findOperation, type NamedOperation, streamNameOf } from './operations.ts';
import type { StreamCounters } from './stream.ts';
import { type EventSink, Subscription } from './subscription.ts';

export interface KinesisServerOptions {
  /** @default 0, any free port of 127.0.0.1 */
  readonly port?: number;
  /** The Region in every ARN. @default us-east-1 */
  readonly region?: string;
  /** Base64 characters kept in all. Beyond it the oldest records are dropped and counted. @default 512 MiB */
  readonly maxStoredBytes?: number;
  /** How long a subscription lasts, ms. @default five minutes, as the service does */
  readonly subscriptionMs?: number;
  /** Unix ms; used for limits, expiry and arrival times. @default Date.now */
  readonly clock?: () => number;
  /**
   * Port of another Kinesis on loopback that serves the calls in place of this one. Whole calls can still be faulted by
   * the script; `entryErrors` has no effect then.
   */
  readonly forwardTo?: number | undefined;
}

/** A running Kinesis: its address, its fault script and its counts. */
export interface KinesisServer {
  readonly url: string;
  readonly port: number;
  readonly faults: Pick<FaultSwitch, 'set' | 'clear' | 'state'>;
  stats(): KinesisStats;
  /** Ends all connections. Nothing is kept. */
  close(): Promise<void>;
}

/** The answer to GET `/_stats`. */
export interface KinesisStats {
  /** Number of answers per operation, by `ok` or the name of the error. */
  readonly calls: Record<string, Record<string, number>>;
  readonly streams: Record<string, StreamCounters>;
}

/**
 * Starts Amazon Kinesis Data Streams in memory: AWS JSON 1.1 and CBOR 1.1 over HTTP/1.1 and h2c on one port (the service has
 * SubscribeToShard on HTTP/2 alone), with the limits and error shapes of the service. It accepts any credentials.
 *
 * Beside the API it serves `/_faults` (POST a fault script, GET, DELETE) and `/_stats` (GET).
 *
 * @throws ServiceError `local/port-in-use`
 */
export async function startKinesisServer(
  options: KinesisServerOptions = {},
): Promise<KinesisServer> {
  const clock = options.clock ?? Date.now;
  const account = new Account(
    options.region ?? 'us-east-1',
    options.maxStoredBytes ?? 512 * 1024 * 1024,
  );
  const faults = new FaultSwitch(clock);
  const subscriptionMs = options.subscriptionMs ?? KINESIS_QUOTAS.subscriptionMs;
  const calls: KinesisStats['calls'] = {};
  const closing = new AbortController();

  const stats = (): KinesisStats => ({
    calls,
    streams: Object.fromEntries(account.streams.map(({ name, counters }) => [name, counters])),
  });

  async function handle(exchange: Exchange): Promise<void> {
    if (exchange.path === '/_faults') return answerFaults(exchange, faults);
    if (exchange.path === '/_stats') return answerJson(exchange, 200, stats());
    let operation: NamedOperation | undefined;
    const format = bodyFormatOf(exchange.headers['content-type']);
    try {
      operation = findOperation(String(exchange.headers['x-amz-target'] ?? ''));
      await call(operation, exchange, format);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      count(operation?.name ?? 'unknown', error.name);
      answerApi(exchange, error.status, format, { __type: error.name, message: error.message });
    }
  }

  async function call(
    operation: NamedOperation,
    exchange: Exchange,
    format: BodyFormat,
  ): Promise<void> {
    const input = parseBody(exchange.body, format);
    const { name } = operation;
    const fate = faults.decide({ stream: streamNameOf(name, input), operation: name });
    if (fate.stall === 'refuse') return exchange.drop();
    if (fate.stall === 'hold') {
      await faults.held(fate.endsAtMs, exchange.gone);
      if (exchange.gone.aborted) return;
    }
    if (fate.latencyMs > 0) {
      // Only a closing server ends the delay early.
      await delay(fate.latencyMs, undefined, { signal: closing.signal }).catch(() => undefined);
    }
    if (fate.error !== undefined) throw new ApiError(fate.error, 'Injected by the fault script.');
    if (options.forwardTo !== undefined) return forward(name, exchange, options.forwardTo, fate);
    const { entryError } = fate;
    const output = operation.run(input, { account, nowMs: clock(), entryError });
    if (fate.dropAnswer) {
      count(name, 'answer dropped');
      return exchange.drop();
    }
    count(name, 'ok');
    if (!(output instanceof Subscription)) return answerApi(exchange, 200, format, output);
    await output.run(sinkOf(exchange, format), clock, subscriptionMs);
  }

  async function forward(
    name: string,
    exchange: Exchange,
    port: number,
    { dropAnswer }: CallFate,
  ): Promise<void> {
    const answer = await forwardCall(exchange, port);
    if (answer === undefined || dropAnswer) {
      count(name, answer === undefined ? 'connection broken' : 'answer dropped');
      return exchange.drop();
    }
    count(name, answer.status === 200 ? 'ok' : `HTTP ${answer.status}`);
    exchange.answer(answer.status, answer.headers, answer.body);
  }

  function count(operation: string, outcome: string): void {
    calls[operation] ??= {};
    const outcomes = calls[operation];
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }

  const http = await startHttpServer({
    port: options.port ?? 0,
    maxBodyBytes: MAX_BODY_BYTES,
    handle,
  });
  return {
    url: `http://127.0.0.1:${http.port}`,
    port: http.port,
    faults,
    stats,
    async close() {
      closing.abort();
      await http.close();
      faults.clear();
    },
  };
}

function parseBody(body: Buffer | undefined, format: BodyFormat): Input {
  if (body !== undefined) return format.parse(body);
  throw new ApiError('RequestEntityTooLargeException', 'The request body is too large.');
}

/** Answers a subscription. The service begins with an `initial-response` for the answer's other members; here it is empty. */
function sinkOf(exchange: Exchange, format: BodyFormat): EventSink {
  const headers = { 'content-type': EVENT_STREAM, 'x-amzn-requestid': randomUUID() };
  const answer = exchange.stream(headers);
  void answer.write(encodeStreamEvent('initial-response', '{}', format));
  return {
    gone: exchange.gone,
    event: (json) => answer.write(encodeStreamEvent('SubscribeToShardEvent', json, format)),
    error(error) {
      void answer.write(encodeStreamError(error, format));
      answer.end();
    },
    end: () => answer.end(),
  };
}

function answerApi(
  exchange: Exchange,
  status: number,
  format: BodyFormat,
  answer: object | string,
): void {
  const headers = { 'content-type': format.contentType, 'x-amzn-requestid': randomUUID() };
  exchange.answer(status, headers, format.write(answer));
}

function answerJson(exchange: Exchange, status: number, body: object): void {
  exchange.answer(status, { 'content-type': 'application/json' }, `${JSON.stringify(body)}\n`);
}

function answerFaults(exchange: Exchange, faults: FaultSwitch): void {
  try {
    if (exchange.method === 'POST') {
      faults.set(JSON.parse(exchange.body?.toString() ?? '') as FaultScript);
    } else if (exchange.method === 'DELETE') {
      faults.clear();
    }
    answerJson(exchange, 200, faults.state());
  } catch (error) {
    answerJson(exchange, 400, { message: (error as Error).message });
  }
}
