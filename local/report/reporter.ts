import type { Verdict } from '../../sdk/consumer/index.ts';

/** Printed once everything is up; programs rely on its shape. */
export interface ReadyInfo {
  readonly webhookUrl: string;
  readonly region: string;
  readonly endpoints: { readonly sqs: string; readonly kinesis: string; readonly dynamodb: string };
  readonly queueUrl: string;
  readonly table: string;
  readonly streams: { readonly media: string; readonly events: string };
  readonly runners: readonly { readonly taskId: string; readonly pid: number }[];
}

/** Frames and bytes of one media type, from Zoom's side and as read back from Kinesis. */
export interface Progress {
  readonly mediaType: string;
  /** Absent with `--live`: only the simulator can say what it sent. */
  readonly sent?: { readonly frames: number; readonly bytes: number };
  readonly read: { readonly frames: number; readonly bytes: number };
  /** Capture at Zoom to readable in Kinesis, median of the recent frames, ms. */
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
  /** What is known to be lost, and what may be: `describeLosses`. */
  readonly lostInWords: string;
  /** What is lost and named, one sentence each; with `verdict`, the same as `rtms verify` says. */
  readonly losses: readonly string[];
  /** What the ledger check found wrong; empty when the two streams agree with themselves. */
  readonly problems: readonly string[];
  readonly files: readonly { readonly path: string; readonly what: string }[];
  /** What somebody who opens the files may miss in them, one sentence each. */
  readonly notes: readonly string[];
}

/** One happening: a step of a session's life or of a runner process. `kind` is stable, `fields` are its facts. */
export interface Happening {
  readonly kind: string;
  /** When it was seen here, Unix ms. */
  readonly atMs: number;
  readonly fields: Readonly<Record<string, unknown>>;
  /** For people; machines read `kind` and `fields`. */
  readonly text: string;
}

export interface TranscriptShown {
  /** When it was seen here, Unix ms. */
  readonly atMs: number;
  readonly speaker: string;
  readonly text: string;
}

/** Where `npm start` tells what goes on: a person at a terminal, a log file, or a program. */
export interface Reporter {
  ready(info: ReadyInfo): void;
  happening(happening: Happening): void;
  transcript(line: TranscriptShown): void;
  progress(rows: readonly Progress[]): void;
  summary(summary: Summary): void;
}
