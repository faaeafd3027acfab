import * as v from 'valibot';
import { readInteger, readTimeMs, Fields as WireFields } from '../../rtms/protocol/fields.ts';
import { readServerUrls } from '../../rtms/protocol/offered-urls.ts';
import { keepLongIntegers } from '../../rtms/protocol/parse-message.ts';
import { ENTITY_ID_FIELD, PRODUCTS, type Product } from '../../rtms/protocol/product.ts';
import { STOP_REASON } from '../../rtms/protocol/stop-reason.ts';
import { ServiceError } from '../errors.ts';
import { INPUT_LIMITS, isId, isStreamId } from '../input-limits.ts';
import { readStartFacts, type StartFacts } from './start-facts.ts';

interface StreamEvent {
  /** Zoom's name as received, alias or not. */
  readonly event: string;
  /** When it happened at Zoom, Unix ms; a repeated delivery keeps it. */
  readonly eventTsMs: number;
  readonly product: Product;
  /** Opaque and kept as received: it may hold `/`, `+`, `=`. */
  readonly rtmsStreamId: string;
}

export interface StartedEvent extends StreamEvent, StartFacts {
  readonly kind: 'started';
  readonly entityId: string;
  /** Signaling addresses in Zoom's order, not yet checked against the allow-list. */
  readonly serverUrls: readonly string[];
}

export interface StoppedEvent extends StreamEvent {
  readonly kind: 'stopped';
  /** `STOP_REASON` or a number this version does not know; 0 when Zoom gave none that can be read. */
  readonly stopReason: number;
}

export interface InterruptedEvent extends StreamEvent {
  readonly kind: 'interrupted';
  /** Where to reconnect to, not yet checked. Absent when Zoom names nothing: the last known addresses then hold. */
  readonly serverUrls?: readonly string[];
}

/** An event about the account. There is no stream to record, only news for the operator. */
export interface AccountEvent {
  readonly kind: 'account';
  readonly event: (typeof ACCOUNT_EVENTS)[number];
  /** The documented numbers that were present, by Zoom's field name. */
  readonly numbers: Readonly<Record<string, number>>;
  /** The entity whose start was refused, where Zoom names it, and its product. */
  readonly entityId?: string;
  readonly product?: Product;
  /** When it happened at Zoom, Unix ms; absent when that cannot be read. */
  readonly eventTsMs?: number;
  readonly operatorId?: string;
  /** The payload as it came, JSON; absent when it is too long to be recorded. */
  readonly raw?: string;
}

export type ZoomWebhookEvent =
  | { readonly kind: 'url_validation'; readonly plainToken: string }
  | StartedEvent
  | StoppedEvent
  | InterruptedEvent
  | AccountEvent
  | { readonly kind: 'unknown'; readonly event: string };

const ACCOUNT_EVENTS = [
  'rtms.concurrency_near_limit',
  'rtms.concurrency_limited',
  'rtms.start_failed',
  'rtms.request_status',
] as const;

const ACCOUNT_NUMBERS = ['concurrency_limit', 'concurrency_number', 'percentage', 'reason'];

/** What stands before `rtms_started`, `rtms_stopped` and `rtms_interrupted`; the last three are aliases. */
const PREFIXES: Readonly<Record<string, Product>> = {
  'meeting.': 'meeting',
  'webinar.': 'webinar',
  'session.': 'session',
  'contact_center.voice_': 'contact_center',
  'phone.': 'phone',
  'phone.call_': 'phone',
  'contactcenter.': 'contact_center',
};

const STREAM_EVENT = /^([a-z_]+\.(?:[a-z]+_)?)rtms_(started|stopped|interrupted)$/;

/** A webinar's id may come under the name of a meeting's: Zoom's own material does both. */
const ENTITY_FIELDS: Readonly<Record<Product, readonly string[]>> = {
  ...(Object.fromEntries(
    PRODUCTS.map((product) => [product, [ENTITY_ID_FIELD[product]]]),
  ) as Record<Product, string[]>),
  webinar: [ENTITY_ID_FIELD.webinar, ENTITY_ID_FIELD.meeting],
};

const anyId = v.pipe(v.union([v.string(), v.number()]), v.transform(String));
const id = v.pipe(
  anyId,
  v.check((text) => isId(text)),
);
const streamId = v.pipe(
  anyId,
  v.check((text) => isStreamId(text)),
);
/** Later times cannot be stored in the row of a stream. */
const MAX_TIME_MS = 8.64e15;
/** Read in whatever unit Zoom sends, because the events of one stream are ordered by it. */
const unixMs = v.pipe(
  v.unknown(),
  v.transform((value) => readTimeMs(value) ?? readInteger(value, MAX_TIME_MS, 1)),
  v.number(),
);

const ENVELOPE = v.looseObject({
  event: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  event_ts: v.optional(v.unknown()),
  payload: v.optional(v.unknown()),
});
/** A real token is 22 characters. */
const PLAIN_TOKEN = v.pipe(v.string(), v.minLength(1), v.maxLength(512));

/**
 * Reads the body of a delivery whose signature was already found genuine. Fields are taken flat from
 * `payload`, or from `payload.object` where Zoom nests them; unknown fields are ignored.
 *
 * @throws ServiceError `webhook/malformed`; `detail.field` names the first wrong field. It carries no
 *   `cause`, because the parsers quote their input.
 */
export function parseWebhookEvent(rawBody: Uint8Array): ZoomWebhookEvent {
  const envelope = read(ENVELOPE, parseJson(rawBody), 'body');
  const { event } = envelope;
  const fields = flatten(envelope.payload);
  if (event === 'endpoint.url_validation') {
    const plainToken = read(PLAIN_TOKEN, fields['plainToken'], 'payload.plainToken');
    return { kind: 'url_validation', plainToken };
  }
  const account = ACCOUNT_EVENTS.find((name) => name === event);
  if (account !== undefined) return readAccountEvent(account, envelope, fields);
  const [, prefix = '', what] = STREAM_EVENT.exec(event) ?? [];
  const product = Object.hasOwn(PREFIXES, prefix) ? PREFIXES[prefix] : undefined;
  if (product === undefined) return { kind: 'unknown', event };
  const common = {
    event,
    product,
    eventTsMs: read(unixMs, envelope.event_ts, 'event_ts'),
    rtmsStreamId: read(streamId, fields['rtms_stream_id'], 'payload.rtms_stream_id'),
  };
  if (what === 'interrupted') {
    const serverUrls = storableUrls(fields['server_urls']);
    return { kind: 'interrupted', ...common, ...(serverUrls && { serverUrls }) };
  }
  if (what === 'stopped') {
    // A stop is a stop, whatever its reason looks like.
    const stopReason = new WireFields([fields]).named(STOP_REASON, 'stop_reason', 'reason') ?? 0;
    return { kind: 'stopped', ...common, stopReason };
  }
  return {
    kind: 'started',
    ...common,
    entityId: readEntityId(product, fields),
    serverUrls: startUrls(fields['server_urls']),
    ...readStartFacts(fields),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function parseJson(rawBody: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(rawBody), keepLongIntegers);
  } catch {
    throw malformed('body', 'the body is not JSON in UTF-8');
  }
}

function flatten(payload: unknown): Fields {
  const outer = isObject(payload) ? payload : {};
  return isObject(outer['object']) ? { ...outer, ...outer['object'] } : outer;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readEntityId(product: Product, fields: Fields): string {
  const present = ENTITY_FIELDS[product].find((name) => fields[name] != null);
  const field = present ?? ENTITY_ID_FIELD[product];
  return read(id, fields[field], `payload.${field}`);
}

/** @returns the addresses, if they fit into a row; undefined for none, too many, or texts that are no addresses */
function storableUrls(value: unknown): string[] | undefined {
  const urls = readServerUrls(value);
  const isStorable = urls.every((url) => isId(url, INPUT_LIMITS.serverUrlBytes));
  return isStorable && urls.length > 0 && urls.length <= INPUT_LIMITS.serverUrls ? urls : undefined;
}

/** Without an address there is nothing to start. */
function startUrls(value: unknown): string[] {
  const urls = storableUrls(value);
  if (urls !== undefined) return urls;
  throw malformed('payload.server_urls', 'no server address, or too many or too long ones');
}

function readAccountEvent(
  event: AccountEvent['event'],
  envelope: { readonly event_ts?: unknown; readonly payload?: unknown },
  fields: Fields,
): AccountEvent {
  const numbers: Record<string, number> = {};
  for (const name of ACCOUNT_NUMBERS) {
    const value = readInteger(fields[name]);
    if (value !== undefined) numbers[name] = value;
  }
  const eventTsMs = v.safeParse(unixMs, envelope.event_ts);
  const operatorId = v.safeParse(id, fields['operator_id']);
  const raw = JSON.stringify(envelope.payload ?? {});
  const isShort = Buffer.byteLength(raw) <= INPUT_LIMITS.noticeBytes;
  return {
    kind: 'account',
    event,
    numbers,
    ...readEntity(isObject(fields['id_field']) ? fields['id_field'] : fields),
    ...(eventTsMs.success && { eventTsMs: eventTsMs.output }),
    ...(operatorId.success && { operatorId: operatorId.output }),
    ...(isShort && { raw }),
  };
}

/** The entity of whichever product is named first. */
function readEntity(named: Fields): { entityId?: string; product?: Product } {
  for (const product of PRODUCTS) {
    const entityId = v.safeParse(id, named[ENTITY_ID_FIELD[product]]);
    if (entityId.success) return { entityId: entityId.output, product };
  }
  return {};
}

function read<Output>(
  schema: v.GenericSchema<unknown, Output>,
  value: unknown,
  field: string,
): Output {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const path = v.getDotPath(parsed.issues[0]);
  throw malformed(path ?? field, 'missing or of the wrong kind');
}

function malformed(field: string, what: string): ServiceError {
  return new ServiceError('webhook/malformed', `${field}: ${what}`, { detail: { field } });
}
