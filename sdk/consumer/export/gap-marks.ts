import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LedgerReport } from '../verdict/ledger.ts';
import { describeLoss, type Loss } from '../verdict/loss.ts';
import { partialPath } from './exporter.ts';
import { vtt } from './text/transcript.ts';

/** Where the losses of a meeting are written, in its directory. */
export const GAPS_FILE = 'gaps.json';

/** @returns the words of a loss inside captions. They have no times of day, as the cue has its own times */
export function cueText(loss: Loss): string {
  return describeLoss(loss).replace(/ between \S+ and \S+(?: \(([^)]+)\))?/, (_, length) =>
    length === undefined ? '' : ` for up to ${length}`,
  );
}

/**
 * Writes `gaps.json`: the verdict, and every loss with its times since meeting zero.
 *
 * @param startMs meeting zero, Unix ms
 * @returns the path of the file
 */
export async function writeGaps(
  directory: string,
  rtmsStreamId: string,
  startMs: number,
  { verdict, losses }: Pick<LedgerReport, 'verdict' | 'losses'>,
): Promise<string> {
  const path = join(directory, GAPS_FILE);
  const rows = losses.map((loss) => ({
    ...loss,
    fromAtMs: loss.fromMs - startMs,
    toAtMs: loss.toMs - startMs,
    text: describeLoss(loss),
  }));
  const document = { rtmsStreamId, startMs, verdict, losses: rows };
  await writeFile(partialPath(path), `${JSON.stringify(document, undefined, 2)}\n`);
  await rename(partialPath(path), path);
  return path;
}

/**
 * Writes captions beside a video, for the times in which its picture stands still because pictures are missing. Players
 * show `name.vtt` beside `name.mp4` by themselves; a web page needs a `<track>`.
 *
 * @param startMs meeting zero, Unix ms
 * @returns the path of the captions
 */
export async function writeVideoCaptions(
  videoPath: string,
  startMs: number,
  losses: readonly Loss[],
): Promise<string> {
  const path = videoPath.replace(/\.mp4$/, '.vtt');
  const cues = losses.map((loss) => ({
    fromMs: Math.max(loss.fromMs - startMs, 0),
    toMs: Math.max(loss.toMs - startMs, 1),
    speaker: '',
    text: `[${cueText(loss)}]`,
  }));
  await writeFile(partialPath(path), vtt(cues));
  await rename(partialPath(path), path);
  return path;
}
