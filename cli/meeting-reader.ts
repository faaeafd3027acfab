import {
  events,
  type Frame,
  frames,
  type ReceivedEvent,
  type StreamReader,
} from '../sdk/consumer/index.ts';
import { ServiceError } from '../shared/errors.ts';
import type { SessionRow } from '../shared/session-row.ts';
import type { Context } from './command.ts';
import { required } from './deployment.ts';

/** Clocks of Kinesis and of the webhook may differ by this much, and Zoom hands out older audio. */
const MARGIN_MS = 120_000;

export interface ReadOptions {
  readonly rtmsStreamId: string;
  /** Read what arrived from then on, Unix ms; default: all that is kept. */
  readonly fromMs: number | undefined;
  /** `keep` for checking. */
  readonly repeats: 'drop' | 'keep';
}

/** Events of one rtmsStream that are there now, in order. Damaged records are noted and skipped. */
export async function* eventsOf(
  context: Context,
  options: ReadOptions,
): AsyncGenerator<ReceivedEvent> {
  const streamName = required(context.deployment, 'eventsStream');
  // All lines of a session have one partition key; its media has one for each camera and share, which nothing
  // names for certain when an owner is lost.
  const partitionKey = options.rtmsStreamId;
  for await (const event of events({ ...reader(context, streamName, options), partitionKey })) {
    if (event.rtmsStreamId === options.rtmsStreamId) yield event;
  }
}

/** Frames of one rtmsStream that are there now, in order per source, with a progress bar. */
export async function* framesOf(context: Context, options: ReadOptions): AsyncGenerator<Frame> {
  const streamName = required(context.deployment, 'mediaStream');
  const bar = context.output.progress(`reading ${streamName}`);
  const endMs = Date.now();
  let startMs = options.fromMs;
  let found = 0;
  try {
    for await (const frame of frames(reader(context, streamName, options))) {
      const receivedAtMs = frame.receivedAt.getTime();
      startMs ??= receivedAtMs;
      bar.update((receivedAtMs - startMs) / (endMs - startMs), `${found} frames`);
      if (frame.rtmsStreamId !== options.rtmsStreamId) continue;
      found += 1;
      yield frame;
    }
  } finally {
    bar.end();
  }
}

/**
 * From when on records of a stream must be read to have all of it.
 *
 * @returns undefined when only the oldest record kept is early enough
 */
export function firstRecordMs(row: SessionRow | undefined): number | undefined {
  // A row holds its latest start only: earlier epochs may belong to an earlier one.
  if (row?.requestedAtMs === undefined || (row.epoch ?? 0) > 1) return undefined;
  return row.requestedAtMs - MARGIN_MS;
}

export function nothingFound(rtmsStreamId: string): ServiceError {
  const what = `nothing about ${rtmsStreamId} in the streams: is the id right, and is it still kept?`;
  return new ServiceError('cli/not-found', what);
}

function reader(
  { aws, output, signal }: Context,
  streamName: string,
  { fromMs, repeats }: ReadOptions,
): StreamReader & { onBadRecord: (error: ServiceError) => void; repeats: 'drop' | 'keep' } {
  return {
    client: aws.kinesis,
    streamName,
    stopAtTip: true,
    signal,
    repeats,
    ...(fromMs !== undefined && { startAt: new Date(Math.min(fromMs, Date.now())) }),
    onBadRecord: (error) => output.note(`skipped: ${error.message}`),
  };
}
