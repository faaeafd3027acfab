import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from '../../local/child.ts';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { type LogLine, startWorld, type World } from '../support/world.ts';
import type { ConsumerAttack } from './consumer-attacks.ts';
import { targetsOf } from './corrupt-targets.ts';
import { fillRow } from './full-row.ts';
import { gauge } from './gauges.ts';
import { kill, postWebhook, startPeer } from './hostile-peer.ts';
import { lateMsOf, lostOf } from './measures.ts';
import { brokenBy, LATE, type Outcome } from './outcome.ts';
import type { PeerAttack } from './peer-attacks.ts';
import { fillWithJunk } from './spool-junk.ts';

const MEMORY_PROBE = new URL('./memory-probe.ts', import.meta.url).href;

const NEIGHBOURS = 2;
/** Before each attack nobody attacks for so long: a machine shared with others is never twice the same. */
const UNDISTURBED_MS = 2_000;
const LONGEST_ATTACK_MS = 10_000;
/** A session that rests nearly all the time ends after some 15 s. */
const LONGEST_LOG_MS = 45_000;
/** Until what was captured during an attack can be read. */
const AFTERMATH_MS = 2_000;
const MAX_TASKS = 60;
/** A second apart: a machine may be so busy that the function is late for Zoom's 3 s many times in a row. */
const WEBHOOK_ATTEMPTS = 30;
const LONGEST_GC_MS = 60_000;

/** The whole system with one runner, whose spool directory is full of junk from the start, and two healthy meetings. */
export class Arena implements AsyncDisposable {
  readonly world: World;
  readonly #spools: string;
  readonly #neighbours: readonly string[];
  #attacks = 0;

  private constructor(world: World, spools: string, neighbours: readonly string[]) {
    this.world = world;
    this.#spools = spools;
    this.#neighbours = neighbours;
  }

  static async open(): Promise<Arena> {
    const spools = await mkdtemp(join(tmpdir(), 'hostile-spool-'));
    for (let task = 1; task <= MAX_TASKS; task += 1) {
      await fillWithJunk(join(spools, `runner-${task}`));
    }
    const world = await startWorld({
      runners: 1,
      runner: {
        entry: 'runner/main.ts',
        environment: (taskId) => ({
          SPOOL_DIR: join(spools, taskId),
          NODE_OPTIONS: `--expose-gc --import ${MEMORY_PROBE}`,
        }),
      },
    });
    const meeting = syntheticMeeting({ durationMs: 3_600_000, transcriptEveryMs: 200 });
    const neighbours = Array.from(
      { length: NEIGHBOURS },
      () => world.simulator.start(meeting) ?? '',
    );
    for (const id of neighbours) await world.flowing(id, 1, 30_000);
    return new Arena(world, spools, neighbours);
  }

  /**
   * A peer that some stream's webhook points to.
   *
   * @param args of peer-process.ts
   */
  peer(
    { name: attack, rule, logs, fillsRow, streamId }: Omit<PeerAttack, 'run'>,
    args: readonly string[] = [attack],
  ): Promise<Outcome> {
    return this.#attack(attack, rule, async () => {
      const { child, serverUrls: server_urls, done } = await startPeer(args);
      this.#attacks += 1;
      const number = `${process.pid}-${this.#attacks}`;
      const rtmsStreamId = streamId === undefined ? `hostile-${number}` : streamId + number;
      await this.#webhook('started', { rtms_stream_id: rtmsStreamId, server_urls });
      if (fillsRow) {
        await this.world.log('claimed', { rtmsStreamId });
        await fillRow(this.world.stack.aws, rtmsStreamId);
      }
      const logged = logs && this.world.log(logs, { rtmsStreamId }, LONGEST_LOG_MS);
      await Promise.race([done, child.exited, sleep(longestOf(args)), logged]);
      await logged;
      if (streamId !== undefined) await this.world.event('session_started', { rtmsStreamId });
      await sleep(AFTERMATH_MS);
      const failed = await kill(child);
      // To a full row not even the stop can be written.
      if (!fillsRow) {
        await this.#webhook('stopped', { rtms_stream_id: rtmsStreamId, stop_reason: 6 });
      }
      return failed;
    });
  }

  /** The session table answers nobody for a while. Owners stop writing by design, so that lateness is no fault here. */
  async outage(attack: string, rule: string, forMs: number): Promise<Outcome> {
    const outcome = await this.#attack(attack, rule, async () => {
      const { dynamodb } = this.world.stack.aws.faults;
      dynamodb.mode = 'stall';
      await sleep(forMs).finally(() => {
        dynamodb.mode = 'pass';
      });
      const backAtMs = Date.now();
      await this.world.until(
        'neighbours that flow again, in the epoch that they had',
        () =>
          this.#neighbours.every((id) =>
            this.world
              .framesOf(id, this.world.epochOf(id))
              .some(({ capturedAtMs }) => capturedAtMs > backAtMs),
          ),
        30_000,
      );
      await sleep(AFTERMATH_MS);
      return [];
    });
    return { ...outcome, broken: outcome.broken.filter((what) => what !== LATE) };
  }

  /** Rows and records that nobody of ours writes. @param args of corrupt-process.ts, behind its targets */
  corrupt(attack: string, rule: string, args: readonly string[] = [attack]): Promise<Outcome> {
    return this.#attack(attack, rule, async () => {
      const targets = JSON.stringify(targetsOf(this.world));
      const entry = 'test/hostile/corrupt-process.ts';
      const child = startChild(entry, [targets, ...args], {}, (line, json) => {
        if (json === undefined) process.stderr.write(`corrupt: ${line}\n`);
      });
      await Promise.race([child.exited, sleep(longestOf(args))]);
      await sleep(AFTERMATH_MS);
      return kill(child);
    });
  }

  /**
   * Who reads the streams or takes webhooks, as a process of its own beside the runner. Lateness is no fault here: a second reader has
   * half of a shard's five reads a second.
   */
  async consumer({ name, rule, run }: ConsumerAttack): Promise<Outcome> {
    this.#attacks += 1;
    const folder = join(this.#spools, `consumer-${this.#attacks}`);
    const [neighbour = ''] = this.#neighbours;
    const attack = async () => {
      const broken = await run({ world: this.world, neighbour, folder });
      await sleep(AFTERMATH_MS);
      return broken;
    };
    const outcome = await this.#attack(name, rule, attack);
    return { ...outcome, broken: outcome.broken.filter((what) => what !== LATE) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
    await rm(this.#spools, { recursive: true, force: true });
  }

  async #attack(
    attack: string,
    rule: string,
    run: () => Promise<readonly string[]>,
  ): Promise<Outcome> {
    const { fleet } = this.world.stack;
    let deaths = 0;
    const died = () => {
      deaths += 1;
    };
    fleet.on('exited', died);
    const quietMs = Date.now();
    await sleep(UNDISTURBED_MS + AFTERMATH_MS);
    const undisturbedMs = this.#lateMs(quietMs, quietMs + UNDISTURBED_MS);
    const lostBefore = this.#lost();
    const fromMs = Date.now();
    let found: readonly string[] = [];
    const gauges = await gauge(fleet.runners[0]?.pid ?? 0, this.#healthPort(), async () => {
      found = await run().then(
        (broken) => broken,
        (error: unknown) => [`could not be run: ${error}`],
      );
    });
    const toMs = Date.now() - AFTERMATH_MS;
    fleet.off('exited', died);
    // A dead runner is replaced; only then the next attack is a fair one.
    for (const id of deaths > 0 ? this.#neighbours : []) {
      await this.world.flowing(id, this.world.epochOf(id) + 1, 30_000).catch(() => {});
    }
    const result = {
      attack,
      rule,
      ...gauges,
      heldMb: heldMb(await this.held()),
      deaths,
      neighboursLost: this.#lost() - lostBefore,
      neighboursLateMs: this.#lateMs(fromMs, toMs),
      undisturbedMs,
    };
    return { ...result, broken: [...found, ...brokenBy(result)] };
  }

  /** Has the runner collect its garbage and say what is left. Collecting is a pause: not while anything is measured. */
  async held(): Promise<LogLine> {
    const before = this.world.logs.length;
    const [runner] = this.world.stack.fleet.runners;
    if (runner !== undefined) process.kill(runner.pid, 'SIGUSR2');
    const said = () => this.world.logs.slice(before).find(({ event }) => event === 'memory_held');
    return this.world.until('memory_held', said, LONGEST_GC_MS);
  }

  #healthPort(): number {
    const lines = this.world.logs.filter(({ event }) => event === 'runner_ready');
    return Number(lines.at(-1)?.['healthPort'] ?? 0);
  }

  #lost(): number {
    return lostOf(this.world, this.#neighbours);
  }

  #lateMs(fromMs: number, toMs: number): number {
    return lateMsOf(this.world, this.#neighbours, fromMs, toMs);
  }

  async #webhook(kind: 'started' | 'stopped', fields: object): Promise<void> {
    // As Zoom does: a machine under attack may be too slow for one delivery.
    for (let attempt = 1; ; attempt += 1) {
      const status = await postWebhook(this.world.stack.webhookUrl, kind, fields);
      if (status === 200) return;
      if (attempt === WEBHOOK_ATTEMPTS) throw new Error(`webhook answered ${status}`);
      await sleep(1_000);
    }
  }
}

function heldMb({ heapUsedMb, externalMb }: LogLine): number {
  return Number(heapUsedMb) + Number(externalMb);
}

/** A fuzzer says how long it takes on a machine that keeps up with it. */
function longestOf([name, , seconds]: readonly string[]): number {
  return name === 'fuzz' ? 6_000 * Number(seconds) : LONGEST_ATTACK_MS;
}
