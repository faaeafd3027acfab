import type { MeetingLine } from './line.ts';

/** One person, by id where Zoom gave one, else by name. */
export interface Talker {
  readonly who: string | undefined;
  readonly userId: number | undefined;
  lines: number;
  /** By the times of the transcript, ms. */
  spokenMs: number;
  firstMs: number;
  lastMs: number;
}

/** A time in which one person spoke and no other line came between. */
export interface SpokenSpan {
  readonly who: string | undefined;
  readonly userId: number | undefined;
  readonly fromMs: number;
  toMs: number;
  lines: number;
}

/** A longer silence ends a speech. */
const PAUSE_MS = 10_000;

/** Tells from the transcript who spoke, and when. @param lines `said`, in order of time */
export function talkOf(lines: readonly MeetingLine[]): {
  readonly people: readonly Talker[];
  readonly speeches: readonly SpokenSpan[];
} {
  const people = new Map<string | number, Talker>();
  const speeches: SpokenSpan[] = [];
  let lastKey: string | number | undefined;
  for (const { who, userId, atMs, fromMs = atMs, toMs = fromMs } of lines) {
    const key = userId ?? who ?? '';
    const endMs = Math.max(fromMs, toMs);
    const person = people.get(key) ?? {
      who,
      userId,
      lines: 0,
      spokenMs: 0,
      firstMs: fromMs,
      lastMs: endMs,
    };
    people.set(key, person);
    person.lines += 1;
    person.spokenMs += endMs - fromMs;
    person.lastMs = Math.max(person.lastMs, endMs);
    const speech = speeches.at(-1);
    if (speech !== undefined && lastKey === key && fromMs - speech.toMs <= PAUSE_MS) {
      speech.toMs = Math.max(speech.toMs, endMs);
      speech.lines += 1;
    } else {
      speeches.push({ who, userId, fromMs, toMs: endMs, lines: 1 });
    }
    lastKey = key;
  }
  const byTime = (a: Talker, b: Talker) => b.spokenMs - a.spokenMs || b.lines - a.lines;
  return { people: [...people.values()].sort(byTime), speeches };
}
