import { LEVEL_MS } from './mix-reader.ts';

/** Mean power of speech that is just loud enough: -45 dB of full scale. */
const SPEECH_POWER = 10 ** -4.5;

/** A pause that is shorter belongs to what is said around it. */
const PAUSE_MS = 500;

/** Who is the loudest for this long becomes the speaker, where Zoom names none. */
const TAKES_OVER_MS = 700;

/** Somebody speaks, times since meeting zero. */
export interface Speech {
  readonly speaker: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Finds who spoke when, by the level of each speaker's sound. */
export class SpeechTimes {
  readonly spoken: Speech[] = [];
  readonly #open = new Map<string, { fromMs: number; toMs: number }>();
  #loudest: { speaker: string; sinceMs: number } | undefined;
  #speaker: string | undefined;

  /**
   * Takes the levels that follow those of the call before.
   *
   * @param levels mean power of each speaker in each tenth of a second, from `atMs` on
   * @returns who has become the loudest speaker, and when
   */
  add(
    atMs: number,
    levels: ReadonlyMap<string, readonly number[]>,
  ): { atMs: number; speaker: string }[] {
    const changes: { atMs: number; speaker: string }[] = [];
    const count = Math.max(0, ...[...levels.values()].map(({ length }) => length));
    for (let index = 0; index < count; index++) {
      const fromMs = atMs + index * LEVEL_MS;
      let loudest: { speaker: string; power: number } | undefined;
      for (const [speaker, powers] of levels) {
        const power = powers[index] ?? 0;
        if (power < SPEECH_POWER) continue;
        this.#speaks(speaker, fromMs);
        if (!loudest || power > loudest.power) loudest = { speaker, power };
      }
      if (!loudest) continue;
      if (loudest.speaker !== this.#loudest?.speaker)
        this.#loudest = { speaker: loudest.speaker, sinceMs: fromMs };
      const isLong = fromMs + LEVEL_MS - this.#loudest.sinceMs >= TAKES_OVER_MS;
      if (!isLong || loudest.speaker === this.#speaker) continue;
      this.#speaker = loudest.speaker;
      changes.push({ atMs: fromMs + LEVEL_MS, speaker: loudest.speaker });
    }
    return changes;
  }

  /** Ends what is still open. @returns everything that was said, sorted */
  finish(): readonly Speech[] {
    for (const [speaker, open] of this.#open) this.spoken.push({ speaker, ...open });
    this.#open.clear();
    return this.spoken.sort((a, b) => a.fromMs - b.fromMs || a.toMs - b.toMs);
  }

  #speaks(speaker: string, fromMs: number): void {
    const open = this.#open.get(speaker);
    const toMs = fromMs + LEVEL_MS;
    if (open && fromMs - open.toMs < PAUSE_MS) open.toMs = toMs;
    else {
      if (open) this.spoken.push({ speaker, ...open });
      this.#open.set(speaker, { fromMs, toMs });
    }
  }
}

/**
 * Names the speakers inside the sound that Zoom mixed.
 *
 * @param spoken who spoke when. What `mixed`, the name of Zoom's mix, said has no speaker yet
 * @param active who is the active speaker from when on, in order
 * @returns what people said: what is said before Zoom names anybody is `unknown`
 */
export function nameSpeakers(
  spoken: readonly Speech[],
  mixed: string,
  active: readonly { readonly atMs: number; readonly speaker: string }[],
): Speech[] {
  return spoken.flatMap((speech) => {
    if (speech.speaker !== mixed) return [speech];
    const inside = active.filter(({ atMs }) => atMs > speech.fromMs && atMs < speech.toMs);
    const before = active.findLast(({ atMs }) => atMs <= speech.fromMs);
    const marks = [{ atMs: speech.fromMs, speaker: before?.speaker ?? 'unknown' }, ...inside];
    return marks
      .map(({ atMs, speaker }, index) => ({
        speaker,
        fromMs: atMs,
        toMs: marks[index + 1]?.atMs ?? speech.toMs,
      }))
      .filter(({ fromMs, toMs }) => toMs > fromMs);
  });
}

/** @returns one line for each speech, as tools for diarisation read them. @see NIST RT-09, RTTM */
export function rttm(spoken: readonly Speech[], recording: string): string {
  const word = (text: string) => text.replace(/\s+/g, '_') || 'unknown';
  return spoken
    .map(({ speaker, fromMs, toMs }) => {
      const [from, length] = [fromMs, toMs - fromMs].map((ms) => (ms / 1000).toFixed(3));
      return `SPEAKER ${word(recording)} 1 ${from} ${length} <NA> <NA> ${word(speaker)} <NA> <NA>\n`;
    })
    .join('');
}
