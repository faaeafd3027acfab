import { rename, writeFile } from 'node:fs/promises';
import { DATA_MESSAGE_ATTRIBUTE } from '../../../../rtms/protocol/constants.ts';
import type { RtmsEventOf } from '../../records/event-record.ts';
import { sourceKey } from '../../records/frame.ts';
import { type Exporter, partialPath } from '../exporter.ts';

/** A line without an end lasts as long as it takes to read: by its length, and no less than a second. */
const MIN_CUE_MS = 1_000;
const MS_PER_CHARACTER = 60;

/** One line of a transcript, times since meeting zero. */
export interface Cue {
  readonly fromMs: number;
  readonly toMs: number;
  /** Empty when Zoom gave none. */
  readonly speaker: string;
  readonly text: string;
  /** Of who speaks; absent when Zoom gave none. */
  readonly userId?: number;
}

/** Formats a whole transcript as text. */
export type TranscriptFormat = (cues: readonly Cue[]) => string;

/** Collects the lines of a meeting and writes them, sorted by time, when closed. */
export class TranscriptExporter implements Exporter<RtmsEventOf<'transcript'>> {
  readonly #path: string;
  readonly #format: TranscriptFormat;
  readonly #startMs: number;
  /** Lines by speaker and start time, so that Zoom's correction of a line replaces it. */
  readonly #cues = new Map<string, Cue>();
  readonly #marks: Cue[] = [];

  /**
   * @param format `vtt`, `srt` or `plainText`
   * @param startMs meeting zero, Unix ms
   */
  constructor(path: string, format: TranscriptFormat, startMs: number) {
    this.#path = path;
    this.#format = format;
    this.#startMs = startMs;
  }

  async write({ data, sequence, epoch }: RtmsEventOf<'transcript'>): Promise<void> {
    const at = data.startMs ?? data.timestampMs;
    const isChange =
      data.attribute === DATA_MESSAGE_ATTRIBUTE.UPDATE ||
      data.attribute === DATA_MESSAGE_ATTRIBUTE.DELETE;
    const place = `${sourceKey(data)} ${at}`;
    // Another line with the same speaker and start that corrects nothing must not replace the first.
    const key = isChange || !this.#cues.has(place) ? place : `${place} ${epoch} ${sequence}`;
    if (data.attribute === DATA_MESSAGE_ATTRIBUTE.DELETE) this.#cues.delete(key);
    else this.#cues.set(key, toCue(data, this.#startMs));
  }

  /** Adds a line that tells of a loss, times in Unix ms. A transcript without any other line has no file. */
  mark({ fromMs, toMs, text }: { fromMs: number; toMs: number; text: string }): void {
    this.#marks.push({
      fromMs: Math.max(fromMs - this.#startMs, 0),
      toMs: Math.max(toMs - this.#startMs, 1),
      speaker: '',
      text: `[${text}]`,
    });
  }

  /** All lines, sorted by time, and what tells of losses among them; nothing where there is no line. */
  get cues(): readonly Cue[] {
    if (this.#cues.size === 0) return [];
    const all = [...this.#cues.values(), ...this.#marks];
    return all.sort((a, b) => a.fromMs - b.fromMs || a.toMs - b.toMs);
  }

  async close(): Promise<void> {
    const { cues } = this;
    if (cues.length === 0) return;
    await writeFile(partialPath(this.#path), this.#format(cues));
    await rename(partialPath(this.#path), this.#path);
  }

  async abort(): Promise<void> {
    this.#cues.clear();
  }
}

function toCue(data: RtmsEventOf<'transcript'>['data'], zeroMs: number): Cue {
  const fromMs = Math.max((data.startMs ?? data.timestampMs) - zeroMs, 0);
  const guess = fromMs + Math.max(MIN_CUE_MS, data.text.length * MS_PER_CHARACTER);
  const toMs = data.endMs === undefined ? guess : data.endMs - zeroMs;
  return {
    fromMs,
    toMs: toMs > fromMs ? toMs : guess,
    speaker: data.userName ?? '',
    text: data.text,
    ...(data.userId !== undefined && { userId: data.userId }),
  };
}

/** @returns `hours:minutes:seconds<mark>milliseconds` */
export function clock(ms: number, mark: '.' | ','): string {
  const pad = (value: number, digits = 2) => String(Math.floor(value)).padStart(digits, '0');
  return `${pad(ms / 3_600_000)}:${pad((ms / 60_000) % 60)}:${pad((ms / 1000) % 60)}${mark}${pad(ms % 1000, 3)}`;
}

/** Splits text at its line breaks and drops empty lines, because an empty line would end a cue. */
function textLines(text: string): string[] {
  return text.split(/[\r\n\u2028\u2029]+/).filter((line) => line.trim() !== '');
}

/** WebVTT, with the speaker as a voice span. @see https://www.w3.org/TR/webvtt1/ */
export function vtt(cues: readonly Cue[]): string {
  return ['WEBVTT\n', ...cues.map(vttCue)].join('\n');
}

function vttCue({ fromMs, toMs, speaker, text }: Cue): string {
  const words = textLines(text).map(escapeText).join('\n');
  const voice = textLines(escapeText(speaker)).join(' ');
  const payload = voice ? `<v ${voice}>${words}` : words;
  return `${clock(fromMs, '.')} --> ${clock(toMs, '.')}\n${payload}\n`;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** SubRip, with the speaker before the text. */
export function srt(cues: readonly Cue[]): string {
  return cues.map((cue, index) => srtCue(cue, index + 1)).join('\n');
}

function srtCue({ fromMs, toMs, speaker, text }: Cue, number: number): string {
  const words = textLines(text).join('\n').replaceAll('-->', '->');
  const payload = speaker ? `${textLines(speaker).join(' ')}: ${words}` : words;
  return `${number}\n${clock(fromMs, ',')} --> ${clock(toMs, ',')}\n${payload}\n`;
}

/** Plain text, one line for each cue: `[00:01:05] Ada: Good morning.` */
export function plainText(cues: readonly Cue[]): string {
  return cues
    .map(({ fromMs, speaker, text }) => {
      const who = speaker ? `${textLines(speaker).join(' ')}: ` : '';
      return `[${clock(fromMs, '.').slice(0, -4)}] ${who}${textLines(text).join(' ')}\n`;
    })
    .join('');
}
