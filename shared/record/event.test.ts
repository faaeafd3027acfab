import { describe, expect, test } from 'vitest';
import { buildEvent, type EventOrigin, encodeEvent } from './event.ts';

const ORIGIN: EventOrigin = {
  rtmsStreamId: '609340fb2a7946909659956c8aa9250c',
  epoch: 3,
  product: 'meeting',
  entityId: '4444AAAiAAAAAiAiAiiAii==',
};

test('an event is a CloudEvents 1.0 document on one line', () => {
  const line = encodeEvent(ORIGIN, 'sharing_stopped', 17, 1_738_392_033_699, {
    timestampMs: 1_738_392_033_699,
  });
  expect(line.toString()).toBe(
    '{"specversion":"1.0","id":"609340fb2a7946909659956c8aa9250c/3/17",' +
      '"source":"/zoom/meeting/4444AAAiAAAAAiAiAiiAii%3D%3D","type":"rtms.sharing_stopped.v1",' +
      '"subject":"609340fb2a7946909659956c8aa9250c","time":"2025-02-01T06:40:33.699Z",' +
      '"datacontenttype":"application/json","epoch":3,"sequence":17,' +
      '"data":{"timestampMs":1738392033699}}\n',
  );
});

test('a text with line breaks stays on one line', () => {
  const line = encodeEvent(ORIGIN, 'transcript', 1, 0, { text: 'one\ntwo\u2028', timestampMs: 0 });
  expect(line.indexOf('\n')).toBe(line.length - 1);
  expect(JSON.parse(line.toString()).data.text).toBe('one\ntwo\u2028');
});

describe('a time that no calendar has', () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY, 1e16])('%d becomes 1970', (timeMs) => {
    const event = buildEvent(ORIGIN, 'first_packet', 1, timeMs, { timestampMs: 0 });
    expect(event.time).toBe('1970-01-01T00:00:00.000Z');
  });
});

test('an entity id that is no valid text is encoded', () => {
  const origin = { ...ORIGIN, entityId: 'a/\ud800' };
  const event = buildEvent(origin, 'first_packet', 1, 0, { timestampMs: 0 });
  expect(event.source).toBe('/zoom/meeting/a%2F%EF%BF%BD');
});
