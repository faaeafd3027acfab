import {
  events,
  type Frame,
  frames,
  type ReceivedEvent,
  type StreamReader,
} from '../../sdk/consumer/index.ts';
import { ServiceError } from '../../shared/errors.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import type { Context } from '../command.ts';
import { required } from '../deployment/deployment.ts';

/** Of the five calls a second that a shard answers, two are left to live consumers. */
const CALLS_PER_SECOND = 3;

/** Clocks of Kinesis and of the webhook may differ by this much, and Zoom hands out older audio. */
const MARGIN_MS = 120_000;

export interface ReadOptions {
  readonly rtmsStreamId: string;
  /** Read what arrived from then on, Unix ms; default: all that is kept. */
  readonly fromMs: number | undefined;
  /** `keep` for checking. */
  readonly repeats: 'drop' | 'keep';
  /** Read what arrived until then, Unix ms; default: all that is there now. */
  readonly toMs?: number | undefined;
  /** Take all the calls that Kinesis answers, though others read the stream too. */
  readonly fast?: boolean | undefined;
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
  const endMs = options.toMs ?? Date.now();
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

/**
 * The time in which the media of a session arrived, from its events: its media stream holds many others' too.
 *
 * @param untilMs capture time from which on nothing is wanted
 */
export function mediaSpan(
  events: readonly ReceivedEvent[],
  untilMs = Number.POSITIVE_INFINITY,
): Pick<ReadOptions, 'fromMs' | 'toMs'> {
  const [first] = events;
  // The oldest event that is left: whatever was written before it may still be kept.
  if (first === undefined || first.sequence !== 1) return { fromMs: undefined, toMs: undefined };
  const asked = events.flatMap((event) =>
    event.name === 'session_started' ? [event.data.requestedAtMs] : [],
  );
  const fromMs = Math.min(...asked, first.time.getTime()) - MARGIN_MS;
  const last = events.at(-1);
  const endedAtMs = last?.name === 'session_ended' ? last.time.getTime() : Number.POSITIVE_INFINITY;
  const toMs = Math.min(endedAtMs, untilMs) + MARGIN_MS;
  return { fromMs, toMs: Number.isFinite(toMs) ? toMs : undefined };
}

export function nothingFound(rtmsStreamId: string): ServiceError {
  const what = `nothing about ${rtmsStreamId} in the streams: is the id right, and is it still kept?`;
  return new ServiceError('cli/not-found', what);
}

function reader(
  { aws, output, signal }: Context,
  streamName: string,
  { fromMs, toMs, repeats, fast }: ReadOptions,
): StreamReader & { onBadRecord: (error: ServiceError) => void; repeats: 'drop' | 'keep' } {
  return {
    client: aws.kinesis,
    streamName,
    stopAtTip: true,
    signal,
    repeats,
    ...(fast !== true && { maxCallsPerSecond: CALLS_PER_SECOND }),
    ...(toMs !== undefined && { endAt: new Date(toMs) }),
    ...(fromMs !== undefined && { startAt: new Date(Math.min(fromMs, Date.now())) }),
    onBadRecord: (error) => output.note(`skipped: ${error.message}`),
  };
}
