import { MESSAGE_TYPE, STATUS_CODE as STATUS } from '../../rtms/protocol/constants.ts';
import { STOP_REASON } from '../../rtms/protocol/stop-reason.ts';
import { type Behaviour, DOCUMENTED_BEHAVIOUR } from '../scenario/behaviour.ts';
import type { RtmsStream } from '../stream.ts';
import type { ClientConnection, ClientMessage } from './connection.ts';
import { checkHandshake, type SimulatorApp } from './handshake.ts';
import { reasonText, statusFields } from './messages.ts';

/**
 * Speaks with one client on a signaling socket: message 1 first, then every other message of that socket.
 *
 * @param stream the stream of the address; undefined: there is none
 * @param mediaUrls what message 2 offers
 */
export function serveSignaling(
  connection: ClientConnection,
  stream: RtmsStream | undefined,
  app: SimulatorApp,
  badSignature: 'status' | 'close',
  mediaUrls: (stream: RtmsStream) => Readonly<Record<string, string | string[]>>,
): void {
  let joined: RtmsStream | undefined;
  connection.listener = {
    message(message) {
      if (joined) converse(joined, connection, message);
      else if (message.msg_type === MESSAGE_TYPE.SIGNALING_HAND_SHAKE_REQ) handshake(message);
    },
    ended: (end) => joined?.signalingEnded(connection, end),
  };

  function handshake(message: ClientMessage): void {
    let status = checkHandshake(app, stream, message);
    if (status === STATUS.OK && stream) {
      status = stream.attachSignaling(connection, message.buffer_data !== false);
    }
    const isAccepted = status === STATUS.OK && stream !== undefined;
    if (isAccepted) joined = stream;
    const isForeign =
      status === STATUS.INVALID_SIGNATURE || status === STATUS.INVALID_RTMS_STREAM_ID;
    if (!isForeign || badSignature === 'status') {
      reply(connection, {
        msg_type: MESSAGE_TYPE.SIGNALING_HAND_SHAKE_RESP,
        protocol_version: message['protocol_version'] === 2 ? 2 : 1,
        sequence: 0,
        ...answerStatus(status, stream?.behaviour ?? DOCUMENTED_BEHAVIOUR),
        ...(isAccepted && { media_server: { server_urls: mediaUrls(stream) } }),
      });
    }
    if (!isAccepted) connection.close();
  }
}

/** A duplicate connection: the number depends on the age of Zoom's table, and the text is the one that Zoom's managers match. */
function answerStatus(status: number, behaviour: Behaviour): Readonly<Record<string, unknown>> {
  if (status !== STATUS.DUPLICATE_SIGNAL_REQUEST || behaviour.duplicateStatus === 8) {
    return statusFields(status, behaviour);
  }
  return statusFields(behaviour.duplicateStatus, behaviour, 'Duplicate signal request');
}

/** Answers the messages after the handshake. Unknown ones and unusable fields have no documented answer, so they get none. */
function converse(stream: RtmsStream, connection: ClientConnection, message: ClientMessage): void {
  switch (message.msg_type) {
    case MESSAGE_TYPE.EVENT_SUBSCRIPTION:
      for (const entry of Array.isArray(message.events) ? message.events : []) {
        const { event_type: eventType, subscribe } = (entry ?? {}) as ClientMessage;
        if (typeof eventType === 'number') stream.messages.subscribe(eventType, subscribe === true);
      }
      return;
    case MESSAGE_TYPE.CLIENT_READY_ACK:
      if (message.rtms_stream_id === stream.rtmsStreamId) stream.clientReady();
      return;
    case MESSAGE_TYPE.SESSION_STATE_REQ: {
      const state = stream.sessions.get(String(message.rtms_session_id));
      const status = { status_code: STATUS.INVALID_RTMS_SESSION_ID };
      reply(connection, {
        msg_type: MESSAGE_TYPE.SESSION_STATE_RESP,
        rtms_session_id: message.rtms_session_id,
        ...(state === undefined ? status : { state }),
        timestamp: stream.nowMs,
      });
      return;
    }
    case MESSAGE_TYPE.STREAM_STATE_REQ:
      reply(connection, {
        msg_type: MESSAGE_TYPE.STREAM_STATE_RESP,
        rtms_stream_id: stream.rtmsStreamId,
        state: stream.state,
        timestamp: stream.nowMs,
      });
      return;
    case MESSAGE_TYPE.STREAM_CLOSE_REQ:
      closeStream(stream, connection, message);
      return;
    case MESSAGE_TYPE.VIDEO_SUBSCRIPTION_REQ: {
      const status = stream.video.subscribe(Number(message.user_id), message.subscribe === true);
      reply(connection, {
        msg_type: MESSAGE_TYPE.VIDEO_SUBSCRIPTION_RESP,
        ...(stream.behaviour.videoAnswerUserId && { user_id: message.user_id }),
        status_code: status,
        reason: reasonText(status),
        timestamp: stream.nowMs,
      });
      return;
    }
    default:
  }
}

function closeStream(
  stream: RtmsStream,
  connection: ClientConnection,
  message: ClientMessage,
): void {
  const isOurs = message.rtms_stream_id === stream.rtmsStreamId;
  const status = isOurs ? STATUS.OK : STATUS.INVALID_RTMS_STREAM_ID;
  reply(connection, {
    msg_type: MESSAGE_TYPE.STREAM_CLOSE_RESP,
    rtms_stream_id: message.rtms_stream_id,
    status_code: status,
    reason: isOurs ? 'OK' : reasonText(status),
    timestamp: stream.nowMs,
  });
  if (isOurs) stream.stop(STOP_REASON.RECEIVER_REQUEST_CLOSE);
}

function reply(connection: ClientConnection, message: Readonly<Record<string, unknown>>): void {
  connection.send(JSON.stringify(message));
}
