import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { FaultMode } from '../../local/aws/fault-proxy.ts';
import { seededRandom } from '../../shared/seeded-random.ts';
import { decodeSessionJob } from '../../shared/session-job.ts';
import { sessionKey, UNOWNED, wantedState } from '../../shared/session-table/session-row.ts';
import { commandOptions, wholeNumber } from '../support/command-options.ts';
import { type FrontDoor, startFrontDoor } from '../support/front-door.ts';
import { type Delivery, expectedRow, planStorm, type Random } from './storm-plan.ts';

const RUNNER = 'storm-runner';
/** Zoom's ladder of +5, +20 and +60 minutes, a minute lasting 100 ms: a busy machine may answer nothing in time for seconds. */
const ZOOM_RETRIES_MS = [500, 2_000, 6_000];
const ZOOM_CONNECTIONS = 16;
const ZOOM_TIMEOUT_MS = 3_000;
/** Shorter than the ladder, so that every delivery arrives. */
const ZOOM_LATEST_MS = 4_000;
const OUTAGES: readonly FaultMode[] = ['refuse', 'swallow', 'stall'];

export interface StormReport {
  readonly seed: number;
  readonly events: number;
  readonly streams: number;
  /** Requests sent, repeats included, by the status of their answer (`none` = none in 3 s). */
  readonly answers: Readonly<Record<string, number>>;
  readonly outages: number;
  /** Deliveries that Zoom did not get through with its last repeat. */
  readonly undelivered: number;
  readonly slowestAnswerMs: number;
  /** Streams whose row differs from what the events say. */
  readonly wrong: readonly string[];
  /** Wanted streams that no job led a runner to. */
  readonly unclaimed: readonly string[];
  /** Streams claimed more than once. */
  readonly claimedTwice: readonly string[];
}

/**
 * Sends `events` mixed, repeated, shuffled and partly forged webhooks while DynamoDB and SQS go away and
 * come back, with Zoom's repeats for what was answered 5xx, and a runner that claims what the jobs name.
 */
export async function runWebhookStorm(options: {
  readonly events: number;
  readonly seed: number;
}): Promise<StormReport> {
  const random = seededRandom(options.seed);
  const plan = planStorm(options.events, random);
  const door = await startFrontDoor();
  const claimer = new Claimer(door);
  try {
    const storm = new AbortController();
    const met = Promise.withResolvers<void>();
    const outages = breakAws(door, random, met.promise, storm.signal);
    const claiming = claimer.run(storm.signal);
    const sent = await deliverAll(door, plan.deliveries, met.resolve);
    storm.abort();
    const outageCount = await outages;
    await claiming;
    await claimer.drain();
    const wrong: string[] = [];
    const unclaimed: string[] = [];
    const claimedTwice: string[] = [];
    for (const [rtmsStreamId, events] of plan.streams) {
      const row = await untilAnswered(() => door.row(rtmsStreamId));
      const found = row && {
        start: row.startEventTsMs,
        serverUrls: row.serverUrls,
        stop: row.stopEventTsMs,
        interrupt: row.interruptEventTsMs,
      };
      if (!isDeepStrictEqual(found, expectedRow(events))) wrong.push(rtmsStreamId);
      const wanted = row !== undefined && wantedState(row).state === 'started';
      if (wanted && row.owner !== RUNNER) unclaimed.push(rtmsStreamId);
      if ((row?.epoch ?? 0) > 1) claimedTwice.push(rtmsStreamId);
    }
    return {
      ...options,
      streams: plan.streams.size,
      ...sent,
      outages: outageCount,
      wrong,
      unclaimed,
      claimedTwice,
    };
  } finally {
    claimer.close();
    await door.close();
  }
}

/** Zoom's side: a few connections, repeats by the ladder. @param refused called at each 503 */
async function deliverAll(door: FrontDoor, deliveries: readonly Delivery[], refused: () => void) {
  const answers: Record<string, number> = {};
  let undelivered = 0;
  let slowestAnswerMs = 0;
  const repeats: Promise<void>[] = [];
  const send = async (delivery: Delivery, attempt: number): Promise<void> => {
    const askedAt = performance.now();
    const { status } = await door
      .post(delivery.body, delivery.forged ? { token: 'guess' } : {})
      .catch(() => ({ status: 0 }));
    const tookMs = performance.now() - askedAt;
    slowestAnswerMs = Math.max(slowestAnswerMs, tookMs);
    const seen = tookMs > ZOOM_TIMEOUT_MS || status === 0 ? 'none' : String(status);
    answers[seen] = (answers[seen] ?? 0) + 1;
    if (status === 503) refused();
    if (seen !== 'none' && status < 500) return;
    const pauseMs = ZOOM_RETRIES_MS[attempt - 1];
    if (pauseMs === undefined) undelivered += 1;
    else repeats.push(delay(pauseMs).then(() => send(delivery, attempt + 1)));
  };
  const queue = deliveries.values();
  await Promise.all(
    Array.from({ length: ZOOM_CONNECTIONS }, async () => {
      for (const delivery of queue) await send(delivery, 1);
    }),
  );
  for (let next = repeats.shift(); next; next = repeats.shift()) await next;
  return { answers, undelivered, slowestAnswerMs: Math.round(slowestAnswerMs) };
}

/**
 * Takes DynamoDB or SQS away for a moment, again and again.
 *
 * @param met resolves when a delivery has met an outage: the first one lasts until then
 * @returns how often
 */
async function breakAws(
  door: FrontDoor,
  random: Random,
  met: Promise<void>,
  signal: AbortSignal,
): Promise<number> {
  const { dynamodb, sqs } = door.aws.faults;
  let count = 0;
  while (!signal.aborted) {
    const proxy = random() < 0.5 ? dynamodb : sqs;
    proxy.mode = OUTAGES[count % OUTAGES.length] ?? 'refuse';
    count += 1;
    // Longer than the SDK's own retries bridge.
    await pause(150 + random() * 150, signal);
    await Promise.race([met, pause(ZOOM_LATEST_MS, signal)]);
    proxy.mode = 'pass';
    await pause(500 + random() * 1_000, signal);
  }
  return count;
}

const pause = (ms: number, signal: AbortSignal) =>
  delay(ms, undefined, { signal }).catch(() => undefined);

/** Failures in a row after which a call that others' faults may meet has failed. */
const ATTEMPTS = 50;
const PAUSE_MS = 100;

/** The judge's own question: a proxy of others refuses calls also after the storm, which says nothing about the row. */
async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await ask();
    } catch (error) {
      if (failures === ATTEMPTS) throw error;
      await delay(PAUSE_MS);
    }
  }
}

/** A runner reduced to its claim: every job leads to at most one conditional claim of its row. */
class Claimer {
  readonly #door: FrontDoor;
  readonly #sqs: SQSClient;
  readonly #dynamodb: DynamoDBClient;
  readonly #documents: DynamoDBDocumentClient;

  constructor(door: FrontDoor) {
    const { region, credentials, endpoints } = door.aws;
    const client = { region, credentials, maxAttempts: 1 };
    this.#door = door;
    this.#sqs = new SQSClient({ ...client, endpoint: endpoints.sqs, useQueueUrlAsEndpoint: false });
    this.#dynamodb = new DynamoDBClient({ ...client, endpoint: endpoints.dynamodb });
    this.#documents = DynamoDBDocumentClient.from(this.#dynamodb);
  }

  close(): void {
    this.#sqs.destroy();
    this.#dynamodb.destroy();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#serve(this.#door.aws.queueUrl).catch(() => undefined);
      await pause(20, signal);
    }
  }

  /**
   * Serves what is left, redriven jobs included, until nothing is waiting or in flight.
   *
   * @throws the last error of {@link ATTEMPTS} looks in a row in which nothing could be served
   */
  async drain(): Promise<void> {
    const { queueUrl, deadLetterQueueUrl } = this.#door.aws;
    let failures = 0;
    for (let empty = 0; empty < 3; ) {
      try {
        const served = (await this.#serve(queueUrl)) + (await this.#serve(deadLetterQueueUrl));
        empty = served === 0 ? empty + 1 : 0;
        failures = 0;
        // Longer than the visibility timeout below: a job whose receive was cut off comes back.
        if (served === 0) await delay(600);
      } catch (error) {
        // What was received and not served is in flight, so an empty answer to the next look says nothing.
        failures += 1;
        if (failures === ATTEMPTS) throw error;
        empty = 0;
        await delay(PAUSE_MS);
      }
    }
  }

  /**
   * A message that meets a fault is left in the queue for a later look, and does not hold up those beside it.
   *
   * @returns how many messages were served
   * @throws the last error when messages were received and none of them could be served
   */
  async #serve(QueueUrl: string): Promise<number> {
    const { Messages = [] } = await this.#sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 1 }),
    );
    const failed: unknown[] = [];
    for (const { Body = '', ReceiptHandle } of Messages) {
      try {
        const job = decodeSessionJob(Body);
        if (job !== undefined) await this.#claim(job.rtmsStreamId);
        await this.#sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      } catch (error) {
        failed.push(error);
      }
    }
    if (failed.length > 0 && failed.length === Messages.length) throw failed.at(-1);
    return Messages.length;
  }

  async #claim(rtmsStreamId: string): Promise<void> {
    const row = await this.#door.row(rtmsStreamId);
    if (row === undefined || row.owner !== UNOWNED) return;
    if (wantedState(row).state !== 'started') return;
    const command = new UpdateCommand({
      TableName: this.#door.aws.table,
      Key: { pk: sessionKey(rtmsStreamId) },
      UpdateExpression: 'SET #owner = :task ADD epoch :one',
      ConditionExpression: '#owner = :unowned',
      ExpressionAttributeNames: { '#owner': 'owner' },
      ExpressionAttributeValues: { ':task': RUNNER, ':one': 1, ':unowned': UNOWNED },
    });
    await this.#documents.send(command);
  }
}

if (import.meta.main) {
  const { values } = commandOptions('npm run test:chaos -- webhook-storm', {
    options: {
      events: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '4' },
    },
  });
  const report = await runWebhookStorm({
    events: wholeNumber('events', values.events),
    seed: wholeNumber('seed', values.seed),
  });
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  const { wrong, unclaimed, claimedTwice, undelivered, answers, slowestAnswerMs } = report;
  const isRight = wrong.length + unclaimed.length + claimedTwice.length + undelivered === 0;
  // Zoom waits three seconds; a storm that no delivery met proves nothing.
  const isProof = (answers['503'] ?? 0) > 0 && slowestAnswerMs < 3_000;
  process.exit(isRight && isProof ? 0 : 1);
}
