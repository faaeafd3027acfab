import { ServiceError } from '../../shared/errors.ts';
import type { Penalty } from '../../shared/session-table/runner-writes.ts';
import { MAX_STRIKES, QUARANTINE_MS } from '../ownership/rules.ts';
import { sleep } from '../task/sleep.ts';
import type { ServedSession, SessionPoolOptions } from './pool-options.ts';
import type { SessionResult } from './session-inputs.ts';

const RETRY_MS = 500;
const CONNECTED_ATTEMPTS = 5;

/**
 * Writes how a session ended into its row, and asks the runners to look when somebody has to go on with the stream.
 * Tries until the flush deadline, at least once: a released row is served again at once, one that is not only when
 * this task is found dead, 10 s later.
 *
 * @returns false when the table refuses the write for good; it would be refused again
 */
export async function writeResult(
  { session, claim, strikes }: ServedSession,
  result: Exclude<SessionResult, { kind: 'dropped' }>,
  { context, store, notify, logger, metrics }: SessionPoolOptions,
): Promise<boolean> {
  const { rtmsStreamId, epoch } = claim;
  const { flush } = context.deadline;
  const handedBack = result.kind === 'handed_over' && result.cause === 'unable';
  const penalty = result.kind === 'defect' ? penaltyAfter(strikes) : undefined;
  const { startEventTsMs } = session.view;
  do {
    try {
      if (result.kind !== 'ended') {
        if (await store.release(claim, result.atMs, { penalty, handedBack })) {
          await notify(rtmsStreamId);
        }
      } else {
        const { restart } = session;
        const run = { ...result, startEventTsMs, restart };
        const outcome = await store.end(claim, run, Date.now());
        if (outcome === 'restarted' || outcome === 'revoked') await notify(rtmsStreamId);
        if (outcome === 'asking') context.restarts?.wanted(rtmsStreamId);
      }
      return true;
    } catch (error) {
      if (error instanceof ServiceError && !error.retryable) {
        metrics.count('RowsGivenUp');
        const fields = { event: 'row_given_up', rtmsStreamId, epoch, error };
        logger.error('the table refuses the end of a session for good', fields);
        return false;
      }
      logger.warn('row not written', { event: 'settle_failed', rtmsStreamId, epoch, error });
      await sleep(RETRY_MS, flush);
    }
  } while (!flush.aborted);
  return true;
}

/** What a stream gets for having ended one more owner by a defect. @param strikes owners it had ended before */
export function penaltyAfter(strikes: number): Penalty {
  const now = strikes + 1;
  if (now < MAX_STRIKES) return { strikes: now };
  return { strikes: now, quarantinedUntilMs: Date.now() + QUARANTINE_MS };
}

/** Tells the runner that gave the stream away that media flows here; it takes the stream back otherwise. */
export async function tellConnected(
  { session, claim }: ServedSession,
  { store, logger }: Pick<SessionPoolOptions, 'store' | 'logger'>,
): Promise<void> {
  await session.connected;
  const { rtmsStreamId, epoch } = claim;
  for (let attempt = 1; attempt <= CONNECTED_ATTEMPTS && session.isConnected; attempt++) {
    try {
      await store.connected(claim);
      return;
    } catch (error) {
      const fields = { event: 'connected_untold', rtmsStreamId, epoch, error };
      logger.warn('not told that media flows', fields);
      await sleep(RETRY_MS);
    }
  }
}
