import type { ReceivedEvent } from '../../sdk/consumer/index.ts';
import { describeEvent } from '../../sdk/consumer/records/describe-event.ts';
import type { Happening } from '../report/reporter.ts';

/** Too many, or of no interest to somebody watching a meeting. */
const NOT_SHOWN: readonly ReceivedEvent['name'][] = [
  'active_speaker',
  'session_state',
  'first_packet',
  'other',
];

/** What happens in a meeting, for whoever watches; the transcript is shown in its own way. */
export function happeningOf(event: ReceivedEvent, seenAtMs: number): Happening | undefined {
  if (event.name === 'transcript' || NOT_SHOWN.includes(event.name)) return undefined;
  const { rtmsStreamId, epoch, sequence, time, data } = event;
  const fields = { rtmsStreamId, epoch, sequence, time, data };
  return { kind: event.name, atMs: seenAtMs, fields, text: describeEvent(event) };
}
