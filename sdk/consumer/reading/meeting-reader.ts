import type { ReceivedEvent } from '../records/event-record.ts';
import type { Frame } from '../records/frame.ts';
import { type EventReader, events, type FrameReader, frames } from './reader.ts';

/** Whose frames or events are wanted. */
interface OneMeeting {
  readonly rtmsStreamId: string;
}

/**
 * Frames of one meeting alone, as `frames` reads them. All shards are read: a meeting's cameras and shares are spread
 * over them.
 */
export async function* meetingFrames(
  reader: FrameReader & OneMeeting,
): AsyncGenerator<Frame, void, undefined> {
  for await (const frame of frames(reader)) {
    if (frame.rtmsStreamId === reader.rtmsStreamId) yield frame;
  }
}

/** Events of one meeting alone, as `events` reads them: only the shards that hold its key. */
export async function* meetingEvents(
  reader: EventReader & OneMeeting,
): AsyncGenerator<ReceivedEvent, void, undefined> {
  const { rtmsStreamId } = reader;
  for await (const event of events({ ...reader, partitionKey: rtmsStreamId })) {
    if (event.rtmsStreamId === rtmsStreamId) yield event;
  }
}
