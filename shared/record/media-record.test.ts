import { expect, test } from 'vitest';
import { decodeMediaRecord } from './decode-media-record.ts';
import { encodeMediaRecord } from './encode-media-record.ts';
import { encodeEvent } from './event.ts';
import {
  markRecoveredFrame,
  markRecoveredLine,
  RECOVERED_FRAME_BYTES,
  RECOVERED_LINE_BYTES,
} from './media-record.ts';

const RECORD = encodeMediaRecord({
  rtmsStreamId: 's',
  epoch: 1,
  sequence: 9,
  mediaType: 1,
  userId: 7,
  userName: '',
  capturedAtMs: 1,
  receivedAtMs: 2,
  codec: 4,
  payload: Buffer.from('frame'),
});
const ORIGIN = { rtmsStreamId: 's', epoch: 1, product: 'meeting', entityId: 'e' } as const;
const LINE = encodeEvent(ORIGIN, 'session_paused', 4, 0, { timestampMs: 0 });

test('a marked frame is the same frame, and says that it was recovered', () => {
  const marked = markRecoveredFrame(RECORD);
  expect(marked.length).toBe(RECORD.length + RECOVERED_FRAME_BYTES);
  expect(decodeMediaRecord(marked)).toEqual({ ...decodeMediaRecord(RECORD), recovered: true });
  expect(decodeMediaRecord(RECORD).recovered).toBeUndefined();
});

test('a marked line is the same document with one attribute more', () => {
  const marked = markRecoveredLine(LINE);
  expect(marked.length).toBe(LINE.length + RECOVERED_LINE_BYTES);
  expect(JSON.parse(Buffer.from(marked).toString())).toEqual({
    ...JSON.parse(LINE.toString()),
    recovered: true,
  });
  expect(marked.at(-1)).toBe(10);
});

test.each(['', '\n', '}\n', 'x', '{"a":1}'])('what is no line stays as it is: %j', (text) => {
  expect(Buffer.from(markRecoveredLine(Buffer.from(text))).toString()).toBe(text);
});
