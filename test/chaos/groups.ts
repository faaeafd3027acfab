import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  CreateStreamCommand,
  type KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordsCommand,
  type Shard,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis';
import { FaultProxy } from '../../local/aws/fault-proxy.ts';
import { startKinesisServer } from '../../local/kinesis/server.ts';
import { seededRandom } from '../../shared/seeded-random.ts';
import { listen } from '../../simulator/sockets/listen.ts';
import { commandOptions, wholeNumber } from '../support/command-options.ts';
import { startGroupTables } from '../support/group-table.ts';
import { connect } from '../support/kinesis-client.ts';
import { mediaRecord, packed } from '../support/test-records.ts';
import { startThrottledTable, type ThrottledTable } from '../support/throttled-table.ts';
import { GroupJudge, type GroupReport } from './group-judge.ts';
import type { GroupWorkerOptions, SunkBatch } from './group-worker.ts';
import { atMost, judge, type Target } from './targets.ts';

const FAULTS = ['kill', 'freeze', 'drain', 'split', 'merge', 'stall', 'throttle'] as const;
type Fault = (typeof FAULTS)[number];

export interface GroupChaosOptions {
  readonly seed: number;
  readonly seconds: number;
  /** What may happen. @default all */
  readonly faults?: readonly Fault[];
  /** Between two of them on average, ms. */
  readonly everyMs?: number;
  /** Enhanced fan-out; otherwise polling. */
  readonly push: boolean;
}

const STREAM = 'chaos';
const WORKERS = 3;
const SHARDS = 12;
const KEYS = 36;
const PUT_EVERY_MS = 250;
/** A subscription lasts a fraction of the service's five minutes, so that a run has many. */
const SUBSCRIPTION_MS = 20_000;
const MIN_SHARDS = 9;
const MAX_SHARDS = 16;

/** Three workers and twelve shards, through kills, freezes, drains, reshardings and a table that hangs or is throttled. */
export async function runGroups(
  options: GroupChaosOptions,
): Promise<GroupReport & { readonly crashed: number }> {
  await using stack = new AsyncDisposableStack();
  const server = await startKinesisServer({ subscriptionMs: SUBSCRIPTION_MS });
  stack.defer(() => server.close());
  const tables = stack.use(await startGroupTables());
  const { port } = new URL(tables.dynamodb.endpoint);
  const table = await FaultProxy.start(0, Number(port));
  stack.defer(() => table.close());
  const throttled = stack.use(await startThrottledTable(table.url));
  const client = connect(server.url);
  stack.defer(() => client.destroy());
  await client.send(new CreateStreamCommand({ StreamName: STREAM, ShardCount: SHARDS }));
  const sunk = new GroupJudge();
  const sink = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    const lines = createInterface(socket);
    // A killed worker resets its connection.
    lines.on('error', () => lines.close());
    lines.on('line', (line) => {
      sunk.take(JSON.parse(line) as SunkBatch, performance.now());
      socket.write('ok\n');
    });
  });
  const sinkPort = await listen(sink, 0);
  stack.defer(() => void sink.close());
  const fleet = new Fleet({
    kinesis: server.url,
    dynamodb: throttled.url,
    table: await tables.create(),
    sinkPort,
    ...(options.push && { consumer: 'chaos' }),
  });
  stack.defer(() => fleet.end());

  const traffic = new Traffic(client);
  for (let count = 0; count < WORKERS; count += 1) fleet.start();
  const counts = await new Storm(options, client, fleet, { table, throttled }, sunk).run();
  await traffic.stop();
  const untilMs = performance.now() + 30_000;
  while (sunk.missing(traffic.sent) > 0 && performance.now() < untilMs) await sleep(100);
  return { ...sunk.report(options.seed, traffic.sent, counts), crashed: fleet.crashed };
}

/** The worker processes. Each gets an id of its own. */
class Fleet {
  readonly running = new Map<string, ChildProcess>();
  readonly #options: Omit<GroupWorkerOptions, 'workerId'>;
  /** Workers that ended by themselves, with an error. */
  crashed = 0;
  #started = 0;
  #isOver = false;

  constructor(options: Omit<GroupWorkerOptions, 'workerId'>) {
    this.#options = options;
  }

  start(): void {
    if (this.#isOver) return;
    this.#started += 1;
    const workerId = `worker-${this.#started}`;
    const main = fileURLToPath(new URL('./group-worker.ts', import.meta.url));
    const options: GroupWorkerOptions = { ...this.#options, workerId };
    const child = spawn(process.execPath, [main, JSON.stringify(options)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    this.running.set(workerId, child);
    child.once('exit', (code) => {
      this.running.delete(workerId);
      if (code === null || code === 0) return;
      this.crashed += 1;
      this.start();
    });
  }

  async end(): Promise<void> {
    this.#isOver = true;
    const exits = [...this.running.values()].map((child) => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      return exited;
    });
    await Promise.all(exits);
  }
}

/** Puts records of every key, each when the one before was taken: their order in the stream is their number. */
class Traffic {
  readonly sent = new Map<string, number>();
  readonly #client: KinesisClient;
  readonly #loops: Promise<void>[];
  #isOver = false;

  constructor(client: KinesisClient) {
    this.#client = client;
    this.#loops = Array.from({ length: KEYS }, (_, index) => this.#run(`key-${index}`));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  async #run(key: string): Promise<void> {
    for (let next = 1; !this.#isOver; ) {
      const sequences = [next, next + 1];
      const records = sequences.map((sequence) => mediaRecord({ rtmsStreamId: key, sequence }));
      const Records = [{ Data: packed(records, key).data, PartitionKey: key }];
      const answer = await this.#client.send(
        new PutRecordsCommand({ StreamName: STREAM, Records }),
      );
      if (answer.FailedRecordCount === 0) {
        next += sequences.length;
        this.sent.set(key, next - 1);
      }
      await sleep(PUT_EVERY_MS);
    }
  }
}

/** Does one fault after the other, as its seed says. */
class Storm {
  readonly #options: GroupChaosOptions;
  readonly #client: KinesisClient;
  readonly #fleet: Fleet;
  readonly #table: FaultProxy;
  readonly #throttled: ThrottledTable;
  readonly #judge: GroupJudge;
  readonly #random: () => number;
  readonly #counts: Record<string, number> = {};
  readonly #pending: Promise<void>[] = [];

  constructor(
    options: GroupChaosOptions,
    client: KinesisClient,
    fleet: Fleet,
    { table, throttled }: { table: FaultProxy; throttled: ThrottledTable },
    sunk: GroupJudge,
  ) {
    this.#options = options;
    this.#client = client;
    this.#fleet = fleet;
    this.#table = table;
    this.#throttled = throttled;
    this.#judge = sunk;
    this.#random = seededRandom(options.seed);
  }

  /** @returns how often each fault happened */
  async run(): Promise<Record<string, number>> {
    const { seconds, faults = FAULTS, everyMs = 6_000 } = this.#options;
    const endsAtMs = performance.now() + seconds * 1_000;
    for (;;) {
      const pauseMs = everyMs * (0.5 + this.#random());
      const fault = faults[Math.floor(this.#random() * faults.length)] as Fault;
      if (performance.now() + pauseMs > endsAtMs) break;
      await sleep(pauseMs);
      this.#pending.push(this.#do(fault));
      this.#counts[fault] = (this.#counts[fault] ?? 0) + 1;
    }
    await sleep(Math.max(0, endsAtMs - performance.now()));
    await Promise.all(this.#pending);
    return this.#counts;
  }

  async #do(fault: Fault): Promise<void> {
    const [pick, more] = [this.#random(), this.#random()];
    switch (fault) {
      case 'kill':
        return this.#hit('kill', pick, async (child) => {
          child.kill('SIGKILL');
          await sleep(1_000 + 2_000 * more);
          this.#fleet.start();
        });
      case 'drain':
        return this.#hit('drain', pick, async (child) => {
          child.kill('SIGTERM');
          await sleep(1_000 * more);
          this.#fleet.start();
        });
      case 'freeze':
        return this.#hit('freeze', pick, async (child) => {
          child.kill('SIGSTOP');
          // Shorter than the fence, about the expiry, and, one time in eight, a minute.
          await sleep(more < 0.125 ? 60_000 : 2_000 + 14_000 * more);
          child.kill('SIGCONT');
        });
      case 'stall':
        this.#table.mode = 'stall';
        await sleep(1_000 + 1_500 * more);
        this.#table.mode = 'pass';
        this.#judge.fault(performance.now());
        return;
      case 'throttle':
        this.#throttled.throttle(1, 'ProvisionedThroughputExceededException');
        await sleep(1_000 + 1_500 * more);
        this.#throttled.throttle(0);
        this.#judge.fault(performance.now());
        return;
      case 'split':
      case 'merge':
        return this.#reshard(fault, pick);
    }
  }

  async #hit(
    kind: 'kill' | 'drain' | 'freeze',
    pick: number,
    how: (child: ChildProcess) => Promise<void>,
  ): Promise<void> {
    const workers = [...this.#fleet.running];
    const [workerId, child] = workers[Math.floor(pick * workers.length)] ?? [];
    if (workerId === undefined || child === undefined) return;
    this.#judge.hit(kind, workerId, performance.now());
    await how(child);
  }

  async #reshard(how: 'split' | 'merge', pick: number): Promise<void> {
    const { Shards = [] } = await this.#client.send(new ListShardsCommand({ StreamName: STREAM }));
    const open = Shards.filter((shard) => !shard.SequenceNumberRange?.EndingSequenceNumber).sort(
      (a, b) => (startOf(a) < startOf(b) ? -1 : 1),
    );
    const isSplit = how === 'split' ? open.length < MAX_SHARDS : open.length <= MIN_SHARDS;
    const index = Math.floor(pick * (open.length - 1));
    const [shard, next] = [open[index], open[index + 1]];
    if (shard === undefined || next === undefined) return;
    const StreamName = STREAM;
    if (isSplit) {
      const middle = (startOf(shard) + BigInt(shard.HashKeyRange?.EndingHashKey ?? 0)) / 2n + 1n;
      const NewStartingHashKey = String(middle);
      const ShardToSplit = shard.ShardId;
      const command = new SplitShardCommand({ StreamName, ShardToSplit, NewStartingHashKey });
      await this.#client.send(command);
    } else {
      const [ShardToMerge, AdjacentShardToMerge] = [shard.ShardId, next.ShardId];
      const command = new MergeShardsCommand({ StreamName, ShardToMerge, AdjacentShardToMerge });
      await this.#client.send(command);
    }
  }
}

const startOf = (shard: Shard) => BigInt(shard.HashKeyRange?.StartingHashKey ?? 0);

function targetsOf(report: GroupReport & { readonly crashed: number }): Target[] {
  const { missing, outOfOrder, late, repeatedPages, movedMs, crashed } = report;
  return [
    atMost('ended by themselves', 'workers', crashed, 0),
    atMost('never handed out', 'frames', missing, 0),
    atMost('before an earlier one of their key', 'frames', outOfOrder, 0),
    atMost('handed out by a former owner', 'batches', late, 0),
    atMost('repeated by the next owner of a shard', 'batches', repeatedPages, 1),
    atMost('moved after a kill', 's', movedMs.kill / 1_000, 10),
    atMost('moved after a freeze', 's', movedMs.freeze / 1_000, 10),
    atMost('moved after a drain', 's', movedMs.drain / 1_000, 10),
  ];
}

if (import.meta.main) {
  const { values } = commandOptions('npm run test:chaos -- groups', {
    options: {
      seed: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '600' },
      poll: { type: 'boolean', default: false },
    },
  });
  const report = await runGroups({
    seed: wholeNumber('seed', values.seed),
    seconds: wholeNumber('seconds', values.seconds),
    push: !values.poll,
  });
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  process.exitCode = judge(targetsOf(report)) ? 0 : 1;
}
