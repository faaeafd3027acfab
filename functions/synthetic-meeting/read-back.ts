import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { events, frames } from '../../sdk/consumer/reading/reader.ts';
import { LedgerChecker } from '../../sdk/consumer/verdict/ledger.ts';

export interface ReadBack {
  readonly verdict: 'complete' | 'incomplete' | 'contradictory';
  readonly hasEnded: boolean;
  readonly frames: number;
  readonly lines: number;
  readonly problems: readonly string[];
  /** On the monotonic clock of this process, ms; undefined when none came. */
  readonly firstFrameAtMs: number | undefined;
}

const POLL_MS = 1_000;

/**
 * Reads what the deployment wrote of one session, until the session has ended. Only the two shards that its key lies on
 * are read, so that the readers of other shards are not throttled for it.
 */
export async function readBack(
  client: KinesisClient,
  streams: { readonly media: string; readonly events: string },
  rtmsStreamId: string,
  startedAt: Date,
  onFirstFrame: () => void,
  signal: AbortSignal,
): Promise<ReadBack> {
  const partitionKey = rtmsStreamId;
  const checker = new LedgerChecker();
  const done = new AbortController();
  const reading = AbortSignal.any([signal, done.signal]);
  const shared = {
    client,
    startAt: startedAt,
    signal: reading,
    repeats: 'keep',
    pollMs: POLL_MS,
  } as const;
  let [frameCount, lines, hasEnded] = [0, 0, false];
  let firstFrameAtMs: number | undefined;
  const complete = () => {
    const report = checker.report();
    if (hasEnded && !report.isOpen && report.verdict === 'complete') done.abort();
  };
  const readFrames = async () => {
    // The partition key of audio and of lines is the id of the stream.
    for await (const frame of frames({ ...shared, streamName: streams.media, partitionKey })) {
      if (frame.rtmsStreamId !== rtmsStreamId) continue;
      if (firstFrameAtMs === undefined) onFirstFrame();
      firstFrameAtMs ??= performance.now();
      frameCount += 1;
      checker.frame(frame);
      if (hasEnded) complete();
    }
  };
  const readEvents = async () => {
    for await (const event of events({ ...shared, streamName: streams.events, partitionKey })) {
      if (event.rtmsStreamId !== rtmsStreamId) continue;
      checker.event(event);
      if (event.name === 'transcript') lines += 1;
      if (event.name === 'session_ended') hasEnded = true;
      complete();
    }
  };
  await Promise.all([readFrames(), readEvents()]);
  const { verdict, problems } = checker.report();
  return { verdict, hasEnded, frames: frameCount, lines, problems, firstFrameAtMs };
}
