import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { selfSigned } from '../support/rtms/self-signed.ts';
import { BenchProcess, CORE, type Core } from './bench-process.ts';
import type { Cost } from './receiver-process.ts';
import { Receivers } from './receivers.ts';
import { WORKLOADS, type WorkloadName } from './workloads.ts';

/** Builds that are compared, the one under test first. */
export const BUILDS = ['runner', 'put-batches', 'put-aggregates', 'put-per-frame', 'null'] as const;
/** `runner-sdk` only when it is asked for: the runner before its own PutRecords writer. */
export type BuildName = (typeof BUILDS)[number] | 'runner-sdk';

/** One build under one load. */
export interface Step extends Cost {
  readonly sessions: number;
  readonly sentFrames: number;
  readonly calls: number;
  readonly records: number;
  /** Before the first session came. */
  readonly idleRssBytes: number;
  /** CPU of the process that plays Zoom: near 1 it is what limits. */
  readonly zoomLoad: number;
  readonly sinkLoad: number;
  readonly sustained: boolean;
  /** The bench could not offer the load: says nothing against the build. */
  readonly benchLimited: boolean;
}

interface Sent {
  readonly messages: number;
  readonly skipped: number;
  readonly maxLateMs: number;
  readonly cpuMs: number;
}

interface Got {
  readonly calls: number;
  readonly records: number;
  readonly cpuMs: number;
}

/** Node's flags in the runner's image. */
function runnerNodeArgs(): string[] {
  const dockerfile = readFileSync(new URL('../../runner/Dockerfile', import.meta.url), 'utf8');
  const entrypoint = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1] ?? '') as string[];
  return entrypoint.filter((word) => word.startsWith('--'));
}

/** After a step up, until what is measured belongs to the new load. */
const STEADY_AFTER_MS = 4_000;
/**
 * Before the first step of a build: until V8 has compiled what is hot, and the pools of memory are as large as the load needs. A
 * task lives for days. Both come with messages, not with time: 60 sessions of shares bring 60 a second, 600 of audio 30,000.
 */
const WARM_UP_MESSAGES = 20_000;
const LEAST_WARM_UP_MS = 10_000;
const MOST_WARM_UP_MS = 60_000;
const WINDOW_MS = 5_000;
/** Sustained: nearly everything comes out again in the same time, soon. */
const MIN_SHARE = 0.95;
const MAX_P99_MS = 1_000;
/** The bench may be that late itself before its load counts as missing. */
const MAX_LATE_MS = 250;

export interface ClimbOptions {
  /** Directory for V8 CPU profiles. */
  readonly profile?: string | undefined;
  /** One process for each. @default one */
  readonly cores?: readonly Core[];
  /** Further flags of Node. */
  readonly nodeArgs?: readonly string[];
  /** Called under the load of each step, before it is measured. */
  readonly during?: (pid: number) => Promise<void>;
}

interface Load {
  readonly sessions: number;
  readonly steadyAfterMs: number;
  readonly idleRssBytes: number;
  readonly during: ClimbOptions['during'];
}

/** Zoom, Kinesis, and a certificate that receivers trust. */
export class World {
  readonly kinesisUrl: string;
  readonly env: Readonly<Record<string, string>>;
  readonly #zoom: BenchProcess;
  readonly #sink: BenchProcess;
  readonly #directory: string;

  private constructor(world: {
    kinesisUrl: string;
    env: Record<string, string>;
    zoom: BenchProcess;
    sink: BenchProcess;
    directory: string;
  }) {
    this.kinesisUrl = world.kinesisUrl;
    this.env = world.env;
    this.#zoom = world.zoom;
    this.#sink = world.sink;
    this.#directory = world.directory;
  }

  static async start(): Promise<World> {
    const directory = await mkdtemp(join(tmpdir(), 'rtms-bench-'));
    const { key, cert } = selfSigned();
    const certFile = join(directory, 'cert.pem');
    await writeFile(certFile, cert);
    const tls = { BENCH_TLS_KEY: key, BENCH_TLS_CERT: cert };
    const zoom = new BenchProcess({ entry: './zoom-process.ts', core: CORE.world, env: tls });
    const sink = new BenchProcess({ entry: './sink-process.ts', core: CORE.world, env: tls });
    const env = {
      NODE_EXTRA_CA_CERTS: certFile,
      AWS_ACCESS_KEY_ID: 'bench',
      AWS_SECRET_ACCESS_KEY: 'bench',
    };
    return new World({ kinesisUrl: await sink.ask<string>('url'), env, zoom, sink, directory });
  }

  /** Steps a build up a workload's ladder until it does not keep up. @param steps sessions */
  async climb(
    build: BuildName,
    workload: WorkloadName,
    steps: readonly number[],
    { profile, cores = [CORE.measured], nodeArgs = [], during }: ClimbOptions = {},
  ): Promise<Step[]> {
    const done: Step[] = [];
    await this.#zoom.ask('load', { workload });
    const receivers = new Receivers({
      build,
      kinesisUrl: this.kinesisUrl,
      cores,
      env: this.env,
      nodeArgs: [
        ...(build.startsWith('runner') ? runnerNodeArgs() : []),
        ...nodeArgs,
        ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]),
      ],
    });
    try {
      await receivers.ready();
      const { rssBytes: idleRssBytes } = await receivers.end();
      for (const sessions of steps) {
        const warmUpMs = done.length === 0 ? warmUpOf(workload, sessions) : 0;
        const steadyAfterMs = STEADY_AFTER_MS + warmUpMs;
        const step = await this.#step(receivers, workload, {
          sessions,
          steadyAfterMs,
          idleRssBytes,
          during,
        });
        done.push(step);
        if (!step.sustained) break;
      }
    } finally {
      await this.#zoom.ask('pause');
      await receivers.stop();
    }
    return done;
  }

  async close(): Promise<void> {
    await Promise.all([this.#zoom.stop(), this.#sink.stop()]);
    await rm(this.#directory, { recursive: true });
  }

  async #step(
    receivers: Receivers,
    workload: WorkloadName,
    { sessions, steadyAfterMs, idleRssBytes, during }: Load,
  ): Promise<Step> {
    await this.#zoom.ask('pause');
    const signalingUrl = await this.#zoom.ask<string>('url');
    const media = JSON.stringify(WORKLOADS[workload].media);
    await receivers.join(sessions, signalingUrl, media);
    await this.#zoom.ask('play');
    await delay(steadyAfterMs);
    for (const pid of during === undefined ? [] : receivers.pids) await during?.(pid);
    const [zoomBefore, sinkBefore] = await this.#counts();
    await receivers.begin();
    await delay(WINDOW_MS);
    const cost = await receivers.end();
    const [zoom, sink] = await this.#counts();
    const offered = zoom.messages + zoom.skipped;
    const scheduled = offeredPerSecond(workload) * sessions * (cost.wallMs / 1_000);
    const keptUp =
      zoom.skipped === 0 &&
      cost.frames >= MIN_SHARE * Math.min(offered, scheduled) &&
      cost.p99Ms <= MAX_P99_MS;
    const benchLimited = offered < MIN_SHARE * scheduled || zoom.maxLateMs > MAX_LATE_MS;
    return {
      ...cost,
      sessions,
      sentFrames: offered,
      calls: sink.calls,
      records: sink.records,
      idleRssBytes,
      zoomLoad: (zoom.cpuMs - zoomBefore.cpuMs) / cost.wallMs,
      sinkLoad: (sink.cpuMs - sinkBefore.cpuMs) / cost.wallMs,
      sustained: keptUp && !benchLimited,
      benchLimited,
    };
  }

  #counts(): Promise<[Sent, Got]> {
    return Promise.all([this.#zoom.ask<Sent>('sent'), this.#sink.ask<Got>('got')]);
  }
}

function offeredPerSecond(workload: WorkloadName): number {
  return WORKLOADS[workload].flows.reduce((sum, { intervalMs, moments }) => {
    const messages = moments.reduce((total, moment) => total + moment.length, 0) / moments.length;
    return sum + (messages * 1_000) / intervalMs;
  }, 0);
}

function warmUpOf(workload: WorkloadName, sessions: number): number {
  const neededMs = (1_000 * WARM_UP_MESSAGES) / (offeredPerSecond(workload) * sessions);
  return Math.min(MOST_WARM_UP_MS, Math.max(LEAST_WARM_UP_MS, neededMs));
}
