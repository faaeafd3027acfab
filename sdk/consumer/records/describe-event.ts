import type { EventData } from '../../../shared/record/event-data.ts';
import type { MissReason } from '../../../shared/record/session-causes.ts';
import type { ReceivedEvent } from './event-record.ts';

/** @returns one line of words for an event. It has transcript and chat in full, so it does not belong into a log */
export function describeEvent(event: ReceivedEvent): string {
  switch (event.name) {
    case 'transcript': {
      const { userName, userId, channelId, text } = event.data;
      return `${userName || userId || channelId || 'somebody'}: ${text}`;
    }
    case 'chat':
      return `${event.data.sender?.userName ?? 'somebody'} in the chat: ${event.data.text}`;
    case 'session_started': {
      const { product, media, requestedAtMs, streamingAtMs } = event.data;
      const types = Object.keys(media).join(', ');
      const { continues } = event.data;
      const link = continues === undefined ? '' : `, continues ${continues.rtmsStreamId}`;
      // A later owner begins when the one before was lost, however long the meeting has lasted then.
      const waited =
        event.epoch > 1 ? '' : `, ${streamingAtMs - requestedAtMs} ms after the webhook`;
      return `${product} streaming: ${types}${waited}${link}`;
    }
    case 'session_taken_over':
      return `taken over from epoch ${event.data.previousEpoch} (${event.data.cause})`;
    case 'session_handed_over':
      return `handed over (${event.data.cause})`;
    case 'session_interrupted':
      return `${whatOf(event.data)} interrupted (${event.data.cause})`;
    case 'session_reconnected':
      return `${whatOf(event.data)} reconnected after ${event.data.durationMs} ms`;
    case 'session_ended': {
      const { stopReasonName, restart } = event.data;
      const next = restart === undefined ? '' : ` (restart: ${restart.replace('_', ' ')})`;
      return `ended: ${stopReasonName ?? 'Zoom gave no reason'}${next}`;
    }
    case 'session_restart': {
      const { outcome, attempt, reason, code } = event.data;
      const why = reason === undefined ? '' : `: ${reason.replaceAll('_', ' ')}`;
      return `restart ${outcome}, request ${attempt}${why}${code === undefined ? '' : ` (${code})`}`;
    }
    case 'session_missed':
      return `never recorded: ${missWords(event.data)}`;
    case 'start_failed':
    case 'request_status':
    case 'concurrency_limited':
      return `Zoom: rtms.${event.name}${numbersOf(event.data)}`;
    case 'participant_joined':
    case 'participant_left':
    case 'participant_video_on':
    case 'participant_video_off': {
      const names = event.data.participants.map(({ userName, userId }) => userName || userId);
      return `${names.join(', ')} ${event.name.slice('participant_'.length).replace('_', ' ')}`;
    }
    case 'active_speaker':
      return `${event.data.userName || event.data.userId} speaks`;
    case 'sharing_started':
      return `${event.data.userName || event.data.userId} shares the screen`;
    case 'session_state':
      return `user session ${event.data.rtmsSessionId} in state ${event.data.state}`;
    case 'voice':
    case 'chat_group':
      return `${event.name.replace('_', ' ')}: ${event.data.name}`;
    case 'gap': {
      const { count, mediaType, cause, userId, channelId } = event.data;
      return `gap: ${count} of ${mediaType} ${userId ?? channelId ?? ''} lost (${cause})`;
    }
    case 'newer':
      return `${event.type}, of a later version than this rtms`;
    default:
      return event.name.replaceAll('_', ' ');
  }
}

function whatOf({ scope, userId }: { readonly scope: string; readonly userId?: number }): string {
  return userId === undefined ? scope : `${scope} of ${userId}`;
}

function numbersOf({ numbers = {} }: EventData['start_failed']): string {
  const words = Object.entries(numbers).map(
    ([name, value]) => `${name.replaceAll('_', ' ')} ${value}`,
  );
  return words.length === 0 ? '' : ` (${words.join(', ')})`;
}

const WORDS: Readonly<Record<MissReason, string>> = {
  address_refused: 'Zoom named no address on an allowed host',
  no_credentials: 'there was nothing to sign the handshake with',
  refused: 'Zoom refused the handshake',
  not_connected: 'nobody could connect before Zoom ended the stream',
  came_too_late: 'Zoom’s webhook came too late',
  no_room: 'no runner had room in time',
  stopped_first: 'Zoom stopped the stream before a runner was connected',
  revoked: 'access was taken back before a runner was connected',
  operator_stop: 'an operator ended it before a runner was connected',
  defect: 'it ended the runners that tried, by a defect of ours',
  start_failed: 'Zoom could not start the stream',
  concurrency_limited: 'the account was at its limit of streams',
  not_announced: 'it was live at Zoom, and Zoom announced no stream',
};

/** Why a stream was never recorded, in words, with Zoom's own numbers. */
export function missWords(data: EventData['session_missed']): string {
  const { reason, status, stopReason, stopReasonName } = data;
  const said = [
    ...(status === undefined ? [] : [`status ${status}`]),
    ...(stopReason === undefined ? [] : [stopReasonName ?? `stop reason ${stopReason}`]),
  ];
  // A later runner may know other reasons.
  const words: string = WORDS[reason] ?? reason;
  return said.length === 0 ? words : `${words} (${said.join(', ')})`;
}
