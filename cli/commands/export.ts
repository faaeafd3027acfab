import type { Command } from 'commander';
import { type Frame, MeetingExport, type ReceivedEvent } from '../../sdk/consumer/index.ts';
import { ServiceError } from '../../shared/errors.ts';
import { type Context, createCommand, type Flags, run } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { eventsOf, firstRecordMs, framesOf, nothingFound } from '../meeting-reader.ts';
import { parseMoment } from '../time.ts';

/** Audio from before the request comes first; no later frame is older than one of these. */
const FRAMES_BEFORE_ZERO = 500;

interface ExportFlags extends Flags {
  readonly from?: string;
  readonly to?: string;
  readonly out?: string;
  readonly gaps: boolean;
}

export function exportCommand(): Command {
  return createCommand('export', {
    summary: 'one session as WAV, MP4, WebVTT and JSON files',
    description:
      'Writes one session as files: a WAV (or Ogg) for each speaker and one of all, MP4 or pictures of ' +
      'cameras and share, transcript as WebVTT, SRT and text, chat as JSON lines; all on one time base. ' +
      'A session that still runs is written up to now.',
    examples: [
      'rtms export 5f9d6a3c0a1b4e07 --local --out board-meeting',
      'rtms export 5f9d6a3c0a1b4e07 --from 2026-11-22T10:00:00Z --to 2026-11-22T10:15:00Z',
    ],
  })
    .argument('<rtms_stream_id>', 'as rtms sessions lists it')
    .option('--from <moment>', 'leave out what was captured before: a date and time, or 10m ago')
    .option('--to <moment>', 'leave out what was captured from then on')
    .option('-o, --out <directory>', 'where to (default: export-<rtms_stream_id>)')
    .option('--no-gaps', "speakers' WAV without silence for what is missing: only what Zoom sent")
    .action((id: string, flags: ExportFlags) =>
      run(flags, (context) => exportMeeting(context, id, flags)),
    );
}

async function exportMeeting(
  context: Context,
  rtmsStreamId: string,
  flags: ExportFlags,
): Promise<ExitCode> {
  const window = readWindow(flags, Date.now());
  const row = await context.sessions().session(rtmsStreamId);
  const options = { rtmsStreamId, fromMs: firstRecordMs(row), repeats: 'drop' } as const;
  const events = await Array.fromAsync(eventsOf(context, options));
  const frames = framesOf(context, options);
  const first: Frame[] = [];
  while (first.length < FRAMES_BEFORE_ZERO) {
    const { value, done } = await frames.next();
    if (done) break;
    first.push(value);
  }
  if (events.length === 0 && first.length === 0) throw nothingFound(rtmsStreamId);

  const directory = flags.out ?? `export-${rtmsStreamId.replaceAll(/[^\w.-]+/g, '-')}`;
  const startMs = window.fromMs ?? meetingZero(events, first);
  const meeting = await MeetingExport.create(directory, { startMs, fillGaps: flags.gaps });
  const isInside = (ms: number) =>
    ms >= (window.fromMs ?? Number.NEGATIVE_INFINITY) && ms < window.toMs;
  for (const event of events) if (isInside(event.time.getTime())) await meeting.event(event);
  let count = 0;
  const write = async (frame: Frame) => {
    if (!isInside(frame.capturedAt.getTime())) return;
    count += 1;
    await meeting.frame(frame);
  };
  for (const frame of first) await write(frame);
  for await (const frame of frames) await write(frame);
  const files = await meeting.close();
  const skippedPictures = Object.fromEntries(meeting.skippedPictures);
  context.output.show({ rtmsStreamId, startMs, frames: count, files, skippedPictures }, () => [
    ...files,
    ...[...meeting.skippedPictures].map(
      ([path, pictures]) =>
        `${path} lacks what came before its first key frame: ${pictures} pictures`,
    ),
    `${count} frames; time zero of all files is ${new Date(startMs).toISOString()}`,
  ]);
  if (context.signal.aborted) {
    context.output.note('interrupted: the files end early');
    return EXIT.INTERRUPTED;
  }
  return EXIT.OK;
}

function readWindow({ from, to }: ExportFlags, nowMs: number) {
  const fromMs = from === undefined ? undefined : parseMoment(from, nowMs);
  const toMs = to === undefined ? Number.POSITIVE_INFINITY : parseMoment(to, nowMs);
  if (fromMs !== undefined && fromMs >= toMs) {
    throw new ServiceError('config/invalid', '--from must be before --to');
  }
  return { fromMs, toMs };
}

/** When Zoom asked for the session, or earlier: its buffer may hold what was said before. */
function meetingZero(events: readonly ReceivedEvent[], first: readonly Frame[]): number {
  const asked = events.flatMap((event) =>
    event.name === 'session_started' ? [event.data.requestedAtMs] : [],
  );
  const captured = first.map((frame) => frame.capturedAt.getTime());
  const known = [...asked, ...captured];
  return known.length > 0 ? Math.min(...known) : (events[0]?.time.getTime() ?? 0);
}
