import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { assign } from './assignment.ts';

const owned = (text: string) =>
  new Map(
    text
      .split(' ')
      .filter(Boolean)
      .map((pair) => pair.split(':') as [string, string]),
  );

describe('assign', () => {
  test.each([
    ['divides what nobody has', 'a b', '1 2 3', '', '1:a 2:a 3:b'],
    ['leaves an even division alone', 'a b', '1 2 3', '1:b 2:a 3:a', '1:b 2:a 3:a'],
    ['gives a new worker its share', 'a b', '1 2 3 4', '1:a 2:a 3:a 4:a', '1:a 2:a 3:b 4:b'],
    [
      'gives the shards of a dead worker to the others',
      'a b',
      '1 2 3 4',
      '1:a 2:c 3:c 4:b',
      '1:a 2:a 3:b 4:b',
    ],
    ['leaves workers without shards when there are too few', 'a b c', '1 2', '', '1:a 2:b'],
    ['moves one shard at most when one comes', 'a b', '1 2 3', '1:a 2:b', '1:a 2:b 3:a'],
  ])('%s', (_what, workers, shards, owners, expected) => {
    const assigned = assign(workers.split(' '), shards.split(' '), owned(owners));
    expect(new Map([...assigned].sort())).toEqual(owned(expected));
  });
});

const ids = (letter: string, max: number, min = 0) =>
  fc.uniqueArray(
    fc.nat(40).map((n) => `${letter}${n}`),
    { minLength: min, maxLength: max },
  );

property.prop([ids('w', 8, 1), ids('s', 30), fc.infiniteStream(fc.nat(9))])(
  'assign is even, whole, does not depend on the order of its input, and moves as few shards as that takes',
  (workers, shards, picks) => {
    const owners = new Map<string, string>();
    for (const shard of shards) {
      const pick = picks.next().value ?? 0;
      // Some shards are nobody's, and some a dead worker's.
      if (pick < 8) owners.set(shard, workers[pick] ?? 'dead');
    }
    const assigned = assign(workers, shards, owners);
    expect([...assigned.keys()].sort()).toEqual([...shards].sort());
    const counts = workers.map((worker) => count(assigned, worker));
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    expect(assign(workers.toReversed(), shards.toReversed(), owners)).toEqual(assigned);
    // What is assigned stays so: no shard wanders.
    expect(assign(workers, shards, assigned)).toEqual(assigned);
    const isLive = (shard: string) => workers.includes(owners.get(shard) ?? '');
    const moved = shards.filter((id) => isLive(id) && assigned.get(id) !== owners.get(id)).length;
    const most = Math.ceil(shards.length / workers.length);
    const larger = shards.length % workers.length || workers.length;
    const held = workers.map((worker) => count(owners, worker, shards)).sort((a, b) => b - a);
    const needed = held.map((has, place) => Math.max(0, has - (place < larger ? most : most - 1)));
    expect(moved).toBe(needed.reduce((sum, has) => sum + has, 0));
  },
);

function count(
  owners: ReadonlyMap<string, string>,
  worker: string,
  shards: readonly string[] = [...owners.keys()],
): number {
  return shards.filter((shard) => owners.get(shard) === worker).length;
}
