import type { ReceivedEvent } from '../../sdk/consumer/index.ts';
import { describeEvent } from '../../sdk/consumer/records/describe-event.ts';
import type { MomentTone, MomentView } from '../views.ts';

/** Events that have a place of their own on the page, or say nothing to somebody who watches. */
const NOT_A_MOMENT: readonly ReceivedEvent['name'][] = [
  'transcript',
  'chat',
  'active_speaker',
  'first_packet',
  'session_ledger',
  'other',
];

const TONES: Partial<Record<ReceivedEvent['name'], MomentTone>> = {
  session_started: 'good',
  session_reconnected: 'good',
  session_resumed: 'good',
  session_interrupted: 'warn',
  session_paused: 'warn',
  session_restart: 'warn',
  session_handed_over: 'takeover',
  session_taken_over: 'takeover',
  gap: 'bad',
  session_missed: 'bad',
  session_revoked: 'bad',
  start_failed: 'bad',
  concurrency_limited: 'bad',
};

export function momentOf(event: ReceivedEvent, number: number): MomentView {
  const { fromMs, toMs } = spanOfEvent(event);
  return {
    number,
    atMs: event.time.getTime(),
    name: event.name,
    tone: TONES[event.name] ?? 'plain',
    text: describeEvent(event),
    epoch: event.epoch,
    ...(fromMs !== undefined && { fromMs }),
    ...(toMs !== undefined && { toMs }),
  };
}

export function isMoment({ name }: ReceivedEvent): boolean {
  return !NOT_A_MOMENT.includes(name);
}

/** The time in which something was missing, as far as the event names one. */
function spanOfEvent(event: ReceivedEvent): { fromMs?: number; toMs?: number } {
  if (event.name === 'gap') return event.data;
  if (event.name !== 'session_taken_over' && event.name !== 'session_reconnected') return {};
  const { blind = [] } = event.data;
  if (blind.length === 0) return {};
  return {
    fromMs: Math.min(...blind.map(({ fromMs }) => fromMs)),
    toMs: Math.max(...blind.map(({ toMs }) => toMs)),
  };
}
