import { STOP_REASON } from '../../rtms/protocol/stop-reason.ts';
import type { EventData } from '../../shared/record/event-data.ts';
import { planOf, type RestartRegister } from '../../shared/session-table/restart.ts';
import { wantedState } from '../../shared/session-table/session-row.ts';
import type { LimitedLogger } from '../task/log.ts';
import { sleep } from '../task/loop.ts';
import type { ClaimedRow, SessionClient, SessionContext } from './context.ts';
import { stopReasonFields } from './recording/events.ts';
import type { SessionWriter } from './recording/session-writer.ts';
import { ranUntil, type TakeoverEvent } from './recording/takeover-event.ts';
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
  /** Has Kinesis acknowledged the last event; of a stream that was missed, whatever stands before it? */
  readonly isRecorded: boolean;
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
      parts.context.metrics.count('HandOvers', 1, why.cause);
      return { isRecorded: await finish('session_handed_over', { cause: why.cause }, parts) };
    case 'defect':
      return { isRecorded: await finish('session_handed_over', { cause: 'defect' }, parts) };
    case 'missed': {
      const { stopReason, reason } = why;
      const ended = stopReason ?? (reason === 'not_connected' ? 'lost' : undefined);
      const { claim, context } = parts;
      const restart = ended === undefined ? undefined : context.restarts?.plan(claim.row, ended);
      const account = await accountOf(parts, restart);
      return { isRecorded: account !== undefined, restart, ...(account && { account }) };
    }
    default: {
      const stopReason = why.name === 'stopped' ? why.stopReason : undefined;
      const isRevoked = stopReason === STOP_REASON.STREAM_REVOKED;
      if (isRevoked) dropRevoked(parts);
      const { restartable } = why;
      const { claim, context } = parts;
      const planned = context.restarts?.plan(
        claim.row,
        why.name === 'stopped' ? why.stopReason : why.name,
      );
      const restart = planned && planOf(planned);
      const data = {
        ...stopReasonFields(stopReason),
        restartable,
        ...(restart && { restart }),
        leftAtMs: ranUntil(claim.row, atMs),
      };
      return {
        isRecorded: await finish('session_ended', data, parts, isRevoked),
        restart: planned,
      };
    }
  }
}

/**
 * Has everything written, and says where the epoch's last event goes: that one is written once the row holds it.
 *
 * @returns undefined when Kinesis does not have what stands before that event: its ledger would contradict the records
 */
async function accountOf(
  parts: SessionEndingParts,
  restart: RestartRegister | undefined,
): Promise<EpochAccount | undefined> {
  const { writer } = parts;
  const isWritten = await writeInTime((signal) => writer.flush(signal), parts);
  if (!isWritten) {
    tellUndeclared(parts);
    return undefined;
  }
  return { ...writer.account(), ...(restart && { restart: planOf(restart) }) };
}

function dropRevoked({ writer, logger }: SessionEndingParts): void {
  writer.revoke();
  logger.warn('revoked', { event: 'revoked' });
}

/**
 * Waits until all is written, then writes the last event. At the flush deadline: drops what is left, and writes the
 * gaps and the last event in the little time there is for that. Failing this too, the log has the ledger.
 *
 * @param isRevoked writes `session_revoked` before it, which makes consumers delete what they have stored
 * @returns whether Kinesis has the last event, and `session_revoked` where that is due
 */
async function finish<Name extends 'session_ended' | 'session_handed_over'>(
  name: Name,
  data: Omit<EventData[Name], 'ledger' | 'ledgerPages'>,
  parts: SessionEndingParts,
  isRevoked = false,
): Promise<boolean> {
  const { claim, logger, writer } = parts;
  const isToldRevoked = () => !isRevoked || writer.isRecorded('session_revoked');
  await writeInTime(async (signal) => {
    // At the flush deadline it is dropped with the rest.
    if (!isToldRevoked()) {
      writer.event('session_revoked', Date.now(), { timestampMs: Date.now() });
    }
    await writer.flush(signal);
    await writer.finish(name, Date.now(), data, signal);
  }, parts);
  // A record that was on its way at the deadline may have arrived all the same.
  const isRecorded = writer.isRecorded(name) && isToldRevoked();
  if (!isRecorded) tellUndeclared(parts);
  else if (claim.holds()) {
    const event = name === 'session_ended' ? 'ended' : 'handed_over';
    const { suppressed } = logger;
    const held = suppressed > 0 && { linesSuppressed: suppressed };
    logger.info(event, { event, ...data, ledger: writer.ledger.totals(), ...held });
  }
  return isRecorded;
}

/** Writes until the flush deadline; then drops what is left, and writes once more. @returns whether one of the two succeeded */
async function writeInTime(
  write: (signal: AbortSignal) => Promise<void>,
  { context, writer }: SessionEndingParts,
): Promise<boolean> {
  const { deadline } = context;
  try {
    await write(deadline.flush);
    return true;
  } catch {
    writer.drop('write_failed');
  }
  try {
    await write(deadline.reportLoss());
    return true;
  } catch {
    return false;
  }
}

/** No record has the account of the epoch. The row stays open for that, and the log has it; of a lost row `dropped` told. */
function tellUndeclared({ claim, logger, writer }: SessionEndingParts): void {
  if (!claim.holds()) return;
  const { outstanding } = writer.ledger;
  const fields = { event: 'undeclared', outstanding, ledger: writer.ledger.totals() };
  logger.error('losses not reported', fields);
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
