import type { ReceivedEvent, Verdict } from '../../sdk/consumer/index.ts';
import { describeEvent } from '../../sdk/consumer/records/describe-event.ts';
import { toPlainJson } from '../../shared/plain-text.ts';

/** Reported once everything is up. Programs rely on its shape. */
export interface ReadyInfo {
  readonly webhookUrl: string;
  /** The live page, with the token that it asks for. */
  readonly consoleUrl: string;
  readonly region: string;
  readonly endpoints: { readonly sqs: string; readonly kinesis: string; readonly dynamodb: string };
  readonly queueUrl: string;
  readonly table: string;
  readonly streams: { readonly media: string; readonly events: string };
  /** `s3://bucket` of the recordings; absent with `--no-archive`. */
  readonly archive?: string;
  readonly runners: readonly { readonly taskId: string; readonly pid: number }[];
}

/** Frames and bytes of one media type: sent by Zoom, and read back from Kinesis. */
export interface Progress {
  readonly mediaType: string;
  /** Absent with `--live`, because only the simulator can say what it sent. */
  readonly sent?: { readonly frames: number; readonly bytes: number };
  readonly read: { readonly frames: number; readonly bytes: number };
  /** From capture at Zoom to readable in Kinesis, median of the recent frames, ms. */
  readonly lagMs?: number;
}

export interface ReportRow {
  readonly mediaType: string;
  readonly source: string;
  readonly received: number;
  readonly written: number;
  readonly lost: number;
}

export interface Summary {
  readonly meetings: number;
  readonly ledger: readonly ReportRow[];
  readonly lost: number;
  readonly verdict: Verdict;
  /** What is known to be lost, and what may be lost, as `describeLosses` says it. */
  readonly lostInWords: string;
  /** What the streams report as lost, one sentence each. With `verdict` the same as `rtms verify` says. */
  readonly losses: readonly string[];
  /** Contradictions that the ledger check found; empty when the two streams agree. */
  readonly problems: readonly string[];
  readonly files: readonly { readonly path: string; readonly what: string }[];
  /** What is missing or different in the files, one sentence each. */
  readonly notes: readonly string[];
}

/** A step in the life of a session or of a runner process. Programs rely on `kind` and `fields`. */
export interface Happening {
  readonly kind: string;
  /** When this process saw it, Unix ms. */
  readonly atMs: number;
  readonly fields: Readonly<Record<string, unknown>>;
  /** The same for people. */
  readonly text: string;
}

export interface TranscriptShown {
  /** When this process saw it, Unix ms. */
  readonly atMs: number;
  readonly speaker: string;
  readonly text: string;
}

/** Where `npm start` reports to: a person at a terminal, a log file, or a program. */
export interface Reporter {
  ready(info: ReadyInfo): void;
  happening(happening: Happening): void;
  transcript(line: TranscriptShown): void;
  progress(rows: readonly Progress[]): void;
  summary(summary: Summary): void;
}

/** Events that are too many, or of no interest to somebody who watches a meeting. */
const NOT_SHOWN: readonly ReceivedEvent['name'][] = [
  'active_speaker',
  'session_state',
  'first_packet',
  'other',
];

/** @returns undefined for an event that is not shown, and for the transcript, which is reported in its own way */
export function happeningOf(event: ReceivedEvent, seenAtMs: number): Happening | undefined {
  if (event.name === 'transcript' || NOT_SHOWN.includes(event.name)) return undefined;
  const { rtmsStreamId, epoch, sequence, time, data } = event;
  const fields = { rtmsStreamId, epoch, sequence, time, data };
  return { kind: event.name, atMs: seenAtMs, fields, text: describeEvent(event) };
}

/** For `--json`: writes one object a line to `out` and nothing else. Every line but the first names its `kind`. */
export function jsonReporter(out: NodeJS.WritableStream): Reporter {
  const line = (value: object) => void out.write(`${toPlainJson(value)}\n`);
  return {
    ready: (info) => line({ ready: true, ...info }),
    happening: ({ kind, atMs, fields }) => line({ kind, atMs, ...fields }),
    transcript: (shown) => line({ kind: 'transcript', ...shown }),
    progress: (rows) => line({ kind: 'progress', media: rows }),
    summary: (summary) => line({ kind: 'summary', ...summary }),
  };
}
