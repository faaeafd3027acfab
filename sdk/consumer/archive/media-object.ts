import { InternedTexts } from '../../../shared/interned-texts.ts';
import { readMediaRecord } from '../../../shared/record/decode-media-record.ts';
import { malformedRecord } from '../../../shared/record/protobuf.ts';
import { WireReader } from '../../../shared/record/wire-reader.ts';
import { type Frame, frameOfRecord } from '../records/frame.ts';

/**
 * An object of media: `MediaRecord` messages of one source (`media_record.proto`), each behind its length as a varint, by
 * epoch and sequence, no identity twice. This is what protobuf libraries call delimited (`parseDelimitedFrom` in Java).
 */

interface Span {
  /** Where the length stands; `end`: the byte behind the message. */
  readonly start: number;
  readonly end: number;
  readonly messageStart: number;
}

/**
 * @yields the frames of an object, their payloads views into `bytes`
 * @throws ServiceError `record/malformed`, `record/bad-checksum`
 */
export function* framesOfObject(bytes: Buffer): Generator<Frame, void, undefined> {
  const known = new InternedTexts();
  for (const { messageStart, end } of spansOf(bytes))
    yield frameAt(bytes, messageStart, end, known);
}

/**
 * The union of objects of one source and minute, each frame once. It is the same whoever joins them, in whatever order:
 * so two workers that have read the same records cannot double or lose one, however their work overlaps.
 */
export function sortedMedia(objects: readonly Buffer[]): Buffer {
  const known = new InternedTexts();
  const byIdentity = new Map<string, { frame: Frame; bytes: Buffer }>();
  for (const object of objects) {
    for (const { start, messageStart, end } of spansOf(object)) {
      const frame = frameAt(object, messageStart, end, known);
      const identity = `${frame.epoch}/${frame.sequence}`;
      if (!byIdentity.has(identity))
        byIdentity.set(identity, { frame, bytes: object.subarray(start, end) });
    }
  }
  const all = [...byIdentity.values()].sort(
    (a, b) => a.frame.epoch - b.frame.epoch || a.frame.sequence - b.frame.sequence,
  );
  return Buffer.concat(all.map(({ bytes }) => bytes));
}

function frameAt(bytes: Buffer, start: number, end: number, known: InternedTexts): Frame {
  const record = readMediaRecord(bytes, start, end, known);
  return frameOfRecord(record, record.payload, record.rtmsStreamId, '');
}

function* spansOf(bytes: Buffer): Generator<Span, void, undefined> {
  const reader = new WireReader(bytes, 0, bytes.length);
  for (let start = 0; start < bytes.length; ) {
    reader.offset = start;
    const sizeBytes = reader.varint();
    const messageStart = reader.offset;
    const end = messageStart + sizeBytes;
    if (end > bytes.length) throw malformedRecord('object of media that ends inside a record');
    yield { start, messageStart, end };
    start = end;
  }
}
