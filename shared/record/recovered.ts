import { KEY } from './media-record.ts';
import { asBuffer, writeVarint } from './protobuf.ts';

/**
 * Marks a record that a runner read back from the disk of a process that had died. What that process had only in memory
 * is lost, and nobody counted it: the mark explains the sequence numbers that are missing. It is added to bytes that were
 * encoded long before, so in both forms it stands at the end.
 */

const FRAME_MARK = markOfFrame();
const LINE_END = Buffer.from('}\n');
const LINE_MARK = Buffer.from(',"recovered":true}\n');

/** By how much a mark makes a record longer; the record limit has to leave it room. */
export const RECOVERED_FRAME_BYTES = FRAME_MARK.length;
export const RECOVERED_LINE_BYTES = LINE_MARK.length - LINE_END.length;

/** @param record a `MediaRecord`: a protobuf message takes further fields behind its last one */
export function markRecoveredFrame(record: Uint8Array): Buffer {
  return Buffer.concat([record, FRAME_MARK]);
}

/** @param line of the `events` stream; what does not end like one stays as it is */
export function markRecoveredLine(line: Uint8Array): Uint8Array {
  const bytes = asBuffer(line);
  const end = bytes.length - LINE_END.length;
  if (end < 1 || !bytes.subarray(end).equals(LINE_END)) return line;
  return Buffer.concat([bytes.subarray(0, end), LINE_MARK]);
}

function markOfFrame(): Buffer {
  const mark = Buffer.alloc(8);
  const end = writeVarint(mark, 1, writeVarint(mark, KEY.RECOVERED, 0));
  return mark.subarray(0, end);
}
