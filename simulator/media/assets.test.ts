import { readdirSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadAccessUnits, loadAsset, loadOpusPackets } from './assets.ts';

const ASSETS = new URL('../assets/', import.meta.url);
const { utterances } = JSON.parse(loadAsset('script.json').toString()) as {
  utterances: { startMs: number; endMs: number; file: string }[];
};

const START_CODE = Buffer.from([0, 0, 1]);

/** NAL unit types of an access unit. */
function unitTypes(unit: Buffer): number[] {
  const types: number[] = [];
  for (let at = unit.indexOf(START_CODE); at >= 0; at = unit.indexOf(START_CODE, at + 3)) {
    types.push(unit.readUInt8(at + 3) & 31);
  }
  return types;
}

test('a camera file is cut into pictures, with a key frame and its parameter sets every two seconds', () => {
  const units = loadAccessUnits('camera/ada.h264');
  expect(units).toHaveLength(90);
  expect(Buffer.concat(units)).toEqual(loadAsset('camera/ada.h264'));
  units.forEach((unit, i) => {
    expect(unitTypes(unit)).toEqual(i % 30 === 0 ? [9, 7, 8, 5] : [9, 1]);
  });
});

test('each utterance is there as PCM, as long as in the script, on the 20 ms grid', () => {
  for (const { startMs, endMs, file } of utterances) {
    expect(loadAsset(`${file}.pcm`).length).toBe((endMs - startMs) * 32);
    expect([startMs % 20, (endMs - startMs) % 20]).toEqual([0, 0]);
  }
});

test('each utterance is there as Opus, one packet for every 20 ms and at most one more', () => {
  for (const { startMs, endMs, file } of utterances) {
    const packets = loadOpusPackets(`${file}.ogg`);
    const frames = (endMs - startMs) / 20;
    expect(packets.length).toBeGreaterThanOrEqual(frames);
    expect(packets.length).toBeLessThanOrEqual(frames + 1);
    // TOC byte: code 0, one frame of 20 ms in the packet; SILK and hybrid number it 1, CELT 3.
    for (const packet of packets) expect(packet.readUInt8(0) & 3).toBe(0);
  }
});

test('the assets are small enough for a repository', () => {
  const bytes = readdirSync(ASSETS, { recursive: true, encoding: 'utf8' })
    .map((file) => statSync(new URL(file, ASSETS)))
    .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
  expect(bytes).toBeLessThan(1_500_000);
});
