import { EVENT_TYPE, SESSION_STATE } from '../../rtms/protocol/constants.ts';
import { STOP_REASON } from '../../rtms/protocol/stop-reason.ts';
import type { ClientConnection } from '../sockets/connection.ts';
import { chatMessage, transcriptMessage, wireId } from '../sockets/messages.ts';
import type { RtmsStream, StreamHost } from '../stream.ts';
import type { Action } from './scenario.ts';

/** Does one action of a scenario on a live stream. One case for each action, in the order of scenario.ts. */
export function applyAction(stream: RtmsStream, host: StreamHost, action: Action): void {
  const { meeting } = stream;
  switch (action.do) {
    case 'join':
      meeting.join(action.userId);
      participantEvent(stream, EVENT_TYPE.PARTICIPANT_JOIN, action.userId, true);
      if (meeting.hasCameraOn(action.userId)) {
        participantEvent(stream, EVENT_TYPE.PARTICIPANT_VIDEO_ON, action.userId, false);
      }
      return;
    case 'leave':
      meeting.leave(action.userId);
      participantEvent(
        stream,
        EVENT_TYPE.PARTICIPANT_LEAVE,
        action.userId,
        stream.behaviour.namesOnLeave,
      );
      return;
    case 'active_speaker':
      meeting.activeSpeaker = action.userId;
      personEvent(stream, EVENT_TYPE.ACTIVE_SPEAKER_CHANGE, action.userId);
      return;
    case 'video_on':
    case 'video_off': {
      const isOn = action.do === 'video_on';
      meeting.camera(action.userId, isOn);
      const type = isOn ? EVENT_TYPE.PARTICIPANT_VIDEO_ON : EVENT_TYPE.PARTICIPANT_VIDEO_OFF;
      participantEvent(stream, type, action.userId, false);
      return;
    }
    case 'share_start': {
      const { userId, track } = action;
      meeting.share = { userId, track, startedMs: stream.nowMs - stream.startedAtMs };
      personEvent(stream, EVENT_TYPE.SHARING_START, userId);
      return;
    }
    case 'share_stop':
      meeting.share = undefined;
      stream.messages.event(EVENT_TYPE.SHARING_STOP, {});
      return;
    case 'transcript':
      sendTranscript(stream, action);
      return;
    case 'chat':
      sendChat(stream, action);
      return;
    case 'event':
      stream.messages.event(action.eventType, action.fields);
      return;
    case 'voice':
      sendVoiceEvent(stream, action);
      return;
    case 'pause':
      stream.setPaused(true);
      return;
    case 'resume':
      stream.setPaused(false);
      return;
    case 'session_start':
      stream.setSession(action.sessionId, SESSION_STATE.STARTED);
      return;
    case 'session_stop':
      stream.setSession(action.sessionId, SESSION_STATE.STOPPED, action.reason);
      return;
    case 'stop':
      stream.stop(action.reason);
      return;
    case 'revoke':
      stream.stop(STOP_REASON.STREAM_REVOKED);
      return;
    case 'failover':
      stream.failOver(action.gapMs, action.oldSockets);
      return;
    case 'evict':
      for (const connection of stream.client.mediaConnections()) connection.close();
      stream.client.signaling?.close();
      return;
    case 'cut_signaling':
      if (stream.client.signaling) cut(stream.client.signaling, action.how);
      return;
    case 'cut_media':
      for (const connection of mediaOf(stream, action)) cut(connection, action.how);
      return;
    case 'stall_media':
      for (const connection of mediaOf(stream, action)) connection.stall(action.durationMs);
      return;
    case 'raw': {
      const { socket, text } = action;
      const connections =
        socket === 'signaling'
          ? [stream.client.signaling]
          : stream.client.mediaConnections([socket]);
      for (const connection of connections) connection?.send(text);
      return;
    }
    case 'replay_webhook':
    case 'hold_webhooks':
    case 'release_webhooks':
    case 'webhook':
      host.webhookAction(stream, action);
      return;
    default:
      action satisfies never;
  }
}

function mediaOf(
  stream: RtmsStream,
  { mediaType, userId }: Extract<Action, { do: 'cut_media' | 'stall_media' }>,
): ClientConnection[] {
  return stream.client.mediaConnections(mediaType === undefined ? undefined : [mediaType], userId);
}

function cut(connection: ClientConnection, how: 'terminate' | 'close' | 'freeze'): void {
  if (how === 'freeze') connection.freeze();
  else if (how === 'close') connection.close();
  else connection.cut();
}

function participantEvent(
  stream: RtmsStream,
  eventType: number,
  userId: number,
  withName: boolean,
): void {
  if (stream.hasVoiceEvents) return;
  const { userName } = stream.meeting.participant(userId);
  stream.messages.participants(eventType, [withName ? { userId, userName } : { userId }]);
}

function personEvent(stream: RtmsStream, eventType: number, userId: number): void {
  if (stream.hasVoiceEvents) return;
  const { userName } = stream.meeting.participant(userId);
  const user_id = wireId(userId, stream.behaviour);
  stream.messages.event(eventType, { user_id, user_name: userName });
}

function sendVoiceEvent(stream: RtmsStream, action: Extract<Action, { do: 'voice' }>): void {
  const { channelId, userName, participantInfo } = stream.meeting.participant(action.userId);
  stream.messages.event(action.eventType, {
    [stream.behaviour.participantInfoKey]: {
      channel_id: channelId,
      ...participantInfo,
      display_name: userName,
    },
  });
}

function sendTranscript(stream: RtmsStream, action: Extract<Action, { do: 'transcript' }>): void {
  const timestampMs = stream.nowMs;
  const endMs = action.endMs === undefined ? timestampMs : stream.startedAtMs + action.endMs;
  const startMs = action.startMs === undefined ? endMs - 1000 : stream.startedAtMs + action.startMs;
  const participant = stream.meeting.participant(action.userId);
  const times = { startMs, endMs, timestampMs };
  const json = transcriptMessage(participant, action, times, stream.behaviour);
  const sent = stream.sendText('transcript', json);
  stream.ledger.transcript({ userId: action.userId, text: action.text, ...times, sent });
}

function sendChat(stream: RtmsStream, action: Extract<Action, { do: 'chat' }>): void {
  const timestampMs = stream.nowMs;
  const messageId = action.messageId ?? `{${stream.rtmsStreamId}-${timestampMs}}`;
  const person = (userId: number) => stream.meeting.participant(userId);
  const json = chatMessage(action, messageId, person, timestampMs, stream.behaviour);
  const sent = stream.sendText('chat', json);
  const { userId, text, operation } = action;
  stream.ledger.chat({ userId, text, messageId, operation, timestampMs, sent });
}
