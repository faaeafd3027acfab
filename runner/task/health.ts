import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { totalmem } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ServiceError } from '../../shared/errors.ts';
import type { Loops } from './loop.ts';

/** An event loop this late serves nobody: the task counts as dead. */
const DELAY_LIMIT_MS = 5_000;
/** Delays are kept for one to two of these. */
const DELAY_PERIOD_MS = 10_000;

/** p99 of the event loop's delay over the last 10 to 20 s. */
export class EventLoopDelay {
  #current = started();
  #before: IntervalHistogram | undefined;
  readonly #timer = setInterval(() => this.#nextPeriod(), DELAY_PERIOD_MS).unref();

  get p99Ms(): number {
    return Math.max(p99Ms(this.#current), this.#before === undefined ? 0 : p99Ms(this.#before));
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#current.disable();
  }

  #nextPeriod(): void {
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

/** The histogram measures from one tick of its own timer to the next, so its resolution is part of every value. */
function p99Ms(histogram: IntervalHistogram): number {
  return histogram.count === 0 ? 0 : Math.max(0, histogram.percentile(99) / 1e6 - RESOLUTION_MS);
}

const MIB = 1024 * 1024;

/**
 * The memory that this process may use: the least of the limits that are known. `MEMORY_MIB` is needed because on
 * Fargate the limit belongs to the task: the container has none of its own, and the machine below it may be larger.
 *
 * @param memoryMib `MEMORY_MIB` of the deployment
 * @param constrainedBytes Node tells 0 where it cannot find out (macOS), and 2^64 where a container has no limit
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

/** Memory in use over memory allowed, 0 to 1; 0 when no limit is known, so that no meeting is refused for it. */
export function memoryShare(limitBytes: number | undefined): number {
  return limitBytes === undefined ? 0 : process.memoryUsage.rss() / limitBytes;
}

export interface HealthOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly loops: Pick<Loops, 'hung'>;
  readonly delay: EventLoopDelay;
  /** Does this task accept sessions? */
  readonly isReady: () => boolean;
}

/**
 * Answers the container's health check. `/healthz` says whether this process works: its loops give their beats and its
 * event loop is not late. It does not look at Zoom or Kinesis, because replacing the task would not help them.
 * `/readyz` says whether the task accepts sessions.
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

function answerOf(path: string, { loops, delay, isReady }: HealthOptions) {
  if (path === '/healthz') {
    const stuck = loops.hung();
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
