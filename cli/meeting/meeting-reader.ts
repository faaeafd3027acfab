import {
  type CheckpointStore,
  events,
  type Frame,
  frames,
  type ReceivedEvent,
  type StreamReader,
} from '../../sdk/consumer/index.ts';
import { ServiceError } from '../../shared/errors.ts';
import { streamKey } from '../../shared/record/partition-key.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import type { Context } from '../command.ts';
import { required } from '../deployment/deployment.ts';

/** The flag of commands that read much of both streams. */
export const FAST_OPTION = [
  '--fast',
  'take all five calls a second of each shard, though live consumers need some',
] as const;

/** A shard answers five calls a second. Two of them are left to live consumers. */
const CALLS_PER_SECOND = 3;

/** Covers the difference between the clocks of Kinesis and the webhook, and audio from Zoom's buffer. */
const MARGIN_MS = 120_000;

export interface ReadOptions {
  readonly rtmsStreamId: string;
  /** Reads what arrived from then on, Unix ms; undefined reads from the oldest record kept. */
  readonly fromMs: number | undefined;
  /** `keep` when repeats have to be counted. */
  readonly repeats: 'drop' | 'keep';
  /** Reads what arrived until then, Unix ms; undefined reads up to now. */
  readonly toMs?: number | undefined;
  /** Takes all the calls that Kinesis answers, although others read the stream too. */
  readonly fast?: boolean | undefined;
  /** Goes on where an earlier reading of the same events ended. */
  readonly checkpoints?: CheckpointStore;
}

/** Reads the events of one stream up to now, in order. A damaged record is reported on stderr and skipped. */
export async function* eventsOf(
  context: Context,
  options: ReadOptions,
): AsyncGenerator<ReceivedEvent> {
  const streamName = required(context.deployment, 'eventsStream');
  // All events of a session have one partition key, so only its shard is read. Media has a key for each camera and
  // share, and nothing lists all of them for certain when an owner is lost.
  const partitionKey = streamKey(options.rtmsStreamId);
  for await (const event of events({ ...reader(context, streamName, options), partitionKey })) {
    if (event.rtmsStreamId === options.rtmsStreamId) yield event;
  }
}

/** Reads the frames of one stream up to now, in order per source, and shows a progress bar. */
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
 * Finds the time from which records must be read to have all of a session.
 *
 * @returns Unix ms; undefined when everything that is kept must be read
 */
export function firstRecordMs(row: SessionRow | undefined): number | undefined {
  // A row has only its latest start, and earlier epochs may belong to an earlier start.
  if (row?.requestedAtMs === undefined || (row.epoch ?? 0) > 1) return undefined;
  return row.requestedAtMs - MARGIN_MS;
}

/**
 * Finds the time in which the media of a session arrived, from its events, so that less of the media stream has to be
 * read: that has other sessions too.
 *
 * @param untilMs capture time from which on no media is wanted
 */
export function mediaSpan(
  events: readonly ReceivedEvent[],
  untilMs = Number.POSITIVE_INFINITY,
): Pick<ReadOptions, 'fromMs' | 'toMs'> {
  const [first] = events;
  // The first events have expired, so nothing says when the session began: its oldest media may still be kept.
  if (first === undefined || first.sequence !== 1) return { fromMs: undefined, toMs: undefined };
  const asked = events.flatMap((event) =>
    event.name === 'session_started' ? [event.data.requestedAtMs] : [],
  );
  const fromMs = Math.min(...asked, first.time.getTime()) - MARGIN_MS;
  // What is told of a restart comes behind the end, and no media with it.
  const last = events.findLast(({ name }) => name !== 'session_restart');
  const isOver = last?.name === 'session_ended' || last?.name === 'session_missed';
  const endedAtMs = isOver ? last.time.getTime() : Number.POSITIVE_INFINITY;
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
  { fromMs, toMs, repeats, fast, checkpoints }: ReadOptions,
): StreamReader & { onBadRecord: (error: ServiceError) => void; repeats: 'drop' | 'keep' } {
  return {
    client: aws.kinesis,
    streamName,
    stopAtTip: true,
    signal,
    repeats,
    ...(checkpoints !== undefined && { checkpoints }),
    ...(fast !== true && { maxCallsPerSecond: CALLS_PER_SECOND }),
    ...(toMs !== undefined && { endAt: new Date(toMs) }),
    ...(fromMs !== undefined && { startAt: new Date(Math.min(fromMs, Date.now())) }),
    onBadRecord: (error) => output.note(`skipped: ${error.message}`),
  };
}
