import type { MediaFrame } from '../../../rtms/events.ts';
import { processMemory } from '../../../shared/memory-pool.ts';
import type { Receipt, Unit } from '../../kinesis/unit.ts';

const NOBODY: Receipt = { written() {}, dropped() {} };
const MAX_SPARE = 64 * 1024;

/** A frame on its way to Kinesis. Written anew for another frame once it is there: see `memory-pool.ts`. */
export class FrameUnit implements Unit {
  partitionKey = '';
  class: MediaFrame['mediaType'] = 'audio';
  records: Buffer[] = [];
  sequence = 0;
  capturedAtMs = 0;
  payloadBytes = 0;
  heldMs = 0;
  readonly memory = processMemory;
  receipt: Receipt = NOBODY;
}

const spare: FrameUnit[] = [];

/** A unit to be filled in, every field of it. */
export function takeUnit(): FrameUnit {
  return spare.pop() ?? new FrameUnit();
}

/** Takes a written unit back; one that came from the disk is none of ours. */
export function giveUnit(unit: Unit): void {
  if (unit instanceof FrameUnit && spare.length < MAX_SPARE) spare.push(unit);
}
