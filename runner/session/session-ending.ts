import { STOP_REASON } from '../../rtms/protocol/stop-reason.ts';
import type { EventData } from '../../shared/record/event-data.ts';
import { planOf, type RestartRegister } from '../../shared/session-table/restart.ts';
import { wantedState } from '../../shared/session-table/session-row.ts';
import type { LimitedLogger } from '../task/log.ts';
import { sleep } from '../task/loop.ts';
import type { ClaimedRow, SessionClient, SessionContext } from './context.ts';
import { stopReasonFields } from './recording/events.ts';
import type { SessionWriter } from './recording/session-writer.ts';
import type { TakeoverEvent } from './recording/takeover-event.ts';
import type { EndingWhy, EpochAccount } from './session-inputs.ts';

/** How far Zoom's stopped webhook may be behind its refusal, and how often the row is looked at meanwhile. */
const STOP_WEBHOOK_MS = 3_000;
const STOP_LOOK_MS = 300;

export interface SessionEndingParts {
  readonly claim: ClaimedRow;
  readonly context: SessionContext;
  readonly logger: LimitedLogger;
  readonly writer: SessionWriter;
  readonly takeover: TakeoverEvent;
  readonly client: SessionClient | undefined;
}

/** What the row has to say of an epoch that has ended. */
export interface EndedEpoch {
  /** Absent when no restart is wanted. */
  readonly restart?: RestartRegister | undefined;
  /** Of a stream that was missed: its last event is still to be written. */
  readonly account?: EpochAccount;
}

/**
 * Ends a session in order: closes the sockets and takes what still comes, waits until Kinesis has everything, and
 * writes the epoch's last event.
 *
 * @param atMs when the session began to leave the stream, Unix ms
 */
export async function endSession(
  why: EndingWhy,
  atMs: number,
  parts: SessionEndingParts,
): Promise<EndedEpoch> {
  await parts.client?.leave();
  parts.takeover.write(atMs);
  switch (why.name) {
    case 'handed_over':
      await finish('session_handed_over', { cause: why.cause }, parts);
      parts.context.metrics.count('HandOvers', 1, why.cause);
      return {};
    case 'defect':
      await finish('session_handed_over', { cause: 'defect' }, parts);
      return {};
    case 'missed': {
      const { stopReason, reason } = why;
      const ended = stopReason ?? (reason === 'not_connected' ? 'lost' : undefined);
      const { claim, context } = parts;
      const restart = ended === undefined ? undefined : context.restarts?.plan(claim.row, ended);
      return { restart, account: await accountOf(parts, restart) };
    }
    default: {
      const stopReason = why.name === 'stopped' ? why.stopReason : undefined;
      if (stopReason === STOP_REASON.STREAM_REVOKED) revoke(parts);
      const { restartable } = why;
      const { claim, context } = parts;
      const planned = context.restarts?.plan(
        claim.row,
        why.name === 'stopped' ? why.stopReason : why.name,
      );
      const restart = planned && planOf(planned);
      const data = { ...stopReasonFields(stopReason), restartable, ...(restart && { restart }) };
      await finish('session_ended', data, parts);
      return { restart: planned };
    }
  }
}

/** Has everything written, and says where the epoch's last event goes: that one is written once the row holds it. */
async function accountOf(
  { context, writer }: SessionEndingParts,
  restart: RestartRegister | undefined,
): Promise<EpochAccount> {
  const { deadline } = context;
  try {
    await writer.flush(deadline.flush);
  } catch {
    writer.drop('write_failed');
    await writer.flush(deadline.reportLoss()).catch(() => undefined);
  }
  return { ...writer.account(), ...(restart && { restart: planOf(restart) }) };
}

function revoke({ writer, logger }: SessionEndingParts): void {
  writer.revoke();
  logger.warn('revoked', { event: 'revoked' });
  writer.event('session_revoked', Date.now(), { timestampMs: Date.now() });
}

/**
 * Waits until all is written, then writes the last event. At the flush deadline: drops what is left, and writes the
 * gaps and the last event in the little time there is for that. Failing this too, the log has the ledger.
 */
async function finish<Name extends 'session_ended' | 'session_handed_over'>(
  name: Name,
  data: Omit<EventData[Name], 'ledger' | 'ledgerPages'>,
  { claim, context, logger, writer }: SessionEndingParts,
): Promise<void> {
  const { deadline } = context;
  const { ledger } = writer;
  const write = async (signal: AbortSignal) => {
    await writer.flush(signal);
    await writer.finish(name, Date.now(), data, signal);
  };
  try {
    await write(deadline.flush);
  } catch {
    writer.drop('write_failed');
    try {
      await write(deadline.reportLoss());
    } catch {
      const { outstanding } = ledger;
      const fields = { event: 'undeclared', outstanding, ledger: ledger.totals() };
      logger.error('losses not reported', fields);
    }
  }
  if (!claim.holds()) return;
  const event = name === 'session_ended' ? 'ended' : 'handed_over';
  const { suppressed } = logger;
  const held = suppressed > 0 && { linesSuppressed: suppressed };
  logger.info(event, { event, ...data, ledger: ledger.totals(), ...held });
}

/**
 * Looks for Zoom's stopped webhook in the row, for 3 s: Zoom may refuse a handshake of a stream that it has stopped
 * before its webhook about that is in the table.
 *
 * @returns the stop reason; undefined when none came
 */
export async function lookUpStop(
  rtmsStreamId: string,
  { row, deadline }: Pick<SessionContext, 'row' | 'deadline'>,
): Promise<number | undefined> {
  const untilMs = performance.now() + STOP_WEBHOOK_MS;
  while (performance.now() < untilMs && !deadline.flush.aborted) {
    await sleep(STOP_LOOK_MS, deadline.flush);
    const found = await row?.(rtmsStreamId).catch(() => undefined);
    const wanted = found && wantedState(found);
    if (wanted?.state === 'stopped') return wanted.stopReason;
  }
  return undefined;
}
