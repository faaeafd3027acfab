/**
 * Everything about Zoom that its documents leave open, or that a test needs to be otherwise. Durations are
 * milliseconds of the simulator's clock.
 */
export interface Behaviour {
  /** Bad signature or unknown stream: message 2 with a status, or a close without an answer, as seen live. */
  readonly badSignature: 'status' | 'close';
  /** A second signaling connection: refused with status 8, or it takes the stream from the first. */
  readonly duplicateSignaling: 'refuse' | 'kick';
  /**
   * Names in message 2. `documented`: as Zoom's published answers have them, `audio`, `video`, `transcript` and
   * `all`, for Contact Center and Phone `audio` and `all`. `every`: one for each granted media type too.
   * `sharescreen`: as `every`, but the share has the name that Zoom's JS manager looks for. `all`: that one only.
   */
  readonly mediaUrls: 'documented' | 'every' | 'sharescreen' | 'all';
  /** Each address of message 2 as a text, or as a list of one. */
  readonly urlShape: 'text' | 'list';
  /** The field of messages 2 and 4 with the status of success. Seen under both names, and missing. */
  readonly statusKey: 'status_code' | 'status' | 'none';
  /** Status of a duplicate signaling connection. It differs between tables of different age; the text does not. */
  readonly duplicateStatus: 8 | 17;
  /** A split address accepts any granted bits (Zoom's Contact Center sample asks for 32 on `audio`), or its own only. */
  readonly splitAddress: 'any_bits' | 'own_bit';
  /** Whether a connection on `all` with bits of its own may stand beside split ones. */
  readonly allBesideSplit: 'accept' | 'refuse';
  /** Opcode of everything the servers send. */
  readonly frames: 'text' | 'binary';
  readonly keepAliveMs: number;
  /** Unanswered keep-alives that break a connection. */
  readonly keepAliveMisses: number;
  /** Keep-alives only on sockets that were silent for `keepAliveMs`. */
  readonly keepAliveOnlyWhenIdle: boolean;
  /** Milliseconds, nanoseconds (an int64 that no double holds), or no time stamp at all. */
  readonly keepAliveUnit: 'ms' | 'ns' | 'none';
  /** From `rtms_started` to the first signaling handshake. */
  readonly connectWindowMs: number;
  /** From opening a socket to its handshake. */
  readonly handshakeWindowMs: number;
  readonly signalingWindowMs: number;
  readonly mediaWindowMs: number;
  /** How much audio is kept while there is no client. */
  readonly audioBufferMs: number;
  /** `strict`: refuse what the parameter page excludes. `lenient`: accept RTP with L16, and lower an fps. */
  readonly mediaParams: 'strict' | 'lenient';
  readonly transcriptTimeUnit: 'ms' | 'us';
  /** Fields in `content`, as JSON text in `content.data`, or as an object there. */
  readonly chatShape: 'direct' | 'nested' | 'object';
  /** `user_id` as a number, as its digits in a text, as a number of 13 digits, or as a text that is no number. */
  readonly userIds: 'number' | 'text' | 'long' | 'opaque';
  /** Whether message 9 has the id of its session. */
  readonly sessionIds: boolean;
  /** Whether messages 6, 8 and 9 have a time. */
  readonly eventTimes: boolean;
  /** Whether lists of people have a `null` among them. */
  readonly nullParticipants: boolean;
  /** Joins, leaves and cameras as a list, or one message each with the person at event level. */
  readonly participants: 'list' | 'event_level';
  /** Whether frames have a `length`, as since May 2026. */
  readonly frameLength: boolean;
  /** V2: how many connections for single cameras are allowed at once. */
  readonly maxCameras: number;
  /** Whether message 29 has the id of its participant. */
  readonly videoAnswerUserId: boolean;
  readonly participantInfoKey: 'participant_info' | 'paticipant_info';
  /** Mixed audio goes on through silence. */
  readonly mixedAudioSilence: boolean;
  readonly namesOnLeave: boolean;
  /** The field of message 8 with the stop reason. */
  readonly streamReasonKey: 'reason' | 'stop_reason';
  /** The field of message 9 with the stop reason: Zoom's example and table disagree. */
  readonly sessionReasonKey: 'reason' | 'stop_reason';
  readonly webhookShape: 'flat' | 'nested';
  /** Adds the fields of May 2026 to started webhooks. */
  readonly webhookExtended: boolean;
}

/** Zoom as its documents, samples and managers show it (2026-11-27). What they leave open has its first value. */
export const DOCUMENTED_BEHAVIOUR: Behaviour = {
  badSignature: 'status',
  duplicateSignaling: 'refuse',
  mediaUrls: 'documented',
  urlShape: 'text',
  statusKey: 'status_code',
  duplicateStatus: 8,
  splitAddress: 'any_bits',
  allBesideSplit: 'accept',
  frames: 'text',
  keepAliveMs: 10_000,
  keepAliveMisses: 3,
  keepAliveOnlyWhenIdle: true,
  keepAliveUnit: 'ms',
  connectWindowMs: 60_000,
  handshakeWindowMs: 30_000,
  signalingWindowMs: 60_000,
  mediaWindowMs: 65_000,
  audioBufferMs: 60_000,
  mediaParams: 'strict',
  transcriptTimeUnit: 'ms',
  chatShape: 'nested',
  userIds: 'number',
  sessionIds: true,
  eventTimes: true,
  nullParticipants: false,
  participants: 'list',
  frameLength: true,
  maxCameras: 4,
  videoAnswerUserId: true,
  participantInfoKey: 'participant_info',
  mixedAudioSilence: false,
  namesOnLeave: false,
  streamReasonKey: 'reason',
  sessionReasonKey: 'stop_reason',
  webhookShape: 'flat',
  webhookExtended: false,
};
