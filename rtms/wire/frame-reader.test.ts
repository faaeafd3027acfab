import { fc, test as prop } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { PoisonedPool } from '../../test/support/poisoned-pool.ts';
import { encodeClientFrame, type FrameViolation, WebSocketReader } from './frame-reader.ts';

const MAX_BYTES = 1_000_000;

interface Frame {
  readonly opcode: number;
  readonly payload?: Buffer | string;
  readonly fin?: boolean;
  readonly reserved?: number;
  readonly masked?: boolean;
}

/** A server's frame, as RFC 6455 section 5.2 draws it. */
function frame({ opcode, payload = '', fin = true, reserved = 0, masked = false }: Frame): Buffer {
  const body = Buffer.from(payload);
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const mask = masked ? 0x80 : 0;
  if (body.length < 126) return Buffer.concat([Buffer.of(first, mask | body.length), body]);
  const header = Buffer.alloc(body.length < 0x1_0000 ? 4 : 10);
  header[0] = first;
  header[1] = mask | (header.length === 4 ? 126 : 127);
  if (header.length === 4) header.writeUInt16BE(body.length, 2);
  else header.writeBigUInt64BE(BigInt(body.length), 2);
  return Buffer.concat([header, body]);
}

/** Reads bytes in the given pieces, each from a buffer that is overwritten afterwards. */
function read(pieces: readonly Buffer[], maxBytes = MAX_BYTES): unknown[] {
  const events: unknown[] = [];
  const handlers = {
    message: (data: Buffer) => events.push(['message', data.toString('latin1')]),
    ping: (payload: Buffer) => events.push(['ping', payload.toString('latin1')]),
    closed: (closeCode: number) => events.push(['closed', closeCode]),
    failed: ({ closeCode }: FrameViolation) => events.push(['failed', closeCode]),
  };
  const reader = new WebSocketReader(maxBytes, handlers, new PoisonedPool());
  for (const piece of pieces) {
    const shared = Buffer.concat([Buffer.from('before'), piece, Buffer.from('behind')]);
    reader.read(shared, 6, 6 + piece.length);
    shared.fill(0xee);
  }
  return events;
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...pieces, bytes.subarray(at)];
}

const close = (code: number, reason = '') => {
  const payload = Buffer.alloc(2 + reason.length, reason);
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return frame({ opcode: 8, payload });
};

describe('messages', () => {
  test.each([0, 1, 125, 126, 127, 128, 65_535, 65_536, 100_000])('of %i bytes', (size) => {
    const text = 'x'.repeat(size);
    for (const opcode of [1, 2]) {
      expect(read([frame({ opcode, payload: text })])).toEqual([['message', text]]);
    }
  });

  test('come whole from fragments with control frames in between', () => {
    const bytes = Buffer.concat([
      frame({ opcode: 1, payload: 'one ', fin: false }),
      frame({ opcode: 9, payload: 'p' }),
      frame({ opcode: 0, payload: '', fin: false }),
      frame({ opcode: 10, payload: 'nobody asked' }),
      frame({ opcode: 0, payload: 'two' }),
      frame({ opcode: 2, payload: 'next' }),
    ]);
    const expected = [
      ['ping', 'p'],
      ['message', 'one two'],
      ['message', 'next'],
    ];
    expect(read([bytes])).toEqual(expected);
    expect(read([...bytes].map((byte) => Buffer.of(byte)))).toEqual(expected);
  });

  test('are empty when all their fragments are', () => {
    const empty = { payload: '', fin: false };
    const bytes = [
      frame({ opcode: 1, ...empty }),
      frame({ opcode: 0, ...empty }),
      frame({ opcode: 0 }),
    ];
    expect(read([Buffer.concat(bytes)])).toEqual([['message', '']]);
  });

  test('are not checked for UTF-8', () => {
    expect(read([frame({ opcode: 1, payload: Buffer.of(0xff, 0xfe) })])).toEqual([
      ['message', 'ÿþ'],
    ]);
  });
});

describe('the limit', () => {
  test('allows a message of exactly that size, in one piece and in fragments', () => {
    expect(read([frame({ opcode: 2, payload: '12345' })], 5)).toEqual([['message', '12345']]);
    const fragments = [
      frame({ opcode: 2, payload: '123', fin: false }),
      frame({ opcode: 0, payload: '45' }),
    ];
    expect(read(fragments, 5)).toEqual([['message', '12345']]);
  });

  test.each([
    ['a frame', [frame({ opcode: 2, payload: '123456' })]],
    [
      'fragments',
      [frame({ opcode: 2, payload: '123', fin: false }), frame({ opcode: 0, payload: '456' })],
    ],
    ['an announcement of 2^63 bytes', [Buffer.from('827f8000000000000000', 'hex')]],
    ['an announcement of 2^53 bytes', [Buffer.from('827f0020000000000000', 'hex')]],
  ])('refuses %s beyond it', (_title, pieces) => {
    expect(read(pieces, 5)).toEqual([['failed', 1009]]);
  });
});

describe('what a server must not send', () => {
  const text = frame({ opcode: 1, payload: 'a', fin: false });
  test.each([
    ['reserved bit 1', [frame({ opcode: 1, reserved: 4 })]],
    ['reserved bit 2', [frame({ opcode: 9, reserved: 2 })]],
    ['reserved bit 3', [frame({ opcode: 1, reserved: 1, payload: 'x' })]],
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, Buffer[]] => [
      `opcode ${opcode}`,
      [frame({ opcode })],
    ]),
    ['a mask', [frame({ opcode: 1, masked: true, payload: 'x' })]],
    ['a ping in fragments', [frame({ opcode: 9, fin: false })]],
    ['a close in fragments', [frame({ opcode: 8, fin: false })]],
    ['a ping of 126 bytes', [frame({ opcode: 9, payload: 'x'.repeat(126) })]],
    ['a close of 126 bytes', [frame({ opcode: 8, payload: 'x'.repeat(126) })]],
    ['half a close code', [frame({ opcode: 8, payload: 'x' })]],
    ['a continuation of nothing', [frame({ opcode: 0, payload: 'x' })]],
    ['a continuation after the end', [text, frame({ opcode: 0 }), frame({ opcode: 0 })]],
    ['a message inside another', [text, frame({ opcode: 1, payload: 'b' })]],
    ['two bytes that are no frame', [Buffer.from('ffff', 'hex')]],
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65_535].map(
      (code): [string, Buffer[]] => [`close code ${code}`, [close(code)]],
    ),
  ])('%s fails, and nothing follows', (_title, pieces) => {
    const behind = frame({ opcode: 1, payload: 'behind' });
    const bytes = Buffer.concat([...pieces, behind]);
    expect(read([bytes]).at(-1)).toEqual(['failed', 1002]);
    expect(read([...bytes].map((byte) => Buffer.of(byte))).at(-1)).toEqual(['failed', 1002]);
  });
});

describe('the close frame', () => {
  test.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999])(
    'with code %i ends it',
    (code) => {
      expect(read([close(code, 'reason'), frame({ opcode: 1 })])).toEqual([['closed', code]]);
    },
  );

  test('without a code ends it', () => {
    expect(read([frame({ opcode: 8 })])).toEqual([['closed', 1005]]);
  });
});

const anyFrame = fc.oneof(
  fc.record({ opcode: fc.constantFrom(1, 2), payload: fc.string({ maxLength: 300 }) }),
  fc.record({ opcode: fc.constantFrom(9, 10), payload: fc.base64String({ maxLength: 124 }) }),
);
prop.prop([fc.array(anyFrame, { maxLength: 8 }), fc.array(fc.nat(400), { maxLength: 20 })])(
  'means the same however it is cut',
  (frames, sizes) => {
    const bytes = Buffer.concat(frames.map(frame));
    const expected = frames
      .filter(({ opcode }) => opcode !== 10)
      .map(({ opcode, payload }) => [
        opcode === 9 ? 'ping' : 'message',
        Buffer.from(payload).toString('latin1'),
      ]);
    expect(read([bytes])).toEqual(expected);
    expect(read(cut(bytes, sizes))).toEqual(expected);
  },
);

prop.prop([fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 })], { numRuns: 2_000 })(
  'any bytes are read or refused',
  (pieces) => {
    read(
      pieces.map((piece) => Buffer.from(piece)),
      1_000,
    );
  },
);

test('the reader hands on nothing after a stop in the middle of a read', () => {
  const seen: string[] = [];
  const reader: WebSocketReader = new WebSocketReader(MAX_BYTES, {
    message: (data) => {
      seen.push(data.toString());
      reader.stop();
    },
    ping() {},
    closed() {},
    failed() {},
  });
  const bytes = Buffer.concat([
    frame({ opcode: 1, payload: 'a' }),
    frame({ opcode: 1, payload: 'b' }),
  ]);
  reader.read(bytes, 0, bytes.length);
  expect(seen).toEqual(['a']);
});

test.each([0, 1, 125, 126, 65_535, 65_536])('a client frame of %i bytes is masked', (size) => {
  const payload = Buffer.alloc(size, 'abc');
  const maskKey = Buffer.from('01020304', 'hex');
  const bytes = encodeClientFrame('text', payload, maskKey);
  const head = size < 126 ? 2 : size < 65_536 ? 4 : 10;
  // The same frame from a server, its payload unmasked, and the mask bit taken back.
  const masked = bytes.subarray(head + 4);
  const plain = Buffer.from(masked.map((byte, index) => byte ^ (maskKey[index & 3] as number)));
  const header = Buffer.from(bytes.subarray(0, head));
  expect((header[1] as number) & 0x80).toBe(0x80);
  header[1] = (header[1] as number) & 0x7f;
  expect(Buffer.concat([header, plain])).toEqual(frame({ opcode: 1, payload }));
  expect(bytes.subarray(head, head + 4)).toEqual(maskKey);
});
