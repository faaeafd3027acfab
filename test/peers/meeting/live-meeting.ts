import { join } from 'node:path';
import {
  type KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  type Shard,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis';
import { type Stack, startStack } from '../../../local/stack.ts';
import { hashKeyOf, holdsHashKey } from '../../../shared/kinesis-rules.ts';
import { syntheticMeeting } from '../../../simulator/scenario/synthetic-meeting.ts';
import type { SentReport } from '../../../simulator/sent-ledger.ts';
import { type Simulator, startSimulator } from '../../../simulator/simulator.ts';
import { connect } from '../../support/kinesis-client.ts';
import { waitFound } from '../../support/wait-found.ts';
import { CREDENTIALS, EVERYTHING } from '../../support/world.ts';
import { readStored, type StoredRecord } from './written-records.ts';

const DURATION_MS = 600_000;
/** Two people who talk all the time, and their cameras: frames of 640 B, 7 kB and 60 kB. */
const CAMERAS = syntheticMeeting({ durationMs: DURATION_MS, video: true });
/** The same with a share and a transcript: frames of 60 B to 120 kB. */
export const ALL_MEDIA = syntheticMeeting({
  durationMs: DURATION_MS,
  video: true,
  share: true,
  transcriptEveryMs: 500,
});

/** Waits until `check` finds something, as long as software of others may take to start. @throws Error naming `what` */
export function waitUntil<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 180_000,
): Promise<T> {
  return waitFound(what, check, timeoutMs);
}

/** A meeting that real runner processes record into the local Kinesis, for consumers that others wrote. */
export class LiveMeeting implements AsyncDisposable {
  readonly stack: Stack;
  readonly rtmsStreamId: string;
  readonly kinesis: KinesisClient;
  readonly #simulator: Simulator;
  readonly #sentDir: string;
  /** Task ids by epoch. */
  readonly #owners: ReadonlyMap<number, string>;
  readonly #done: ReadonlySet<string>;

  private constructor(
    stack: Stack,
    simulator: Simulator,
    sentDir: string,
    scenario: typeof CAMERAS,
    books: { owners: ReadonlyMap<number, string>; done: ReadonlySet<string> },
  ) {
    this.stack = stack;
    this.#simulator = simulator;
    this.#sentDir = sentDir;
    this.#owners = books.owners;
    this.#done = books.done;
    this.kinesis = connect(stack.aws.endpoints.kinesis);
    this.rtmsStreamId = simulator.start(scenario) ?? '';
  }

  /** @param scratch a folder for what the simulator sends */
  static async start(
    scratch: string,
    { scenario = CAMERAS, runners = 2 } = {},
  ): Promise<LiveMeeting> {
    const sentDir = join(scratch, 'sent');
    const webhookUrls: string[] = [];
    const simulator = await startSimulator({ webhookUrls, sentDir });
    const books = { owners: new Map<number, string>(), done: new Set<string>() };
    const starting = startStack({
      credentials: CREDENTIALS,
      api: { apiUrl: simulator.apiUrl, oauthUrl: simulator.oauthUrl },
      allowedHosts: '127.0.0.1',
      media: EVERYTHING,
      runners,
      port: 0,
      path: '/webhook',
      onLog(taskId, _line, json) {
        if (json?.['event'] === 'claimed') books.owners.set(Number(json['epoch']), taskId);
        if (json?.['event'] === 'ended') books.done.add(String(json['rtmsStreamId']));
      },
    });
    const stack = await starting.catch(async (error: unknown) => {
      await simulator.close();
      throw error;
    });
    webhookUrls.push(stack.webhookUrl);
    return new LiveMeeting(stack, simulator, sentDir, scenario, books);
  }

  /** A meeting of all media that one runner has recorded, and that has ended, with so many Kinesis records of media at least. */
  static async recorded(scratch: string, records: number): Promise<LiveMeeting> {
    const meeting = await LiveMeeting.start(scratch, { scenario: ALL_MEDIA, runners: 1 });
    try {
      await meeting.writtenMore(records);
      await meeting.end();
      return meeting;
    } catch (error) {
      await meeting[Symbol.asyncDispose]();
      throw error;
    }
  }

  get streamName(): string {
    return this.stack.aws.streams.media;
  }

  /** Kills the owner with SIGKILL and waits until another runner writes. */
  async killOwner(): Promise<void> {
    const owner = await waitUntil('an owner', () => this.#owners.get(1));
    const pid = this.stack.fleet.runners.find(({ taskId }) => taskId === owner)?.pid;
    if (pid === undefined) throw new Error(`no process of ${owner}`);
    process.kill(pid, 'SIGKILL');
    await waitUntil('a second owner', () => this.#owners.get(2));
    await this.writtenMore(100);
  }

  /** Waits until so many records more are in the data stream. */
  async writtenMore(records: number): Promise<void> {
    const written = () => this.stack.aws.kinesis.stats().streams[this.streamName]?.recordsIn ?? 0;
    const from = written();
    await waitUntil(`${records} records more`, () => written() >= from + records);
  }

  /** The partition key of the oldest record. */
  async firstKey(): Promise<string> {
    return (await this.stored())[0]?.partitionKey ?? '';
  }

  /** Splits the shard of a key in its middle. */
  async split(partitionKey: string): Promise<void> {
    const { shards, at } = await this.#find(partitionKey);
    const { StartingHashKey = '0', EndingHashKey = '0' } = shards[at]?.HashKeyRange ?? {};
    const middle = (BigInt(StartingHashKey) + BigInt(EndingHashKey)) / 2n;
    await this.kinesis.send(
      new SplitShardCommand({
        StreamName: this.streamName,
        ShardToSplit: shards[at]?.ShardId,
        NewStartingHashKey: String(middle),
      }),
    );
  }

  /** Merges the shard of a key with the one beside it. */
  async merge(partitionKey: string): Promise<void> {
    const { shards, at } = await this.#find(partitionKey);
    const lower = Math.min(at, shards.length - 2);
    await this.kinesis.send(
      new MergeShardsCommand({
        StreamName: this.streamName,
        ShardToMerge: shards[lower]?.ShardId,
        AdjacentShardToMerge: shards[lower + 1]?.ShardId,
      }),
    );
  }

  /** The open shards in the order of their hash keys, and which of them has the key. */
  async #find(partitionKey: string): Promise<{ shards: Shard[]; at: number }> {
    const { Shards: all = [] } = await this.kinesis.send(
      new ListShardsCommand({ StreamName: this.streamName, ShardFilter: { Type: 'AT_LATEST' } }),
    );
    const start = ({ HashKeyRange }: Shard) => BigInt(HashKeyRange?.StartingHashKey ?? 0);
    const shards = all.toSorted((a, b) => (start(a) < start(b) ? -1 : 1));
    const hashKey = hashKeyOf(partitionKey);
    return { shards, at: shards.findIndex((one) => holdsHashKey(one.HashKeyRange, hashKey)) };
  }

  /** Ends the meeting and waits until its owner has written everything. @returns what Zoom says that it sent */
  async end(): Promise<SentReport> {
    this.#simulator.act(this.rtmsStreamId, { do: 'stop', reason: 6 });
    await waitUntil('the end of the session', () => this.#done.has(this.rtmsStreamId));
    return this.#simulator.finished(this.rtmsStreamId);
  }

  /** Every record of the media stream, as our own code reads it. */
  stored(): Promise<StoredRecord[]> {
    return readStored(this.kinesis, this.streamName);
  }

  /** The folder with one file for each source: all its payloads, in the order sent. */
  get sentFolder(): string {
    return join(this.#sentDir, this.rtmsStreamId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kinesis.destroy();
    await this.#simulator.close();
    await this.stack.close();
  }
}
