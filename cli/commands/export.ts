import { type Command, Option } from 'commander';
import type { TrimmedShard } from '../../sdk/consumer/archive/manifest.ts';
import { describeVerdict, type MeetingExportOptions } from '../../sdk/consumer/index.ts';
import { ServiceError } from '../../shared/errors.ts';
import { folderNameOf } from '../../shared/plain-text.ts';
import { type Context, createCommand, type Flags, runCommand } from '../command.ts';
import {
  ARCHIVE_OPTION,
  notInArchive,
  openArchived,
  refuseDeleted,
  sourceInArchive,
} from '../meeting/archived-meeting.ts';
import { streamsOfMeeting } from '../meeting/find-meeting.ts';
import { findSession, SESSION_ARGUMENT } from '../meeting/find-session.ts';
import {
  type MeetingSource,
  sourcesInKinesis,
  writeMeetingFiles,
} from '../meeting/meeting-files.ts';
import { FAST_OPTION } from '../meeting/meeting-reader.ts';
import { EXIT, EXIT_OF_VERDICT, type ExitCode } from '../terminal/exit-code.ts';
import { parseMoment } from '../terminal/time.ts';

interface ExportFlags extends Flags {
  readonly from?: string;
  readonly to?: string;
  readonly out?: string;
  readonly gaps: boolean;
  readonly layout: NonNullable<MeetingExportOptions['layout']>;
  readonly evenRevoked?: true;
  readonly fast?: true;
  readonly archive?: string | true;
}

export function exportCommand(): Command {
  return createCommand('export', {
    summary: 'write one meeting as MP4, WAV, WebVTT and JSON files',
    description:
      'Writes one meeting, all its streams together, as files: meeting.mp4 to play, meeting.mkv with every track, a WAV (or Ogg) for each speaker and one of all, MP4 or pictures of ' +
      'cameras and share, transcript as WebVTT, SRT and text, chat and events as JSON lines, all on one time base, and manifest.json with hashes. ' +
      'A session that still runs is written up to now. Losses are in gaps.json and in the captions, and the exit code is ' +
      'that of rtms verify.',
    examples: [
      'rtms export 5f9d6a3c0a1b4e07 --local --out board-meeting',
      'rtms export 5f9d6a3c0a1b4e07 --from 2026-11-22T10:00:00Z --to 2026-11-22T10:15:00Z',
      'rtms export 5f9d6a3c0a1b4e07 --archive s3://my-recordings/rtms',
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
        'picture of meeting.mp4: camera of the speaker; the same, with shares in its place; every source a track; neither meeting.mp4 nor meeting.mkv',
      )
        .choices(['speaker', 'share', 'tracks', 'none'])
        .default('share'),
    )
    .option(...FAST_OPTION)
    .option(...ARCHIVE_OPTION)
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
  const { output } = context;
  const window = readWindow(flags, Date.now());
  const { sources, trimmed } = await findSources(context, words, { ...window, ...flags });
  const [rtmsStreamId = words] = sources.map((source) => source.rtmsStreamId);
  const written = await writeMeetingFiles(context, sources, {
    ...window,
    directory: () => flags.out ?? `export-${folderNameOf(rtmsStreamId)}`,
    fillGaps: flags.gaps,
    layout: flags.layout,
    evenRevoked: flags.evenRevoked === true,
    fast: flags.fast,
    ...(trimmed && { trimmed }),
  });
  if (written === undefined) {
    output.note('interrupted: nothing was written');
    return EXIT.INTERRUPTED;
  }
  const { notes, report, ...told } = written;
  const { verdict, losses, problems } = report;
  output.show({ rtmsStreamId, ...told, verdict, losses, problems }, () => [
    ...told.files,
    ...notes,
    `${told.frames} frames; time zero of all files is ${new Date(told.startMs).toISOString()}`,
    ...describeVerdict(report),
  ]);
  return EXIT_OF_VERDICT[verdict];
}

async function findSources(
  context: Context,
  words: string,
  options: Pick<ExportFlags, 'archive' | 'fast' | 'evenRevoked'> & {
    readonly toMs: number | undefined;
  },
): Promise<{ sources: MeetingSource[]; trimmed?: readonly TrimmedShard[] }> {
  if (options.archive !== undefined) {
    const { sessions, deleted, missing, trimmed } = await openArchived(
      context,
      options.archive,
      words,
    );
    refuseDeleted(context, deleted, options.evenRevoked);
    for (const id of missing) context.output.note(notInArchive(id));
    return { sources: sessions.map(sourceInArchive), trimmed };
  }
  const streams = await streamsOfMeeting(context, await findSession(context, words));
  return { sources: sourcesInKinesis(context, streams, options) };
}

function readWindow({ from, to }: ExportFlags, nowMs: number) {
  const fromMs = from === undefined ? undefined : parseMoment(from, nowMs);
  const toMs = to === undefined ? undefined : parseMoment(to, nowMs);
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs) {
    throw new ServiceError('config/invalid', '--from must be before --to');
  }
  return { fromMs, toMs };
}
