import {
  type SyntheticFrame,
  syntheticFrame as shipped,
} from '../../../simulator/media/synthetic-frame.ts';
import { world } from '../world/world.ts';

export { readSyntheticFrame } from '../../../simulator/media/synthetic-frame.ts';

/** Frames of the rooms that are to fill a disk. They are large while Kinesis takes nothing, and cost as others do else. */
export const LARGE_FRAME_BYTES = 60_000;
const FRAME_BYTES = 120;

export function syntheticFrame(frame: SyntheticFrame, magic: Buffer, sizeBytes: number): Buffer {
  const isSmall = sizeBytes === LARGE_FRAME_BYTES && !world().isKinesisDown();
  return shipped(frame, magic, isSmall ? FRAME_BYTES : sizeBytes);
}
