import type { Metrics } from '../metrics.ts';
import type { EventData, EventName } from './event-data.ts';

/** Ends that somebody wanted before there was anything to record. */
const NOT_MISSED: readonly string[] = ['operator_stop', 'revoked'];

/**
 * The longest time without a connection that a meeting may have and count as recorded whole: a change of runner on
 * purpose, or one fast reconnect. `rtms verify` counts every moment (docs/consume.md).
 */
const MOMENT_MS = 2_000;

/** Does a meeting that was never recorded count as missed? @param reason that of its `session_missed` event */
export function countsAsMissed(reason: string): boolean {
  return !NOT_MISSED.includes(reason);
}

/** Does an event say that something of the meeting is missing, more than a moment? */
export function tellsLoss<Name extends EventName>(name: Name, data: EventData[Name]): boolean {
  if (name === 'gap') return (data as EventData['gap']).cause !== 'revoked';
  if (name !== 'session_taken_over' && name !== 'session_reconnected') return false;
  const { cause, blind = [] } = data as EventData['session_taken_over'];
  return cause === 'owner_lost' || blind.some(({ fromMs, toMs }) => toMs - fromMs > MOMENT_MS);
}

const OUTCOMES = ['MeetingsWhole', 'MeetingsInPart', 'MeetingsMissed'] as const;
type Outcome = (typeof OUTCOMES)[number];

/** Counts how a run of a stream ended. All three metrics are emitted, so that each has a value where a share is formed. */
export function countOutcome(metrics: Metrics, outcome: Outcome): void {
  for (const each of OUTCOMES) metrics.count(each, each === outcome ? 1 : 0);
}

/** Counts a run that was never recorded. */
export function countMissed(metrics: Metrics, reason: string): void {
  metrics.count('SessionsMissed', 1, reason);
  if (countsAsMissed(reason)) countOutcome(metrics, 'MeetingsMissed');
}
