import type { Random } from './random.ts';

/** What a field may hold that nobody meant it to hold. */
const ODD: readonly unknown[] = [
  null,
  true,
  '',
  '0',
  0,
  -1,
  0.5,
  2 ** 31,
  2 ** 53,
  1e308,
  'x'.repeat(300),
  '#',
  '\n',
  '\u202e',
  '\ud800',
  '__proto__',
  [],
  {},
  [[[]]],
  { toString: 1 },
  'x'.repeat(70_000),
];

/** The same document with a few fields replaced, removed, or moved. */
export function mutateJson(document: unknown, random: Random): unknown {
  const copy = structuredClone(document);
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    let at = copy as Record<string, unknown>;
    for (let depth = random.below(4); depth > 0; depth -= 1) {
      const inner = Object.values(at).filter(
        (value) => typeof value === 'object' && value !== null,
      );
      if (inner.length === 0) break;
      at = random.pick(inner) as Record<string, unknown>;
    }
    const keys = Object.keys(at);
    if (keys.length === 0) continue;
    const key = random.pick(keys);
    if (random.below(6) === 0) delete at[key];
    else at[key] = structuredClone(random.below(5) === 0 ? document : random.pick(ODD));
  }
  return copy;
}

/** The same bytes with a few changed, cut out, doubled, or zeroed. */
export function mutateBytes(bytes: Uint8Array, random: Random): Buffer {
  let out: Buffer = Buffer.from(bytes);
  for (let count = 1 + random.below(4); count > 0 && out.length > 0; count -= 1) {
    const at = random.below(out.length);
    const length = 1 + random.below(Math.min(64, out.length - at));
    const kind = random.below(5);
    if (kind === 0) out[at] = random.below(256);
    else if (kind === 1) out = Buffer.concat([out.subarray(0, at), out.subarray(at + length)]);
    else if (kind === 2) out = Buffer.concat([out, out.subarray(at, at + length)]);
    else if (kind === 3) out.fill(0, at, at + length);
    else out = out.subarray(0, at);
  }
  return out;
}
