import { describe, expect, test } from 'vitest';
import { SHARD_END } from '../reading/checkpoints.ts';
import type { ShardInfo } from '../reading/shard-reader.ts';
import { planGroup } from './group-plan.ts';
import type { ShardRow } from './group-rows.ts';

const shard = (text: string): ShardInfo => {
  const [shardId = '', parentShardId, adjacentParentShardId] = text.split('<');
  return { shardId, parentShardId, adjacentParentShardId, isClosed: false };
};

/** `a@me` owned, `a@` free, `a@!` read to its end, `a@me:7` with a checkpoint. */
const row = (text: string): ShardRow => {
  const [, shardId = '', owner, end, at] = /^(\w+)@(\w*)(!?)(?::(\d+))?$/.exec(text) ?? [];
  const sequenceNumber = end ? SHARD_END : at;
  return {
    shardId,
    streamCreatedAtMs: 1,
    epoch: 1,
    ...(owner && { owner }),
    ...(sequenceNumber && { position: { sequenceNumber } }),
  };
};

/** `me` is the observer; `?` after a name is a worker that leaves, `+` one that is dead, `~` one that is silent. */
const worker = (text: string) => ({
  workerId: text.replace(/[?+~]/, ''),
  isLeaving: text.endsWith('?'),
  isDead: text.endsWith('+'),
  isSilent: text.endsWith('~'),
});

const words = (text: string) => text.split(' ').filter(Boolean);

function plan(workers: string, shards: string, rows: string, serving: string) {
  const { claims, releases, done, expired } = planGroup({
    workerId: 'me',
    workers: words(workers).map(worker),
    shards: words(shards).map(shard),
    rows: new Map(words(rows).map((text) => [row(text).shardId, row(text)])),
    serving: new Set(words(serving)),
  });
  const ids = (items: readonly { readonly shardId: string }[]) =>
    items.map(({ shardId }) => shardId).join(' ');
  return [ids(claims), releases.join(' '), ids(done), ids(expired)].join(' | ');
}

describe('planGroup: claims | releases | done | expired', () => {
  test.each([
    ['claims what nobody has read', 'me', 'a b', '', '', 'a b |  |  | '],
    ['claims its share alone', 'me you', 'a b', '', '', 'a |  |  | '],
    ['leaves alone what a live worker owns', 'me you', 'a b', 'a@you b@you', '', ' |  |  | '],
    ['claims what a dead worker owns', 'me you+', 'a b', 'a@you b@me', 'b', 'a |  |  | '],
    ['claims what a worker owns that is gone', 'me', 'a', 'a@you', '', 'a |  |  | '],
    ['claims again what it owned in an earlier life', 'me', 'a', 'a@me:7', '', 'a |  |  | '],
    ['claims it also when it falls to another', 'me you', 'a b', 'a@me b@me', '', 'a b |  |  | '],
    ['leaves a silent worker what it has', 'me you~', 'a b c', 'a@you b@you', '', 'c |  |  | '],
    ['gives a silent worker nothing', 'me you~', 'a b', '', '', 'a b |  |  | '],
    ['does not claim what it serves', 'me', 'a', 'a@me:7', 'a', ' |  |  | '],
    ['does not claim what it just gave away', 'me', 'a', 'a@', 'a', ' |  |  | '],
    ['gives away what falls to another', 'me you', 'a b', 'a@me b@me', 'a b', ' | b |  | '],
    ['waits for a worker that leaves', 'me you?', 'a b', 'a@you b@me', 'b', ' |  |  | '],
    ['claims what a leaving worker has given', 'me you?', 'a b', 'a@ b@me', 'b', 'a |  |  | '],
    ['gives everything away when it leaves', 'me? you', 'a b', 'a@me b@you', 'a', ' | a |  | '],
    ['claims nothing when all leave', 'me?', 'a', '', '', ' |  |  | '],
    ['waits with a child for its parent', 'me', 'a b<a c<a', 'a@me:7', 'a', ' |  |  | '],
    [
      'claims the children of a parent that has ended',
      'me',
      'a b<a c<a',
      'a@!',
      '',
      'b c |  |  | ',
    ],
    [
      'waits with a merged child for both parents',
      'me',
      'a b c<a<b',
      'a@! b@me:7',
      'b',
      ' |  |  | ',
    ],
    ['claims a child whose parent is not kept any more', 'me', 'b<a', '', '', 'b |  |  | '],
    [
      'clears the rows of shards that ended and are gone',
      'me',
      'b<a',
      'a@! b@me:1',
      'b',
      ' |  | a | ',
    ],
    ['tells of a shard that expired before its end', 'me', 'b<a', 'a@me:7', '', 'b |  |  | a'],
    ['tells it once: not when a child has begun', 'me', 'b<a', 'a@:7 b@me:1', 'b', ' |  |  | '],
  ])('%s', (_what, workers, shards, rows, serving, expected) => {
    expect(plan(workers, shards, rows, serving)).toBe(expected);
  });
});
