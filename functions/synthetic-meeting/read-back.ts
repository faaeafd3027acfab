import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { events, frames } from '../../sdk/consumer/reading/reader.ts';
import { LedgerChecker } from '../../sdk/consumer/verdict/ledger.ts';

export interface ReadBack {
  readonly verdict: 'complete' | 'incomplete' | 'contradictory';
  readonly hasEnded: boolean;
  readonly frames: number;
  readonly lines: number;
  readonly problems: readonly string[];
  /** From now on the clock of this process; undefined: none came. */
  readonly firstFrameAtMs: number | undefined;
}

const POLL_MS = 1_000;

/**
 * Reads what the deployment wrote of one session until it has ended, from the two shards that its keys lie on: other
 * shards and their readers notice nothing.
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
    // Audio has the session's id as its key, lines too.
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
