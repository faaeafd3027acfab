import type { Command } from 'commander';
import { LedgerChecker, type ReceivedEvent } from '../../sdk/consumer/index.ts';
import { type Context, createCommand, type Flags, runCommand } from '../command.ts';
import { explain, type StreamEvidence } from '../meeting/explanation.ts';
import { pageOf } from '../meeting/explanation-page.ts';
import { findMeeting } from '../meeting/find-meeting.ts';
import { type FoundSession, SESSION_ARGUMENT } from '../meeting/find-session.ts';
import {
  eventsOf,
  FAST_OPTION,
  firstRecordMs,
  framesOf,
  mediaSpan,
  nothingFound,
} from '../meeting/meeting-reader.ts';
import { RecordedCounter } from '../meeting/recorded-media.ts';
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
  const reading = { checker: new LedgerChecker(), counter: new RecordedCounter() };
  const evidence: StreamEvidence[] = [];
  for (const { rtmsStreamId, row } of named) {
    evidence.push(await readStream(context, { rtmsStreamId, row, fast }, reading));
  }
  if (signal.aborted) {
    output.note('interrupted: nothing is told');
    return EXIT.INTERRUPTED;
  }
  if (streams.length === 0 && evidence.every(({ events }) => events.length === 0)) {
    throw nothingFound(words);
  }
  const { checker, counter } = reading;
  const meeting = {
    streams: evidence,
    report: checker.report(),
    recorded: counter.recorded,
  };
  const explanation = explain(meeting, Date.now());
  output.show({ ...explanation, others }, (width) => pageOf(explanation, width));
  if (others.length > 0) {
    output.note(
      `the newest of ${others.length + 1} meetings that fit; the others: ${others.join(', ')}`,
    );
  }
  return EXIT_OF_VERDICT[explanation.verdict];
}

/** Reads what the records hold of one stream: events first, as `verify` does. */
async function readStream(
  context: Context,
  stream: FoundSession & { readonly fast: boolean | undefined },
  { checker, counter }: { readonly checker: LedgerChecker; readonly counter: RecordedCounter },
): Promise<StreamEvidence> {
  const { rtmsStreamId, row, fast } = stream;
  const options = { rtmsStreamId, fromMs: firstRecordMs(row), repeats: 'keep', fast } as const;
  const seen = new Set<string>();
  const events: ReceivedEvent[] = [];
  for await (const event of eventsOf(context, options)) {
    checker.event(event);
    if (seen.has(event.id)) continue;
    seen.add(event.id);
    counter.event(event);
    if (isOfLife(event)) events.push(event);
  }
  const isRecorded = events.some(({ name }) => name === 'session_started');
  if (isRecorded) {
    for await (const frame of framesOf(context, { ...options, ...mediaSpan(events) })) {
      checker.frame(frame);
      counter.frame(frame);
    }
  }
  return { rtmsStreamId, row, events };
}

/** Everything but the lines that come by the thousand. */
function isOfLife({ name, sequence }: ReceivedEvent): boolean {
  if (sequence === 1) return true;
  return name.startsWith('session_') ? name !== 'session_state' : NOTICES.includes(name);
}

const NOTICES: readonly string[] = ['start_failed', 'request_status', 'concurrency_limited'];
