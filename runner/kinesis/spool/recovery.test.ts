import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc } from '@fast-check/vitest';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LogFields } from '../../../shared/logger.ts';
import { SILENT_LOGGER } from '../../../shared/logger.ts';
import { makeUnit, Tally } from '../../../test/support/model-kinesis.ts';
import type { Unit } from '../unit.ts';
import { encodeFileHeader, frameBytes, writeFrame } from './segment-format.ts';
import { openSpool, type Spool } from './spool.ts';

let directory: string;
let warned: LogFields[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spool-'));
  warned = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const receipt = new Tally();
const logger = {
  ...SILENT_LOGGER,
  warn: (_message: string, fields: LogFields = {}) => warned.push(fields),
};

function segment(...sequences: number[]): Buffer {
  const frames = sequences.map((sequence) => {
    const unit = makeUnit(sequence, receipt);
    const out = Buffer.alloc(frameBytes(unit));
    writeFrame(out, 0, unit, 0);
    return out;
  });
  return Buffer.concat([encodeFileHeader('stream'), ...frames]);
}
const FRAME_BYTES = frameBytes(makeUnit(1, receipt));
const HEADER_BYTES = encodeFileHeader('stream').length;

async function open(): Promise<Spool> {
  const spool = await openSpool({ directory, maxBytes: 1e9, segmentBytes: 3_000, logger });
  spool.attach(() => {});
  return spool;
}

async function drain(spool: Spool, key = 'stream'): Promise<number[]> {
  const all: number[] = [];
  while (spool.hasBacklog(key)) {
    spool.load(key, (units: readonly Unit[]) => {
      for (const unit of units) {
        all.push(unit.sequence);
        spool.done(unit);
      }
    });
    await spool.idle();
  }
  await spool.idle();
  return all;
}

/** One file `000000000003.seg` between two whole ones -> what of it is read, and what is said. */
describe('a spool file', () => {
  const flip = (file: Buffer, at: number) => {
    file[at] = ((file[at] as number) + 1) % 256;
    return file;
  };
  test.each<[string, Buffer, number[], LogFields | undefined]>([
    ['that is whole', segment(3, 4), [3, 4], undefined],
    [
      'that ends in zeros',
      Buffer.concat([segment(3, 4), Buffer.alloc(4_096)]),
      [3, 4],
      { damagedFiles: 1, damagedBytes: 4_096, foreignFiles: 0 },
    ],
    [
      'of a header and zeros',
      Buffer.concat([segment(), Buffer.alloc(4_096)]),
      [],
      { damagedFiles: 1, damagedBytes: 4_096, foreignFiles: 0 },
    ],
    [
      'with a damaged frame in the middle',
      flip(segment(3, 4, 5), HEADER_BYTES + FRAME_BYTES + 60),
      [3],
      { damagedFiles: 1, damagedBytes: 2 * FRAME_BYTES, foreignFiles: 0 },
    ],
    [
      'with a damaged length in the middle',
      flip(segment(3, 4, 5), HEADER_BYTES + FRAME_BYTES),
      [3],
      { damagedFiles: 1, damagedBytes: 2 * FRAME_BYTES, foreignFiles: 0 },
    ],
    ['that is torn in its header', segment(3).subarray(0, 3), [], undefined],
    ['that is empty', Buffer.alloc(0), [], undefined],
    [
      'of nothing but zeros',
      Buffer.alloc(500),
      [],
      { damagedFiles: 0, damagedBytes: 0, foreignFiles: 1 },
    ],
    [
      'whose key Kinesis would never take',
      Buffer.concat([encodeFileHeader('k'.repeat(300)), segment(1).subarray(HEADER_BYTES)]),
      [],
      { damagedFiles: 0, damagedBytes: 0, foreignFiles: 1 },
    ],
  ])('%s never stops a start, and its neighbours are read', async (_, file, read, said) => {
    await writeFile(join(directory, '000000000002.seg'), segment(1, 2));
    await writeFile(join(directory, '000000000003.seg'), file);
    await writeFile(join(directory, '000000000004.seg'), segment(6, 7));
    const spool = await open();
    expect(await drain(spool)).toEqual([1, 2, ...read, 6, 7]);
    const { event: _event, ...rest } = warned[0] ?? {};
    expect(warned.length === 0 ? undefined : rest).toEqual(said);
  });

  test('without a whole frame is set aside, sixteen at most', async () => {
    for (let ordinal = 0; ordinal < 20; ordinal += 1) {
      const name = `${String(ordinal).padStart(12, '0')}.seg`;
      await writeFile(join(directory, name), Buffer.concat([segment(), Buffer.alloc(100)]));
    }
    await open();
    const names = (await readdir(directory)).sort();
    expect(names).toHaveLength(16);
    expect(names[0]).toBe('000000000004.seg.damaged');
    await open();
    expect(await readdir(directory)).toHaveLength(16);
  });

  test('that is too large to be ours is not read', async () => {
    const path = join(directory, '000000000001.seg');
    await writeFile(path, segment(1));
    await truncate(path, 100 * 1024 * 1024);
    await open();
    expect(warned).toMatchObject([{ damagedFiles: 1, damagedBytes: 100 * 1024 * 1024 }]);
    expect(await readdir(directory)).toHaveLength(1);
  });
});

test.each(['99999999999999.seg', '99999999999998.seg.tmp', '90000000000001.seg.damaged'])(
  'a file named %s lends nobody its number: what is written beside it is read back',
  async (name) => {
    await writeFile(join(directory, name), 'somebody else');
    const first = await open();
    first.append(makeUnit(1, receipt), 0);
    first.write(1_000);
    await first.idle();
    expect((await readdir(directory)).sort()).toEqual(['000000000000.seg', name].sort());
    expect(await drain(await open())).toEqual([1]);
  },
);

test('files that no runner wrote are left alone, and new files have other names', async () => {
  await mkdir(join(directory, '000000000007.seg', 'inside'), { recursive: true });
  await mkdir(join(directory, 'lost+found'));
  await writeFile(join(directory, '000000000009.seg'), 'somebody else');
  await writeFile(join(directory, 'notes.txt'), 'mine');
  await symlink(directory, join(directory, '000000000008.seg'));
  const before = (await readdir(directory)).sort();
  const spool = await open();
  spool.append(makeUnit(1, receipt), 0);
  spool.write(1_000);
  await spool.idle();
  expect((await readdir(directory)).sort()).toEqual([...before, '000000000010.seg'].sort());
  expect(await drain(spool)).toEqual([1]);
  expect((await readdir(directory)).sort()).toEqual(before);
  expect(await readFile(join(directory, '000000000009.seg'), 'utf8')).toBe('somebody else');
  expect(warned).toMatchObject([{ event: 'spool_damaged', foreignFiles: 5 }]);
});

test('any bytes in any file or folder: the spool opens, reads what is whole, and works', async () => {
  const name = fc.oneof(
    fc.integer({ min: 0, max: 20 }).map((ordinal) => `${String(ordinal).padStart(12, '0')}.seg`),
    fc.constantFrom('000000000005.seg.tmp', '99999999999999.seg', '1.seg', 'a.seg', '.seg', 'core'),
  );
  const damaged = fc
    .tuple(
      fc.integer({ min: 0, max: 4 }),
      fc.array(fc.tuple(fc.nat(600), fc.nat(255))),
      fc.nat(700),
    )
    .map(([frames, changes, length]) => {
      const file = segment(...Array.from({ length: frames }, (_, at) => at + 1));
      for (const [at, byte] of changes) if (at < file.length) file[at] = byte;
      return file.subarray(0, length);
    });
  const content = fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged, fc.constant('folder'));
  await fc.assert(
    fc.asyncProperty(fc.dictionary(name, content, { maxKeys: 6 }), async (entries) => {
      await rm(directory, { recursive: true });
      await mkdir(directory);
      for (const [each, bytes] of Object.entries(entries)) {
        const path = join(directory, each);
        if (bytes === 'folder') await mkdir(path);
        else await writeFile(path, bytes as Uint8Array);
      }
      const spool = await open();
      const recovered = [...spool.recovered()];
      for (const [key, units] of recovered) expect((await drain(spool, key)).length).toBe(units);
      spool.append(makeUnit(77, receipt, { key: 'new' }), 0);
      spool.write(1_000);
      await spool.idle();
      expect(await drain(spool, 'new')).toEqual([77]);
      for (const [each, bytes] of Object.entries(entries)) {
        const isOurs = /^\d{12,14}\.seg(\.tmp)?$/.test(each);
        if (bytes === 'folder') expect(await readdir(join(directory, each))).toEqual([]);
        else if (!isOurs) expect(await readFile(join(directory, each))).toEqual(Buffer.from(bytes));
      }
    }),
    { numRuns: 150 },
  );
});

test('records of an earlier process are marked, those of this one are not', async () => {
  await writeFile(join(directory, '000000000001.seg'), segment(1));
  const spool = await openSpool({
    directory,
    maxBytes: 1e9,
    markRecovered: (record) => Buffer.concat([record, Buffer.from('!')]),
  });
  spool.append(makeUnit(2, receipt, { key: 'new' }), 0);
  spool.write(1_000);
  await spool.idle();
  const last: string[] = [];
  const take = (units: readonly Unit[]) => {
    for (const { records } of units)
      last.push(
        Buffer.from(records[0] ?? [])
          .toString()
          .slice(-1),
      );
  };
  spool.load('stream', take);
  spool.load('new', take);
  await spool.idle();
  expect(last).toEqual(['!', '.']);
});
