import type { ReceivedEvent } from '../../sdk/consumer/index.ts';
import { describeEvent } from '../../sdk/consumer/records/describe-event.ts';
import type { EventPerson } from '../../shared/record/event-data.ts';

export const LINE_KINDS = [
  /** A line of the transcript. */
  'said',
  'chat',
  'joined',
  'left',
  /** Zoom says who is the active speaker. */
  'speaking',
  'sharing',
  /** Something is lost. */
  'gap',
  /** The life of the recording: started, interrupted, taken over, ended. */
  'session',
] as const;
export type LineKind = (typeof LINE_KINDS)[number];

/** What an agent reads of a meeting. `who` and `text` are of people, as they came: `peopleText` makes them fit to show. */
export interface MeetingLine {
  readonly rtmsStreamId: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly kind: LineKind;
  /** When it happened at Zoom, Unix ms. */
  readonly atMs: number;
  readonly who?: string | undefined;
  readonly userId?: number | undefined;
  readonly text: string;
  /** When it was spoken, Unix ms, where Zoom says. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}

/** Names in one line. A meeting of 10,000 sends thousands at once. */
const MAX_NAMES = 20;

/** @returns undefined for an event that tells an agent nothing */
export function lineOf(event: ReceivedEvent): MeetingLine | undefined {
  const { rtmsStreamId, epoch, sequence } = event;
  const base = { rtmsStreamId, epoch, sequence, atMs: event.time.getTime() };
  switch (event.name) {
    case 'transcript': {
      const { userName, userId, text, startMs, endMs } = event.data;
      return { ...base, kind: 'said', who: userName, userId, text, fromMs: startMs, toMs: endMs };
    }
    case 'chat': {
      const { sender, receiver, operation = 'NEW', text } = event.data;
      const to = receiver?.userName ? ` (to ${receiver.userName})` : '';
      const what = operation === 'NEW' ? '' : `(${operation.toLowerCase()}) `;
      const from = { who: sender?.userName, userId: sender?.userId };
      return { ...base, kind: 'chat', ...from, text: `${what}${text}${to}` };
    }
    case 'participant_joined':
      return { ...base, kind: 'joined', text: namesOf(event.data.participants) };
    case 'participant_left':
      return { ...base, kind: 'left', text: namesOf(event.data.participants) };
    case 'active_speaker': {
      const { userName: who, userId } = event.data;
      return { ...base, kind: 'speaking', who, userId, text: '' };
    }
    case 'sharing_started': {
      const { userName: who, userId } = event.data;
      return { ...base, kind: 'sharing', who, userId, text: 'shares the screen' };
    }
    case 'sharing_stopped':
      return { ...base, kind: 'sharing', text: 'sharing stopped' };
    case 'gap':
      return { ...base, kind: 'gap', text: describeEvent(event) };
    default:
      if (!event.name.startsWith('session_') || QUIET.includes(event.name)) return undefined;
      return { ...base, kind: 'session', text: describeEvent(event) };
  }
}

const QUIET: readonly string[] = ['session_ledger', 'session_state'];

function namesOf(people: readonly EventPerson[]): string {
  const names = people.slice(0, MAX_NAMES).map(({ userName, userId }) => userName || userId);
  const more = people.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
