import { missWords, type ReceivedEvent } from '../../sdk/consumer/index.ts';
import { UNOWNED } from '../../shared/session-table/session-row.ts';
import { stateOf } from '../../shared/session-table/session-status.ts';
import { formatDuration } from '../terminal/time.ts';
import type { StreamEvidence } from './meeting-evidence.ts';

/** Something that happened, in words. */
export interface Step {
  readonly atMs: number;
  readonly rtmsStreamId: string;
  readonly text: string;
}

/** More interruptions of a stream than this are told as a number, the longest of them one by one. */
const MAX_INTERRUPTIONS = 5;

/** The life of one stream, in order. */
export function stepsOf(stream: StreamEvidence, nowMs: number): Step[] {
  const { rtmsStreamId, row, events } = stream;
  const step = (atMs: number, text: string): Step => ({ atMs, rtmsStreamId, text });
  const asked = askedAtMs(stream);
  const notice = events.some(({ rtmsStreamId: id }) => id.startsWith('notice-'));
  const steps =
    asked === undefined || notice ? [] : [step(asked, `Zoom asked for stream ${rtmsStreamId}`)];
  steps.push(...interruptions(events).map(({ atMs, text }) => step(atMs, text)));
  for (const event of events) {
    const text = textOf(event);
    if (text !== undefined) steps.push(step(event.time.getTime(), text));
  }
  const state = row && stateOf(row, nowMs);
  if (state === 'serving') steps.push(step(nowMs, `${row?.owner} serves it`));
  if (state === 'waiting' && row?.owner === UNOWNED)
    steps.push(step(nowMs, 'nobody serves it: it waits for a runner with room'));
  if (state === 'quarantined')
    steps.push(
      step(nowMs, 'nobody serves it: it has ended two runners and is left alone for a while'),
    );
  return steps;
}

/** Events tell the first request; a row the newest. */
function askedAtMs({ events, row }: StreamEvidence): number | undefined {
  for (const event of events) {
    if (event.name === 'session_started' || event.name === 'session_missed') {
      return event.data.requestedAtMs;
    }
  }
  return row?.requestedAtMs;
}

function textOf(event: ReceivedEvent): string | undefined {
  switch (event.name) {
    case 'session_started': {
      const {
        owner = 'a runner',
        media,
        leftOut,
        requestedAtMs,
        claimedAtMs,
        streamingAtMs,
        continues,
      } = event.data;
      const waited =
        event.epoch === 1 ? ` after ${formatDuration(claimedAtMs - requestedAtMs)}` : '';
      const flowed = formatDuration(streamingAtMs - claimedAtMs);
      const without =
        leftOut?.map(({ mediaType, reason }) => `${mediaType} (${words(reason)})`) ?? [];
      return [
        `${owner} claimed it${waited}, and media flowed ${flowed} later: ${Object.keys(media).join(', ')}`,
        ...(without.length > 0 ? [`without ${without.join(', ')}`] : []),
        ...(continues === undefined ? [] : [`it continues ${continues.rtmsStreamId}`]),
      ].join('; ');
    }
    case 'session_missed':
      return `never recorded: ${missWords(event.data)}${planned(event.data.restart)}`;
    case 'session_taken_over': {
      const { cause, ownerSeenAtMs } = event.data;
      if (cause === 'handed_over') return undefined;
      if (cause === 'restarted') return 'Zoom started the stream again';
      const seen = ownerSeenAtMs === undefined ? '' : `, last seen at ${clockOf(ownerSeenAtMs)}`;
      return `its runner was lost${seen}; another one took over`;
    }
    case 'session_handed_over':
      return HAND_OVERS[event.data.cause] ?? `its runner gave it away (${words(event.data.cause)})`;
    case 'session_paused':
      return 'Zoom paused the stream';
    case 'session_resumed':
      return 'Zoom resumed the stream';
    case 'session_revoked':
      return 'Zoom took the consent back';
    case 'session_ended': {
      const { stopReason, stopReasonName, restart, restartable } = event.data;
      const name = stopReasonName ?? (stopReason === undefined ? undefined : String(stopReason));
      const how =
        name === undefined
          ? 'the connection to Zoom was lost for good'
          : `Zoom ended the stream: ${name}`;
      return `${how}${restartable ? ', for a technical reason' : ''}${planned(restart)}`;
    }
    case 'session_restart': {
      const { outcome, attempt, reason, text } = event.data;
      const said = [reason && words(reason), text].filter((each) => each !== undefined).join(': ');
      const why = said === '' ? '' : ` (${said})`;
      return `${RESTARTS[outcome] ?? words(outcome)}${why}, request ${attempt}`;
    }
    case 'start_failed':
      return 'Zoom said that it could not start a stream (rtms.start_failed)';
    case 'concurrency_limited':
      return 'Zoom said that the account has no stream left (rtms.concurrency_limited)';
    case 'request_status':
      return 'Zoom told the status of a request (rtms.request_status)';
    default:
      return undefined;
  }
}

const HAND_OVERS: Readonly<Record<string, string>> = {
  shutdown: 'its runner was stopped and gave it away',
  revision: 'a deployment moved it to a new runner',
  packing: 'it was moved, to empty a runner in quiet hours',
  operator: 'an operator moved it to another runner',
  defect: 'a defect of ours ended it on its runner; another one tries',
  unable: 'its new runner could not connect and gave it back',
};

const RESTARTS: Readonly<Record<string, string>> = {
  requested: 'asked Zoom for the stream again, and Zoom agreed',
  delayed: 'asked Zoom for the stream again, and is to ask later',
  refused: 'asked Zoom for the stream again, and Zoom refused',
  unheard: 'Zoom had agreed, but no stream came within 20 s',
  canceled: 'not asked for any more: it was stopped on purpose',
  exhausted: 'not asked for any more: the tries or the time are used up',
};

function planned(restart: string | undefined): string {
  switch (restart) {
    case 'wanted':
      return '; it is asked for again';
    case 'no_credentials':
      return '; it is not asked for again, as there are no API credentials';
    case 'exhausted':
      return '; it is not asked for again, as that was tried too often';
    default:
      return '';
  }
}

/** Connections that broke: those that came back with the time it took, the others when they broke. */
function interruptions(events: readonly ReceivedEvent[]): { atMs: number; text: string }[] {
  const back = events.flatMap((event) => {
    if (event.name !== 'session_reconnected') return [];
    const { scope, durationMs, cause } = event.data;
    const text = `the ${scope} connection to Zoom broke (${words(cause)}) and was back after ${formatDuration(durationMs)}`;
    return [{ atMs: event.time.getTime() - durationMs, durationMs, text }];
  });
  const longest = back.toSorted((a, b) => b.durationMs - a.durationMs).slice(0, MAX_INTERRUPTIONS);
  const others = back.filter((each) => !longest.includes(each));
  const [first] = others;
  const rest =
    first === undefined
      ? []
      : [{ atMs: first.atMs, text: `${others.length} shorter interruptions begin here` }];
  return [...longest, ...stayedAway(events), ...rest];
}

function stayedAway(events: readonly ReceivedEvent[]): { atMs: number; text: string }[] {
  const down = new Map<string, { atMs: number; text: string }>();
  for (const event of events) {
    if (event.name === 'session_reconnected' || event.name === 'session_started') {
      if (event.name === 'session_started' || event.data.scope === 'signaling') down.clear();
      else down.delete(event.data.scope);
    }
    if (event.name !== 'session_interrupted') continue;
    const { scope, cause } = event.data;
    const text = `the ${scope} connection to Zoom broke (${words(cause)}) and did not come back`;
    down.set(scope, { atMs: event.time.getTime(), text });
  }
  return [...down.values()];
}

const words = (code: string): string => code.replaceAll('_', ' ');

function clockOf(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}
