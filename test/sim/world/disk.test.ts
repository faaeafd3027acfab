import { expect, test } from 'vitest';
import { seededRandom } from '../../../shared/seeded-random.ts';
import { MemoryDisk } from './disk.ts';

const PATHS = ['/spool/a', '/spool/b'];

/** Each byte has the number of its write. */
function written(): { disk: MemoryDisk; whole: Map<string, Buffer> } {
  const disk = new MemoryDisk();
  for (let number = 1; number <= 20; number += 1) {
    disk.write(PATHS[number % 2] as string, Buffer.alloc(10, number), 'end');
  }
  return { disk, whole: new Map(PATHS.map((path) => [path, disk.read(path)])) };
}

test('a crash leaves the beginning of each file, and zeros behind it at most', () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 400; seed += 1) {
    const { disk, whole } = written();
    const words = disk.crash(seededRandom(seed));
    seen.add(words.replace(/\d+/, 'N'));
    let missing = 0;
    for (const path of PATHS) {
      const [left, before] = [disk.read(path), whole.get(path) as Buffer];
      const zero = left.indexOf(0);
      const kept = zero < 0 ? left : left.subarray(0, zero);
      expect(before.subarray(0, kept.length)).toEqual(kept);
      expect(left.subarray(kept.length).every((byte) => byte === 0)).toBe(true);
      if (kept.length < left.length) seen.add('zeros');
      missing += before.length - kept.length;
    }
    if (words === '') expect(missing).toBe(0);
    if (words.includes('torn')) expect(missing).toBeLessThanOrEqual(10);
    const told = /with (\d+) bytes/.exec(words);
    if (told) expect(missing).toBe(Number(told[1]));
  }
  expect([...seen].sort()).toEqual([
    '',
    ', with N bytes of its files lost',
    ', with its last write torn',
    'zeros',
  ]);
});
