import { createHash } from 'node:crypto';

/** File systems take names of 255 bytes; callers put a few characters of their own around this one. */
const MAX_LENGTH = 100;
/** Names of devices on Windows, with or without an extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * The name of a folder or file for an id that Zoom, or somebody who speaks like Zoom, has chosen.
 *
 * Whatever the id is, the name is one path segment of letters, digits, `.`, `_`, `=` and `-` that stays inside the
 * folder it is joined to. An id that is not a safe name itself gets a part of its SHA-256, so that two ids never
 * share a folder.
 */
export function folderNameOf(id: string): string {
  const isSafe = /^[\w=-][\w.=-]*$/.test(id) && id.length <= MAX_LENGTH && !/\.$/.test(id);
  if (isSafe && !DEVICE.test(id)) return id;
  const readable = id.replaceAll(/[^\w=-]+/g, '-').slice(0, 40);
  const digest = createHash('sha256').update(id).digest('hex').slice(0, 12);
  return `id-${readable}-${digest}`;
}
