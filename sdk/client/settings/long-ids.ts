import { ENTITY_ID_FIELD } from '../../../rtms/protocol/product.ts';
import { exactText } from '../webhook/exact-json.ts';

/** Bounds memory: more streams than a process can be on. The oldest is dropped first. */
const MAX_STREAMS = 1_000;
const digitsByStream = new Map<string, string>();

/**
 * Remembers the digits of an id that came as a number too long for a double (a Phone `call_id` has 19).
 *
 * The program gets the number, as from Zoom's SDK, and hands it to `join`, often in a copy of the payload. Zoom
 * refuses a signature over an id with a digit missing.
 */
export function rememberLongIds(payload: Readonly<Record<string, unknown>>): void {
  const { object } = payload;
  const places = typeof object === 'object' && object !== null ? [payload, object] : [payload];
  for (const place of places) {
    const streamId = (place as Readonly<Record<string, unknown>>)['rtms_stream_id'];
    if (typeof streamId !== 'string') continue;
    for (const field of Object.values(ENTITY_ID_FIELD)) {
      const digits = exactText(place, field);
      if (digits === undefined || !/^\d+$/.test(digits)) continue;
      digitsByStream.set(streamId, digits);
      const [oldest] = digitsByStream.keys();
      if (digitsByStream.size > MAX_STREAMS && oldest !== undefined) digitsByStream.delete(oldest);
    }
  }
}

/** All digits of an id that came as a number; undefined where they are not known. */
export function longId(rtmsStreamId: string, id: number): string | undefined {
  if (Number.isSafeInteger(id)) return String(id);
  const digits = digitsByStream.get(rtmsStreamId);
  return digits !== undefined && Number(digits) === id ? digits : undefined;
}
