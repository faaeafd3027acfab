import type { TrimmedShard } from '../../sdk/consumer/archive/manifest.ts';
import {
  type Frame,
  type LedgerReport,
  MeetingExport,
  type MeetingExportOptions,
  type ReceivedEvent,
} from '../../sdk/consumer/index.ts';
import { ServiceError } from '../../shared/errors.ts';
import type { Context } from '../command.ts';
import type { FoundSession } from './find-session.ts';
import { eventsOf, firstRecordMs, framesOf, mediaSpan, nothingFound } from './meeting-reader.ts';

/** Frames read before the time zero is chosen: the oldest audio, from Zoom's buffer, is among the first. */
const FRAMES_BEFORE_ZERO = 500;

export interface MeetingFilesOptions {
  /** Called once there is something to write. @returns the folder of the files */
  readonly directory: () => string | Promise<string>;
  /** Leaves out what was captured before, Unix ms. */
  readonly fromMs: number | undefined;
  /** Leaves out what was captured then or later, Unix ms. */
  readonly toMs: number | undefined;
  readonly fillGaps: boolean;
  /** The picture of meeting.mp4. @default as `MeetingExport` */
  readonly layout?: NonNullable<MeetingExportOptions['layout']>;
  readonly evenRevoked: boolean;
  readonly fast?: boolean | undefined;
  /** What expired in Kinesis before it was archived. */
  readonly trimmed?: readonly TrimmedShard[];
}

/** One stream of a meeting, wherever it is read: all its events come first. */
export interface MeetingSource {
  readonly rtmsStreamId: string;
  events(): AsyncIterable<ReceivedEvent>;
  frames(events: readonly ReceivedEvent[]): AsyncIterable<Frame>;
  /** What is wrong with what was read, one sentence each, once all is read. */
  problems?(): readonly string[];
}

/** Streams in Kinesis. */
export function sourcesInKinesis(
  context: Context,
  streams: readonly FoundSession[],
  { toMs, fast }: Pick<MeetingFilesOptions, 'toMs' | 'fast'>,
): MeetingSource[] {
  return streams.map(({ rtmsStreamId, row }) => {
    const reading = { rtmsStreamId, fromMs: firstRecordMs(row), repeats: 'drop', fast } as const;
    return {
      rtmsStreamId,
      events: () => eventsOf(context, reading),
      frames: (events) => framesOf(context, { ...reading, ...mediaSpan(events, toMs) }),
    };
  });
}

/** What was written, and what is missing in it. */
export interface WrittenMeeting {
  readonly startMs: number;
  readonly frames: number;
  readonly files: readonly string[];
  readonly skippedPictures: Readonly<Record<string, number>>;
  readonly leftOut: MeetingExport['leftOut'];
  readonly adjusted: Readonly<Record<string, unknown>>;
  readonly notes: readonly string[];
  readonly report: LedgerReport;
}

/**
 * Writes one meeting as files.
 *
 * @param sources streams of the meeting, the oldest first
 * @returns undefined when the signal of the context came first; nothing is left of the files then
 * @throws ServiceError `export/revoked`, `cli/not-found`, and what the readers throw
 */
export async function writeMeetingFiles(
  context: Context,
  sources: readonly MeetingSource[],
  options: MeetingFilesOptions,
): Promise<WrittenMeeting | undefined> {
  const { signal } = context;
  const { fromMs: askedFromMs, toMs = Number.POSITIVE_INFINITY } = options;
  const [rtmsStreamId = '', ...continuedBy] = sources.map((source) => source.rtmsStreamId);
  const events: ReceivedEvent[] = [];
  const read: (readonly [MeetingSource, readonly ReceivedEvent[]])[] = [];
  for (const source of sources) {
    const own = await Array.fromAsync(source.events());
    events.push(...own);
    read.push([source, own]);
  }
  refuseRevoked(events, options, context);
  const frames = framesOfAll(read);
  const first: Frame[] = [];
  while (first.length < FRAMES_BEFORE_ZERO) {
    const { value, done } = await frames.next();
    if (done) break;
    first.push(value);
  }
  if (signal.aborted) return undefined;
  if (events.length === 0 && first.length === 0) throw nothingFound(rtmsStreamId);

  const startMs = askedFromMs ?? meetingZero(events, first);
  const fromMs = askedFromMs ?? Number.NEGATIVE_INFINITY;
  const isPart = askedFromMs !== undefined || options.toMs !== undefined;
  const meeting = await MeetingExport.create(await options.directory(), {
    startMs,
    rtmsStreamId,
    continuedBy,
    fillGaps: options.fillGaps,
    ...(options.layout !== undefined && { layout: options.layout }),
    ...(isPart && { window: { fromMs, toMs } }),
    evenRevoked: options.evenRevoked,
    ...(options.trimmed && { trimmed: options.trimmed }),
  });
  let count = 0;
  try {
    for (const event of events) await meeting.event(event);
    const write = async (frame: Frame) => {
      const capturedAtMs = frame.capturedAt.getTime();
      if (capturedAtMs >= fromMs && capturedAtMs < toMs) count += 1;
      await meeting.frame(frame);
    };
    for (const frame of first) await write(frame);
    for await (const frame of frames) {
      if (signal.aborted) break;
      await write(frame);
    }
  } catch (error) {
    await meeting.abort();
    throw error;
  }
  if (signal.aborted) {
    await meeting.abort();
    return undefined;
  }
  for (const source of sources) meeting.addProblems(source.problems?.() ?? []);
  const files = await meeting.close();
  const { adjusted, leftOut, report, skippedPictures } = meeting;
  return {
    startMs,
    frames: count,
    files,
    skippedPictures: Object.fromEntries(skippedPictures),
    leftOut,
    adjusted: Object.fromEntries(adjusted),
    notes: meeting.notes(),
    report,
  };
}

/** The frames of several streams, one stream after another. */
async function* framesOfAll(
  read: readonly (readonly [MeetingSource, readonly ReceivedEvent[]])[],
): AsyncGenerator<Frame, void, undefined> {
  for (const [source, events] of read) yield* source.frames(events);
}

/** @throws ServiceError `export/revoked` */
function refuseRevoked(
  events: readonly ReceivedEvent[],
  { evenRevoked }: MeetingFilesOptions,
  { output }: Context,
): void {
  if (!events.some(({ name }) => name === 'session_revoked')) return;
  if (!evenRevoked) {
    const what =
      'Zoom took back the consent for this session, and what is stored of it must be deleted; ' +
      '--even-revoked writes it all the same';
    throw new ServiceError('export/revoked', what);
  }
  output.note(
    'REVOKED: Zoom took back the consent for this session. You may have no right to keep it.',
  );
}

/** When Zoom asked for the session, or earlier: Zoom's buffer may hold what was said before. */
function meetingZero(events: readonly ReceivedEvent[], first: readonly Frame[]): number {
  const asked = events.flatMap((event) =>
    event.name === 'session_started' ? [event.data.requestedAtMs] : [],
  );
  const captured = first.map((frame) => frame.capturedAt.getTime());
  const known = [...asked, ...captured];
  return known.length > 0 ? Math.min(...known) : (events[0]?.time.getTime() ?? 0);
}
