import type { Command } from 'commander';
import type { ArchivedSession } from '../../sdk/consumer/archive/archive-reader.ts';
import {
  differencesFrom,
  type Inspection,
  inspectSession,
} from '../../sdk/consumer/archive/inspect-session.ts';
import {
  describeVerdict,
  LedgerChecker,
  type LedgerReport,
  type ReceivedEvent,
} from '../../sdk/consumer/index.ts';
import { withProblems } from '../../sdk/consumer/verdict/ledger.ts';
import { layOut } from '../../shared/table.ts';
import { type Context, createCommand, type Flags, runCommand } from '../command.ts';
import { ARCHIVE_OPTION, notInArchive, openArchived } from '../meeting/archived-meeting.ts';
import { streamsOfMeeting } from '../meeting/find-meeting.ts';
import { findSession, SESSION_ARGUMENT } from '../meeting/find-session.ts';
import {
  eventsOf,
  FAST_OPTION,
  firstRecordMs,
  framesOf,
  mediaSpan,
  nothingFound,
} from '../meeting/meeting-reader.ts';
import { EXIT, EXIT_OF_VERDICT, type ExitCode } from '../terminal/exit-code.ts';

interface VerifyFlags extends Flags {
  readonly fast?: true;
  readonly archive?: string | true;
}

export function verifyCommand(): Command {
  return createCommand('verify', {
    summary: 'prove that every loss of a session is reported',
    description:
      'Proves from the two streams alone that nothing of a session is missing without being reported: counts every ' +
      'frame and line against the ledger of its epoch, the gap events and the times in which nobody received ' +
      'anything. The verdict is complete (exit code 0), incomplete (1, the losses are named) or contradictory (4, ' +
      'something is missing that nothing explains).',
    examples: [
      'rtms verify 5f9d6a3c0a1b4e07 --local',
      'rtms verify 5f9d6a3c0a1b4e07 --json | jq .problems',
      'rtms verify 5f9d6a3c0a1b4e07 --archive s3://my-recordings/rtms',
    ],
  })
    .argument('<session>', SESSION_ARGUMENT)
    .option(...FAST_OPTION)
    .option(...ARCHIVE_OPTION)
    .action((words: string, flags: VerifyFlags) =>
      runCommand(flags, (context) => verify(context, words, flags)),
    );
}

async function verify(
  context: Context,
  words: string,
  { fast, archive }: VerifyFlags,
): Promise<ExitCode> {
  if (archive !== undefined) return verifyArchived(context, archive, words);
  const found = await findSession(context, words);
  const { rtmsStreamId } = found;
  const checker = new LedgerChecker();
  let revoked = 0;
  const streams = await streamsOfMeeting(context, found);
  for (const { rtmsStreamId, row } of streams) {
    const options = { rtmsStreamId, fromMs: firstRecordMs(row), repeats: 'keep', fast } as const;
    // Events are read first: the frames that the last event of an epoch accounts for are in the media stream by then.
    const events: ReceivedEvent[] = [];
    for await (const event of eventsOf(context, options)) {
      checker.event(event);
      if (isOfLife(event)) events.push(event);
      // Frames that were dropped because Zoom took the consent back are no loss.
      if (event.name === 'gap' && event.data.cause === 'revoked') revoked += event.data.count;
    }
    const span = { ...options, ...mediaSpan(events) };
    for await (const frame of framesOf(context, span)) checker.frame(frame);
  }
  if (context.signal.aborted) {
    context.output.note('interrupted: nothing is judged');
    return EXIT.INTERRUPTED;
  }
  const report = checker.report();
  if (report.sources.length === 0) throw nothingFound(rtmsStreamId);
  const explained = report.sources.reduce((sum, source) => sum + source.gapCount, 0);
  const lost = Math.max(explained - revoked, 0);
  const isRevoked = report.revoked.includes(rtmsStreamId);
  const ids = streams.map((stream) => stream.rtmsStreamId);
  context.output.show(
    { rtmsStreamId, streams: ids, ...report, lost, revoked, isRevoked },
    (width) => [...(ids.length > 1 ? [streamsLine(ids), ''] : []), ...toLines(report, width)],
  );
  return EXIT_OF_VERDICT[report.verdict];
}

/** Reads every object of a meeting in S3: what the manifests say of them, and what they prove by themselves. */
async function verifyArchived(
  context: Context,
  archive: string | true,
  words: string,
): Promise<ExitCode> {
  const meeting = await openArchived(context, archive, words);
  const { rtmsStreamId, sessions, deleted, missing, trimmed } = meeting;
  const checker = new LedgerChecker(trimmed);
  const read: { session: ArchivedSession; inspection: Inspection; differences: string[] }[] = [];
  for (const session of sessions) {
    const inspection = await inspectSession(session, checker);
    const differences = differencesFrom(session.manifest, inspection.objects);
    read.push({ session, inspection, differences });
  }
  const problems = read.flatMap(({ inspection, differences }) => [
    ...inspection.unreadable,
    ...differences,
  ]);
  const report = withProblems(checker.report(), problems);
  const objects = read.flatMap(({ inspection }) => inspection.objects);
  const sizeBytes = objects.reduce((sum, object) => sum + object.sizeBytes, 0);
  const streams = sessions.map((session) => session.rtmsStreamId);
  const facts = {
    rtmsStreamId,
    streams,
    finalised: sessions.every(({ manifest }) => manifest !== undefined),
    objects: objects.length,
    sizeBytes,
    deleted,
    missing,
    manifest: sessions.find((session) => session.rtmsStreamId === rtmsStreamId)?.manifest,
  };
  context.output.show({ ...facts, ...report }, (width) => [
    ...(streams.length > 1 ? [streamsLine(streams)] : []),
    ...read.map(({ session, inspection }) => sessionLine(session, inspection)),
    ...deleted.map(
      (id) => `${id}, a stream of the same meeting, is deleted: Zoom took the consent back`,
    ),
    ...missing.map(notInArchive),
    '',
    ...toLines(report, width),
  ]);
  return EXIT_OF_VERDICT[report.verdict];
}

function sessionLine({ rtmsStreamId, manifest }: ArchivedSession, { objects }: Inspection): string {
  const sizeBytes = objects.reduce((sum, object) => sum + object.sizeBytes, 0);
  const state = manifest
    ? `revision ${manifest.revision} of ${new Date(manifest.finalisedAtMs).toISOString()} (${manifest.because})`
    : 'not finalised yet: no SHA-256 to compare with';
  return `${rtmsStreamId}: ${objects.length} objects, ${sizeBytes} bytes, ${state}`;
}

const streamsLine = (ids: readonly string[]): string =>
  `streams of the meeting, one after another: ${ids.join(', ')}`;

/** Whether `mediaSpan` needs the event. The others, lines of text above all, are not kept in memory. */
function isOfLife({ name, epoch, sequence }: ReceivedEvent): boolean {
  const isEnd = name === 'session_ended' || name === 'session_missed';
  return (epoch === 1 && sequence === 1) || name === 'session_started' || isEnd;
}

function toLines(report: LedgerReport, width: number): string[] {
  const table = layOut(
    ['epoch', 'media', 'source', 'received', 'found', 'twice', 'lost', 'missing', 'epoch was'],
    report.sources.map((source) => [
      source.epoch,
      source.mediaType,
      String(source.userId ?? source.channelId ?? ''),
      source.received,
      source.found,
      source.duplicates,
      source.gapCount,
      source.missingCount,
      source.epochEnd.replace('_', ' '),
    ]),
    width,
  );
  const consent = report.revoked.map(
    () => 'revoked: Zoom took the consent back; what is stored of this session must be deleted',
  );
  return [...table, '', ...consent, ...describeVerdict(report)];
}
