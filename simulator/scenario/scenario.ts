import * as v from 'valibot';
import { MEDIA_TYPES } from '../../rtms/protocol/media-type.ts';
import { PRODUCTS } from '../../rtms/protocol/product.ts';
import { STOP_REASON } from '../../rtms/protocol/stop-reason.ts';
import { ServiceError } from '../../shared/errors.ts';
import { type Behaviour, differencesSchema } from './behaviour.ts';

/**
 * A scenario is plain data: it can be written by hand, made by a function, or posted to the control server. Every time
 * is in milliseconds since `rtms_started`; files are paths below simulator/assets.
 */
const milliseconds = v.pipe(v.number(), v.minValue(0));
const userId = v.pipe(v.number(), v.integer(), v.minValue(1));
const mediaType = v.picklist(MEDIA_TYPES);

const audioTrack = v.variant('kind', [
  /** `<file>.pcm` (16 kHz mono s16le) and `<file>.ogg` (Opus 48 kHz stereo, 20 ms packets). */
  v.strictObject({
    kind: v.literal('clips'),
    clips: v.array(v.strictObject({ startMs: milliseconds, file: v.string() })),
  }),
  /** Frames with their own number and check sum. Talks for `talkMs`, is silent for `pauseMs`, and so on. */
  v.strictObject({
    kind: v.literal('synthetic'),
    talkMs: v.optional(milliseconds, 1),
    pauseMs: v.optional(milliseconds, 0),
    phaseMs: v.optional(milliseconds, 0),
    /** Bytes of one frame. @default the usual size of a frame in its codec */
    frameBytes: v.optional(v.number()),
  }),
  /** A 10 ms click at every full `everyMs`. */
  v.strictObject({ kind: v.literal('clicks'), everyMs: milliseconds }),
]);

const videoTrack = v.variant('kind', [
  /** Annex B with access unit delimiters, repeated; `pictures` for clients that ask for JPG. */
  v.strictObject({
    kind: v.literal('h264'),
    file: v.string(),
    fps: v.number(),
    pictures: v.optional(v.array(v.string()), []),
  }),
  v.strictObject({
    kind: v.literal('synthetic'),
    fps: v.number(),
    frameBytes: v.number(),
    keyFrameBytes: v.number(),
    /** Frames from one key frame to the next. */
    keyEvery: v.number(),
  }),
]);

const shareTrack = v.variant('kind', [
  /** `atMs` counts from the start of the share. */
  v.strictObject({
    kind: v.literal('slides'),
    slides: v.array(v.strictObject({ atMs: milliseconds, file: v.string() })),
  }),
  v.strictObject({ kind: v.literal('synthetic'), frameBytes: v.number() }),
]);

const participant = v.strictObject({
  userId,
  userName: v.string(),
  /** Contact Center and Phone: stands in media and events in place of the user id. */
  channelId: v.optional(v.string()),
  /** Further fields of `participant_info`. */
  participantInfo: v.optional(v.record(v.string(), v.string()), {}),
  joinMs: v.optional(milliseconds, 0),
  cameraOff: v.optional(v.boolean(), false),
  audio: v.optional(audioTrack),
  video: v.optional(videoTrack),
});

const how = v.optional(v.picklist(['terminate', 'close', 'freeze']), 'terminate');

const chatMessage = v.strictObject({
  userId,
  text: v.string(),
  operation: v.optional(v.number(), 1),
  messageId: v.optional(v.string()),
  parentMessageId: v.optional(v.string(), ''),
  session: v.optional(v.strictObject({ type: v.number(), id: v.string() }), { type: 1, id: '' }),
  receiverId: v.optional(userId),
  files: v.optional(
    v.array(v.strictObject({ file_id: v.string(), file_name: v.string(), file_size: v.number() })),
  ),
  deletedFileIds: v.optional(v.array(v.string())),
});

const webhookKind = v.picklist(['started', 'interrupted', 'stopped']);

const action = v.variant('do', [
  v.strictObject({ do: v.literal('join'), userId }),
  v.strictObject({ do: v.literal('leave'), userId }),
  v.strictObject({ do: v.literal('active_speaker'), userId }),
  v.strictObject({ do: v.literal('video_on'), userId }),
  v.strictObject({ do: v.literal('video_off'), userId }),
  v.strictObject({ do: v.literal('share_start'), userId, track: shareTrack }),
  v.strictObject({ do: v.literal('share_stop') }),
  /** Without times the line is about the second that just ended. */
  v.strictObject({
    do: v.literal('transcript'),
    userId,
    text: v.string(),
    startMs: v.optional(milliseconds),
    endMs: v.optional(milliseconds),
    language: v.optional(v.number(), 9),
    attribute: v.optional(v.number(), 0),
  }),
  v.strictObject({ do: v.literal('chat'), ...chatMessage.entries }),
  /** Any other event: fields beside `event_type` and the time. */
  v.strictObject({
    do: v.literal('event'),
    eventType: v.number(),
    fields: v.record(v.string(), v.unknown()),
  }),
  /** Contact Center: the event of one participant. */
  v.strictObject({ do: v.literal('voice'), eventType: v.number(), userId }),
  v.strictObject({ do: v.literal('pause') }),
  v.strictObject({ do: v.literal('resume') }),
  v.strictObject({ do: v.literal('session_start'), sessionId: v.string() }),
  v.strictObject({ do: v.literal('session_stop'), sessionId: v.string(), reason: v.number() }),
  v.strictObject({ do: v.literal('stop'), reason: v.number() }),
  v.strictObject({ do: v.literal('revoke') }),
  /** New server addresses after `gapMs`. The old sockets are cut, or stay open in silence. */
  v.strictObject({
    do: v.literal('failover'),
    gapMs: v.optional(milliseconds, 0),
    oldSockets: v.optional(v.picklist(['cut', 'keep']), 'cut'),
  }),
  /** Zoom closes every socket with 1000 and sends no message before. */
  v.strictObject({ do: v.literal('evict') }),
  /** `freeze`: the connection is up, but nothing passes in either direction. */
  v.strictObject({ do: v.literal('cut_signaling'), how }),
  v.strictObject({
    do: v.literal('cut_media'),
    mediaType: v.optional(mediaType),
    /** V2: only the connection of this participant's camera. */
    userId: v.optional(userId),
    how,
  }),
  /** Sends late by up to `durationMs`, then all at once, as TCP does on a bad line. */
  v.strictObject({
    do: v.literal('stall_media'),
    mediaType: v.optional(mediaType),
    userId: v.optional(userId),
    durationMs: milliseconds,
  }),
  /** Any text on a socket of this stream, also one that Zoom should never send. */
  v.strictObject({
    do: v.literal('raw'),
    socket: v.union([v.literal('signaling'), mediaType]),
    text: v.string(),
  }),
  /** Delivers the last webhook of a kind once more, unchanged but freshly signed. */
  v.strictObject({
    do: v.literal('replay_webhook'),
    kind: webhookKind,
  }),
  v.strictObject({ do: v.literal('hold_webhooks') }),
  v.strictObject({ do: v.literal('release_webhooks'), reversed: v.optional(v.boolean(), false) }),
  v.strictObject({
    do: v.literal('webhook'),
    event: v.string(),
    payload: v.record(v.string(), v.unknown()),
  }),
]);

/** An answer of the REST API beside the usual one. Status 0: the connection is closed without an answer. */
const apiAnswer = v.strictObject({
  status: v.number(),
  code: v.optional(v.number()),
  message: v.optional(v.string(), ''),
  /** The text of the header `Retry-After`. */
  retryAfter: v.optional(v.string()),
  /** Whether Zoom does what it was asked for although it gives this answer. */
  done: v.optional(v.boolean(), false),
});

const timedAction = v.strictObject({ atMs: milliseconds, action });

const scenario = v.strictObject({
  name: v.string(),
  product: v.optional(v.picklist(PRODUCTS), 'meeting'),
  /** Default: made from the simulator's seed. */
  entityId: v.optional(v.string()),
  /** The number that people dial. */
  meetingId: v.optional(v.string()),
  rtmsStreamId: v.optional(v.string()),
  /** Media types that the app's scopes grant. */
  media: v.optional(v.array(mediaType)),
  participants: v.array(participant),
  /** Ends with stop reason 6 unless an action stopped it before. */
  durationMs: milliseconds,
  actions: v.optional(v.array(timedAction), []),
  /** Differences from the simulator's behaviour, for this stream. */
  behaviour: v.optional(differencesSchema, {}),
  /** Webhooks of this stream that Zoom never sends. */
  withheld: v.optional(v.array(webhookKind), []),
  /** Zoom's REST API about this meeting. */
  api: v.optional(
    v.strictObject({
      /** Answers to its first requests, one each; then Zoom does what is asked. */
      answers: v.optional(v.array(apiAnswer), []),
      /** `withheld` of the streams that it starts, one entry each; later ones withhold nothing. */
      withheld: v.optional(v.array(v.array(webhookKind)), []),
    }),
    {},
  ),
});

export type AudioTrack = v.InferOutput<typeof audioTrack>;
export type VideoTrack = v.InferOutput<typeof videoTrack>;
export type ShareTrack = v.InferOutput<typeof shareTrack>;
export type ScenarioParticipant = v.InferOutput<typeof participant>;
export type Action = v.InferOutput<typeof action>;
export type ActionInput = v.InferInput<typeof action>;
export type TimedAction = v.InferOutput<typeof timedAction>;
export type ApiAnswerOfScenario = v.InferOutput<typeof apiAnswer>;
export type Scenario = v.InferOutput<typeof scenario>;
/** A scenario with its defaults left out. */
export type ScenarioInput = v.InferInput<typeof scenario>;

/** @throws ServiceError `config/invalid` naming the first wrong field */
export function parseBehaviour(input: unknown): Partial<Behaviour> {
  return parse(differencesSchema, input, 'behaviour');
}

/** @throws ServiceError `config/invalid` naming the first wrong field */
export function parseScenario(input: unknown): Scenario {
  return parse(scenario, input, 'scenario');
}

/** What is left of a meeting when its stream is started once more, `elapsedMs` after the stream before. */
export function restOf(scenario: Scenario, elapsedMs: number): Scenario {
  const { participants, actions, durationMs, api } = scenario;
  const later = (atMs: number) => Math.max(0, atMs - elapsedMs);
  const [withheld = [], ...laterWithheld] = api.withheld;
  return {
    ...scenario,
    rtmsStreamId: undefined,
    participants: participants.map((one) => ({ ...one, joinMs: later(one.joinMs) })),
    actions: actions
      .filter(({ atMs }) => atMs > elapsedMs)
      .map(({ atMs, action }) => ({ atMs: later(atMs), action })),
    durationMs: later(durationMs),
    withheld,
    api: { ...api, withheld: laterWithheld },
  };
}

/** The script with its implied parts, who joins when and the end, in order of time. */
export function timeline({ participants, actions, durationMs }: Scenario): TimedAction[] {
  const joins = participants.map(({ userId, joinMs }) => ({
    atMs: joinMs,
    action: { do: 'join' as const, userId },
  }));
  const end = { do: 'stop' as const, reason: STOP_REASON.MEETING_ENDED };
  return [...joins, ...actions, { atMs: durationMs, action: end }].sort((a, b) => a.atMs - b.atMs);
}

/** @throws ServiceError `config/invalid` naming the first wrong field */
export function parseAction(input: unknown): Action {
  return parse(action, input, 'action');
}

function parse<Schema extends v.GenericSchema>(
  schema: Schema,
  input: unknown,
  what: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new ServiceError(
    'config/invalid',
    `${what}: ${v.getDotPath(issue) ?? ''} ${issue.message}`,
  );
}
