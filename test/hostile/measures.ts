import type { World } from '../support/world.ts';

/** Numbers of these streams' frames that lack between others, in every epoch. */
export function lostOf(world: World, streams: readonly string[]): number {
  let lost = 0;
  for (const id of streams) {
    const sources = new Map<string, { numbers: Set<number>; highest: number }>();
    for (const { epoch, mediaType, userId, sequence } of world.framesOf(id)) {
      const key = `${epoch} ${mediaType} ${userId}`;
      const source = sources.get(key) ?? { numbers: new Set(), highest: 0 };
      source.numbers.add(sequence);
      source.highest = Math.max(source.highest, sequence);
      sources.set(key, source);
    }
    for (const { numbers, highest } of sources.values()) lost += highest - numbers.size;
  }
  return lost;
}

/** p99 from capture until it could be read, ms, of what was captured in that time; infinite when nothing was. */
export function lateMsOf(
  world: World,
  streams: readonly string[],
  fromMs: number,
  toMs: number,
): number {
  const late = streams
    .flatMap((id) => world.framesOf(id))
    .filter(({ capturedAtMs }) => capturedAtMs >= fromMs && capturedAtMs < toMs)
    .map(({ capturedAtMs, readAtMs }) => readAtMs - capturedAtMs)
    .sort((a, b) => a - b);
  return late[Math.floor(late.length * 0.99)] ?? Number.POSITIVE_INFINITY;
}
