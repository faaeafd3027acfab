import { ServiceError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import { countMissed, countOutcome } from '../../shared/record/outcome.ts';
import type { LeftOpen, Penalty } from '../../shared/session-table/runner-writes.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import { MAX_STRIKES, QUARANTINE_MS } from '../ownership/rules.ts';
import type { SessionStore } from '../ownership/store.ts';
import { sleep } from '../task/loop.ts';
import type { ServedSession, SessionPoolOptions } from './pool-options.ts';
import { wasCutShort } from './recording/blind-time.ts';
import type { RecordedResult, SessionResult } from './session-inputs.ts';
import { LEAVING_UNTOLD_MS, untoldBlindSince } from './vouching.ts';

const RETRY_MS = 500;

/** What a row has become. */
export type ResultWritten =
  | { readonly kind: 'written' | 'refused' }
  /** Its event is still to be told. */
  | { readonly kind: 'untold'; readonly row: SessionRow };

/** How a session has ended, whether or not the records say so. */
export function outcomeOf(result: Exclude<SessionResult, { kind: 'dropped' }>): RecordedResult {
  return result.kind === 'unrecorded' ? result.of : result;
}

/**
 * Writes how a session ended into its row, and asks the runners to look when somebody has to go on with the stream.
 * Tries until the flush deadline, at least once: a row that is released is served again at once. Any other row is served
 * again only when this task is found dead, 10 s later.
 *
 * @returns `refused` when the table refuses the write for good; it would be refused again
 */
export async function writeResult(
  served: ServedSession,
  result: Exclude<SessionResult, { kind: 'dropped' }>,
  { context, store, notify, logger, metrics }: SessionPoolOptions,
): Promise<ResultWritten> {
  const { session, claim, strikes } = served;
  const { rtmsStreamId, epoch } = claim;
  const { flush } = context.deadline;
  const handedBack = result.kind === 'handed_over' && result.cause === 'unable';
  const penalty = outcomeOf(result).kind === 'defect' ? penaltyAfter(strikes) : undefined;
  const { startEventTsMs } = session.view;
  const { hasFlowed, inPart } = session;
  // What `tellLeaving` may have left in the row is told by the last event.
  const tookOver = session.hasTakenOver || session.blindSince(result.atMs) !== undefined;
  do {
    try {
      if (result.kind === 'unrecorded') {
        const how = { penalty, ...leftOpen(served, result) };
        if (await store.leaveOpen(claim, how)) await notify(rtmsStreamId);
        return { kind: 'written' };
      }
      if (result.kind === 'missed') {
        const { missed } = result;
        const { restart } = session;
        const row = await store.missServed(claim, missed, startEventTsMs, Date.now(), restart);
        if (row === undefined) return { kind: 'written' };
        countMissed(metrics, missed.reason);
        return { kind: 'untold', row };
      }
      if (result.kind !== 'ended') {
        const how = { penalty, handedBack, hasFlowed, tookOver, inPart };
        if (await store.release(claim, result.atMs, how)) await notify(rtmsStreamId);
      } else {
        const { restart } = session;
        const run = { ...result, startEventTsMs, restart, hasFlowed, tookOver };
        const ended = await store.end(claim, run, Date.now());
        if (ended !== 'not_owner' && session.isMeeting) {
          const isWhole = !inPart && !wasCutShort(result.reason);
          countOutcome(metrics, isWhole ? 'MeetingsWhole' : 'MeetingsInPart');
        }
        if (ended === 'restarted' || ended === 'revoked') await notify(rtmsStreamId);
        if (ended === 'asking') context.restarts?.wanted(rtmsStreamId);
      }
      return { kind: 'written' };
    } catch (error) {
      if (error instanceof ServiceError && !error.retryable) {
        metrics.count('RowsGivenUp');
        const fields = { event: 'row_given_up', rtmsStreamId, epoch, error };
        logger.error('the table refuses the end of a session for good', fields);
        return { kind: 'refused' };
      }
      logger.warn('row not written', { event: 'settle_failed', rtmsStreamId, epoch, error });
      await sleep(RETRY_MS, flush);
    }
  } while (!flush.aborted);
  return { kind: 'written' };
}

/** What the row says of an epoch that has no last event. */
function leftOpen(
  served: ServedSession,
  { atMs }: Extract<SessionResult, { kind: 'unrecorded' }>,
): LeftOpen {
  const { hasFlowed, inPart, hasTakenOver: tookOver } = served.session;
  const blindSince = untoldBlindSince(served, atMs, served.left?.wroteUntilMs);
  return { hasFlowed, tookOver, inPart, blindSince };
}

/** What a stream gets for having ended one more owner by a defect. @param strikes owners it had ended before */
function penaltyAfter(strikes: number): Penalty {
  const now = strikes + 1;
  if (now < MAX_STRIKES) return { strikes: now };
  return { strikes: now, quarantinedUntilMs: Date.now() + QUARANTINE_MS };
}

/**
 * Says in the row that media flows. The runner that gave the stream away takes it back otherwise, and an owner after this
 * one would say that the stream was never recorded. So it is tried for as long as media flows; the end of the session
 * says it too.
 */
export async function tellConnected(
  { session, claim }: Pick<ServedSession, 'claim'> & { readonly session: FlowingSession },
  { store, logger }: { readonly store: Pick<SessionStore, 'connected'>; readonly logger: Logger },
): Promise<void> {
  await session.connected;
  const isWanted = () => session.isConnected;
  await tell(
    () => store.connected(claim),
    isWanted,
    (error) => {
      const { rtmsStreamId, epoch } = claim;
      const fields = { event: 'connected_untold', rtmsStreamId, epoch, error };
      logger.warn('the row does not say yet that media flows', fields);
    },
  );
}

/**
 * Says in the row that the records tell since when nobody received the stream. Until then the next owner would tell it once
 * more. So it is tried until the session ends; that end says it too.
 */
export async function tellTookOver(
  { session, claim }: Pick<ServedSession, 'claim'> & { readonly session: OvertakingSession },
  { store, logger }: { readonly store: Pick<SessionStore, 'tookOver'>; readonly logger: Logger },
): Promise<void> {
  await session.tookOver;
  const isWanted = () => session.state !== 'ending';
  await tell(
    () => store.tookOver(claim),
    isWanted,
    (error) => {
      const { rtmsStreamId, epoch } = claim;
      const fields = { event: 'takeover_untold', rtmsStreamId, epoch, error };
      logger.warn('the row does not say yet that the takeover is recorded', fields);
    },
  );
}

/**
 * Says in the row since when its owner does not receive the stream any more, where the ending takes long because Kinesis takes
 * nothing. The task lives meanwhile, and until the row says it, its heartbeats do not count (`vouchesFor`).
 */
export async function tellLeaving(
  served: LeavingServed,
  { store, logger, wroteUntilMs: written }: LeavingOptions,
): Promise<void> {
  const { session, claim } = served;
  const atMs = await session.leaving;
  const wroteUntilMs = written?.();
  served.left = { atMs, wroteUntilMs, isTold: false };
  let isOver = false;
  void session.result.then(() => {
    isOver = true;
  });
  await Promise.race([session.result, sleep(LEAVING_UNTOLD_MS)]);
  const since = untoldBlindSince(served, atMs, wroteUntilMs);
  await tell(
    async () => {
      if (since !== undefined) await store.leaving(claim, since);
      served.left = { atMs, wroteUntilMs, isTold: true };
    },
    () => !isOver,
    (error) => {
      const { rtmsStreamId, epoch } = claim;
      const fields = { event: 'leaving_untold', rtmsStreamId, epoch, error };
      logger.warn('the row does not say yet that its owner leaves the stream', fields);
    },
  );
}

/** Writes again until the table has answered, it refuses for good, or the write is not wanted any more. */
async function tell(
  write: () => Promise<void>,
  isWanted: () => boolean,
  onFirstFailure: (error: unknown) => void,
): Promise<void> {
  for (let attempt = 1; isWanted(); attempt++) {
    try {
      await write();
      return;
    } catch (error) {
      if (attempt === 1) onFirstFailure(error);
      if (error instanceof ServiceError && !error.retryable) return;
      await sleep(RETRY_MS);
    }
  }
}

type FlowingSession = Pick<ServedSession['session'], 'connected' | 'isConnected'>;
interface LeavingOptions extends Pick<SessionPoolOptions, 'logger' | 'wroteUntilMs'> {
  readonly store: Pick<SessionStore, 'leaving'>;
}
interface LeavingServed extends Pick<ServedSession, 'claim'> {
  readonly session: Pick<ServedSession['session'], 'leaving' | 'result' | 'blindSince'>;
  readonly tenure: Pick<ServedSession['tenure'], 'unprovedSinceMs'>;
  left?: ServedSession['left'];
}
type OvertakingSession = Pick<ServedSession['session'], 'tookOver' | 'state'>;
