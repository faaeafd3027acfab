import type { Command } from 'commander';
import type { ReceivedEvent } from '../../sdk/consumer/index.ts';
import { describeEvent } from '../../sdk/consumer/records/describe-event.ts';
import { ServiceError } from '../../shared/errors.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import { endOf, stateOf } from '../../shared/session-table/session-status.ts';
import { layOut } from '../../shared/table.ts';
import { startFactsOf } from '../../shared/zoom/start-facts.ts';
import { type Context, createCommand, type Flags, runCommand } from '../command.ts';
import { findSession, SESSION_ARGUMENT } from '../meeting/find-session.ts';
import { eventsOf, firstRecordMs } from '../meeting/meeting-reader.ts';
import { EXIT, type ExitCode } from '../terminal/exit-code.ts';
import { formatDuration } from '../terminal/time.ts';

/** Events that are too many to list. They are counted. */
const COUNTED: readonly string[] = ['transcript', 'chat', 'active_speaker'];

export function sessionCommand(): Command {
  return createCommand('session', {
    summary: 'show the life of one session',
    description:
      'Shows the life of one session: its row, and every step from the events stream, with the ledger at the ' +
      'end of each epoch. Transcript, chat and changes of the speaker are counted, not shown.',
    examples: [
      'rtms session 5f9d6a3c0a1b4e07 --local',
      'rtms session "yesterday 10:00"',
      'rtms session 5f9d6a3c0a1b4e07 --json | jq -r "select(.kind == \\"event\\") | .text"',
    ],
  })
    .argument('<session>', SESSION_ARGUMENT)
    .action((words: string, flags: Flags) =>
      runCommand(flags, (context) => session(context, words)),
    );
}

async function session(context: Context, words: string): Promise<ExitCode> {
  const { rtmsStreamId, row } = await findSession(context, words);
  if (row) showRow(context, row);
  const counts = new Map<string, number>();
  let steps = 0;
  const options = { rtmsStreamId, fromMs: firstRecordMs(row), repeats: 'drop' } as const;
  for await (const event of eventsOf(context, options)) {
    steps += 1;
    if (COUNTED.includes(event.name)) counts.set(event.name, (counts.get(event.name) ?? 0) + 1);
    else showStep(context, event);
  }
  if (!row && steps === 0) {
    const what = `no session ${rtmsStreamId}, neither in the table nor in the events stream`;
    throw new ServiceError('cli/not-found', what);
  }
  const totals = Object.fromEntries(counts);
  const texts = [...counts].map(([name, count]) => `${count} ${name.replace('_', ' ')}`);
  context.output.show(
    { kind: 'counted', counts: totals },
    () => `and ${texts.join(', ') || 'no lines of text'}`,
  );
  return EXIT.OK;
}

function showRow({ output }: Context, row: SessionRow): void {
  const { rtmsStreamId, product, entityId, app, owner, epoch, requestedAtMs, claimedAtMs } = row;
  const { operatorRequest } = row;
  const endedReason = endOf(row);
  const facts = {
    rtmsStreamId,
    state: stateOf(row, Date.now()),
    product,
    entityId,
    ...startFactsOf(row),
    app,
    owner,
    epoch,
  };
  const value = {
    kind: 'row',
    ...facts,
    requestedAtMs,
    claimedAtMs,
    endedReason,
    operatorWish: operatorRequest,
  };
  output.show(value, (width) => {
    const asked = requestedAtMs === undefined ? 'not asked for' : isoOf(requestedAtMs);
    return [
      ...layOut(
        ['session', rtmsStreamId],
        Object.entries(facts)
          .slice(1)
          .map(([name, value]) => [name, String(value ?? '-')]),
        width,
      ),
      `asked for: ${asked}`,
      ...(endedReason === undefined ? [] : [`ended with: ${endedReason}`]),
      ...(operatorRequest === undefined ? [] : [`requested by an operator: ${operatorRequest}`]),
      '',
    ];
  });
}

function showStep({ output }: Context, event: ReceivedEvent): void {
  const { name, epoch, sequence, time, data } = event;
  const text = describeEvent(event);
  output.show({ kind: 'event', name, epoch, sequence, time, text, data }, (width) => [
    `${isoOf(time.getTime())}  epoch ${epoch}  ${text}`,
    ...ledgerLines(event, width),
  ]);
}

function ledgerLines(event: ReceivedEvent, width: number): string[] {
  if (event.name === 'session_started') {
    const { requestedAtMs, claimedAtMs } = event.data;
    return [`    claimed ${formatDuration(claimedAtMs - requestedAtMs)} after the webhook`];
  }
  const { name } = event;
  const hasLedger =
    name === 'session_ended' || name === 'session_handed_over' || name === 'session_ledger';
  if (!hasLedger) return [];
  const rows = event.data.ledger.map((row) => [
    row.mediaType,
    String(row.userId ?? row.channelId ?? ''),
    row.received,
    row.written,
    row.lost,
  ]);
  const table = layOut(['media', 'source', 'received', 'written', 'lost'], rows, width - 4);
  return table.map((line) => `    ${line}`);
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
