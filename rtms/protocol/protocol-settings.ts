import { ServiceError } from '../../shared/errors.ts';
import { UNKNOWN_FIELD } from './params.ts';
import { PRODUCTS, type Product } from './product.ts';

/**
 * How to speak with one product. At Zoom version, message format and transport are independent of each other. A new
 * version must never become the default, because it has restrictions of its own.
 */
export interface ProtocolSettings {
  /** `protocol_version` of messages 1 and 3. @default 1 */
  readonly version: 1 | 2;
  /** @default 'JSON', the only one this release speaks */
  readonly format: 'JSON';
  /** @default 'WEBSOCKET', the only one this release speaks */
  readonly transport: 'WEBSOCKET';
  /** Names for event codes and types that this release does not know: `{"8001": "hold"}`. @default none */
  readonly events: Readonly<Record<string, string>>;
}

export type ProtocolRequest = { readonly [Key in Product]?: ProtocolSettings };

export const DEFAULT_PROTOCOL: ProtocolSettings = {
  version: 1,
  format: 'JSON',
  transport: 'WEBSOCKET',
  events: {},
};

const FIELDS = ['version', 'format', 'transport', 'events'];
/** What Zoom has and this release does not speak: the error for such a value says so. */
const NOT_SPOKEN: Readonly<Record<string, readonly string[]>> = {
  format: ['PROTOBUF'],
  transport: ['SRT', 'RTMP', 'UDP', 'WEBRTC'],
};
const MAX_EVENTS = 200;

/**
 * Reads the JSON of `RTMS_PROTOCOL`: settings by product. Whatever is left out keeps its default.
 *
 * @throws ServiceError `rtms/invalid-params` naming the field and what is allowed
 */
export function parseProtocol(json: string): ProtocolRequest {
  let input: unknown;
  try {
    input = JSON.parse(json);
  } catch (cause) {
    throw new ServiceError('rtms/invalid-params', 'the protocol settings are not JSON', { cause });
  }
  return completeProtocol(input);
}

/** @throws ServiceError `rtms/invalid-params` naming the field and what is allowed */
export function completeProtocol(input: unknown): ProtocolRequest {
  const given = objectAt('protocol', input, PRODUCTS);
  return Object.fromEntries(
    Object.entries(given).map(([product, value]) => [product, settingsOf(product, value)]),
  );
}

function settingsOf(product: string, input: unknown): ProtocolSettings {
  const given = objectAt(product, input, FIELDS);
  const { version = 1, format = 'JSON', transport = 'WEBSOCKET', events = {} } = given;
  if (version !== 1 && version !== 2) throw invalid(`${product}.version`, version, '1, 2');
  if (format !== 'JSON') throw invalid(`${product}.format`, format, 'JSON', 'format');
  if (transport !== 'WEBSOCKET') {
    throw invalid(`${product}.transport`, transport, 'WEBSOCKET', 'transport');
  }
  return { version, format, transport, events: eventNames(`${product}.events`, events) };
}

function eventNames(field: string, input: unknown): Readonly<Record<string, string>> {
  const names: Record<string, string> = {};
  for (const [code, name] of Object.entries(objectAt(field, input))) {
    if (!/^\d{1,9}$/.test(code)) throw invalid(`${field} key`, code, 'a number');
    if (typeof name !== 'string' || !/^[a-z][a-z0-9_]{0,63}$/.test(name)) {
      throw invalid(`${field}.${code}`, name, 'a name in snake_case');
    }
    names[code] = name;
  }
  if (Object.keys(names).length > MAX_EVENTS)
    throw invalid(field, 'too many', `${MAX_EVENTS} names at most`);
  return names;
}

function objectAt(
  field: string,
  value: unknown,
  names?: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(field, value, 'an object');
  }
  for (const name of Object.keys(value)) {
    if (names !== undefined && !names.includes(name)) {
      throw invalid(`${field}.${name}`, UNKNOWN_FIELD, names.join(', '));
    }
  }
  return value as Readonly<Record<string, unknown>>;
}

function invalid(field: string, value: unknown, allowed: string, kind = ''): ServiceError {
  const shown = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined');
  const isZooms = NOT_SPOKEN[kind]?.includes(shown.toUpperCase()) ?? false;
  const why = isZooms ? ', which this release does not speak' : '';
  return new ServiceError(
    'rtms/invalid-params',
    `${field} is ${shown}${why}, allowed: ${allowed}`,
    { detail: { field, value: shown, allowed } },
  );
}
