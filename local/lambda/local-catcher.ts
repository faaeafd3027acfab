import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { LocalAws } from '../aws/local-aws.ts';
import type { RunnerFleet } from '../runner-fleet.ts';
import { LocalEventSource } from './event-source.ts';
import { LocalFunction } from './local-function.ts';

/** The same as in infra/runner/session-catcher.ts. */
const TIMEOUT_MS = 900_000;
const MEMORY_MIB = 2_048;
const TMP_MIB = 512;
const BATCH_SIZE = 10;
const MAX_TASKS = 32;
const SPOOL_BYTES = (TMP_MIB / 2) * 1024 ** 2;
/** How often the alarm that adds tasks is looked at. */
const ALARM_MS = 1_000;
/** A job that is visible for this long makes a service without tasks start one. In CloudWatch this takes a minute. */
const ALARM_AFTER_MS = 5_000;

export interface LocalCatcherOptions {
  /** How long ECS takes to start a task. */
  readonly taskStartMs: number;
  /** Executions that may run at once. @default 10 */
  readonly concurrency?: number | undefined;
  /** @default 15 minutes */
  readonly timeoutMs?: number | undefined;
  /** What may wait for Kinesis in `/tmp`, bytes. @default 256 MiB */
  readonly spoolBytes?: number | undefined;
  /** Slots of one execution. @default those of a local runner */
  readonly capacity?: string | undefined;
}

interface LocalCatcherParts extends LocalCatcherOptions {
  readonly aws: LocalAws;
  readonly fleet: RunnerFleet;
  /** The variables of `CatcherEnv`, without those that are set here. */
  readonly environment: Readonly<Record<string, string>>;
  readonly onLine: (line: string, json: Record<string, unknown> | undefined) => void;
}

/** The catcher with its queue, and what ECS and its alarm do for a service that has no task. */
export class LocalCatcher {
  readonly function: LocalFunction;
  readonly #parts: LocalCatcherParts;
  readonly #source: LocalEventSource;
  readonly #sqs: SQSClient;
  readonly #alarm: NodeJS.Timeout;
  readonly #starting = new Set<NodeJS.Timeout>();
  #wanted: number;
  #waitingSinceMs: number | undefined;
  /** How many batches Lambda refused because no execution was to spare. */
  throttles = 0;

  constructor(parts: LocalCatcherParts) {
    const { aws, fleet, environment, onLine } = parts;
    this.#parts = parts;
    this.#wanted = fleet.runners.length;
    const { capacity, concurrency = 10, timeoutMs = TIMEOUT_MS, spoolBytes = SPOOL_BYTES } = parts;
    this.function = new LocalFunction({
      entry: 'functions/session-catcher/handler.ts',
      environment: {
        ...environment,
        SPOOL_MAX_BYTES: String(spoolBytes),
        MAX_TASKS: String(MAX_TASKS),
        ...(capacity !== undefined && { CAPACITY: capacity }),
      },
      timeoutMs,
      memoryMib: MEMORY_MIB,
      tmpMib: TMP_MIB,
      concurrency,
      onLine,
    });
    this.#sqs = new SQSClient({
      region: aws.region,
      credentials: aws.credentials,
      endpoint: aws.endpoints.sqs,
      useQueueUrlAsEndpoint: false,
    });
    this.#source = new LocalEventSource({
      client: this.#sqs,
      queueUrl: aws.catcherQueueUrl,
      batchSize: BATCH_SIZE,
      target: this.function,
      onThrottled: () => {
        this.throttles += 1;
      },
      onFailed(error) {
        const failed = { event: 'invocation_failed', error: String(error) };
        onLine(JSON.stringify(failed), failed);
      },
    });
    aws.ecs.desiredCount = this.#wanted;
    aws.ecs.onDesiredCount = (count) => this.#startTasks(count);
    this.#alarm = setInterval(() => void this.#lookAtJobs(), ALARM_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#alarm);
    for (const timer of this.#starting) clearTimeout(timer);
    this.#parts.aws.ecs.onDesiredCount = undefined;
    await this.function.close();
    await this.#source.stop();
    this.#sqs.destroy();
  }

  #startTasks(count: number): void {
    const { fleet, taskStartMs } = this.#parts;
    for (; this.#wanted < count; this.#wanted++) {
      const timer = setTimeout(() => {
        this.#starting.delete(timer);
        void fleet.start(1).catch(() => undefined);
      }, taskStartMs);
      this.#starting.add(timer);
    }
  }

  /** Asks for the first task when a job waits and no catcher has asked. */
  async #lookAtJobs(): Promise<void> {
    if (this.#wanted > 0) return;
    const command = new GetQueueAttributesCommand({
      QueueUrl: this.#parts.aws.queueUrl,
      AttributeNames: ['ApproximateNumberOfMessages'],
    });
    const { Attributes } = await this.#sqs.send(command).catch(() => ({ Attributes: undefined }));
    const isWaiting = Number(Attributes?.['ApproximateNumberOfMessages'] ?? 0) > 0;
    const nowMs = performance.now();
    this.#waitingSinceMs = isWaiting ? (this.#waitingSinceMs ?? nowMs) : undefined;
    if (this.#waitingSinceMs === undefined) return;
    if (nowMs - this.#waitingSinceMs < ALARM_AFTER_MS) return;
    this.#parts.aws.ecs.desiredCount = 1;
    this.#startTasks(1);
  }
}
