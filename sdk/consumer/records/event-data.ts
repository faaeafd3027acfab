import * as v from 'valibot';
import { ServiceError } from '../../../shared/errors.ts';
import type { EventData, EventName } from '../../../shared/record/event-data.ts';

/**
 * What `data` of each event must hold. A consumer trusts the types of an event, so an odd line must be a bad record here
 * and not a TypeError in the consumer's loop.
 *
 * Unknown fields pass, and so do unknown values of `cause`, `mediaType` and the like: a later runner may write them
 * (docs/records.md, versions).
 */

/** No JavaScript date exists beyond this time, and `toISOString` would throw. */
const MAX_TIME_MS = 8.64e15;

const time = v.pipe(v.number(), v.minValue(-MAX_TIME_MS), v.maxValue(MAX_TIME_MS));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const number = v.pipe(v.number(), v.finite());
const word = v.pipe(v.string(), v.nonEmpty());
const text = v.string();

/** An object that is no array. The library takes an array for an object. */
const object = <Entries extends v.ObjectEntries>(entries: Entries) =>
  v.pipe(
    v.custom<object>((value) => !Array.isArray(value)),
    v.looseObject(entries),
  );

const source = { userId: v.optional(count), channelId: v.optional(text) };
const person = { userId: v.optional(count), userName: v.optional(text) };
const stateChange = object({ timestampMs: time });
const roster = object({
  participants: v.array(object(person)),
  timestampMs: time,
});
const personAct = object({ ...person, timestampMs: time });
const scopeEvent = {
  scope: word,
  userId: v.optional(count),
  cause: text,
  attempt: count,
  durationMs: number,
};
const blind = v.optional(v.array(object({ mediaType: word, fromMs: time, toMs: time })));
const ledger = v.array(
  object({ ...source, mediaType: word, received: count, written: count, lost: count }),
);

const startFacts = {
  accountId: v.optional(text),
  operatorId: v.optional(text),
  hostId: v.optional(text),
  meetingId: v.optional(text),
  webinarId: v.optional(text),
  topic: v.optional(text),
  isOriginalHost: v.optional(v.boolean()),
  sessionKey: v.optional(text),
};
const notice = object({
  timestampMs: time,
  operatorId: v.optional(text),
  numbers: v.optional(v.record(v.string(), number)),
});

/** Media parameters by media type, as `session_started` has them. */
const media = v.custom<object>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((params) => typeof params === 'object' && params !== null),
);

const SCHEMAS = {
  transcript: object({
    ...source,
    text,
    userName: v.optional(text),
    language: v.optional(number),
    languageName: v.optional(text),
    startMs: v.optional(time),
    endMs: v.optional(time),
    timestampMs: time,
    attribute: v.optional(number),
  }),
  chat: object({
    messageId: v.optional(text),
    parentMessageId: v.optional(text),
    operation: v.optional(text),
    text,
    chatSession: v.optional(object({ type: number, id: text })),
    sender: v.optional(object(person)),
    receiver: v.optional(object(person)),
    files: v.optional(v.array(object({ fileId: text, fileName: text, fileSize: number }))),
    deletedFileIds: v.optional(v.array(text)),
    timestampMs: time,
  }),
  participant_joined: roster,
  participant_left: roster,
  participant_video_on: roster,
  participant_video_off: roster,
  active_speaker: personAct,
  sharing_started: personAct,
  sharing_stopped: stateChange,
  voice: object({
    name: text,
    participant: v.optional(v.record(v.string(), text)),
    timestampMs: time,
  }),
  first_packet: stateChange,
  chat_group: object({ name: text }),
  session_state: object({
    rtmsSessionId: text,
    state: number,
    stopReason: v.optional(number),
    timestampMs: time,
  }),
  other: object({}),
  session_started: object({
    product: word,
    entityId: text,
    ...startFacts,
    media,
    owner: v.optional(text),
    leftOut: v.optional(
      v.array(object({ mediaType: word, reason: word, status: v.optional(number) })),
    ),
    requestedAtMs: time,
    runRequestedAtMs: v.optional(time),
    claimedAtMs: time,
    streamingAtMs: time,
    continues: v.optional(object({ rtmsStreamId: word })),
  }),
  video_selected: object({
    ...person,
    cameras: v.optional(v.array(object(person))),
    follow: word,
    timestampMs: time,
  }),
  session_paused: stateChange,
  session_resumed: stateChange,
  session_interrupted: object(scopeEvent),
  session_reconnected: object({ ...scopeEvent, blind }),
  session_ledger: object({ page: count, pages: count, ledger }),
  session_handed_over: object({ cause: text, ledger, ledgerPages: v.optional(count) }),
  session_taken_over: object({
    previousEpoch: count,
    cause: word,
    ownerSeenAtMs: v.optional(time),
    ownerWroteUntilMs: v.optional(time),
    blind,
  }),
  session_ended: object({
    stopReason: v.optional(number),
    stopReasonName: v.optional(text),
    restartable: v.boolean(),
    restart: v.optional(word),
    leftAtMs: v.optional(time),
    ledger,
    ledgerPages: v.optional(count),
  }),
  session_restart: object({
    outcome: word,
    attempt: count,
    stopReason: v.optional(number),
    reason: v.optional(text),
    status: v.optional(number),
    code: v.optional(number),
    text: v.optional(text),
    nextAtMs: v.optional(time),
  }),
  session_missed: object({
    product: word,
    entityId: text,
    reason: word,
    status: v.optional(number),
    stopReason: v.optional(number),
    stopReasonName: v.optional(text),
    requestedAtMs: time,
    claimedAtMs: v.optional(time),
    restart: v.optional(word),
    ...startFacts,
    ledger,
    ledgerPages: v.optional(count),
  }),
  start_failed: notice,
  request_status: notice,
  concurrency_limited: notice,
  session_revoked: stateChange,
  gap: object({
    ...source,
    mediaType: word,
    fromSequence: count,
    toSequence: count,
    count,
    bytes: count,
    fromMs: time,
    toMs: time,
    cause: text,
  }),
} as const satisfies Record<EventName, v.GenericSchema>;

/** Whether this version knows the `data` of the event `name`. */
export function isEventName(name: string): name is EventName {
  return Object.hasOwn(SCHEMAS, name);
}

/** @throws ServiceError `record/malformed` that names the wrong field, and not its value, which may be what somebody said */
export function checkEventData<Name extends EventName>(name: Name, data: unknown): EventData[Name] {
  const { issues } = v.safeParse(SCHEMAS[name], data, { abortEarly: true });
  if (issues === undefined) return data as EventData[Name];
  const field = v.getDotPath(issues[0]) ?? '';
  throw new ServiceError(
    'record/malformed',
    `${name} event whose ${field || 'data'} cannot be read`,
    {
      detail: { name, field },
    },
  );
}
