import { cutText, INPUT_LIMITS, isId } from '../input-limits.ts';

/**
 * What a start says of the meeting beside what is needed to join it. People search for a meeting by these facts, so they
 * go from the webhook into the row, `session_started` and `rtms sessions`. Nothing depends on them: a fact that cannot be
 * read counts as absent, and a start that Zoom made by itself has none.
 */
export interface StartFacts {
  readonly accountId?: string;
  /** Zoom user who asked for the stream. */
  readonly operatorId?: string;
  readonly hostId?: string;
  /** The number that people dial, as text: it may have more digits than a double holds. */
  readonly meetingId?: string;
  readonly webinarId?: string;
  readonly topic?: string;
  /** Whether the operator is the host who planned the meeting. */
  readonly isOriginalHost?: boolean;
  /** Video SDK: the key that the app gave its session. */
  readonly sessionKey?: string;
}

type FactReader = (value: unknown) => string | boolean | undefined;

const FACTS = {
  accountId: ['account_id', readId],
  operatorId: ['operator_id', readId],
  hostId: ['host_id', readId],
  meetingId: ['meeting_id', readId],
  webinarId: ['webinar_id', readId],
  topic: ['topic', readTopic],
  isOriginalHost: ['is_original_host', readBoolean],
  sessionKey: ['session_key', readId],
} as const satisfies Record<keyof StartFacts, readonly [field: string, read: FactReader]>;

/** Names of the facts, as they stand in rows and events. */
export const START_FACTS = Object.keys(FACTS) as readonly (keyof StartFacts)[];

/** Reads the facts that the payload of a webhook holds, by Zoom's names. */
export function readStartFacts(payload: Readonly<Record<string, unknown>>): StartFacts {
  const facts = Object.entries(FACTS).map(([name, [field, read]]) => [name, read(payload[field])]);
  return Object.fromEntries(facts.filter(([, value]) => value !== undefined));
}

/** The facts among the fields of a row or start. */
export function startFactsOf(fields: StartFacts): StartFacts {
  const facts = START_FACTS.map((name) => [name, fields[name]]);
  return Object.fromEntries(facts.filter(([, value]) => value !== undefined));
}

function readId(value: unknown): string | undefined {
  const text = Number.isFinite(value) ? String(value) : value;
  return isId(text) ? text : undefined;
}

function readTopic(value: unknown): string | undefined {
  const text = typeof value === 'string' ? value.trim() : '';
  return text === '' ? undefined : cutText(text, INPUT_LIMITS.nameBytes);
}

function readBoolean(value: unknown): boolean | undefined {
  if (value === true || value === 1 || value === 'true' || value === '1') return true;
  return value === false || value === 0 || value === 'false' || value === '0' ? false : undefined;
}
