import { type Command, Option } from 'commander';
import {
  describeVerdict,
  type Frame,
  MeetingExport,
  type MeetingExportOptions,
  type ReceivedEvent,
} from '../../sdk/consumer/index.ts';
import { ServiceError } from '../../shared/errors.ts';
import { folderNameOf } from '../../shared/plain-text.ts';
import { type Context, createCommand, type Flags, runCommand } from '../command.ts';
import { streamsOfMeeting } from '../meeting/find-meeting.ts';
import { findSession, SESSION_ARGUMENT } from '../meeting/find-session.ts';
import {
  eventsOf,
  FAST_OPTION,
  firstRecordMs,
  framesOf,
  mediaSpan,
  nothingFound,
  type ReadOptions,
} from '../meeting/meeting-reader.ts';
import { EXIT, EXIT_OF_VERDICT, type ExitCode } from '../terminal/exit-code.ts';
import { parseMoment } from '../terminal/time.ts';

/** Frames read before the time zero is chosen: the oldest audio, from Zoom's buffer, is among the first. */
const FRAMES_BEFORE_ZERO = 500;

interface ExportFlags extends Flags {
  readonly from?: string;
  readonly to?: string;
  readonly out?: string;
  readonly gaps: boolean;
  readonly layout: NonNullable<MeetingExportOptions['layout']>;
  readonly evenRevoked?: true;
  readonly fast?: true;
}

export function exportCommand(): Command {
  return createCommand('export', {
    summary: 'write one meeting as MP4, WAV, WebVTT and JSON files',
    description:
      'Writes one meeting, all its streams together, as files: meeting.mp4 to play, a WAV (or Ogg) for each speaker and one of all, MP4 or pictures of ' +
      'cameras and share, transcript as WebVTT, SRT and text, chat and events as JSON lines, all on one time base, and manifest.json with hashes. ' +
      'A session that still runs is written up to now. Losses are in gaps.json and in the captions, and the exit code is ' +
      'that of rtms verify.',
    examples: [
      'rtms export 5f9d6a3c0a1b4e07 --local --out board-meeting',
      'rtms export 5f9d6a3c0a1b4e07 --from 2026-11-22T10:00:00Z --to 2026-11-22T10:15:00Z',
    ],
  })
    .argument('<session>', SESSION_ARGUMENT)
    .option(
      '--from <moment>',
      'leave out what was captured before a date and time, or how long ago: 10m',
    )
    .option('--to <moment>', 'leave out what was captured at this moment or later')
    .option('-o, --out <directory>', 'folder of the files (default: export-<rtms_stream_id>)')
    .option(
      '--no-gaps',
      "no silence in speakers' WAV where something is missing: only what Zoom sent",
    )
    .addOption(
      new Option(
        '--layout <layout>',
        'picture of meeting.mp4: camera of who speaks; the same but for shares; every source a track; no meeting.mp4',
      )
        .choices(['speaker', 'share', 'tracks', 'none'])
        .default('share'),
    )
    .option(...FAST_OPTION)
    .option('--even-revoked', 'export even a session whose consent Zoom took back')
    .action((words: string, flags: ExportFlags) =>
      runCommand(flags, (context) => exportMeeting(context, words, flags)),
    );
}

async function exportMeeting(
  context: Context,
  words: string,
  flags: ExportFlags,
): Promise<ExitCode> {
  const { output, signal } = context;
  const window = readWindow(flags, Date.now());
  const streams = await streamsOfMeeting(context, await findSession(context, words));
  const [rtmsStreamId = words, ...continuedBy] = streams.map((stream) => stream.rtmsStreamId);
  const { fast } = flags;
  const events: ReceivedEvent[] = [];
  const spans: ReadOptions[] = [];
  for (const { rtmsStreamId, row } of streams) {
    const options = { rtmsStreamId, fromMs: firstRecordMs(row), repeats: 'drop', fast } as const;
    const own = await Array.fromAsync(eventsOf(context, options));
    events.push(...own);
    spans.push({ ...options, ...mediaSpan(own, window.toMs) });
  }
  refuseRevoked(events, flags, context);
  const frames = framesOfAll(context, spans);
  const first: Frame[] = [];
  while (first.length < FRAMES_BEFORE_ZERO) {
    const { value, done } = await frames.next();
    if (done) break;
    first.push(value);
  }
  if (signal.aborted) return interrupted(context);
  if (events.length === 0 && first.length === 0) throw nothingFound(rtmsStreamId);

  const directory = flags.out ?? `export-${folderNameOf(rtmsStreamId)}`;
  const startMs = window.fromMs ?? meetingZero(events, first);
  const fromMs = window.fromMs ?? Number.NEGATIVE_INFINITY;
  const isPart = flags.from !== undefined || flags.to !== undefined;
  const meeting = await MeetingExport.create(directory, {
    startMs,
    rtmsStreamId,
    continuedBy,
    fillGaps: flags.gaps,
    layout: flags.layout,
    ...(isPart && { window: { fromMs, toMs: window.toMs } }),
    evenRevoked: flags.evenRevoked === true,
  });
  let count = 0;
  try {
    for (const event of events) await meeting.event(event);
    const write = async (frame: Frame) => {
      const capturedAtMs = frame.capturedAt.getTime();
      if (capturedAtMs >= fromMs && capturedAtMs < window.toMs) count += 1;
      await meeting.frame(frame);
    };
    for (const frame of first) await write(frame);
    for await (const frame of frames) await write(frame);
  } catch (error) {
    await meeting.abort();
    throw error;
  }
  if (signal.aborted) {
    await meeting.abort();
    return interrupted(context);
  }
  const files = await meeting.close();
  const { adjusted, leftOut, report, skippedPictures } = meeting;
  const { verdict, losses, problems } = report;
  output.show(
    {
      rtmsStreamId,
      startMs,
      frames: count,
      files,
      skippedPictures: Object.fromEntries(skippedPictures),
      leftOut,
      adjusted: Object.fromEntries(adjusted),
      verdict,
      losses,
      problems,
    },
    () => [
      ...files,
      ...meeting.notes(),
      `${count} frames; time zero of all files is ${new Date(startMs).toISOString()}`,
      ...describeVerdict(report),
    ],
  );
  return EXIT_OF_VERDICT[verdict];
}

/** The frames of several streams, one stream after another. */
async function* framesOfAll(
  context: Context,
  spans: readonly ReadOptions[],
): AsyncGenerator<Frame, void, undefined> {
  for (const span of spans) yield* framesOf(context, span);
}

function interrupted({ output }: Context): ExitCode {
  output.note('interrupted: nothing was written');
  return EXIT.INTERRUPTED;
}

/** @throws ServiceError `export/revoked` */
function refuseRevoked(
  events: readonly ReceivedEvent[],
  { evenRevoked }: ExportFlags,
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

function readWindow({ from, to }: ExportFlags, nowMs: number) {
  const fromMs = from === undefined ? undefined : parseMoment(from, nowMs);
  const toMs = to === undefined ? Number.POSITIVE_INFINITY : parseMoment(to, nowMs);
  if (fromMs !== undefined && fromMs >= toMs) {
    throw new ServiceError('config/invalid', '--from must be before --to');
  }
  return { fromMs, toMs };
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
