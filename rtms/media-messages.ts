import type { ChatMessage, MediaFrame, Participant, TranscriptLine } from './events.ts';
import type { MeetingView, Roster } from './meeting-view.ts';
import type { AgreedMedia } from './protocol/agreed-media.ts';
import { MEDIA_DATA_OPTION, MEDIA_PAYLOAD_TYPE } from './protocol/constants.ts';
import type { FrameMessage } from './protocol/decode-media.ts';
import type { ChatDataMessage, PersonFields, TranscriptMessage } from './protocol/decode-text.ts';
import { type FrameMediaType, mediaSource } from './protocol/media-type.ts';

/** What a frame takes over from the connection that brought it. */
export interface FrameShape {
  readonly agreed: AgreedMedia;
  /** V2: the participant whose camera the connection carries. A frame without a user id is theirs. */
  readonly userId?: number | undefined;
}

/** Zoom's id for the mix of all speakers. */
const MIX_USER_ID = 0;

/** The frame of one of the messages 14 to 16. Called for every frame, so it makes one object and no closure. */
export function toFrame(
  message: FrameMessage,
  mediaType: FrameMediaType,
  { agreed, userId: cameraOf }: FrameShape,
  view: MeetingView,
  receivedAtMs: number,
): MediaFrame {
  const { payload, channelId } = message;
  const capturedAtMs = message.timestampMs ?? receivedAtMs;
  const codec =
    mediaType === 'deskshare'
      ? shareCodec(payload, agreed.deskshare?.codec)
      : (agreed[mediaType]?.codec ?? MEDIA_PAYLOAD_TYPE.UNDEFINED);
  if (message.userId === undefined && channelId !== undefined) {
    const userName = message.userName ?? '';
    return { mediaType, channelId, userName, capturedAtMs, receivedAtMs, codec, payload };
  }
  const userId = message.userId ?? cameraOf ?? MIX_USER_ID;
  const userName = message.userName ?? view.roster.nameOf(userId);
  if (
    userId === MIX_USER_ID &&
    view.activeSpeaker !== undefined &&
    agreed.audio?.dataOpt === MEDIA_DATA_OPTION.AUDIO_MIXED_STREAM &&
    mediaType === 'audio'
  ) {
    const { activeSpeaker } = view;
    return {
      mediaType,
      userId,
      userName,
      capturedAtMs,
      receivedAtMs,
      codec,
      payload,
      activeSpeaker,
    };
  }
  return { mediaType, userId, userName, capturedAtMs, receivedAtMs, codec, payload };
}

/** Zoom may send another picture format than it agreed on for a share, so the first bytes of the payload decide. */
function shareCodec(payload: Buffer, negotiated = MEDIA_PAYLOAD_TYPE.UNDEFINED as number): number {
  if (payload.length < 4) return negotiated;
  const magic = payload.readUInt32BE(0);
  if (magic >>> 16 === 0xffd8) return MEDIA_PAYLOAD_TYPE.JPG;
  if (magic === 0x89504e47) return MEDIA_PAYLOAD_TYPE.PNG;
  if (magic === 0x00000001 || magic >>> 8 === 0x000001) return MEDIA_PAYLOAD_TYPE.H264;
  return negotiated;
}

/** The line of message 17. A name that Zoom left out comes from the roster, a time from our clock. */
export function toTranscriptLine(
  message: TranscriptMessage,
  roster: Roster,
  receivedAtMs: number,
): TranscriptLine {
  const { text, userId, language, startMs, endMs, attribute } = message;
  return {
    text,
    userName: message.userName ?? (userId === undefined ? '' : roster.nameOf(userId)),
    timestampMs: message.timestampMs ?? receivedAtMs,
    ...mediaSource(message),
    ...(language !== undefined && { language }),
    ...(startMs !== undefined && { startMs }),
    ...(endMs !== undefined && { endMs }),
    ...(attribute !== undefined && { attribute }),
    ...(message.raw !== undefined && { raw: message.raw }),
  };
}

/** The chat message of message 18. Names that Zoom left out come from the roster, a time from our clock. */
export function toChatMessage(
  message: ChatDataMessage,
  roster: Roster,
  receivedAtMs: number,
): ChatMessage {
  const { text, messageId, parentMessageId, operation, chatSession, files, deletedFileIds } =
    message;
  const sender = named(message.sender, roster);
  const receiver = named(message.receiver, roster);
  return {
    text,
    timestampMs: message.timestampMs ?? receivedAtMs,
    ...(messageId !== undefined && { messageId }),
    ...(parentMessageId !== undefined && { parentMessageId }),
    ...(operation !== undefined && { operation }),
    ...(chatSession !== undefined && { chatSession }),
    ...(sender !== undefined && { sender }),
    ...(receiver !== undefined && { receiver }),
    ...(files !== undefined && { files }),
    ...(deletedFileIds !== undefined && { deletedFileIds }),
    ...(message.raw !== undefined && { raw: message.raw }),
  };
}

function named(person: PersonFields | undefined, roster: Roster): Participant | undefined {
  if (person === undefined) return undefined;
  const { userId, userName = userId === undefined ? '' : roster.nameOf(userId) } = person;
  return userId === undefined ? { userName } : { userId, userName };
}
