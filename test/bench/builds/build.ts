import type { RecordableHistogram } from 'node:perf_hooks';
import type { MediaRequest } from '../../../rtms/protocol/params.ts';

/** One session that a build is to receive. */
export interface BenchSession {
  readonly rtmsStreamId: string;
  readonly signalingUrl: string;
  readonly media: MediaRequest;
}

/** What a build has done; the bench reads it, the build writes it. */
export interface Tally {
  /** Frames and lines that are done with: acknowledged by Kinesis, or thrown away if that is the job. */
  frames: number;
  /** Capture to acknowledgement, ms, at least 1. */
  readonly delayMs: RecordableHistogram;
}

/** One way to bring RTMS to Kinesis. */
export interface Build {
  /** Resolves when the session's media may flow. */
  join(session: BenchSession): Promise<void>;
}

/** What `builds/*.ts` export as `start`. */
export type StartBuild = (kinesisUrl: string, tally: Tally) => Promise<Build>;

/** Notes how long something took from its capture to its acknowledgement. */
export function noteDelay({ delayMs }: Tally, ms: number): void {
  // Lines carry times that nobody patches.
  if (ms < MAX_DELAY_MS) delayMs.record(Math.max(1, Math.round(ms)));
}

const MAX_DELAY_MS = 1e9;
