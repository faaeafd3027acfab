import type {
  ChatMessage,
  Participant,
  SignalingEvent,
  TranscriptLine,
} from '../../../rtms/events.ts';
import type { AgreedMedia, LeftOutMedia } from '../../../rtms/protocol/agreed-media.ts';
import { CHAT_OPERATION, nameOf, TRANSCRIPT_LANGUAGE } from '../../../rtms/protocol/constants.ts';
import { STOP_REASON } from '../../../rtms/protocol/stop-reason.ts';
import type { EventData, EventName, EventPerson } from '../../../shared/record/event-data.ts';
import type { SessionRow, StartRegister } from '../../../shared/session-table/session-row.ts';
import { startFactsOf } from '../../../shared/zoom/start-facts.ts';

/** An event's name, `data` and time, ready to be numbered. */
export type EventBody = {
  [Name in EventName]: {
    readonly name: Name;
    readonly timeMs: number;
    readonly data: EventData[Name];
  };
}[EventName];

export function transcriptEvent(line: TranscriptLine): EventBody {
  const { userName, ...rest } = line;
  const languageName = nameOf(TRANSCRIPT_LANGUAGE, line.language);
  return {
    name: 'transcript',
    timeMs: line.startMs ?? line.timestampMs,
    data: {
      ...rest,
      ...(userName === '' ? {} : { userName }),
      ...(languageName === undefined ? {} : { languageName }),
    },
  };
}

export function chatEvent(message: ChatMessage): EventBody {
  const { operation, sender, receiver, ...rest } = message;
  return {
    name: 'chat',
    timeMs: message.timestampMs,
    data: {
      ...rest,
      ...(operation === undefined
        ? {}
        : { operation: nameOf(CHAT_OPERATION, operation) ?? String(operation) }),
      ...(sender === undefined ? {} : { sender: person(sender) }),
      ...(receiver === undefined ? {} : { receiver: person(receiver) }),
    },
  };
}

/** @returns undefined for `media_connection_interrupted`: the client acts on it, and tells `interrupted` itself */
export function signalingEvent(event: SignalingEvent): EventBody | undefined {
  const { timestampMs } = event;
  switch (event.name) {
    case 'media_connection_interrupted':
      return undefined;
    case 'first_packet':
    case 'sharing_stopped':
      return { name: event.name, timeMs: timestampMs, data: { timestampMs, ...unread(event) } };
    case 'participant_joined':
    case 'participant_left':
    case 'participant_video_on':
    case 'participant_video_off': {
      const participants = event.participants.map(person);
      return {
        name: event.name,
        timeMs: timestampMs,
        data: { participants, timestampMs, ...unread(event) },
      };
    }
    case 'active_speaker':
    case 'sharing_started': {
      return {
        name: event.name,
        timeMs: timestampMs,
        data: { ...person(event), timestampMs, ...unread(event) },
      };
    }
    case 'voice': {
      const { name, event: voiceEvent, ...rest } = event;
      return { name, timeMs: timestampMs, data: { name: voiceEvent, ...rest } };
    }
    case 'chat_group':
      return {
        name: 'chat_group',
        timeMs: timestampMs,
        data: { name: event.event, raw: event.raw },
      };
    case 'other':
      return { name: 'other', timeMs: timestampMs, data: { raw: event.raw } };
  }
}

/** Leaves out an id or name that Zoom did not give. */
function person({ userId, userName }: Participant): EventPerson {
  return {
    ...(userId === undefined ? {} : { userId }),
    ...(userName === '' ? {} : { userName }),
  };
}

/** Adds the event as Zoom wrote it where not all of it could be read. */
function unread({ raw }: { readonly raw?: unknown }): { raw?: unknown } {
  return raw === undefined ? {} : { raw };
}

/** The reason's number and Zoom's name for it, as `session_ended` carries them; nothing for none. */
export function stopReasonFields(stopReason: number | undefined): {
  stopReason?: number;
  stopReasonName?: string;
} {
  if (stopReason === undefined) return {};
  const stopReasonName = nameOf(STOP_REASON, stopReason);
  return stopReasonName === undefined ? { stopReason } : { stopReason, stopReasonName };
}

/** @param agreed what the handshakes brought; `atMs`: when media began to flow, Unix ms */
export function sessionStarted(
  start: StartRegister,
  agreed: {
    readonly media: AgreedMedia;
    readonly leftOut: readonly LeftOutMedia[];
    /** As the claim left it. */
    readonly row: Pick<SessionRow, 'claimedAtMs' | 'runRequestedAtMs' | 'continues'>;
    readonly atMs: number;
    /** The task. */
    readonly owner: string;
  },
): EventData['session_started'] {
  const { product, entityId, requestedAtMs } = start;
  const { media, leftOut, row, atMs, owner } = agreed;
  const { claimedAtMs = atMs, runRequestedAtMs, continues } = row;
  const wasAnnouncedBefore = runRequestedAtMs !== undefined && runRequestedAtMs < requestedAtMs;
  return {
    product,
    entityId,
    ...startFactsOf(start),
    media,
    owner,
    ...(leftOut.length === 0 ? {} : { leftOut }),
    requestedAtMs,
    ...(wasAnnouncedBefore && { runRequestedAtMs }),
    claimedAtMs,
    streamingAtMs: atMs,
    ...(continues === undefined ? {} : { continues: { rtmsStreamId: continues.rtmsStreamId } }),
  };
}
