import type { ReceivedEvent } from '../../sdk/consumer/index.ts';
import type { Happening } from '../report/reporter.ts';

/**
 * One line for people of an event of the `events` stream; undefined for what is shown elsewhere
 * (transcript) or says nothing to somebody watching.
 */
export function describeEvent(event: ReceivedEvent, seenAtMs: number): Happening | undefined {
  const text = sentence(event);
  if (text === undefined) return undefined;
  const { rtmsStreamId, epoch, sequence } = event;
  const fields = { rtmsStreamId, epoch, sequence, time: event.time, data: event.data };
  return { kind: event.name, atMs: seenAtMs, fields, text };
}

function sentence(event: ReceivedEvent): string | undefined {
  switch (event.name) {
    case 'session_started': {
      const { product, media, requestedAtMs, streamingAtMs } = event.data;
      const types = Object.keys(media).join(', ');
      return `${product} streaming, epoch ${event.epoch}: ${types} (${streamingAtMs - requestedAtMs} ms after the webhook)`;
    }
    case 'session_taken_over':
      return `taken over from epoch ${event.data.previousEpoch} (${event.data.cause})`;
    case 'session_handed_over':
      return `handed over by epoch ${event.epoch} (${event.data.cause})`;
    case 'session_interrupted':
      return `${event.data.scope} interrupted (${event.data.cause})`;
    case 'session_reconnected':
      return `${event.data.scope} reconnected after ${event.data.durationMs} ms`;
    case 'session_ended':
      return `ended: ${event.data.stopReasonName ?? 'no reason given'}`;
    case 'session_paused':
    case 'session_resumed':
    case 'session_revoked':
    case 'sharing_stopped':
      return event.name.replace('_', ' ');
    case 'participant_joined':
    case 'participant_left':
    case 'participant_video_on':
    case 'participant_video_off': {
      const names = event.data.participants.map(({ userName, userId }) => userName || userId);
      return `${names.join(', ')} ${event.name.slice('participant_'.length).replace('_', ' ')}`;
    }
    case 'sharing_started':
      return `${event.data.userName} shares the screen`;
    case 'chat':
      return `${event.data.sender?.userName ?? 'somebody'} in the chat: ${event.data.text}`;
    case 'voice':
      return `contact center: ${event.data.name}`;
    case 'gap': {
      const { count, mediaType, cause } = event.data;
      return `gap: ${count} ${mediaType} lost (${cause})`;
    }
    default:
      return undefined;
  }
}
