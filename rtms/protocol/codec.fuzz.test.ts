import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { ServiceError } from '../../shared/errors.ts';
import { decodeMessage } from './codec.ts';

/** Decodes, or fails the one way a caller is promised. */
function decodesOrRefuses(data: Buffer | string): void {
  try {
    const message = decodeMessage(data);
    JSON.stringify(message);
    if ('timestampMs' in message && message.timestampMs !== undefined) {
      expect(new Date(message.timestampMs).getUTCFullYear()).toBeGreaterThanOrEqual(2000);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({ code: 'rtms/malformed-message' });
  }
}

const key = fc.constantFrom(
  'event',
  'events',
  'event_type',
  'content',
  'data',
  'length',
  'timestamp',
  'user_id',
  'participants',
  'participant_info',
  'media_server',
  'server_urls',
  'audio',
  'status_code',
  'state',
  'sender',
  'files',
  'chat_session',
  'meeting_uuid',
  'rtms_stream_id',
  'signature',
  '__proto__',
);

const { value: hostile } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.jsonValue(),
    fc.integer(),
    fc.constantFrom('', 'AAAA', 'AAA=', '{"message_id":1}', '-1', '4294967296'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 6, noNullPrototype: false }),
  ),
}));

test.prop([fc.uint8Array({ maxLength: 400 })])('any bytes decode or are refused', (bytes) => {
  decodesOrRefuses(Buffer.from(bytes));
});

test.prop([fc.integer({ min: -1, max: 31 }), fc.dictionary(key, hostile)], { numRuns: 600 })(
  'any content of any message decodes or is refused',
  (msgType, fields) => {
    decodesOrRefuses(JSON.stringify({ ...fields, msg_type: msgType }));
  },
);

const unixMs = fc.integer({ min: 946_684_800_000, max: 7_258_118_399_999 });

test.prop([fc.uint8Array({ maxLength: 2000 }), unixMs, fc.option(fc.nat(0xffff_ffff))])(
  'a payload arrives byte for byte',
  (bytes, timestamp, userId) => {
    const payload = Buffer.from(bytes);
    const text = JSON.stringify({
      msg_type: 14,
      content: {
        ...(userId !== null && { user_id: userId }),
        data: payload.toString('base64'),
        length: payload.length,
        timestamp,
      },
    });
    expect(decodeMessage(text)).toMatchObject({
      payload,
      timestampMs: timestamp,
      userId: userId ?? undefined,
    });
  },
);

test.prop([fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })])(
  'a keep alive keeps its int64',
  (timestamp) => {
    expect(decodeMessage(`{"msg_type":12,"timestamp":${timestamp}}`)).toEqual({
      msgType: 12,
      timestampJson: String(timestamp),
    });
  },
);
