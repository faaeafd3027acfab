import { MESSAGE_TYPE, nameOf, STATUS_CODE } from '../../shared/rtms/constants.ts';
import type { Behaviour } from './behaviour.ts';
import type { Action, ScenarioParticipant } from './scenario.ts';
import type { SourceId } from './sent-ledger.ts';

/** The messages the servers send that are more than a literal. All return JSON text. */

/** Free text in reality; the status name says most. */
export function reasonText(status: number): string {
  return status === STATUS_CODE.OK ? '' : `STATUS_${nameOf(STATUS_CODE, status) ?? status}`;
}

/** Put together by hand: base64 needs no escaping, and this is the hot path. */
export function frameMessage(
  msgType: number,
  { userId, channelId }: SourceId,
  userName: string | undefined,
  payload: Buffer,
  timestampMs: number,
): string {
  const source =
    channelId === undefined
      ? `"user_id":${userId}${userName === undefined ? '' : `,"user_name":${JSON.stringify(userName)}`}`
      : `"channel_id":${JSON.stringify(channelId)}`;
  return `{"msg_type":${msgType},"content":{${source},"data":"${payload.toString('base64')}","length":${payload.length},"timestamp":${timestampMs}}}`;
}

export function transcriptMessage(
  { userId, userName, channelId }: ScenarioParticipant,
  line: { text: string; language: number; attribute: number },
  times: { startMs: number; endMs: number; timestampMs: number },
  behaviour: Behaviour,
): string {
  return JSON.stringify({
    msg_type: MESSAGE_TYPE.MEDIA_DATA_TRANSCRIPT,
    content: {
      ...(channelId === undefined
        ? { user_id: userId, user_name: userName }
        : { channel_id: channelId }),
      start_time: times.startMs,
      end_time: times.endMs,
      language: line.language,
      attribute: line.attribute,
      data: line.text,
      timestamp:
        behaviour.transcriptTimeUnit === 'us' ? times.timestampMs * 1000 : times.timestampMs,
    },
  });
}

export function chatMessage(
  chat: Extract<Action, { do: 'chat' }>,
  messageId: string,
  person: (userId: number) => ScenarioParticipant,
  timestampMs: number,
  behaviour: Behaviour,
): string {
  const wire = (userId: number) => ({ user_id: userId, user_name: person(userId).userName });
  const sender = wire(chat.userId);
  const details = {
    message_id: messageId,
    parent_message_id: chat.parentMessageId,
    operation_type: chat.operation,
    chat_session: chat.session,
    sender,
    ...(chat.receiverId !== undefined && { receiver: wire(chat.receiverId) }),
    ...(chat.files && { files: chat.files }),
    ...(chat.deletedFileIds && { delete_file_id_list: chat.deletedFileIds }),
  };
  const content =
    behaviour.chatShape === 'direct'
      ? { data: chat.text, ...details }
      : { data: JSON.stringify({ ...details, data: chat.text }) };
  return JSON.stringify({
    msg_type: MESSAGE_TYPE.MEDIA_DATA_CHAT,
    content: { ...sender, timestamp: timestampMs, ...content },
  });
}
