import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inOrder } from './in-order.ts';
import { type Picture, type PictureFile, picturesOf } from './picture-reader.ts';
import { isMostlySame, type Planes } from './planes.ts';
import { decodeStill, type EncodedStill, encodeStills } from './still-encoder.ts';

/**
 * How long a run may become. Its pictures are in memory together, and the view can change to a source with a key frame only.
 */
const RUN_PICTURES = 5;
const RUN_MS = 5_000;
const RUN_BYTES = 32 * 2 ** 20;

/** How long the last picture of a folder stands at least. */
const LAST_MS = 1_000;

/**
 * Yields the pictures of all files in the order of time. Memory holds one picture of each file, and of a folder one run.
 *
 * @param onBroken is told of a file that cannot be read any further; the others go on
 * @param onDamaged is told of a folder each time that a picture of it cannot be decoded
 * @param cutsMs when the view may change to a picture of a folder
 */
export async function* pictures(
  files: readonly PictureFile[],
  onBroken: (path: string) => void,
  onDamaged: (path: string) => void = () => undefined,
  cutsMs: readonly number[] = [],
): AsyncGenerator<Picture, void> {
  yield* inOrder(files.map((file) => untilBroken(file, cutsMs, onBroken, onDamaged)));
}

async function* untilBroken(
  file: PictureFile,
  cutsMs: readonly number[],
  onBroken: (path: string) => void,
  onDamaged: (path: string) => void,
): AsyncGenerator<Picture, void> {
  try {
    if (file.images) yield* imagePictures(file, file.images, cutsMs, onDamaged);
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

interface TimedPlanes {
  readonly planes: Planes;
  readonly atMs: number;
  readonly durationMs: number;
}

/**
 * Yields the pictures of a folder, encoded in runs: a key frame, and what differs from it. What is sent again unchanged is
 * a key frame too, which is encoded once.
 *
 * @param cutsMs the first picture behind each of these moments is a key frame
 * @param onDamaged is told of each picture that cannot be decoded; the one before it stands on
 */
async function* imagePictures(
  { path: folder, source, isShare }: PictureFile,
  kind: 'jpg' | 'png',
  cutsMs: readonly number[],
  onDamaged: (path: string) => void,
): AsyncGenerator<Picture, void> {
  const images = await storedImages(folder);
  let run: TimedPlanes[] = [];
  let last: { bytes: Buffer; planes: Planes; key?: EncodedStill | undefined } | undefined;
  async function* endRun(): AsyncGenerator<Picture, void> {
    const ended = run;
    run = [];
    const stills = ended.length > 0 ? await encodeStills(ended.map(({ planes }) => planes)) : [];
    if (last && stills.length === 1) last.key = stills[0];
    for (const [index, still] of stills.entries()) {
      const { atMs = 0, durationMs = 1 } = ended[index] ?? {};
      yield { ...still, source, isShare, atMs, durationMs };
    }
  }
  try {
    for (const [index, { path, atMs }] of images.entries()) {
      const durationMs = Math.max((images[index + 1]?.atMs ?? atMs + LAST_MS) - atMs, 1);
      const bytes = await readFile(path);
      if (last?.bytes.equals(bytes)) {
        yield* endRun();
        last.key ??= (await encodeStills([last.planes]))[0];
        if (last.key) yield { ...last.key, source, isShare, atMs, durationMs };
        continue;
      }
      const planes = await decodeStill(bytes, kind);
      if (planes === undefined) {
        onDamaged(folder);
        continue;
      }
      if (!continues(run, { planes, atMs }, cutsMs)) yield* endRun();
      run.push({ planes, atMs, durationMs });
      last = { bytes, planes };
    }
  } catch (error) {
    // A folder that cannot be read any further is shown as far as it was read.
    yield* endRun();
    throw error;
  }
  yield* endRun();
}

/** Whether a picture may be told by what differs from the one before it. */
function continues(
  run: readonly TimedPlanes[],
  { planes, atMs }: Pick<TimedPlanes, 'planes' | 'atMs'>,
  cutsMs: readonly number[],
): boolean {
  const [first, before] = [run[0], run.at(-1)];
  if (!first || !before || run.length >= RUN_PICTURES || atMs - first.atMs > RUN_MS) return false;
  if (run.length * planes.data.length > RUN_BYTES) return false;
  if (cutsMs.some((cutMs) => cutMs > before.atMs && cutMs <= atMs)) return false;
  return isMostlySame(before.planes, planes);
}
