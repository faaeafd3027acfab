import { isRestartable, STOP_REASON } from '../../rtms/protocol/stop-reason.ts';
import { backoffMs } from '../backoff.ts';
import type { RestartPlan } from '../record/session-causes.ts';
import type { EndedReason } from './registers.ts';
import { type SessionRow, wantedState } from './session-row.ts';

/**
 * Asking Zoom for a stream again that it ended for a technical reason. What is wanted stands in the row, written with the
 * end of the run, so that no crash between the end and the request loses it:
 *
 * ```text
 *  owner     end of the run ──▶ row: owner RESTARTS, restart { tries 0 }
 *  any task  claims: epoch + 1, tries + 1, claimed until + 15 s ──▶ request ──▶ answer into the row
 *  dead one  claims ──▶ ···                            (after 15 s the next task may claim)
 *  anybody   claims the new stream of the meeting ──▶ restart { outcome resumed }, whoever has the claim
 * ```
 *
 * - The epoch of the ended stream is the version of the register: every claim raises it, so of two tasks that want to ask
 *   one does, and what is told in the records about the request has an epoch of its own.
 * - At most `MAX_TRIES` requests in `WINDOW_MS`, counted over the streams of one meeting that continue each other: a
 *   meeting whose streams end at once is not asked for for ever.
 * - The row stays with `RESTARTS` until the window is over, whatever the outcome: a stream that somebody else starts in
 *   that time continues it too.
 */

/** Zoom is asked this often in `WINDOW_MS`. */
export const MAX_TRIES = 5;
export const WINDOW_MS = 600_000;
/** A task that has claimed a request and died is taken to be dead after this long. Longer than a request may take. */
export const RESTART_CLAIM_MS = 15_000;
/**
 * Zoom has agreed, and this long after no stream has come: that is told. A webhook takes a second or two; with a takeover
 * before the request, whoever waits for the meeting is told within 30 s of its end. A stream that comes later is served.
 */
const UNHEARD_AFTER_MS = 10_000;
/** Zoom ends a stream that nobody connects to after 60 s. Before that, a further request would meet it. */
const ASK_AGAIN_AFTER_MS = 65_000;
/** Pauses after the first, second, … try, of which between half and all is waited: 5, 10, 20 … s at the longest. */
const PAUSES = { baseMs: 10_000, maxMs: 160_000 };

/** How far the clocks of a runner and of the webhook function may differ: a new stream may come 0.3 s after the end. */
const CLOCKS_MS = 5_000;

export const RESTART_OUTCOMES = [
  /** Another stream of the meeting has begun. */
  'resumed',
  /** Zoom will not start one: see the event. */
  'refused',
  /** Somebody has stopped the stream on purpose since. */
  'canceled',
  /** All tries, or all of the time, are used up. */
  'exhausted',
  /** There are no credentials for Zoom's REST API, so nothing is asked. */
  'no_credentials',
] as const;
export type RestartOutcome = (typeof RESTART_OUTCOMES)[number];

/** Why a stream is wanted again: Zoom's stop reason; `lost`: it could not be reached, and said nothing. */
export type RestartReason = number | 'lost';

export interface RestartRegister {
  /** When the first stream of the meeting ended that was asked for again, Unix ms: the window begins there. */
  readonly sinceMs: number;
  readonly reason: RestartReason;
  /** Requests in this window, the streams before included. */
  readonly tries: number;
  /** Nobody asks Zoom or tells anything before this time, Unix ms. */
  readonly nextAtMs: number;
  /** When Zoom agreed, Unix ms; absent again once it is told that no stream has come. */
  readonly acceptedAtMs?: number;
  readonly claimedBy?: string;
  /** Another task may claim the register after this time, Unix ms. */
  readonly claimedUntilMs?: number;
  /** Absent while it is open. */
  readonly outcome?: RestartOutcome;
}

/** What a stream continues. */
export interface ContinuedStream {
  readonly rtmsStreamId: string;
  readonly reason: RestartReason;
  readonly tries: number;
  readonly sinceMs: number;
}

/**
 * What the row of a run that has just ended says about a restart.
 *
 * @param hasApi whether there are credentials to ask with
 * @returns undefined after an end that somebody decided, or of which nothing is known
 */
export function planRestart(
  ended: { readonly reason: EndedReason; readonly continues?: ContinuedStream | undefined },
  hasApi: boolean,
  nowMs: number,
): RestartRegister | undefined {
  const { reason, continues } = ended;
  if (reason === 'missed' || reason === 'refused') return undefined;
  if (reason !== 'lost' && !isRestartable(reason)) return undefined;
  const isSameWindow = continues !== undefined && nowMs < continues.sinceMs + WINDOW_MS;
  const { sinceMs, tries } = isSameWindow ? continues : { sinceMs: nowMs, tries: 0 };
  // The secret was read again for the first: a second refusal is none that passes.
  const isRefusedAgain =
    isAuthentication(reason) && isSameWindow && isAuthentication(continues.reason);
  const isExhausted = tries >= MAX_TRIES || isRefusedAgain;
  const outcome = hasApi ? (isExhausted ? 'exhausted' : undefined) : 'no_credentials';
  return { sinceMs, reason, tries, nextAtMs: nowMs, ...(outcome && { outcome }) };
}

/** Was the handshake's signature refused? Then the secret is read again before the one request. */
export function isAuthentication(reason: RestartReason): boolean {
  return reason === STOP_REASON.AUTHENTICATION_FAILURE;
}

export type RestartVerdict =
  | { readonly act: 'wait' }
  /** Zoom has started the stream again under its own id: the row is for whoever serves streams. */
  | { readonly act: 'offer' }
  /** The window is over: nobody looks at the row any more. */
  | { readonly act: 'retire' }
  | { readonly act: 'close'; readonly outcome: 'canceled' | 'exhausted' }
  /** To be claimed: Zoom has agreed and no stream has come. An event says so. */
  | { readonly act: 'tell_unheard' }
  /** To be claimed: ask Zoom. */
  | { readonly act: 'ask' };

/** What any task does about a row of `RESTARTS`. */
export function judgeRestart(row: SessionRow, nowMs: number): RestartVerdict {
  const { restart } = row;
  const wanted = wantedState(row);
  if (wanted.state === 'started') return { act: 'offer' };
  if (restart === undefined) return { act: 'retire' };
  const { sinceMs, reason, tries, nextAtMs, acceptedAtMs, claimedUntilMs = 0, outcome } = restart;
  const isOver = nowMs >= sinceMs + WINDOW_MS;
  if (outcome !== undefined) return { act: isOver || outcome === 'resumed' ? 'retire' : 'wait' };
  if (wanted.state === 'stopped' && !isRestartable(wanted.stopReason)) {
    return { act: 'close', outcome: 'canceled' };
  }
  if (nowMs < claimedUntilMs) return { act: 'wait' };
  if (nowMs < nextAtMs && !isOver) return { act: 'wait' };
  if (acceptedAtMs !== undefined) return { act: 'tell_unheard' };
  const isUsedUp = tries >= MAX_TRIES || (isAuthentication(reason) && tries > 0);
  return isOver || isUsedUp ? { act: 'close', outcome: 'exhausted' } : { act: 'ask' };
}

/** What Zoom said to a request, as far as the row goes by it. */
export type RestartAnswer =
  | { readonly kind: 'ok' }
  | { readonly kind: 'later'; readonly afterMs?: number }
  | { readonly kind: 'refused' };

/** The register after a request. @param random uniform in [0, 1) */
export function afterAnswer(
  { sinceMs, reason, tries }: RestartRegister,
  answer: RestartAnswer,
  nowMs: number,
  random: number,
): RestartRegister {
  const base = { sinceMs, reason, tries };
  switch (answer.kind) {
    case 'ok':
      return { ...base, acceptedAtMs: nowMs, nextAtMs: nowMs + UNHEARD_AFTER_MS };
    case 'refused':
      return { ...base, nextAtMs: nowMs, outcome: 'refused' };
    case 'later': {
      const pauseMs = Math.max(backoffMs(tries, PAUSES, random), answer.afterMs ?? 0);
      const nextAtMs = Math.round(nowMs + pauseMs);
      const isTooLate = nextAtMs >= sinceMs + WINDOW_MS || tries >= MAX_TRIES;
      return { ...base, nextAtMs, ...(isTooLate && { outcome: 'exhausted' as const }) };
    }
  }
}

/** The register once it is told that Zoom agreed and no stream came. */
export function afterUnheard(restart: RestartRegister, nowMs: number): RestartRegister {
  const { sinceMs, reason, tries, acceptedAtMs = nowMs } = restart;
  return { sinceMs, reason, tries, nextAtMs: acceptedAtMs + ASK_AGAIN_AFTER_MS };
}

/**
 * The row that a new stream continues: of the same meeting, for the same app, the last one to end. One that was stopped on
 * purpose in between is not continued.
 *
 * @param rows of `RESTARTS`
 */
export function findContinued(
  rows: readonly SessionRow[],
  started: SessionRow,
): SessionRow | undefined {
  return rows
    .filter((row) => row.restart !== undefined && row.restart.outcome !== 'canceled')
    .filter((row) => isSameMeeting(row, started) && row.rtmsStreamId !== started.rtmsStreamId)
    .filter(({ endedAtMs = 0 }) => endedAtMs <= (started.requestedAtMs ?? endedAtMs) + CLOCKS_MS)
    .sort((one, other) => (other.endedAtMs ?? 0) - (one.endedAtMs ?? 0))[0];
}

/** The fields of a row that tell which meeting its stream is of. */
export type MeetingFacts = Partial<Pick<SessionRow, 'entityId' | 'product' | 'app'>>;

/** Do two rows stand for streams of one meeting, for one app? */
export function isSameMeeting(one: MeetingFacts, other: MeetingFacts): boolean {
  return (
    one.entityId !== undefined &&
    one.entityId === other.entityId &&
    one.product === other.product &&
    (one.app ?? 'default') === (other.app ?? 'default')
  );
}

/** What a stream's own row says of the one that it continues. */
export function continuedStream({
  rtmsStreamId,
  restart,
}: SessionRow): ContinuedStream | undefined {
  if (restart === undefined) return undefined;
  const { reason, tries, sinceMs } = restart;
  return { rtmsStreamId, reason, tries, sinceMs };
}

/** What the last event of a stream says about its restart. */
export function planOf({ outcome }: RestartRegister): RestartPlan {
  return outcome === 'no_credentials' || outcome === 'exhausted' ? outcome : 'wanted';
}
