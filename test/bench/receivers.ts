import { BenchProcess, type Core } from './bench-process.ts';
import type { Cost } from './receiver-process.ts';

export interface ReceiversOptions {
  /** One of builds/*.ts. */
  readonly build: string;
  readonly kinesisUrl: string;
  /** One process for each, which share the sessions evenly. */
  readonly cores: readonly Core[];
  readonly env: Readonly<Record<string, string>>;
  readonly nodeArgs: readonly string[];
}

/** The measured side: as a rule one process, or several that share its sessions. */
export class Receivers {
  readonly #processes: readonly BenchProcess[];

  constructor({ build, kinesisUrl, cores, env, nodeArgs }: ReceiversOptions) {
    this.#processes = cores.map(
      (core) =>
        new BenchProcess({
          entry: './receiver-process.ts',
          args: [build, kinesisUrl],
          core,
          env,
          nodeArgs,
        }),
    );
  }

  get pids(): number[] {
    return this.#processes.map(({ pid }) => pid);
  }

  async ready(): Promise<void> {
    await this.#ask('ready');
  }

  /** @param sessions of all processes together, from the start */
  async join(sessions: number, signalingUrl: string, media: string): Promise<void> {
    const share = Math.ceil(sessions / this.#processes.length);
    await this.#ask('join', { sessions: share, signalingUrl, media });
  }

  async begin(): Promise<void> {
    await this.#ask('begin');
  }

  /** What all did since `begin`; of delays the longest. */
  async end(): Promise<Cost> {
    const costs = await this.#ask<Cost>('end');
    return costs.reduce((a, b) => ({
      wallMs: Math.max(a.wallMs, b.wallMs),
      cpuMs: a.cpuMs + b.cpuMs,
      frames: a.frames + b.frames,
      p50Ms: Math.max(a.p50Ms, b.p50Ms),
      p99Ms: Math.max(a.p99Ms, b.p99Ms),
      rssBytes: a.rssBytes + b.rssBytes,
      heapUsedBytes: a.heapUsedBytes + b.heapUsedBytes,
    }));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()));
  }

  #ask<Value>(name: string, argument: object = {}): Promise<Value[]> {
    return Promise.all(this.#processes.map((process) => process.ask<Value>(name, argument)));
  }
}
