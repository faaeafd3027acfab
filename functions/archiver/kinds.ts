import { EventSlice, sortedEvents } from '../../sdk/consumer/archive/event-lines.ts';
import { eventsName, mediaName, minuteOf } from '../../sdk/consumer/archive/layout.ts';
import { sortedMedia } from '../../sdk/consumer/archive/media-object.ts';
import { MediaSlice } from '../../sdk/consumer/archive/media-slice.ts';
import type { Addition } from '../../sdk/consumer/archive/merge-put.ts';
import type { Frame, ReceivedEvent } from '../../sdk/consumer/index.ts';
import { frameSourceId } from '../../sdk/consumer/records/records.ts';
import type { ItemKind } from './gatherer.ts';

/** What is written of a slice, beside its bytes. */
export type SliceFormat = Pick<Addition, 'contentType' | 'union'>;

/**
 * Frames go by the minute in which a runner received them, and not by that of their capture: the clock of the runner goes
 * forward, while capture times may jump, and Zoom sends audio again after a change of owner. Capture times are in the records.
 */
export const MEDIA: ItemKind<Frame> = {
  sourceOf: frameSourceId,
  sessionOf: ({ rtmsStreamId }) => rtmsStreamId,
  minuteOf: ({ receivedAt }) => minuteOf(receivedAt.getTime()),
  nameOf: mediaName,
  open: () => new MediaSlice(),
};

export const EVENTS: ItemKind<ReceivedEvent> = {
  sourceOf: () => 0,
  sessionOf: ({ rtmsStreamId }) => rtmsStreamId,
  minuteOf: ({ time }) => minuteOf(time.getTime()),
  nameOf: (_, minuteMs) => eventsName(minuteMs),
  open: () => new EventSlice(),
};

export const MEDIA_FORMAT: SliceFormat = {
  contentType: 'application/x-protobuf',
  union: sortedMedia,
};

export const EVENTS_FORMAT: SliceFormat = {
  contentType: 'application/x-ndjson',
  union: sortedEvents,
};
