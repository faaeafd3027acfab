import * as v from 'valibot';

const whole = v.pipe(v.number(), v.integer(), v.minValue(0));

/**
 * Everything about Zoom that its documents leave open, or that a test needs to be otherwise. Durations are
 * milliseconds of the simulator's clock.
 */
const behaviourSchema = v.strictObject({
  /** Bad signature or unknown stream: message 2 with a status, or a close without an answer, as seen live. */
  badSignature: v.picklist(['status', 'close']),
  /** A second signaling connection: refused with status 8, or it takes the stream from the first. */
  duplicateSignaling: v.picklist(['refuse', 'kick']),
  /**
   * Names in message 2. `documented`: as Zoom's published answers have them, `audio`, `video`, `transcript` and
   * `all`, for Contact Center and Phone `audio` and `all`. `every`: one for each granted media type too.
   * `sharescreen`: as `every`, but the share has the name that Zoom's JS manager looks for. `all`: that one only.
   */
  mediaUrls: v.picklist(['documented', 'every', 'sharescreen', 'all']),
  /** Each address of message 2 as a text, or as a list of one. */
  urlShape: v.picklist(['text', 'list']),
  /** The field of messages 2 and 4 with the status of success. Seen under both names, and missing. */
  statusKey: v.picklist(['status_code', 'status', 'none']),
  /** Status of a duplicate signaling connection. It differs between tables of different age; the text does not. */
  duplicateStatus: v.picklist([8, 17]),
  /** A split address accepts any granted bits (Zoom's Contact Center sample asks for 32 on `audio`), or its own only. */
  splitAddress: v.picklist(['any_bits', 'own_bit']),
  /** Whether a connection on `all` with bits of its own may stand beside split ones. */
  allBesideSplit: v.picklist(['accept', 'refuse']),
  /** Opcode of everything the servers send. */
  frames: v.picklist(['text', 'binary']),
  keepAliveMs: whole,
  /** Unanswered keep-alives that break a connection. */
  keepAliveMisses: whole,
  /** Keep-alives only on sockets that were silent for `keepAliveMs`. */
  keepAliveOnlyWhenIdle: v.boolean(),
  /** Milliseconds, nanoseconds (an int64 that no double holds), or no time stamp at all. */
  keepAliveUnit: v.picklist(['ms', 'ns', 'none']),
  /** From `rtms_started` to the first signaling handshake. */
  connectWindowMs: whole,
  /** From opening a socket to its handshake. */
  handshakeWindowMs: whole,
  signalingWindowMs: whole,
  mediaWindowMs: whole,
  /** How much audio is kept while there is no client. */
  audioBufferMs: whole,
  /** `strict`: refuse what the parameter page excludes. `lenient`: accept RTP with L16, and lower an fps. */
  mediaParams: v.picklist(['strict', 'lenient']),
  transcriptTimeUnit: v.picklist(['ms', 'us']),
  /** Fields in `content`, as JSON text in `content.data`, or as an object there. */
  chatShape: v.picklist(['direct', 'nested', 'object']),
  /** `user_id` as a number, as its digits in a text, as a number of 13 digits, or as a text that is no number. */
  userIds: v.picklist(['number', 'text', 'long', 'opaque']),
  /** Whether message 9 has the id of its session. */
  sessionIds: v.boolean(),
  /** Whether messages 6, 8 and 9 have a time. */
  eventTimes: v.boolean(),
  /** Whether lists of people have a `null` among them. */
  nullParticipants: v.boolean(),
  /** Joins, leaves and cameras as a list, or one message each with the person at event level. */
  participants: v.picklist(['list', 'event_level']),
  /** Whether frames have a `length`, as since May 2026. */
  frameLength: v.boolean(),
  /** V2: how many connections for single cameras are allowed at once. */
  maxCameras: whole,
  /** Whether message 29 has the id of its participant. */
  videoAnswerUserId: v.boolean(),
  participantInfoKey: v.picklist(['participant_info', 'paticipant_info']),
  /** Mixed audio goes on through silence. */
  mixedAudioSilence: v.boolean(),
  namesOnLeave: v.boolean(),
  /** The field of message 8 with the stop reason. */
  streamReasonKey: v.picklist(['reason', 'stop_reason']),
  /** The field of message 9 with the stop reason: Zoom's example and table disagree. */
  sessionReasonKey: v.picklist(['reason', 'stop_reason']),
  webhookShape: v.picklist(['flat', 'nested']),
  /** Adds the fields of May 2026 to started webhooks. */
  webhookExtended: v.boolean(),
});

export type Behaviour = Readonly<v.InferOutput<typeof behaviourSchema>>;

/** Differences from another behaviour. A name that is none is refused: it would change nothing, and its test would pass. */
export const differencesSchema = v.pipe(v.partial(behaviourSchema), v.transform(withoutUndefined));

/** A field that is undefined would stand in the place of the other behaviour's. */
function withoutUndefined(differences: object): Partial<Behaviour> {
  return Object.fromEntries(Object.entries(differences).filter(([, value]) => value !== undefined));
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
