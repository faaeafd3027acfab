import type { Participant, SignalingEvent } from '../../../rtms/events.ts';
import { USER_JOIN, USER_LEAVE } from '../settings/constants.ts';
import type { EventCallbacks, ParticipantInfo } from './callbacks.ts';

/** For somebody whom Zoom names without the id of a participant. No participant has 0. */
const UNKNOWN_ID = 0;

/** Calls one callback with its arguments, where one is registered. */
export type Emit = <Name extends keyof EventCallbacks>(
  name: Name,
  ...args: Parameters<EventCallbacks[Name]>
) => void;

/** Calls every callback that an event of the signaling socket concerns, `onEventEx` first. */
export function deliverEvent(event: SignalingEvent, raw: unknown, emit: Emit): void {
  emit('onEventEx', JSON.stringify(raw));
  switch (event.name) {
    case 'participant_joined':
    case 'participant_left': {
      const isJoin = event.name === 'participant_joined';
      for (const participant of event.participants) {
        emit('onUserUpdate', isJoin ? USER_JOIN : USER_LEAVE, participantInfo(participant));
      }
      const participants = event.participants.map(({ userId = UNKNOWN_ID, userName }) => ({
        userId,
        userName,
      }));
      emit('onParticipantEvent', isJoin ? 'join' : 'leave', event.timestampMs, participants);
      return;
    }
    case 'participant_video_on':
    case 'participant_video_off': {
      const userIds = event.participants.flatMap(({ userId }) => userId ?? []);
      emit('onParticipantVideo', userIds, event.name === 'participant_video_on');
      return;
    }
    case 'active_speaker':
      emit('onActiveSpeakerEvent', event.timestampMs, event.userId ?? UNKNOWN_ID, event.userName);
      return;
    case 'sharing_started':
      emit(
        'onSharingEvent',
        'start',
        event.timestampMs,
        event.userId ?? UNKNOWN_ID,
        event.userName,
      );
      return;
    case 'sharing_stopped':
      emit('onSharingEvent', 'stop', event.timestampMs);
      return;
    case 'media_connection_interrupted':
      emit('onMediaConnectionInterrupted', event.timestampMs);
      return;
    case 'first_packet':
    case 'chat_group':
    case 'voice':
    case 'other':
      return;
  }
}

function participantInfo({ userId = UNKNOWN_ID, userName }: Participant): ParticipantInfo {
  return { id: userId, name: userName, userId, userName };
}
