import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc } from '@fast-check/vitest';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  type ModelFaults,
  ModelKinesis,
  makeUnit,
  Tally,
} from '../../test/support/model-kinesis.ts';
import { windClocks } from '../../test/support/wound-clock.ts';
import { Producer } from './producer.ts';
import { readFrames, recoverSegments } from './spool/segment-files.ts';
import { openSpool, type Spool } from './spool/spool.ts';
import type { UnitClass } from './unit.ts';

let directory: string;

windClocks();
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spool-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

type Step =
  | { readonly name: 'put'; readonly key: string; readonly bytes: number; readonly chunks: number }
  | { readonly name: 'pass'; readonly ms: number };

type Draws = Iterator<number>;

const KEYS: Readonly<Record<string, UnitClass>> = { a: 'audio', 'a#v#1': 'video', b: 'audio' };

const put = fc.record({
  name: fc.constant('put' as const),
  key: fc.constantFrom(...Object.keys(KEYS)),
  bytes: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 20, max: 3_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 24_000, max: 40_000 }) },
  ),
  chunks: fc.oneof({ weight: 6, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 4 })),
});
const pass = fc.record({
  name: fc.constant('pass' as const),
  ms: fc.integer({ min: 1, max: 400 }),
});

const faults = fc.record({
  entryFailures: fc.constantFrom(0, 0.1, 0.6),
  lostCalls: fc.constantFrom(0, 0.3),
  lostAnswers: fc.constantFrom(0, 0.3),
});

/** One life of a service: producers that follow each other on the same disk, and all that was put. */
class Life {
  readonly tally = new Tally();
  readonly accepted = new Map<string, number[]>();
  readonly kinesis: ModelKinesis;
  readonly #random: () => number;
  readonly #spoolBytes: number | undefined;
  #sequence = 0;
  #spool: Spool | undefined;
  #producer: Producer | undefined;

  constructor(random: () => number, spoolBytes: number | undefined) {
    this.#random = random;
    this.#spoolBytes = spoolBytes;
    this.kinesis = new ModelKinesis(random);
  }

  async start(): Promise<void> {
    if (this.#spoolBytes !== undefined) {
      const maxBytes = this.#spoolBytes;
      this.#spool = await openSpool({ directory, maxBytes, segmentBytes: 20_000 });
    }
    this.#producer = new Producer({
      client: this.kinesis.client(),
      streamName: 'media',
      aggregate: true,
      memory: { laneBytes: 60_000, sessionBytes: 80_000, taskBytes: 100_000, floorBytes: 10_000 },
      retry: { baseMs: 20, maxMs: 200 },
      random: this.#random,
      ...(this.#spool ? { spool: this.#spool } : {}),
    });
  }

  async step(step: Step): Promise<void> {
    if (step.name === 'pass') {
      await this.pass(step.ms);
      return;
    }
    const { key, bytes, chunks } = step;
    this.#sequence += 1;
    const list = this.accepted.get(key) ?? [];
    this.accepted.set(key, list);
    list.push(this.#sequence);
    const shape = { key, bytes, chunks, class: KEYS[key] as UnitClass };
    this.#producer?.put(makeUnit(this.#sequence, this.tally, shape));
  }

  /** The process dies and the next one starts. @returns what it finds on the disk */
  async crash(): Promise<string[]> {
    this.kinesis.crash();
    vi.clearAllTimers();
    await this.#spool?.idle();
    const names: string[] = [];
    for (const { segment } of (await recoverSegments(directory)).files) {
      for (const { sequence } of await readFrames(segment)) {
        names.push(`${segment.partitionKey}:${sequence}`);
      }
    }
    await this.start();
    return names;
  }

  async pass(ms: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(ms);
    await this.#spool?.idle();
  }

  /** Heals Kinesis and waits until nothing is left. */
  async finish(): Promise<void> {
    this.kinesis.faults = {};
    let done = false;
    const closed = this.#producer?.close().then(() => {
      done = true;
    });
    while (!done) await this.pass(50);
    await closed;
    // Calls that Kinesis carries out long after they timed out.
    await this.pass(1_000);
  }

  /** First occurrences per key: what a consumer that drops duplicates sees. */
  seen(key: string): string[] {
    return [...new Set(this.kinesis.landed.get(key))];
  }
}

const chunksOf = (steps: readonly Step[]) =>
  steps.filter((step) => step.name === 'put').map(({ chunks }) => chunks);

/** All chunks of the given sequences, in order. */
function expected(sequences: readonly number[], chunks: readonly number[]): string[] {
  return sequences.flatMap((sequence) =>
    Array.from({ length: chunks[sequence - 1] as number }, (_, chunk) => `${sequence}/${chunk}`),
  );
}

const load = fc.array(fc.oneof({ weight: 12, arbitrary: put }, pass), {
  maxLength: 300,
  size: 'max',
});
const draws = fc.infiniteStream(fc.double({ min: 0, max: 0.999_999, noNaN: true }));

test.each([
  { name: 'without a spool', spoolBytes: undefined },
  { name: 'with a spool', spoolBytes: 50_000_000 },
  { name: 'with a spool that is too small', spoolBytes: 150_000 },
])(
  'per key, what lands is what was put, in order, minus what was reported lost: $name',
  async ({ spoolBytes }) => {
    const check = async (steps: Step[], shares: ModelFaults, late: number, stream: Draws) => {
      const life = new Life(() => stream.next().value as number, spoolBytes);
      await life.start();
      life.kinesis.faults = { ...shares, lateCalls: late };
      for (const step of steps) await life.step(step);
      await life.finish();
      for (const [key, sequences] of life.accepted) {
        const kept = sequences.filter((each) => !life.tally.droppedNames.has(`${key}:${each}`));
        expect(life.seen(key)).toEqual(expected(kept, chunksOf(steps)));
        for (const each of kept) expect(life.tally.writtenNames).toContain(`${key}:${each}`);
      }
      if (spoolBytes === 50_000_000) expect(life.tally.droppedNames.size).toBe(0);
    };
    const lateCalls = fc.constantFrom(0, 0.2);
    await fc.assert(fc.asyncProperty(load, faults, lateCalls, draws, check), { numRuns: 30 });
  },
);

test('after a crash the next process goes on from the disk, in order, and repeats at most', async () => {
  const check = async (before: Step[], after: Step[], shares: ModelFaults, stream: Draws) => {
    const life = new Life(() => stream.next().value as number, 50_000_000);
    await life.start();
    life.kinesis.faults = shares;
    for (const step of before) await life.step(step);
    const onDisk = await life.crash();
    const put = [...before, ...after];
    for (const step of after) await life.step(step);
    await life.finish();
    for (const [key, sequences] of life.accepted) {
      const seen = life.seen(key);
      // In the order put: strictly rising sequences and chunks.
      expect(seen).toEqual(
        expected(sequences, chunksOf(put)).filter((each) => seen.includes(each)),
      );
    }
    for (const name of [...life.tally.writtenNames, ...onDisk]) {
      const [key, sequence] = splitName(name);
      const chunks = expected([sequence], chunksOf(put));
      expect(life.seen(key)).toEqual(expect.arrayContaining(chunks));
    }
  };
  await fc.assert(fc.asyncProperty(load, load, faults, draws, check), { numRuns: 20 });
});

function splitName(name: string): [key: string, sequence: number] {
  const at = name.lastIndexOf(':');
  return [name.slice(0, at), Number(name.slice(at + 1))];
}
