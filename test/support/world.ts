import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { LocalCatcherOptions } from '../../local/lambda/local-catcher.ts';
import type { ZoomCredentials } from '../../local/options.ts';
import { type RunnerVariant, type Stack, startStack } from '../../local/stack.ts';
import {
  type EventReader,
  events,
  type FrameReader,
  frames,
} from '../../sdk/consumer/reading/reader.ts';
import type { ReceivedEvent } from '../../sdk/consumer/records/event-record.ts';
import { LedgerChecker } from '../../sdk/consumer/verdict/ledger.ts';
import type { ServiceError } from '../../shared/errors.ts';
import type { OperatorRequest } from '../../shared/session-table/operator-writes.ts';
import { ATTRIBUTE, type SessionRow, sessionKey } from '../../shared/session-table/session-row.ts';
import type { Behaviour } from '../../simulator/scenario/behaviour.ts';
import type { Missing } from '../../simulator/scenario/forms.ts';
import type { ScenarioInput } from '../../simulator/scenario/scenario.ts';
import { type Simulator, type SimulatorEvent, startSimulator } from '../../simulator/simulator.ts';
import { EXAMPLE_APP } from '../../simulator/sockets/handshake.ts';
import { deliverAgain } from './front-door.ts';
import { waitFound } from './wait-found.ts';

/** L16 so that frames are small and prove themselves; see simulator/media/synthetic-frame.ts. */
const AUDIO_L16 = {
  codec: 'L16',
  sampleRate: 'SR_16K',
  channel: 'MONO',
  dataOpt: 'AUDIO_MULTI_STREAMS',
  sendRateMs: 20,
};

export const AUDIO_AND_TEXT = JSON.stringify({ audio: AUDIO_L16, video: false, deskshare: false });
export const AUDIO_ALONE = JSON.stringify({
  audio: AUDIO_L16,
  video: false,
  deskshare: false,
  transcript: false,
  chat: false,
});
export const EVERYTHING = JSON.stringify({ audio: AUDIO_L16 });

const { webhookSecretToken, ...app } = EXAMPLE_APP;
/** As the simulator signs and wants to see signed. */
export const CREDENTIALS: ZoomCredentials = { ...app, webhookSecretTokens: [webhookSecretToken] };

/** One line of a runner's log. */
export interface LogLine {
  readonly atMs: number;
  readonly taskId: string;
  readonly event: string;
  readonly rtmsStreamId?: string;
  readonly epoch?: number;
  readonly [field: string]: unknown;
}

/** One frame as read, without its payload. */
export interface SeenFrame {
  readonly rtmsStreamId: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly mediaType: string;
  readonly userId: number | undefined;
  readonly capturedAtMs: number;
  /** This process's clock when it could be read. */
  readonly readAtMs: number;
}

/**
 * The whole system on this machine, Zoom and a consumer included: real processes, real sockets. Everything
 * the runners log and everything that can be read from the two streams is kept.
 */
export class World implements AsyncDisposable {
  readonly stack: Stack;
  readonly simulator: Simulator;
  readonly logs: LogLine[];
  readonly events: ReceivedEvent[] = [];
  /** By stream and epoch, in the order read: tests ask again and again, and this process is busy. */
  readonly #frames = new Map<string, Map<number, SeenFrame[]>>();
  readonly ledger = new LedgerChecker();
  /** What stands in the streams and is no record of ours. */
  readonly bad: ServiceError[] = [];
  readonly #documents: DynamoDBDocumentClient;
  /** Records of a lower epoch read after a higher one under their key: what a consumer's fence drops. */
  readonly late: SeenFrame[] = [];
  readonly #epochs = new Map<string, number>();
  readonly #reading = new AbortController();
  readonly #readers: Promise<void>[];

  constructor(stack: Stack, simulator: Simulator, logs: LogLine[]) {
    this.stack = stack;
    this.simulator = simulator;
    this.logs = logs;
    const { aws } = stack;
    const { region, credentials, endpoints } = aws;
    const config = { region, credentials };
    this.#documents = DynamoDBDocumentClient.from(
      new DynamoDBClient({ ...config, endpoint: endpoints.dynamodb }),
    );
    const client = new KinesisClient({
      ...config,
      endpoint: endpoints.kinesis,
      requestHandler: new NodeHttpHandler(),
    });
    const { signal } = this.#reading;
    const onBadRecord = (error: ServiceError) => void this.bad.push(error);
    const reader = { client, signal, pollMs: 210, repeats: 'keep', onBadRecord } as const;
    this.#readers = [
      this.#readFrames({ ...reader, streamName: aws.streams.media }),
      this.#readEvents({ ...reader, streamName: aws.streams.events }),
    ];
  }

  /** The runner processes, by task id. */
  pid(taskId: string): number {
    const runner = this.stack.fleet.runners.find((one) => one.taskId === taskId);
    if (runner === undefined) throw new Error(`no runner ${taskId}`);
    return runner.pid;
  }

  /** Starts a meeting. @returns its stream @throws Error when the simulator refuses it */
  play(scenario: ScenarioInput): string {
    const rtmsStreamId = this.simulator.start(scenario);
    if (rtmsStreamId === undefined) throw new Error('the simulator refused the meeting');
    return rtmsStreamId;
  }

  async row(rtmsStreamId: string): Promise<SessionRow> {
    const Key = { pk: sessionKey(rtmsStreamId) };
    const TableName = this.stack.aws.table;
    const command = new GetCommand({ TableName, Key, ConsistentRead: true });
    return (await this.#documents.send(command)).Item as SessionRow;
  }

  /** Leaves an operator's request, whoever owns the stream. */
  async request(rtmsStreamId: string, request: OperatorRequest): Promise<void> {
    const command = new UpdateCommand({
      TableName: this.stack.aws.table,
      Key: { pk: sessionKey(rtmsStreamId) },
      UpdateExpression: `SET ${ATTRIBUTE.operatorRequest} = :request`,
      ExpressionAttributeValues: { ':request': request },
    });
    await this.#documents.send(command);
  }

  /** Waits until `check` finds something. @throws Error naming `what` after `timeoutMs` */
  until<T>(
    what: string,
    check: () => T | undefined | false | Promise<T | undefined | false>,
    timeoutMs = 45_000,
  ): Promise<T> {
    return waitFound(what, check, timeoutMs);
  }

  /** Waits for a step in the life of a session. */
  log(
    event: string,
    match: { rtmsStreamId?: string; epoch?: number; taskId?: string } = {},
    timeoutMs?: number,
  ): Promise<LogLine> {
    const isIt = (line: LogLine) =>
      line.event === event && Object.entries(match).every(([name, value]) => line[name] === value);
    const what = `${event} ${JSON.stringify(match)}`;
    return this.until(what, () => this.logs.find(isIt), timeoutMs);
  }

  /** Waits until an event can be read. */
  event<Name extends ReceivedEvent['name']>(
    name: Name,
    match: { rtmsStreamId?: string; epoch?: number },
    timeoutMs?: number,
  ): Promise<Extract<ReceivedEvent, { name: Name }>> {
    const isIt = (event: ReceivedEvent) =>
      event.name === name &&
      (match.rtmsStreamId === undefined || event.rtmsStreamId === match.rtmsStreamId) &&
      (match.epoch === undefined || event.epoch === match.epoch);
    const what = `event ${name} ${JSON.stringify(match)}`;
    return this.until(
      what,
      () => this.events.find(isIt) as Extract<ReceivedEvent, { name: Name }> | undefined,
      timeoutMs,
    );
  }

  eventsOf(rtmsStreamId: string): ReceivedEvent[] {
    return this.events.filter((event) => event.rtmsStreamId === rtmsStreamId);
  }

  framesOf(rtmsStreamId: string, epoch?: number): readonly SeenFrame[] {
    const byEpoch = this.#frames.get(rtmsStreamId);
    if (epoch === undefined) return [...(byEpoch?.values() ?? [])].flat();
    return byEpoch?.get(epoch) ?? [];
  }

  /** The highest epoch that frames have been read of; 0 for none. */
  epochOf(rtmsStreamId: string): number {
    return Math.max(0, ...(this.#frames.get(rtmsStreamId)?.keys() ?? []));
  }

  /** Waits until frames of an epoch flow. */
  flowing(rtmsStreamId: string, epoch: number, timeoutMs?: number): Promise<SeenFrame> {
    const what = `frames of ${rtmsStreamId} epoch ${epoch}`;
    return this.until(what, () => this.framesOf(rtmsStreamId, epoch)[0], timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stack.aws.kinesis.faults.clear();
    this.#reading.abort();
    await Promise.allSettled(this.#readers);
    await this.simulator.close();
    await this.stack.close();
    this.#documents.destroy();
  }

  async #readFrames(reader: FrameReader): Promise<void> {
    for await (const frame of frames(reader)) {
      const { rtmsStreamId, epoch, sequence, mediaType, userId, partitionKey } = frame;
      const capturedAtMs = frame.capturedAt.getTime();
      const source = { rtmsStreamId, epoch, sequence, mediaType, userId };
      const seen = { ...source, capturedAtMs, readAtMs: Date.now() };
      const highest = this.#epochs.get(partitionKey) ?? 0;
      if (epoch < highest) {
        this.late.push(seen);
        continue;
      }
      this.#epochs.set(partitionKey, epoch);
      this.ledger.frame(frame);
      const byEpoch = this.#frames.get(rtmsStreamId) ?? new Map<number, SeenFrame[]>();
      this.#frames.set(rtmsStreamId, byEpoch);
      const framesOfEpoch = byEpoch.get(epoch) ?? [];
      byEpoch.set(epoch, framesOfEpoch);
      framesOfEpoch.push(seen);
    }
  }

  async #readEvents(reader: EventReader): Promise<void> {
    for await (const event of events(reader)) {
      this.ledger.event(event);
      this.events.push(event);
    }
  }
}

export interface WorldOptions {
  readonly runners: number;
  /** RTMS_MEDIA. @default AUDIO_AND_TEXT */
  readonly media?: string;
  /** What the Zoom secret holds when everything starts. @default the simulator's own credentials */
  readonly credentials?: ZoomCredentials;
  /** Departures from Zoom as documented. */
  readonly behaviour?: Partial<Behaviour>;
  /** What the forms that `SIMULATOR_FORMS` draws may leave out; `nameless` where nobody is told apart. @default 'nothing' */
  readonly missing?: Missing;
  /** @default runner/main.ts */
  readonly runner?: RunnerVariant;
  readonly catcher?: LocalCatcherOptions;
  /** Of the media stream. @default those of the local stack */
  readonly mediaShards?: number;
}

export async function startWorld(options: WorldOptions): Promise<World> {
  const { runners, media = AUDIO_AND_TEXT, behaviour = {}, runner, missing = 'nothing' } = options;
  const { credentials = CREDENTIALS, catcher, mediaShards } = options;
  const logs: LogLine[] = [];
  const webhookUrls: string[] = [];
  let stack: Stack | undefined;
  const onEvent = (event: SimulatorEvent) => deliverAgain(event, stack?.aws.faults);
  const simulator = await startSimulator({ webhookUrls, behaviour, missing, onEvent });
  const starting = startStack({
    credentials,
    api: { apiUrl: simulator.apiUrl, oauthUrl: simulator.oauthUrl },
    allowedHosts: '127.0.0.1',
    media,
    runners,
    runner,
    catcher,
    mediaShards,
    port: 0,
    path: '/webhook',
    onLog(process, line, json) {
      if (json === undefined) logs.push({ atMs: Date.now(), taskId: process, event: 'text', line });
      else if (typeof json['event'] === 'string') {
        const event = json['event'];
        logs.push({ ...json, atMs: Date.now(), taskId: process, event });
      }
    },
  });
  stack = await starting.catch(async (error: unknown) => {
    await simulator.close();
    throw error;
  });
  webhookUrls.push(stack.webhookUrl);
  return new World(stack, simulator, logs);
}
