import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import { stateOf } from '../../shared/session-table/session-status.ts';
import { layOut } from '../../shared/table.ts';
import { startFactsOf } from '../../shared/zoom/start-facts.ts';
import { type Context, createCommand, type Flags, runCommand } from '../command.ts';
import { matching, SESSION_ARGUMENT } from '../meeting/find-session.ts';
import { readLags } from '../meeting/lag.ts';
import { EXIT, type ExitCode } from '../terminal/exit-code.ts';
import { formatDuration } from '../terminal/time.ts';

const WATCH_MS = 2_000;

interface SessionsFlags extends Flags {
  readonly watch?: true;
  readonly all?: true;
  readonly lag: boolean;
}

export function sessionsCommand(): Command {
  return createCommand('sessions', {
    summary: 'list sessions with owner, epoch, age and lag',
    description:
      'Lists every session that is or should be served, with its runner, epoch, age and lag. ' +
      'Lag is from capture at Zoom to arrival in Kinesis, of the newest audio of the last 2 s.',
    examples: [
      'rtms sessions --local',
      'rtms sessions --watch --profile prod --region eu-central-1',
      'rtms sessions "987 6543 2101"',
      'rtms sessions --all --json | jq ".sessions[] | select(.state == \\"ended\\")"',
    ],
  })
    .argument('[words]', `only the sessions that fit, ended or not: ${SESSION_ARGUMENT}`)
    .option('-w, --watch', 'refresh every 2 s, until Ctrl-C')
    .option('-a, --all', 'also ended sessions (reads the whole table)')
    .option('--no-lag', 'do not read the media stream')
    .action((words: string | undefined, flags: SessionsFlags) =>
      runCommand(flags, (context) => sessions(context, words, flags)),
    );
}

async function sessions(
  context: Context,
  words: string | undefined,
  flags: SessionsFlags,
): Promise<ExitCode> {
  const { output, signal } = context;
  do {
    const look = await lookAround(context, words, flags);
    output.clear();
    output.show(look, (width) => toLines(look, width));
    if (flags.watch) await sleep(WATCH_MS, undefined, { signal }).catch(() => undefined);
  } while (flags.watch && !signal.aborted);
  return EXIT.OK;
}

type Look = Awaited<ReturnType<typeof lookAround>>;

async function lookAround(
  context: Context,
  words: string | undefined,
  { all, lag }: SessionsFlags,
) {
  const { aws, deployment } = context;
  const readsAll = all === true || words !== undefined;
  const { sessions: known, tasks, unreadable } = await context.sessions().list(readsAll);
  const nowMs = Date.now();
  const rows = words === undefined ? known : [...matching(known, words, nowMs)];
  const live = rows
    .filter((row) => stateOf(row, nowMs) === 'serving')
    .map((row) => row.rtmsStreamId);
  const { mediaStream } = deployment;
  const lags =
    lag && mediaStream ? await readLags(aws.kinesis, mediaStream, live) : new Map<string, number>();
  const order = (row: SessionRow) => row.requestedAtMs ?? 0;
  return {
    atMs: nowMs,
    runners: tasks.map(({ taskId, slotsUsed, slotsTotal, draining }) => ({
      taskId,
      costUsed: slotsUsed,
      costTotal: slotsTotal,
      draining,
    })),
    sessions: rows
      .sort((a, b) => order(a) - order(b))
      .map((row) => ({
        rtmsStreamId: row.rtmsStreamId,
        state: stateOf(row, nowMs),
        product: row.product,
        entityId: row.entityId,
        ...startFactsOf(row),
        requestedAtMs: row.requestedAtMs,
        app: row.app,
        owner: row.owner,
        epoch: row.epoch ?? 0,
        ageMs: row.requestedAtMs === undefined ? undefined : nowMs - row.requestedAtMs,
        lagMs: lags.get(row.rtmsStreamId),
        operatorWish: row.operatorRequest,
        quarantinedUntilMs: row.quarantinedUntilMs,
      })),
    unreadable: unreadable.map(({ pk, unreadable: fields }) => ({ key: pk, fields })),
  };
}

function toLines({ atMs, runners, sessions: rows, unreadable }: Look, width: number): string[] {
  const table = layOut(
    ['rtms_stream_id', 'state', 'product', 'meeting', 'owner', 'epoch', 'age', 'lag ms'],
    rows.map((row) => [
      row.rtmsStreamId,
      stateText(row, atMs),
      row.product,
      row.topic ?? row.meetingId ?? row.webinarId,
      row.owner,
      row.epoch,
      row.ageMs === undefined ? undefined : formatDuration(row.ageMs),
      row.lagMs,
    ]),
    width,
  );
  const spoilt = unreadable.map(
    ({ key, fields }) => `unreadable row, served by nobody: ${key} (${fields.join(', ')})`,
  );
  return [...(rows.length === 0 ? ['no sessions'] : table), ...spoilt, '', runnersLine(runners)];
}

function stateText(row: Look['sessions'][number], atMs: number): string {
  const { state, operatorWish, quarantinedUntilMs = 0 } = row;
  if (state === 'quarantined') {
    return `${state} for ${formatDuration(quarantinedUntilMs - atMs)} more`;
  }
  return operatorWish ? `${state}, ${operatorWish} requested` : state;
}

function runnersLine(runners: Look['runners']): string {
  const sum = (of: 'costUsed' | 'costTotal') => runners.reduce((total, row) => total + row[of], 0);
  const draining = runners.filter((row) => row.draining).length;
  const aside = draining > 0 ? `, ${draining} draining` : '';
  return `${runners.length} runners${aside}, ${sum('costUsed')} of ${sum('costTotal')} slots used`;
}
