import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import g722Fixture from '../../../../test/fixtures/rtms/media/14-audio.g722-16k-mono-20ms.mixed.json' with {
  type: 'json',
};
import { G722Decoder } from './g722.ts';
import { decodeAlaw } from './pcm.ts';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

// The hashes are of what ffmpeg 6 decodes the same bytes to (-f s16le).
describe('decoders agree with ffmpeg bit by bit', () => {
  test('G.711 A-law, all codes', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, code) => code));
    expect(sha256(decodeAlaw(all))).toBe(
      'e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174',
    );
  });

  test("G.722, a frame of Zoom's documents", () => {
    const payload = Buffer.from(g722Fixture.content.data, 'base64');
    expect(sha256(new G722Decoder().decode(payload))).toBe(
      '7cfb8db987860c5cd332aff929e8ab9b3b8e2535d3ee024fbedec248bdfaf03a',
    );
  });

  test('G.722, a second of noise, in frames of 20 ms', () => {
    let state = 1;
    const noise = Buffer.from(
      Array.from({ length: 16_000 }, () => {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        return state >>> 24;
      }),
    );
    const decoder = new G722Decoder();
    const parts: Buffer[] = [];
    for (let i = 0; i < noise.length; i += 160)
      parts.push(decoder.decode(noise.subarray(i, i + 160)));
    expect(sha256(Buffer.concat(parts))).toBe(
      'd2e4923d228f463fa991ba1723922d1364e0f66573bedbfac6a75d746f49a883',
    );
  });
});
