import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startCommand } from '../command.ts';
import type { JavaPrograms } from '../java/java.ts';
import { waitUntil } from '../meeting/live-meeting.ts';
import type { SeenRecord } from '../meeting/written-records.ts';

/** The name of the consumer group, and so of its lease table. */
export const GROUP = 'rtms-peers';
const TOLD_CHARACTERS = 4_000;

/** One worker of a consumer group: a process with the Kinesis Client Library (`KclWorker.java`). */
export class KclWorker {
  readonly name: string;
  readonly #file: string;
  readonly #child: ReturnType<typeof startCommand>;
  readonly #closed: Promise<unknown>;
  #told = '';
  #logged = '';
  #hasEnded = false;

  constructor(
    name: string,
    retrieval: 'polling' | 'fan-out',
    options: { java: JavaPrograms; folder: string; urls: readonly string[]; streamName: string },
  ) {
    const { java, folder, urls, streamName } = options;
    this.name = name;
    this.#file = join(folder, `${name}.jsonl`);
    const args = [...urls, streamName, GROUP, name, this.#file, retrieval];
    const quiet = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
    this.#child = startCommand(...java.command('rtms.peers.KclWorker', args, quiet));
    this.#closed = once(this.#child, 'close').then(() => {
      this.#hasEnded = true;
    });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#told += text;
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#logged = (this.#logged + text).slice(-TOLD_CHARACTERS);
    });
  }

  /** What its record processors were told, one line each: `initialize <shard> <position>`, `leaseLost <shard>`, `shardEnded <shard>`. */
  get steps(): readonly string[] {
    return this.#told.split('\n').slice(0, -1);
  }

  /** As the library tells it. */
  get version(): string {
    return this.steps.find((step) => step.startsWith('version '))?.split(' ')[1] ?? 'unknown';
  }

  /** Shards whose lease it has. */
  get heldShards(): string[] {
    const held = new Set<string>();
    for (const step of this.steps) {
      const [what, shard = ''] = step.split(' ');
      if (what === 'initialize') held.add(shard);
      else held.delete(shard);
    }
    return [...held];
  }

  /** The records that it wrote down, in order. A last line that was not finished is left out. */
  seen(): SeenRecord[] {
    if (!existsSync(this.#file)) return [];
    const lines = readFileSync(this.#file, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as SeenRecord);
  }

  /** @throws Error with its steps and the end of its log when that took too long or the worker has ended */
  async until<T>(what: string, check: () => T | undefined | false): Promise<T> {
    try {
      return await waitUntil(
        what,
        () => {
          if (this.#hasEnded) throw new Error('has ended');
          return check();
        },
        240_000,
      );
    } catch (cause) {
      const told = [...this.steps, this.#logged].join('\n');
      throw new Error(`worker ${this.name}: ${(cause as Error).message}\n${told}`, { cause });
    }
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  /** Leaves the group. @throws Error with the end of its log when it did not end in good order */
  async leave(): Promise<void> {
    this.#child.stdin.end();
    await this.#closed;
    if (this.#child.exitCode !== 0) throw new Error(`${this.name} did not leave: ${this.#logged}`);
  }
}
