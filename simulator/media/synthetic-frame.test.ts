import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { readSyntheticFrame, syntheticFrame } from './synthetic-frame.ts';

const anyFrame = fc.record({
  source: fc.nat(),
  offsetMs: fc.nat(),
  durationMs: fc.nat(1000),
});
const anyMagic = fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes));

describe('synthetic frames', () => {
  test.prop([anyFrame, anyMagic, fc.nat(2000)])(
    'tell their source and their time',
    (frame, magic, size) => {
      const bytes = syntheticFrame(frame, magic, size);
      expect(bytes.subarray(0, magic.length)).toEqual(magic);
      expect(bytes.length).toBe(Math.max(size, magic.length + 20));
      expect(readSyntheticFrame(bytes)).toEqual(frame);
    },
  );

  test.prop([anyFrame, fc.nat(199), fc.integer({ min: 1, max: 255 })])(
    'reveal every changed byte',
    (frame, at, change) => {
      const bytes = syntheticFrame(frame, Buffer.alloc(0), 200);
      bytes.writeUInt8(bytes.readUInt8(at) ^ change, at);
      expect(readSyntheticFrame(bytes)).toBeUndefined();
    },
  );

  test('are not found in other bytes', () => {
    expect(readSyntheticFrame(new Uint8Array(0))).toBeUndefined();
    expect(readSyntheticFrame(Buffer.from('RTMS'))).toBeUndefined();
  });
});
