import {
  type SyntheticFrame,
  syntheticFrame as shipped,
} from '../../../simulator/media/synthetic-frame.ts';
import { world } from '../world/world.ts';

export { readSyntheticFrame } from '../../../simulator/media/synthetic-frame.ts';

/** Frames of the rooms that are to fill a disk. They are large while Kinesis takes nothing, and cost as others do else. */
export const LARGE_FRAME_BYTES = 60_000;
/** What tells a frame from all others, and nothing else: its source, its time, and the check sum of both. */
export const SMALL_FRAME_BYTES = 20;

/** Small frames by source, and by when they begin: those of all meetings are the same. */
const small = new Map<number, Map<number, Buffer>>();

export function syntheticFrame(frame: SyntheticFrame, magic: Buffer, sizeBytes: number): Buffer {
  const isLarge = sizeBytes === LARGE_FRAME_BYTES && world().isKinesisDown();
  return isLarge ? shipped(frame, magic, sizeBytes) : smallFrame(frame, magic);
}

function smallFrame(frame: SyntheticFrame, magic: Buffer): Buffer {
  const { source, offsetMs } = frame;
  let ofSource = small.get(source);
  if (ofSource === undefined) {
    ofSource = new Map();
    small.set(source, ofSource);
  }
  let bytes = ofSource.get(offsetMs);
  if (bytes === undefined) {
    bytes = shipped(frame, magic, SMALL_FRAME_BYTES);
    ofSource.set(offsetMs, bytes);
  }
  return bytes;
}
