import type { Command } from 'commander';
import { LedgerChecker, type LedgerReport, type SourceReport } from '../../sdk/consumer/index.ts';
import { layOut } from '../../shared/table.ts';
import { type Context, createCommand, type Flags, run } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { eventsOf, firstRecordMs, framesOf, nothingFound } from '../meeting-reader.ts';

export function verifyCommand(): Command {
  return createCommand('verify', {
    summary: 'prove that nothing is missing without a word',
    description:
      'Proves from the two streams alone that nothing of a session is missing without a word: counts every ' +
      'frame and line against the ledger of its epoch and the gap events. Exit code 1 when it does not ' +
      'add up, or when frames were lost, even if a gap event says why.',
    examples: [
      'rtms verify 5f9d6a3c0a1b4e07 --local',
      'rtms verify 5f9d6a3c0a1b4e07 --json | jq .problems',
    ],
  })
    .argument('<rtms_stream_id>', 'as rtms sessions lists it')
    .action((id: string, flags: Flags) => run(flags, (context) => verify(context, id)));
}

async function verify(context: Context, rtmsStreamId: string): Promise<ExitCode> {
  const row = await context.sessions().session(rtmsStreamId);
  const options = { rtmsStreamId, fromMs: firstRecordMs(row), repeats: 'keep' } as const;
  const checker = new LedgerChecker();
  // Events first: what an epoch's last line accounts for is in the media stream by then.
  let revoked = 0;
  for await (const event of eventsOf(context, options)) {
    checker.event(event);
    // Dropped because Zoom took the consent back: that is no loss.
    if (event.name === 'gap' && event.data.cause === 'revoked') revoked += event.data.count;
  }
  for await (const frame of framesOf(context, options)) checker.frame(frame);
  const report = checker.report();
  if (report.sources.length === 0) throw nothingFound(rtmsStreamId);
  const explained = report.sources.reduce((sum, source) => sum + source.gapCount, 0);
  const lost = Math.max(explained - revoked, 0);
  context.output.show({ rtmsStreamId, lost, revoked, ...report }, (width) =>
    toLines(report, lost, width),
  );
  return report.ok && lost === 0 ? EXIT.OK : EXIT.FOUND;
}

function toLines(
  { sources, holes, problems }: LedgerReport,
  lost: number,
  width: number,
): string[] {
  const table = layOut(
    ['epoch', 'media', 'source', 'received', 'found', 'twice', 'lost', 'missing', 'epoch was'],
    sources.map((source) => [
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
  const holeLines = holes.map(
    ({ mediaType, userId, channelId, fromEpoch, toEpoch, fromMs, toMs, cause }) =>
      `hole: ${mediaType} ${userId ?? channelId ?? ''} ${toMs - fromMs} ms between epochs ${fromEpoch} and ${toEpoch} (${cause ?? 'no cause given'})`,
  );
  return [...table, '', ...holeLines, ...problems, verdict(sources, problems, lost)];
}

function verdict(
  sources: readonly SourceReport[],
  problems: readonly string[],
  lost: number,
): string {
  if (problems.length > 0) return `does not add up: ${problems.length} problems`;
  if (lost > 0) return `adds up, but ${lost} were lost; the gap events say why (rtms session)`;
  const isOpen = sources.some(({ epochEnd }) => epochEnd === 'open');
  return isOpen ? 'complete so far; the session still runs' : 'complete: everything is there';
}
