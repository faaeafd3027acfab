import { expect, test } from 'vitest';
import { makeUnit, Tally } from '../../../test/support/model-kinesis.ts';
import { encodeFileHeader, frameBytes, readSegment, writeFrame } from './segment-format.ts';

const receipt = new Tally();

function file(...units: ReturnType<typeof makeUnit>[]): Buffer {
  const frames = units.map((unit, index) => {
    const out = Buffer.alloc(frameBytes(unit));
    expect(writeFrame(out, 0, unit, index)).toBe(out.length);
    return out;
  });
  return Buffer.concat([encodeFileHeader('kö#v#7'), ...frames]);
}

test('a unit stands on the disk byte for byte as described', () => {
  const unit = {
    ...makeUnit(3, receipt, { class: 'event' }),
    records: [Buffer.from('ab'), Buffer.from('c')],
  };
  const whole = file({ ...unit, capturedAtMs: 2, payloadBytes: 3 });
  expect(whole.toString('hex')).toBe(
    '524b5331' + // RKS1
      '0007' +
      Buffer.from('kö#v#7').toString('hex') +
      '00000024' +
      '27072740' + // length and CRC of the body
      '03' +
      '0000' +
      '4008000000000000' +
      '4000000000000000' +
      '00000003' +
      '0002' +
      '00000002' +
      '00000001' +
      '616263',
  );
});

test('a segment gives back what was written', () => {
  const units = [
    makeUnit(1, receipt, { bytes: 500 }),
    makeUnit(2 ** 40, receipt, { chunks: 3, class: 'deskshare' }),
  ];
  const content = readSegment(file(...units));
  expect(content?.partitionKey).toBe('kö#v#7');
  expect(content?.frames).toHaveLength(2);
  for (const [index, frame] of (content?.frames ?? []).entries()) {
    const { partitionKey: _key, receipt: _receipt, ...rest } = units[index] as (typeof units)[0];
    expect(frame).toEqual({ ...rest, receiptIndex: index });
  }
});

test('a torn file is read up to its last whole frame, wherever it is torn', () => {
  const units = [makeUnit(1, receipt), makeUnit(2, receipt)];
  const whole = file(...units);
  const header = encodeFileHeader('kö#v#7').length;
  const first = header + frameBytes(units[0] as (typeof units)[0]);
  for (let length = 0; length <= whole.length; length += 1) {
    const content = readSegment(whole.subarray(0, length));
    const frames = length === whole.length ? 2 : length >= first ? 1 : 0;
    if (length < header) expect(content).toBeUndefined();
    else expect(content?.frames).toHaveLength(frames);
    if (frames === 1) expect(content?.intactBytes).toBe(first);
  }
});

test('reading stops at the first frame whose bytes changed, whatever a length field says', () => {
  const whole = file(makeUnit(1, receipt), makeUnit(2, receipt));
  const header = encodeFileHeader('kö#v#7').length;
  for (let at = header; at < whole.length; at += 1) {
    const bad = Buffer.from(whole);
    bad.writeUInt8((bad.readUInt8(at) + 128) % 256, at);
    const frames = readSegment(bad)?.frames ?? [];
    expect(frames.length).toBeLessThan(2);
    if (frames[0]) expect(frames[0].sequence).toBe(1);
  }
});

test('a file that is no segment is told apart', () => {
  expect(readSegment(Buffer.from('something else entirely'))).toBeUndefined();
});
