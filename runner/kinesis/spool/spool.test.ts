import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeUnit, Tally, type UnitShape } from '../../../test/support/model-kinesis.ts';
import type { Unit } from '../unit.ts';
import { openSpool, type Spool } from './spool.ts';

let directory: string;
let nowMs = 0;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spool-'));
  nowMs = performance.now();
});
afterEach(() => rm(directory, { recursive: true }));

async function open(maxBytes = 1e9, segmentBytes = 3_000): Promise<Spool> {
  const spool = await openSpool({ directory, maxBytes, segmentBytes });
  spool.attach((unit, cause) => unit.receipt.dropped(unit, cause));
  return spool;
}

/** Puts units `from..to` of one key and waits until they are on the disk. */
async function fill(spool: Spool, tally: Tally, from: number, to: number, shape?: UnitShape) {
  for (let sequence = from; sequence <= to; sequence += 1) {
    spool.append(makeUnit(sequence, tally, shape), nowMs);
  }
  nowMs += 1_000;
  spool.write(nowMs);
  await spool.idle();
}

/** Reads back everything of one key. */
async function drain(spool: Spool, key = 'stream'): Promise<Unit[]> {
  const all: Unit[] = [];
  while (spool.hasBacklog(key)) {
    spool.load(key, (units) => {
      for (const unit of units) {
        all.push(unit);
        spool.done(unit);
      }
    });
    await spool.idle();
  }
  await spool.idle();
  return all;
}

const sequences = (units: readonly Unit[]) => units.map(({ sequence }) => sequence);
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
const segments = async () => (await readdir(directory)).filter((name) => name.endsWith('.seg'));

test('units come back from the disk in order, with their receipts, and leave no file', async () => {
  const spool = await open();
  const tally = new Tally();
  await fill(spool, tally, 1, 50, { bytes: 500, chunks: 2 });
  expect((await segments()).length).toBeGreaterThan(5);
  const units = await drain(spool);
  expect(sequences(units)).toEqual(range(1, 50));
  expect(units[6]).toMatchObject(makeUnit(7, tally, { bytes: 500, chunks: 2 }));
  expect(await segments()).toEqual([]);
  expect([spool.bytes, spool.pendingBytes]).toEqual([0, 0]);
});

test('the tail is handed over unwritten once nothing older is left', async () => {
  const spool = await open();
  const tally = new Tally();
  const unit = makeUnit(1, tally);
  spool.append(unit, nowMs);
  const units = await drain(spool);
  expect(units[0]).toBe(unit);
  expect(spool.hasBacklog('stream')).toBe(false);
});

test('units that come while older ones are read back keep their order', async () => {
  const spool = await open();
  const tally = new Tally();
  await fill(spool, tally, 1, 20);
  const first = drain(spool);
  await fill(spool, tally, 21, 40);
  expect(sequences([...(await first), ...(await drain(spool))])).toEqual(range(1, 40));
});

test('a file stays until all its units are written or dropped', async () => {
  const spool = await open();
  await fill(spool, new Tally(), 1, 10);
  const loaded: Unit[] = [];
  spool.load('stream', (units) => loaded.push(...units));
  await spool.idle();
  for (const unit of loaded.slice(1)) spool.done(unit);
  await spool.idle();
  expect(await segments()).toHaveLength(1);
  spool.done(loaded[0] as Unit);
  await spool.idle();
  expect(await segments()).toEqual([]);
});

test('a spool takes over what an earlier process left, without its torn end', async () => {
  await fill(await open(), new Tally(), 1, 40);
  const names = await segments();
  const last = join(directory, names.at(-1) as string);
  await truncate(last, (await stat(last)).size - 1);
  await writeFile(join(directory, '000000000007.seg.tmp'), 'half a rewrite');
  const spool = await open();
  expect(spool.recovered()).toEqual(new Map([['stream', 39]]));
  await fill(spool, new Tally(), 100, 105);
  expect(sequences(await drain(spool))).toEqual([...range(1, 39), ...range(100, 105)]);
  expect(await readdir(directory)).toEqual([]);
});

test('a full spool drops the oldest video first, then share, then audio, and never for something cheaper', async () => {
  const spool = await open(39_000);
  const [video, share, audio] = [new Tally(), new Tally(), new Tally()];
  const put = (tally: Tally, from: number, to: number, shape: UnitShape) =>
    fill(spool, tally, from, to, { bytes: 1_000, ...shape });
  await put(share, 1, 10, { key: 's', class: 'deskshare' });
  await put(video, 11, 20, { key: 'v', class: 'video' });
  await put(audio, 21, 35, { key: 'a', class: 'audio' });
  expect([video.droppedNames.size, share.droppedNames.size]).toEqual([0, 0]);
  await put(audio, 36, 38, { key: 'a', class: 'audio' });
  expect([...video.droppedNames]).toEqual([
    ['v:11', 'spool_full'],
    ['v:12', 'spool_full'],
    ['v:13', 'spool_full'],
  ]);
  await put(audio, 39, 48, { key: 'a', class: 'audio' });
  expect([video.droppedNames.size, share.droppedNames.size]).toEqual([10, 3]);
  await put(audio, 49, 62, { key: 'a', class: 'audio' });
  expect([share.droppedNames.size, audio.droppedNames.size]).toEqual([10, 6]);
  await put(video, 63, 64, { key: 'v', class: 'video' });
  expect(video.droppedNames.get('v:63')).toBe('spool_full');
  expect(sequences(await drain(spool, 'a'))).toEqual(range(27, 62));
});

test('dropping video from a file that also holds share frees its space and keeps the share', async () => {
  const spool = await open(12_000, 100_000);
  const [video, share] = [new Tally(), new Tally()];
  for (const sequence of range(1, 5)) {
    spool.append(makeUnit(sequence, video, { bytes: 1_000, class: 'video' }), nowMs);
    await fill(spool, share, sequence, sequence, { bytes: 1_000, class: 'deskshare' });
  }
  expect(await segments()).toHaveLength(1);
  await fill(spool, share, 6, 8, { bytes: 1_000, class: 'deskshare' });
  expect(video.droppedNames.size).toBe(5);
  const files = await segments();
  const sizes = await Promise.all(files.map((name) => stat(join(directory, name))));
  expect(sizes.reduce((sum, { size }) => sum + size, 0)).toBe(spool.bytes);
  const units = await drain(spool);
  expect(units.map((unit) => [unit.class, unit.sequence])).toEqual(
    range(1, 8).map((sequence) => ['deskshare', sequence]),
  );
});

test('units dropped unread are told with their sequences, times and bytes', async () => {
  const spool = await open(1e9, 100_000);
  const told: Unit[] = [];
  const receipt = { written() {}, dropped: (unit: Unit) => told.push(unit) };
  for (const [sequence, bytes] of [
    [5, 100],
    [6, 101],
    [7, 102],
    [9, 50],
  ] as const) {
    spool.append(
      { ...makeUnit(sequence, receipt, { bytes }), records: [Buffer.alloc(bytes)] },
      nowMs,
    );
  }
  nowMs += 1_000;
  spool.write(nowMs);
  await spool.idle();
  spool.drop(() => true, 'revoked');
  expect(sequences(told)).toEqual([5, 6, 7, 9]);
  expect(told.map(({ capturedAtMs }) => capturedAtMs - 1_700_000_000_000)).toEqual([
    100, 120, 140, 180,
  ]);
  expect(told.reduce((sum, { payloadBytes }) => sum + payloadBytes, 0)).toBe(353);
});

test('a drop of one key leaves the others, and includes what is being read or written', async () => {
  const spool = await open();
  const [mine, theirs] = [new Tally(), new Tally()];
  await fill(spool, theirs, 1, 30, { key: 'other' });
  await fill(spool, mine, 1, 30);
  for (const sequence of range(31, 60)) spool.append(makeUnit(sequence, mine), nowMs);
  spool.write(nowMs + 1_000);
  const delivered: Unit[] = [];
  spool.load('stream', (units) => delivered.push(...units));
  // One turn later the write is under way, the read still queued.
  await Promise.resolve();
  spool.drop((key) => key === 'stream', 'revoked');
  spool.append(makeUnit(61, mine), nowMs);
  await spool.idle();
  const rest = await drain(spool);
  expect(sequences([...delivered, ...rest])).toEqual([61]);
  expect(mine.droppedNames.size).toBe(60);
  expect(theirs.droppedNames.size).toBe(0);
  expect(sequences(await drain(spool, 'other'))).toEqual(range(1, 30));
});

test('what a damaged file does not give back is reported lost', async () => {
  const spool = await open(1e9, 100_000);
  const tally = new Tally();
  await fill(spool, tally, 1, 10);
  const [name = ''] = await segments();
  const bytes = await readFile(join(directory, name));
  bytes.writeUInt8(0xff, Math.floor(bytes.length / 2));
  await writeFile(join(directory, name), bytes);
  const units = await drain(spool);
  const lost = [...tally.droppedNames.keys()].map((each) => Number(each.split(':')[1]));
  expect(units.length).toBeGreaterThan(2);
  expect([...sequences(units), ...lost]).toEqual(range(1, 10));
  expect([...tally.droppedNames.values()]).toContain('write_failed');
  expect(spool.bytes).toBe(0);
});

test('all units of a file that is gone are reported lost', async () => {
  const spool = await open(1e9, 100_000);
  const tally = new Tally();
  await fill(spool, tally, 1, 10);
  for (const name of await segments()) await rm(join(directory, name));
  expect(await drain(spool)).toEqual([]);
  expect(tally.droppedNames.size).toBe(10);
});

test('units stay in memory, in order, while the disk refuses them', async () => {
  const spool = await open();
  const tally = new Tally();
  await fill(spool, tally, 1, 10);
  await rm(directory, { recursive: true });
  await fill(spool, tally, 11, 20);
  expect(spool.pendingBytes).toBeGreaterThan(0);
  await mkdir(directory);
  await fill(spool, tally, 21, 30);
  const units = await drain(spool);
  // The first ten went with the directory, and are reported lost.
  expect(sequences(units)).toEqual(range(11, 30));
  expect(tally.droppedNames.size).toBe(10);
});

test('memory of units that wait for a slow disk is bounded', async () => {
  const spool = await open();
  const tally = new Tally();
  for (const sequence of range(1, 40)) {
    const shape = { key: `v${sequence % 2}`, class: 'video', bytes: 1_000_000 } as const;
    spool.append(makeUnit(sequence, tally, shape), nowMs);
  }
  expect(spool.pendingBytes).toBeLessThanOrEqual(16 * 1024 * 1024);
  expect([...tally.droppedNames.values()]).toContain('buffer_full');
});

test('dropOwn leaves the units of an earlier process to the next', async () => {
  await fill(await open(), new Tally(), 1, 20);
  const spool = await open();
  const tally = new Tally();
  await fill(spool, tally, 21, 40);
  const loaded: Unit[] = [];
  spool.load('stream', (units) => loaded.push(...units));
  await spool.idle();
  spool.dropOwn('write_failed');
  for (const unit of loaded) spool.done(unit);
  await spool.idle();
  expect(tally.droppedNames.size).toBe(20);
  expect(sequences(await drain(await open()))).toEqual(range(1, 20));
});

test('a unit larger than the whole spool is dropped, and no other with it', async () => {
  const spool = await open(20_000);
  const tally = new Tally();
  await fill(spool, tally, 1, 10, { class: 'video' });
  spool.append(makeUnit(11, tally, { bytes: 30_000 }), nowMs);
  expect([...tally.droppedNames]).toEqual([['stream:11', 'spool_full']]);
});

test('a directory that cannot be used ends the start with spool-corrupt', async () => {
  await writeFile(join(directory, 'file'), '');
  const opened = openSpool({ directory: join(directory, 'file'), maxBytes: 1 });
  await expect(opened).rejects.toMatchObject({ code: 'kinesis/spool-corrupt' });
});

test('a drop includes what the disk is refusing at that moment', async () => {
  const spool = await open();
  const tally = new Tally();
  await rm(directory, { recursive: true });
  for (const sequence of range(1, 10)) spool.append(makeUnit(sequence, tally), nowMs);
  spool.write(nowMs + 1_000);
  await Promise.resolve();
  spool.append(makeUnit(11, tally), nowMs);
  spool.drop(() => true, 'revoked');
  spool.append(makeUnit(12, tally), nowMs);
  await spool.idle();
  expect(tally.droppedNames.size).toBe(11);
  expect(sequences(await drain(spool))).toEqual([12]);
  expect(spool.bytes).toBe(0);
  await mkdir(directory);
});

test('two loads of one key at a time are one read', async () => {
  const spool = await open();
  await fill(spool, new Tally(), 1, 10);
  const loads: number[] = [];
  for (const load of [1, 2]) spool.load('stream', () => loads.push(load));
  await spool.idle();
  expect(loads).toEqual([1]);
});
