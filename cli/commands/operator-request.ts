import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { ServiceError } from '../../shared/errors.ts';
import type { OperatorRequest } from '../../shared/session-table/operator-writes.ts';
import { isUnowned, type SessionRow, UNOWNED } from '../../shared/session-table/session-row.ts';
import { type Context, createCommand, type Flags, runCommand } from '../command.ts';
import { findSession, SESSION_ARGUMENT } from '../meeting/find-session.ts';
import { EXIT, type ExitCode } from '../terminal/exit-code.ts';
import { parseDuration } from '../terminal/time.ts';
import { askZoom, withZoomOptions, type ZoomStreamFlags } from './zoom-stream.ts';

const LOOK_MS = 250;

interface RequestFlags extends Flags {
  readonly wait: string;
}

interface StopFlags extends RequestFlags, ZoomStreamFlags {
  readonly api?: true;
}

/** The runner ends the session; with `--api` Zoom itself does, also for a stream that no runner serves. */
export function stopCommand(): Command {
  const command = createCommand('stop', {
    summary: 'end a session for good',
    description:
      'Ends one session for good: its runner tells Zoom to close the stream and writes session_ended. ' +
      'The meeting itself goes on. Only a new start at Zoom (rtms start) brings the stream back. With --api Zoom is asked ' +
      'to stop the stream, whether a runner serves it or not.',
    examples: [
      'rtms stop 5f9d6a3c0a1b4e07 --local',
      'rtms stop 5f9d6a3c0a1b4e07 --wait 0s',
      'rtms stop 98765432101 --api',
    ],
  });
  return withZoomOptions(withWait(command))
    .option('--api', "ask Zoom's REST API instead of the runner")
    .action((words: string, flags: StopFlags) =>
      runCommand(flags, (context) =>
        flags.api
          ? askZoom(context, words, 'stop', flags)
          : makeRequest(context, words, 'stop', parseDuration(flags.wait)),
      ),
    );
}

export function handoverCommand(): Command {
  const command = createCommand('handover', {
    summary: 'give a session to another runner',
    description:
      "Gives one session to another runner, as a deployment does: no audio is lost, because Zoom's buffer covers " +
      'the change, and the epoch rises by one. When there is only one runner, it takes the session back after a while.',
    examples: ['rtms handover 5f9d6a3c0a1b4e07 --local'],
  });
  return withWait(command).action((words: string, flags: RequestFlags) =>
    runCommand(flags, (context) =>
      makeRequest(context, words, 'handover', parseDuration(flags.wait)),
    ),
  );
}

function withWait(command: Command): Command {
  return command
    .argument('<session>', SESSION_ARGUMENT)
    .option('--wait <duration>', 'how long to wait until it is done; 0s does not wait', '30s');
}

async function makeRequest(
  context: Context,
  words: string,
  request: OperatorRequest,
  waitMs: number,
): Promise<ExitCode> {
  const { output, signal } = context;
  const store = context.sessions();
  const { rtmsStreamId, row: seen } = await findSession(context, words);
  if (!seen) throw new ServiceError('cli/not-found', `no session ${rtmsStreamId} in the table`);
  if (isUnowned(seen)) {
    const why = seen.owner === UNOWNED ? 'it waits for a runner' : 'it has ended';
    throw new ServiceError('cli/refused', `nobody serves ${rtmsStreamId}: ${why}`);
  }
  if (!(await store.request(seen, request))) {
    throw new ServiceError('cli/refused', 'the session has just changed its runner: try again');
  }
  const result = { rtmsStreamId, wish: request, from: { owner: seen.owner, epoch: seen.epoch } };
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(Math.max(waitMs, 1))]);
  let row: SessionRow | undefined = seen;
  while (waitMs > 0 && !isDone(request, seen, row) && !deadline.aborted) {
    await sleep(LOOK_MS, undefined, { signal: deadline }).catch(() => undefined);
    row = await store.session(rtmsStreamId);
  }
  const done = isDone(request, seen, row);
  const to = { owner: row?.owner, epoch: row?.epoch };
  output.show({ ...result, done, to }, () => sentence(request, seen, row, done, waitMs));
  return done || waitMs === 0 ? EXIT.OK : EXIT.FOUND;
}

function isDone(request: OperatorRequest, seen: SessionRow, row: SessionRow | undefined): boolean {
  if (request === 'stop') {
    return row === undefined || (row.endedStartEventTsMs ?? 0) >= (seen.startEventTsMs ?? 0);
  }
  return (row?.epoch ?? 0) > (seen.epoch ?? 0);
}

function sentence(
  request: OperatorRequest,
  seen: SessionRow,
  row: SessionRow | undefined,
  done: boolean,
  waitMs: number,
): string {
  const { rtmsStreamId } = seen;
  if (!done && waitMs === 0)
    return `Requested ${request} of ${rtmsStreamId}; its runner acts within 2 s`;
  if (!done) {
    return `${rtmsStreamId}: not done yet. Is ${seen.owner} alive, and have other runners free slots? (rtms sessions)`;
  }
  if (request === 'stop') return `${rtmsStreamId} has ended`;
  return `${rtmsStreamId}: ${seen.owner} gave it to ${row?.owner}, epoch ${row?.epoch}`;
}
