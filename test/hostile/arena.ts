import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, startChild } from '../../local/child.ts';
import { signWebhook } from '../../shared/zoom/webhook-signature.ts';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { EXAMPLE_APP } from '../../simulator/sockets/handshake.ts';
import { startWorld, type World } from '../support/world.ts';
import type { CorruptTargets } from './corrupt-process.ts';
import { fillRow } from './full-row.ts';
import { type Gauges, gauge } from './gauges.ts';
import type { PeerAttack } from './peer-attacks.ts';
import { fillWithJunk } from './spool-junk.ts';

/** What one attack did to the runner, and to two meetings that the same runner serves. */
export interface Outcome extends Gauges {
  readonly attack: string;
  readonly rule: string;
  /** Runner processes that ended. */
  readonly deaths: number;
  /** Frames of the neighbours that no record has. */
  readonly neighboursLost: number;
  /** From capture until it could be read, ms, of the neighbours' frames of that time. */
  readonly neighboursLateMs: number;
  /** The same in the time just before, while nobody attacked. */
  readonly undisturbedMs: number;
  /** What broke a rule, in words; empty when the attack did nothing. */
  readonly broken: readonly string[];
}

export const LATE = 'neighbours were late';
const NEIGHBOURS = 2;
/** Before each attack nobody attacks for so long: a machine shared with others is never twice the same. */
const UNDISTURBED_MS = 2_000;
const LONGEST_ATTACK_MS = 10_000;
/** A session that rests nearly all the time ends after some 15 s. */
const LONGEST_LOG_MS = 45_000;
/** Until what was captured during an attack can be read. */
const AFTERMATH_MS = 2_000;
/** More than any buffer of one session may take, with the garbage that fills it. */
const MAX_GROWTH_MB = 256;
const MAX_TASKS = 60;

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
        environment: (taskId) => ({ SPOOL_DIR: join(spools, taskId) }),
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
    { name: attack, rule, logs, fillsRow }: Pick<PeerAttack, 'name' | 'rule' | 'logs' | 'fillsRow'>,
    args: readonly string[] = [attack],
  ): Promise<Outcome> {
    return this.#attack(attack, rule, async () => {
      const port = Promise.withResolvers<number>();
      const done = Promise.withResolvers<void>();
      const child = startChild('test/hostile/peer-process.ts', args, {}, (line, json) => {
        if (json?.['event'] === 'peer_ready') port.resolve(Number(json['port']));
        else if (json?.['event'] === 'peer_done') done.resolve();
        else if (json === undefined) process.stderr.write(`peer: ${line}\n`);
      });
      this.#attacks += 1;
      const rtmsStreamId = `hostile-${process.pid}-${this.#attacks}`;
      const server_urls = `ws://127.0.0.1:${await port.promise}/signaling`;
      await this.#webhook('started', { rtms_stream_id: rtmsStreamId, server_urls });
      if (fillsRow) {
        await this.world.log('claimed', { rtmsStreamId });
        await fillRow(this.world.stack.aws, rtmsStreamId);
      }
      const logged = logs && this.world.log(logs, { rtmsStreamId }, LONGEST_LOG_MS);
      await Promise.race([done.promise, child.exited, sleep(longestOf(args)), logged]);
      await logged;
      await sleep(AFTERMATH_MS);
      await end(child);
      // To a full row not even the stop can be written.
      if (!fillsRow) {
        await this.#webhook('stopped', { rtms_stream_id: rtmsStreamId, stop_reason: 6 });
      }
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
    });
    return { ...outcome, broken: outcome.broken.filter((what) => what !== LATE) };
  }

  /** Rows and records that nobody of ours writes. @param args of corrupt-process.ts, behind its targets */
  corrupt(attack: string, rule: string, args: readonly string[] = [attack]): Promise<Outcome> {
    return this.#attack(attack, rule, async () => {
      const targets = JSON.stringify(this.#targets());
      const entry = 'test/hostile/corrupt-process.ts';
      const child = startChild(entry, [targets, ...args], {}, (line, json) => {
        if (json === undefined) process.stderr.write(`corrupt: ${line}\n`);
      });
      await Promise.race([child.exited, sleep(longestOf(args))]);
      await sleep(AFTERMATH_MS);
      await end(child);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
    await rm(this.#spools, { recursive: true, force: true });
  }

  async #attack(attack: string, rule: string, run: () => Promise<void>): Promise<Outcome> {
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
    let failure: string | undefined;
    const gauges = await gauge(fleet.runners[0]?.pid ?? 0, this.#healthPort(), () =>
      run().catch((error: unknown) => {
        failure = String(error);
      }),
    );
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
      deaths,
      neighboursLost: this.#lost() - lostBefore,
      neighboursLateMs: this.#lateMs(fromMs, toMs),
      undisturbedMs,
    };
    const broken = failure === undefined ? [] : [`could not be run: ${failure}`];
    return { ...result, broken: [...broken, ...brokenBy(result)] };
  }

  #healthPort(): number {
    const lines = this.world.logs.filter(({ event }) => event === 'runner_ready');
    return Number(lines.at(-1)?.['healthPort'] ?? 0);
  }

  /** Numbers of the neighbours' frames that lack between others, in every epoch. */
  #lost(): number {
    let lost = 0;
    for (const id of this.#neighbours) {
      const numbers = new Map<string, Set<number>>();
      for (const { epoch, mediaType, userId, sequence } of this.world.framesOf(id)) {
        const key = `${epoch} ${mediaType} ${userId}`;
        numbers.set(key, (numbers.get(key) ?? new Set()).add(sequence));
      }
      for (const seen of numbers.values()) lost += Math.max(...seen) - seen.size;
    }
    return lost;
  }

  #lateMs(fromMs: number, toMs: number): number {
    const late = this.#neighbours
      .flatMap((id) => this.world.framesOf(id))
      .filter(({ capturedAtMs }) => capturedAtMs >= fromMs && capturedAtMs < toMs)
      .map(({ capturedAtMs, readAtMs }) => readAtMs - capturedAtMs)
      .sort((a, b) => a - b);
    return late[Math.floor(late.length * 0.99)] ?? Number.POSITIVE_INFINITY;
  }

  #targets(): CorruptTargets {
    const { region, credentials, endpoints, table, queueUrl, streams } = this.world.stack.aws;
    const nowMs = Date.now();
    const row = {
      owner: 'UNOWNED',
      startEventTsMs: nowMs,
      serverUrls: ['ws://127.0.0.1:1/signaling'],
      product: 'meeting',
      entityId: 'hostile',
      app: 'default',
      requestedAtMs: nowMs,
    };
    return { region, credentials, endpoints, table, queueUrl, streams, row };
  }

  async #webhook(kind: 'started' | 'stopped', fields: object): Promise<void> {
    const payload = { meeting_uuid: 'hostile==', operator_id: 'o', ...fields };
    const body = JSON.stringify({ event: `meeting.rtms_${kind}`, event_ts: Date.now(), payload });
    const timestamp = String(Math.floor(Date.now() / 1000));
    const signature = signWebhook(EXAMPLE_APP.webhookSecretToken, timestamp, body);
    const headers = {
      'content-type': 'application/json',
      'x-zm-request-timestamp': timestamp,
      'x-zm-signature': signature,
    };
    const post = () => fetch(this.world.stack.webhookUrl, { method: 'POST', headers, body });
    // As Zoom does: a machine under attack may be too slow for one delivery.
    for (let attempt = 1; ; attempt += 1) {
      const { ok, status } = await post();
      if (ok) return;
      if (attempt === 5) throw new Error(`webhook answered ${status}`);
      await sleep(1_000);
    }
  }
}

function brokenBy(outcome: Omit<Outcome, 'broken'>): string[] {
  const { deaths, neighboursLost, neighboursLateMs, undisturbedMs } = outcome;
  const grown = outcome.memoryPeakMb - outcome.memoryBeforeMb;
  return [
    ...(deaths > 0 ? [`${deaths} runners died`] : []),
    ...(neighboursLost > 0 ? [`neighbours lost ${neighboursLost} frames`] : []),
    // Where nothing came in time even undisturbed, the attack is not judged at all.
    ...(Number.isFinite(undisturbedMs) && neighboursLateMs <= 2 * undisturbedMs ? [] : [LATE]),
    ...(grown > MAX_GROWTH_MB ? [`${grown} MB more memory`] : []),
  ];
}

/** A fuzzer says how long it takes. */
function longestOf([name, , seconds]: readonly string[]): number {
  return name === 'fuzz' ? 1_000 * Number(seconds) + LONGEST_ATTACK_MS : LONGEST_ATTACK_MS;
}

async function end(child: Child): Promise<void> {
  child.process.kill('SIGKILL');
  await child.exited;
}
