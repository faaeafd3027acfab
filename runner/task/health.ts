import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { totalmem } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ServiceError } from '../../shared/errors.ts';

/** A loop that is late by this much hangs: the longest turn is a long poll of 20 s. */
const STUCK_AFTER_MS = 60_000;
/** With the event loop this late the task serves nobody. */
const DELAY_LIMIT_MS = 5_000;
/** The histogram forgets after two of these. */
const DELAY_PERIOD_MS = 10_000;

/** What `/healthz` looks at: one entry per endless loop. */
export class LoopTurns {
  readonly #dueAtMs = new Map<string, number>();

  /** @param intervalMs pause before the next turn */
  turned(loop: string, intervalMs: number): void {
    this.#dueAtMs.set(loop, performance.now() + intervalMs);
  }

  /** A loop that was ended on purpose is not missed. */
  ended(loop: string): void {
    this.#dueAtMs.delete(loop);
  }

  stuck(): string[] {
    const nowMs = performance.now();
    return [...this.#dueAtMs]
      .filter(([, dueAtMs]) => nowMs - dueAtMs > STUCK_AFTER_MS)
      .map(([loop]) => loop);
  }
}

/** p99 of the event loop's delay over the last 10 to 20 s. */
export class EventLoopDelay {
  #current = started();
  #before: IntervalHistogram | undefined;
  readonly #timer = setInterval(() => this.#turn(), DELAY_PERIOD_MS).unref();

  get p99Ms(): number {
    return Math.max(p99Ms(this.#current), this.#before === undefined ? 0 : p99Ms(this.#before));
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#current.disable();
  }

  #turn(): void {
    this.#current.disable();
    this.#before = this.#current;
    this.#current = started();
  }
}

type IntervalHistogram = ReturnType<typeof monitorEventLoopDelay>;

const RESOLUTION_MS = 20;

function started(): IntervalHistogram {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return histogram;
}

/** The histogram measures its own timer, resolution included. */
function p99Ms(histogram: IntervalHistogram): number {
  return histogram.count === 0 ? 0 : Math.max(0, histogram.percentile(99) / 1e6 - RESOLUTION_MS);
}

const MIB = 1024 * 1024;

/**
 * The memory that this process may use: the least of what is known. A limit of the task alone (Fargate) is no limit of
 * the container, and the machine below it may be larger: only `MEMORY_MIB` says it. Node tells 0 where it cannot
 * find out (macOS), and 2^64 where a container has no limit of its own.
 *
 * @param memoryMib what the deployment says
 * @returns undefined when nothing is known
 */
export function memoryLimitBytes(
  memoryMib: number | undefined,
  constrainedBytes = process.constrainedMemory(),
  machineBytes = totalmem(),
): number | undefined {
  const limits = [(memoryMib ?? 0) * MIB, constrainedBytes, machineBytes];
  const known = limits.filter((bytes) => Number.isFinite(bytes) && bytes > 0);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** Memory in use over what is allowed, 0 to 1; 0 when no limit is known, because that must not cost a meeting. */
export function memoryShare(limitBytes: number | undefined): number {
  return limitBytes === undefined ? 0 : process.memoryUsage.rss() / limitBytes;
}

export interface HealthOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly turns: LoopTurns;
  readonly delay: EventLoopDelay;
  /** Does this task accept sessions? */
  readonly isReady: () => boolean;
}

/**
 * Answers the container's health check: `/healthz` is about this process alone (its loops turn, its event
 * loop is awake), never about Zoom or Kinesis, because a new task would not help them; `/readyz` says
 * whether the task accepts sessions.
 *
 * @returns the server and the port it listens on
 * @throws ServiceError `local/port-in-use`
 */
export async function startHealthServer(
  options: HealthOptions,
): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    const answer = answerOf(request.url ?? '', options);
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new ServiceError('local/port-in-use', `port ${options.port} cannot be listened on`, {
          cause,
          detail: { port: options.port },
        }),
      );
    });
    server.listen(options.port, resolve);
  });
  return { server, port: (server.address() as AddressInfo).port };
}

function answerOf(path: string, { turns, delay, isReady }: HealthOptions) {
  if (path === '/healthz') {
    const stuck = turns.stuck();
    const delayMs = Math.round(delay.p99Ms);
    const alive = stuck.length === 0 && delayMs < DELAY_LIMIT_MS;
    return { status: alive ? 200 : 503, body: { alive, stuck, eventLoopDelayMs: delayMs } };
  }
  if (path === '/readyz') {
    const ready = isReady();
    return { status: ready ? 200 : 503, body: { ready } };
  }
  return { status: 404, body: { paths: ['/healthz', '/readyz'] } };
}
