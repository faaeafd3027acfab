import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inOrder } from './in-order.ts';
import {
  type EncodedPicture,
  type Picture,
  type PictureFile,
  picturesOf,
} from './picture-reader.ts';
import { encodeStill } from './still-encoder.ts';

/** How long the last picture of a folder stands at least. */
const LAST_MS = 1_000;

/**
 * Yields the pictures of all files in the order of time. Memory holds one picture of each file.
 *
 * @param onBroken is told of a file that cannot be read any further; the others go on
 * @param onDamaged is told of a folder each time that a picture of it cannot be decoded
 */
export async function* pictures(
  files: readonly PictureFile[],
  onBroken: (path: string) => void,
  onDamaged: (path: string) => void = () => undefined,
): AsyncGenerator<Picture, void> {
  yield* inOrder(files.map((file) => untilBroken(file, onBroken, onDamaged)));
}

async function* untilBroken(
  file: PictureFile,
  onBroken: (path: string) => void,
  onDamaged: (path: string) => void,
): AsyncGenerator<Picture, void> {
  try {
    if (file.images) yield* imagePictures(file, file.images, onDamaged);
    else yield* picturesOf(file);
  } catch {
    onBroken(file.path);
  }
}

/** One picture of a folder that `ImageSequenceExporter` wrote. */
export interface StoredImage {
  readonly path: string;
  /** Since meeting zero. */
  readonly atMs: number;
}

/** @returns what `index.jsonl` of such a folder lists, in the order of time */
export async function storedImages(folder: string): Promise<StoredImage[]> {
  const index = await readFile(join(folder, 'index.jsonl'), 'utf8');
  const images = index
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { file: string; atMs: number })
    .map(({ file, atMs }) => ({ path: join(folder, file), atMs: Math.max(atMs, 0) }));
  return images.sort((a, b) => a.atMs - b.atMs);
}

/**
 * Yields the pictures of a folder as key frames. What is sent again unchanged is encoded once.
 *
 * @param onDamaged is told of each picture that cannot be decoded; the one before it stands on
 */
async function* imagePictures(
  { path: folder, source, isShare }: PictureFile,
  kind: 'jpg' | 'png',
  onDamaged: (path: string) => void,
): AsyncGenerator<Picture, void> {
  const images = await storedImages(folder);
  let before: { readonly bytes: Buffer; readonly picture: EncodedPicture } | undefined;
  for (const [index, { path, atMs }] of images.entries()) {
    const bytes = await readFile(path);
    const picture = before?.bytes.equals(bytes) ? before.picture : await encodeStill(bytes, kind);
    if (picture === undefined) {
      onDamaged(folder);
      continue;
    }
    before = { bytes, picture };
    const nextMs = images[index + 1]?.atMs ?? atMs + LAST_MS;
    const durationMs = Math.max(nextMs - atMs, 1);
    yield { ...picture, source, isShare, atMs, durationMs, isKey: true };
  }
}
