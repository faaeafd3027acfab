import { MESSAGE_TYPE, nameOf, STATUS_CODE } from '../../rtms/protocol/constants.ts';
import type { Behaviour } from '../scenario/behaviour.ts';
import type { Action, ScenarioParticipant } from '../scenario/scenario.ts';
import type { SentSourceId } from '../sent-ledger.ts';

/* The messages of the servers that need more than a literal. All functions return JSON text. */

/** The reason of a status. Zoom's is a free text; here it is the name of the status. */
export function reasonText(status: number): string {
  return status === STATUS_CODE.OK ? '' : `STATUS_${nameOf(STATUS_CODE, status) ?? status}`;
}

/** A participant's id in the form of this Zoom's behaviour. */
export function wireId(userId: number, { userIds }: Pick<Behaviour, 'userIds'>): number | string {
  switch (userIds) {
    case 'number':
      return userId;
    case 'text':
      return String(userId);
    case 'long':
      return 1_234_000_000_000 + userId;
    case 'opaque':
      return `u-${userId.toString(36)}`;
  }
}

/** Status and reason of messages 2 and 4. A status other than OK is always in the documented field. */
export function statusFields(
  status: number,
  { statusKey }: Pick<Behaviour, 'statusKey'>,
  reason = reasonText(status),
): Readonly<Record<string, unknown>> {
  if (status !== STATUS_CODE.OK || statusKey === 'status_code') {
    return { status_code: status, reason };
  }
  return statusKey === 'status' ? { status, reason } : { reason };
}

/** Written without JSON.stringify, because this is the hot path and base64 needs no escaping. */
export function frameMessage(
  msgType: number,
  { userId, channelId }: SentSourceId,
  userName: string | undefined,
  payload: Buffer,
  timestampMs: number,
  behaviour: Pick<Behaviour, 'userIds' | 'frameLength'>,
): string {
  const length = behaviour.frameLength ? `"length":${payload.length},` : '';
  const source =
    channelId === undefined
      ? `"user_id":${JSON.stringify(wireId(userId, behaviour))}${userName === undefined ? '' : `,"user_name":${JSON.stringify(userName)}`}`
      : `"channel_id":${JSON.stringify(channelId)}`;
  return `{"msg_type":${msgType},"content":{${source},"data":"${payload.toString('base64')}",${length}"timestamp":${timestampMs}}}`;
}

/** Message 17. Times are Unix ms. */
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
        ? { user_id: wireId(userId, behaviour), user_name: userName }
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

/** Message 18, with its fields where the behaviour puts them. */
export function chatMessage(
  chat: Extract<Action, { do: 'chat' }>,
  messageId: string,
  person: (userId: number) => ScenarioParticipant,
  timestampMs: number,
  behaviour: Behaviour,
): string {
  const wire = (userId: number) => ({
    user_id: wireId(userId, behaviour),
    user_name: person(userId).userName,
  });
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
  const inner = { ...details, data: chat.text };
  const content = {
    direct: { ...details, data: chat.text },
    nested: { data: JSON.stringify(inner) },
    object: { data: inner },
  }[behaviour.chatShape];
  return JSON.stringify({
    msg_type: MESSAGE_TYPE.MEDIA_DATA_CHAT,
    content: { ...sender, timestamp: timestampMs, ...content },
  });
}
