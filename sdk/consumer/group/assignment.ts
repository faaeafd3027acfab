/**
 * Decides which worker reads which shard, as evenly as whole shards can be divided and with as few moves as that takes.
 *
 * Every worker computes this from the same rows and acts on its own part alone, so nobody has to lead: a shard that is
 * another's is released by its owner, and one that is nobody's is claimed by the worker it falls to.
 *
 * @param workers ids of the workers that take shards; without one nothing is assigned
 * @param owners who reads a shard now; others than `workers` count as nobody
 * @returns the worker of every shard
 */
export function assign(
  workers: readonly string[],
  shardIds: readonly string[],
  owners: ReadonlyMap<string, string>,
): Map<string, string> {
  if (workers.length === 0) return new Map();
  const held = new Map(workers.map((worker): [string, string[]] => [worker, []]));
  const waiting: string[] = [];
  for (const shardId of [...shardIds].sort()) {
    const shards = held.get(owners.get(shardId) ?? '');
    if (shards) shards.push(shardId);
    else waiting.push(shardId);
  }
  const least = Math.floor(shardIds.length / workers.length);
  let larger = shardIds.length % workers.length;
  const quotas = new Map<string, number>();
  // Whoever holds most may keep one more: every other choice would move a shard.
  for (const [worker] of [...held].sort(byCountThenName)) {
    quotas.set(worker, least + (larger > 0 ? 1 : 0));
    larger -= 1;
  }
  for (const [worker, shards] of held) waiting.push(...shards.splice(quotas.get(worker) ?? 0));
  waiting.sort();
  const assigned = new Map<string, string>();
  for (const [worker, shards] of [...held].sort(byName)) {
    shards.push(...waiting.splice(0, (quotas.get(worker) ?? 0) - shards.length));
    for (const shardId of shards) assigned.set(shardId, worker);
  }
  return assigned;
}

type Held = [worker: string, shards: string[]];

function byName([a]: Held, [b]: Held): number {
  return a < b ? -1 : 1;
}

function byCountThenName(a: Held, b: Held): number {
  return b[1].length - a[1].length || byName(a, b);
}
