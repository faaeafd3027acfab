import type { Cue } from '../text/transcript.ts';
import { textSample, timedText } from './mp4-boxes.ts';
import type { Mp4File } from './mp4-file.ts';

/** What captions show from one moment to another. */
interface Caption {
  readonly fromMs: number;
  readonly toMs: number;
  /** Empty for a time without any. */
  readonly text: string;
}

/**
 * Lays lines out one after another from zero on, as a track of timed text needs it. Lines that stand at the same time
 * become one with several rows.
 */
export function captions(cues: readonly Cue[]): Caption[] {
  const sorted = cues.toSorted((a, b) => a.fromMs - b.fromMs);
  const moments = [...new Set([0, ...sorted.flatMap(({ fromMs, toMs }) => [fromMs, toMs])])];
  moments.sort((a, b) => a - b);
  const shown: Caption[] = [];
  let standing: Cue[] = [];
  let next = 0;
  for (const [index, fromMs] of moments.entries()) {
    const toMs = moments[index + 1];
    if (toMs === undefined) break;
    standing = standing.filter((cue) => cue.toMs > fromMs);
    for (let cue = sorted[next]; cue && cue.fromMs <= fromMs; cue = sorted[++next])
      standing.push(cue);
    shown.push({ fromMs, toMs, text: standing.map(lineOf).join('\n') });
  }
  return shown;
}

function lineOf({ speaker, text }: Cue): string {
  const words = text.replace(/\s+/g, ' ').trim();
  return speaker ? `${speaker}: ${words}` : words;
}

/** Writes the captions of a meeting as a track. What lies behind its end is left out. */
export async function putCaptions(
  file: Mp4File,
  cues: readonly Cue[],
  endMs: number,
): Promise<void> {
  const shown = captions(cues.filter(({ fromMs }) => fromMs < endMs));
  if (shown.length === 0) return;
  const track = file.addTrack({ kind: 'sbtl', rate: 1000, name: 'Transcript' });
  const entry = timedText('tx3g');
  for (const { fromMs, toMs, text } of shown) {
    const duration = Math.min(toMs, endMs) - fromMs;
    if (duration > 0)
      await file.add(track, { data: textSample(text), duration, isKey: true, entry });
  }
}
