import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { pathToFileURL } from 'node:url';

/** Found by way of package.json, because this file runs from the repository and, compiled, from `dist/`. */
const ASSETS = new URL('simulator/assets/', pathToFileURL(findPackageJSON(import.meta.url) ?? ''));
// Files are read once for the process: they do not change while it runs.
const loaded = new Map<string, Buffer>();
const accessUnits = new Map<string, Buffer[]>();
const opusPackets = new Map<string, Buffer[]>();

/** The bytes of a file below simulator/assets, read once. */
export function loadAsset(file: string): Buffer {
  return cached(loaded, file, () => readFileSync(new URL(file, ASSETS)));
}

/** The access units of an Annex B file that has a delimiter (NAL unit type 9) before each of them. */
export function loadAccessUnits(file: string): Buffer[] {
  return cached(accessUnits, file, () => splitAccessUnits(loadAsset(file)));
}

/** The packets of an Ogg Opus file, without its two header packets. */
export function loadOpusPackets(file: string): Buffer[] {
  return cached(opusPackets, file, () => splitOggPackets(loadAsset(file)).slice(2));
}

function cached<Value>(cache: Map<string, Value>, file: string, load: () => Value): Value {
  const known = cache.get(file);
  if (known !== undefined) return known;
  const value = load();
  cache.set(file, value);
  return value;
}

const DELIMITER = Buffer.from([0, 0, 0, 1, 9]);

function splitAccessUnits(stream: Buffer): Buffer[] {
  const units: Buffer[] = [];
  let start = stream.indexOf(DELIMITER);
  while (start >= 0) {
    const next = stream.indexOf(DELIMITER, start + DELIMITER.length);
    units.push(stream.subarray(start, next < 0 ? stream.length : next));
    start = next;
  }
  return units;
}

/**
 * All packets of an Ogg file of one stream, with its headers.
 *
 * @see RFC 3533: a page lists its segments; a packet ends with the first one below 255 bytes
 */
export function splitOggPackets(file: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  let parts: Buffer[] = [];
  for (let page = 0; page < file.length; ) {
    const segments = file.readUInt8(page + 26);
    let at = page + 27 + segments;
    for (let segment = 0; segment < segments; segment++) {
      const size = file.readUInt8(page + 27 + segment);
      parts.push(file.subarray(at, at + size));
      at += size;
      if (size === 255) continue;
      packets.push(Buffer.concat(parts));
      parts = [];
    }
    page = at;
  }
  return packets;
}
