import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EpochFence } from '../../../sdk/consumer/records/epoch-fence.ts';
import type { LogFields } from '../../../shared/logger.ts';
import { SILENT_LOGGER } from '../../../shared/logger.ts';
import { ModelKinesis, makeUnit, Tally } from '../../../test/support/model-kinesis.ts';
import { Producer } from '../producer.ts';
import type { Unit } from '../unit.ts';
import { openSpool, type Spool } from './spool.ts';
import { SpoolOpening } from './spool-opening.ts';

/** The disk of these tests: the real one, which refuses what `refuses` names with the error that it returns. */
const disk = vi.hoisted(() => ({
  refuses: (_operation: string, _path: string): string | undefined => undefined,
  /** Operations under way. */
  busy: 0,
}));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const guarded = Object.entries(real).map(([name, call]) => [
    name,
    typeof call !== 'function'
      ? call
      : async (path: string, ...rest: unknown[]) => {
          const code = disk.refuses(name, path);
          if (code !== undefined) throw Object.assign(new Error(`${code}: ${path}`), { code });
          disk.busy += 1;
          try {
            return await (call as (...all: unknown[]) => unknown)(path, ...rest);
          } finally {
            disk.busy -= 1;
          }
        },
  ]);
  return Object.fromEntries(guarded);
});

let directory: string;
let said: LogFields[];
let counted: string[];
const logger = {
  ...SILENT_LOGGER,
  error: (_message: string, fields: LogFields = {}) => void said.push(fields),
  warn: (_message: string, fields: LogFields = {}) => void said.push(fields),
};
const metrics = { observe() {}, count: (name: string) => void counted.push(name) };

beforeEach(async () => {
  disk.refuses = () => undefined;
  directory = await mkdtemp(join(tmpdir(), 'spool-'));
  [said, counted] = [[], []];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(async () => {
  vi.useRealTimers();
  disk.refuses = () => undefined;
  await rm(directory, { recursive: true });
});

/** Lets virtual time pass, and the real disk answer in between. */
async function pass(ms: number): Promise<void> {
  const stepMs = ms < 10_000 ? 20 : 100;
  for (let left = ms; left > 0; left -= stepMs) {
    vi.advanceTimersByTime(stepMs);
    for (let turns = 0; turns < 3 || disk.busy > 0; turns += 1) await turn();
  }
}

async function until(isSo: () => boolean): Promise<void> {
  for (let turns = 0; !isSo(); turns += 1) {
    if (turns > 100_000) throw new Error('it never comes');
    await pass(20);
  }
}

/** What an earlier process left: units of some keys, a file each. */
async function leave(key: string, from: number, to: number): Promise<void> {
  const spool = await openSpool({ directory, maxBytes: 1e9, segmentBytes: 100 });
  spool.attach(() => {});
  for (let sequence = from; sequence <= to; sequence += 1) {
    spool.append(makeUnit(sequence, new Tally(), { key, class: 'audio' }), 0);
  }
  spool.write(1_000);
  await spool.idle();
}

const opening = () =>
  new SpoolOpening({ directory, maxBytes: 1e9, logger, metrics, random: () => 1 });

test('a disk that fails at the start is used when it is back, and what lies there is written behind what came meanwhile', async () => {
  await leave('mine', 101, 105);
  await leave('other', 201, 203);
  disk.refuses = () => 'EIO';
  const kinesis = new ModelKinesis(() => 0.5);
  const opened = opening();
  expect(await opened.open()).toBeUndefined();
  const producer = new Producer({
    client: kinesis.client(),
    streamName: 'media',
    aggregate: true,
    memory: { laneBytes: 1_500, floorBytes: 1_500 },
  });
  opened.keepTrying((spool) => producer.useSpool(spool));
  const tally = new Tally();
  const put = (sequence: number) => producer.put(makeUnit(sequence, tally, { key: 'mine' }));
  for (const sequence of [1, 2, 3]) put(sequence);
  await pass(30_000);
  disk.refuses = () => undefined;
  await until(() => kinesis.landed.get('other')?.length === 3);
  for (const sequence of [4, 5, 6]) put(sequence);
  await until(() => tally.writtenNames.length === 6 && producer.stats().spoolBytes === 0);
  const mine = kinesis.landed.get('mine')?.map((name) => Number(name.split('/')[0])) ?? [];
  expect(mine).toEqual([1, 2, 3, 101, 102, 103, 104, 105, 4, 5, 6]);
  expect(tally.droppedNames.size).toBe(0);
  expect(await readdir(directory)).toEqual([]);
  // Readers take the newer epoch, which stands first, and refuse the older one of the dead owner behind it.
  const fence = new EpochFence();
  const decisions = mine.map((sequence) =>
    fence.check('mine', { rtmsStreamId: 's', epoch: sequence > 100 ? 1 : 2, sequence }, 'audio'),
  );
  expect(decisions.filter((decision) => decision === 'fenced')).toHaveLength(5);
  expect(counted).toEqual(['SpoolUnavailable']);
  expect(said.map(({ event }) => event)).toEqual(['spool_unavailable', 'spool_opened']);
  const closing = producer.close();
  await pass(100);
  await closing;
});

test('a disk that stays broken is tried from a second up to a minute apart, and said once', async () => {
  const triedAtMs: number[] = [];
  const sinceMs = performance.now();
  disk.refuses = (operation) => {
    if (operation === 'mkdir') triedAtMs.push(performance.now() - sinceMs);
    return 'EROFS';
  };
  const broken = opening();
  await broken.open();
  broken.keepTrying(() => expect.unreachable());
  await pass(200_000);
  expect(triedAtMs.map((atMs) => Math.round(atMs / 1_000))).toEqual([
    0, 1, 3, 7, 15, 31, 63, 123, 183,
  ]);
  expect([said.length, counted.length]).toEqual([1, 1]);
  broken.stop();
  const tries = triedAtMs.length;
  await pass(200_000);
  expect(triedAtMs).toHaveLength(tries);
});

test('a spool that opens after the end is not used, and its files stay for the next process', async () => {
  await leave('mine', 1, 3);
  disk.refuses = () => 'EIO';
  const late = opening();
  await late.open();
  late.keepTrying(() => expect.unreachable());
  disk.refuses = () => undefined;
  vi.advanceTimersByTime(1_000);
  late.stop();
  await pass(10_000);
  expect(await readdir(directory)).toHaveLength(3);
  const producer = new Producer({
    client: new ModelKinesis(() => 0.5).client(),
    streamName: 'media',
    aggregate: true,
  });
  await producer.close();
  producer.useSpool(await openSpool({ directory, maxBytes: 1e9 }));
  await pass(1_000);
  expect(producer.stats().spoolBytes).toBe(0);
  expect(await readdir(directory)).toHaveLength(3);
});

test('a file that the disk does not give back is waited for, since newer ones of its key may not pass it', async () => {
  await leave('mine', 1, 4);
  const [, second = ''] = (await readdir(directory)).sort();
  disk.refuses = (operation, path) =>
    operation === 'readFile' && path.endsWith(second) ? 'EIO' : undefined;
  const waiting = opening();
  expect(await waiting.open()).toBeUndefined();
  let spool: Spool | undefined;
  waiting.keepTrying((opened) => (spool = opened));
  await pass(5_000);
  expect(spool).toBeUndefined();
  disk.refuses = () => undefined;
  await until(() => spool !== undefined);
  expect(await drained(spool as unknown as Spool)).toEqual([1, 2, 3, 4]);
});

test('a file that never comes back keeps the spool closed for some minutes, and stays where it is', async () => {
  await leave('mine', 1, 4);
  const [, second = ''] = (await readdir(directory)).sort();
  disk.refuses = (operation, path) =>
    operation === 'readFile' && path.endsWith(second) ? 'EIO' : undefined;
  const waiting = opening();
  await waiting.open();
  let spool: Spool | undefined;
  waiting.keepTrying((opened) => (spool = opened));
  await pass(290_000);
  expect(spool).toBeUndefined();
  await pass(80_000);
  expect(await drained(spool as unknown as Spool)).toEqual([1, 3, 4]);
  expect(await readdir(directory)).toEqual([second]);
  expect(said.map(({ event }) => event)).toEqual([
    'spool_unavailable',
    'spool_damaged',
    'spool_opened',
  ]);
});

/** Reads everything of the key `mine`. */
async function drained(spool: Spool, dropped: string[] = [], forMs = 60_000): Promise<number[]> {
  const all: number[] = [];
  spool.attach((unit, cause) => dropped.push(`${unit.sequence} ${cause}`));
  for (let left = forMs; left > 0 && spool.bytes > 0; left -= 100) {
    spool.load('mine', (units: readonly Unit[]) => {
      for (const unit of units) {
        all.push(unit.sequence);
        spool.done(unit);
      }
    });
    await spool.idle();
    await pass(100);
  }
  await spool.idle();
  return all;
}

test('a file that cannot be read at the moment is read later, and nothing is lost', async () => {
  await leave('mine', 1, 4);
  const spool = await openSpool({ directory, maxBytes: 1e9 });
  const sinceMs = performance.now();
  disk.refuses = (operation) =>
    operation === 'readFile' && performance.now() - sinceMs < 10_000 ? 'EIO' : undefined;
  const dropped: string[] = [];
  expect(await drained(spool, dropped)).toEqual([1, 2, 3, 4]);
  expect(dropped).toEqual([]);
  expect(await readdir(directory)).toEqual([]);
});

test('a file of an earlier process that cannot be read holds up nobody for long, and is read when the disk is back', async () => {
  await leave('mine', 1_001, 1_002);
  const spool = await openSpool({ directory, maxBytes: 1e9 });
  const sinceMs = performance.now();
  disk.refuses = () => (performance.now() - sinceMs < 60_000 ? 'EIO' : undefined);
  const took: [number, number][] = [];
  spool.attach(() => expect.unreachable());
  for (let sequence = 1; performance.now() - sinceMs < 100_000; sequence += 1) {
    const atMs = performance.now();
    if (spool.hasBacklog('mine'))
      spool.append(makeUnit(sequence, new Tally(), { key: 'mine' }), atMs);
    else took.push([sequence, atMs - sinceMs]);
    if (spool.hasBacklog('mine')) {
      spool.load('mine', (units) => {
        for (const unit of units) {
          took.push([unit.sequence, performance.now() - sinceMs]);
          spool.done(unit);
        }
      });
    }
    await pass(500);
  }
  await spool.idle();
  const order = took.map(([sequence]) => sequence);
  const live = order.filter((sequence) => sequence < 1_000);
  expect(live).toEqual(live.map((_, index) => index + 1));
  expect(order.filter((sequence) => sequence > 1_000)).toEqual([1_001, 1_002]);
  // Nothing waits for longer than the 15 s in which the disk may come back, and the moment of each later try.
  const waited = took
    .filter(([sequence]) => sequence < 1_000)
    .map(([sequence, atMs]) => atMs - (sequence - 1) * 500);
  expect(Math.max(...waited)).toBeLessThan(20_000);
  expect(took.find(([sequence]) => sequence > 1_000)?.[1]).toBeLessThan(95_000);
  expect(await readdir(directory)).toEqual([]);
});

test('a file that the disk does not remove is removed later', async () => {
  await leave('mine', 1, 2);
  const spool = await openSpool({ directory, maxBytes: 1e9 });
  disk.refuses = (operation) => (operation === 'rm' ? 'EIO' : undefined);
  expect(await drained(spool)).toEqual([1, 2]);
  await pass(15_000);
  expect(await readdir(directory)).toHaveLength(2);
  disk.refuses = () => undefined;
  await pass(15_000);
  expect(await readdir(directory)).toEqual([]);
});

test.each<[string, boolean]>([
  ['of an earlier process for five minutes stays for the next one', true],
  ['of this process for 15 s is lost, and told', false],
])('a file that cannot be read %s', async (_, isRecovered) => {
  const options = { directory, maxBytes: 1e9, segmentBytes: 100 };
  let spool = await openSpool(options);
  if (isRecovered) {
    await leave('mine', 1, 2);
    spool = await openSpool(options);
  } else {
    spool.append(makeUnit(1, new Tally(), { key: 'mine' }), 0);
    spool.append(makeUnit(2, new Tally(), { key: 'mine' }), 0);
    spool.write(1_000);
    await spool.idle();
  }
  disk.refuses = (operation) => (operation === 'readFile' ? 'EIO' : undefined);
  const dropped: string[] = [];
  const forMs = isRecovered ? 400_000 : 30_000;
  expect(await drained(spool, dropped, forMs)).toEqual([]);
  expect(dropped).toEqual(['1 write_failed', '2 write_failed']);
  expect(spool.bytes).toBe(0);
  expect(await readdir(directory)).toHaveLength(isRecovered ? 2 : 0);
});
