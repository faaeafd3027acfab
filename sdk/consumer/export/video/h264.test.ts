import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import keyFrame from '../../../../test/fixtures/rtms/media/15-video.h264-keyframe.json' with {
  type: 'json',
};
import { frame } from '../../../../test/support/test-records.ts';
import { H264Exporter, inspectAccessUnit, nalUnits } from './h264.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rtms-h264-'));
});
afterAll(() => rm(directory, { recursive: true }));

const accessUnit = Buffer.from(keyFrame.content.data, 'base64');
const withPps = (spsHex: string) => Buffer.from(`00000001${spsHex}0000000168ce3c80`, 'hex');

describe('inspectAccessUnit', () => {
  test("reads a key frame of Zoom's documents", () => {
    expect(inspectAccessUnit(accessUnit)).toMatchObject({
      isKey: true,
      hasPicture: true,
      config: { codec: 'avc1.42C00B', width: 160, height: 96 },
    });
  });

  // Parameter sets that x264 wrote for these sizes and formats.
  test.each([
    ['High, cropped', 1920, 1080, '67640028acd940780227e5c044000003000400000300c83c60c658'],
    ['High 4:2:2', 854, 480, '677a001ebcd940d83de6f011000003000100000300320f162d96'],
    ['High 4:4:4', 322, 182, '67f4000d919b282a33c7c5e022000003000200000300641e28532c'],
    ['Baseline', 640, 360, '6742c01ed900a02ff97011000003000100000300320f162e48'],
    ['interlaced', 720, 576, '6764001eacd940b424d8088000000300800000190f8a14cb'],
  ])('reads the picture size: %s', (_what, width, height, sps) => {
    const codec = `avc1.${sps.slice(2, 8).toUpperCase()}`;
    expect(inspectAccessUnit(withPps(sps)).config).toEqual({ codec, width, height });
  });

  test('reads a size behind scaling lists and a cycle of picture orders', () => {
    // profile 100; scaling matrix with one list of four steps; order type 1 with a cycle of two
    const bits = [
      ['01100100', '00000000', '00011110'],
      ['1', '010', '1', '1', '0', '1'], // id 0, 4:2:0, 8 bit, 8 bit, no bypass, matrix
      ['1', ...Array.from({ length: 16 }, () => '1'), ...Array.from({ length: 7 }, () => '0')],
      ['1', '010', '1', '1', '1', '011', '1', '1'], // frame number, order type 1, cycle of 2
      ['010', '0', '000010100', '000010011', '1', '1', '0', '10000000'], // 20 x 19 macroblocks
    ];
    const text = bits.flat().join('');
    const bytes = text.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? [];
    const sps = Buffer.from([0x67, ...bytes, 0x80]).toString('hex');
    expect(inspectAccessUnit(withPps(sps)).config).toMatchObject({ width: 320, height: 304 });
  });

  test('finds no configuration without parameter sets, or in one cut short', () => {
    const delta = Buffer.from('0000000141aabb', 'hex');
    expect(inspectAccessUnit(delta)).toEqual({ isKey: false, hasPicture: true, hasUnits: true });
    expect(inspectAccessUnit(withPps('67640028ac')).config).toBeUndefined();
    expect(inspectAccessUnit(withPps('6764')).config).toBeUndefined();
    expect(inspectAccessUnit(Buffer.from('0000000167640028acd9', 'hex')).config).toBeUndefined();
  });

  property.prop([fc.uint8Array({ maxLength: 60 })])('throws for no bytes at all', (bytes) => {
    expect(() => inspectAccessUnit(withPps(Buffer.from(bytes).toString('hex')))).not.toThrow();
    expect(() => inspectAccessUnit(Buffer.from(bytes))).not.toThrow();
  });
});

describe('nalUnits', () => {
  test('splits at start codes of three and four bytes', () => {
    const units = [...nalUnits(Buffer.from('0000000109f0000001650100000001410200', 'hex'))];
    expect(units.map((unit) => unit.toString('hex'))).toEqual(['09f0', '6501', '4102']);
  });

  test('finds nothing where no start code is', () => {
    expect([...nalUnits(Buffer.from('ffd8ffe0', 'hex'))]).toEqual([]);
  });
});

describe('H264Exporter', () => {
  test('writes the access units as they came', async () => {
    const path = join(directory, 'a.h264');
    const exporter = new H264Exporter(path);
    for (const payload of [accessUnit, Buffer.from('0000000141aabb', 'hex')]) {
      await exporter.write(frame({ mediaType: 2, codec: 7, payload }));
    }
    await exporter.close();
    const written = await readFile(path);
    expect(written.equals(Buffer.concat([accessUnit, Buffer.from('0000000141aabb', 'hex')]))).toBe(
      true,
    );
  });

  test('refuses other media', async () => {
    const exporter = new H264Exporter(join(directory, 'b.h264'));
    await expect(exporter.write(frame())).rejects.toMatchObject({ code: 'export/unsupported' });
  });
});
