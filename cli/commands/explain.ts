import type { Command } from 'commander';
import { type Context, createCommand, type Flags, runCommand } from '../command.ts';
import { explain } from '../meeting/explanation.ts';
import { pageOf } from '../meeting/explanation-page.ts';
import { findMeeting } from '../meeting/find-meeting.ts';
import { type FoundSession, SESSION_ARGUMENT } from '../meeting/find-session.ts';
import { gatherEvidence } from '../meeting/meeting-evidence.ts';
import { FAST_OPTION, nothingFound } from '../meeting/meeting-reader.ts';
import { EXIT, EXIT_OF_VERDICT, type ExitCode } from '../terminal/exit-code.ts';

interface ExplainFlags extends Flags {
  readonly fast?: true;
}

export function explainCommand(): Command {
  return createCommand('explain', {
    summary: 'say in words what became of a meeting',
    description:
      'Tells one meeting on one page, all its streams together: when Zoom asked, who claimed it, what was recorded, ' +
      'where it was interrupted and why, what is missing, what was tried, and what to do. Reads the table and both ' +
      'streams. Exit codes are those of verify.',
    examples: [
      'rtms explain 98765432101 --local',
      'rtms explain "yesterday 10:00"',
      'rtms explain 4444AAAiAAAAAiAiAiiAii== --json | jq -r ".advice[]"',
    ],
  })
    .argument('<meeting>', SESSION_ARGUMENT)
    .option(...FAST_OPTION)
    .action((words: string, flags: ExplainFlags) =>
      runCommand(flags, (context) => explainMeeting(context, words, flags)),
    );
}

async function explainMeeting(
  context: Context,
  words: string,
  { fast }: ExplainFlags,
): Promise<ExitCode> {
  const { output, signal } = context;
  const { streams, others } = await findMeeting(context, words);
  const named: readonly FoundSession[] =
    streams.length > 0 ? streams : [{ rtmsStreamId: words.trim(), row: undefined }];
  const meeting = await gatherEvidence(context, named, { fast });
  if (signal.aborted) {
    output.note('interrupted: nothing is told');
    return EXIT.INTERRUPTED;
  }
  if (streams.length === 0 && meeting.streams.every(({ events }) => events.length === 0)) {
    throw nothingFound(words);
  }
  const explanation = explain(meeting, Date.now());
  output.show({ ...explanation, others }, (width) => pageOf(explanation, width));
  if (others.length > 0) {
    output.note(
      `the newest of ${others.length + 1} meetings that fit; the others: ${others.join(', ')}`,
    );
  }
  return EXIT_OF_VERDICT[explanation.verdict];
}
