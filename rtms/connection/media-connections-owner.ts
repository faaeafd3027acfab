import type { ServiceError } from '../../shared/errors.ts';
import type { LeftOutMedia } from '../../shared/record/event-data.ts';
import type { RtmsMessage } from '../protocol/codec.ts';
import type { MediaType } from '../protocol/media-type.ts';
import type { Closure, Trouble } from './connection-state.ts';
import type { Media } from './media-connection.ts';
import type { MediaPlan, UnifiedFallback } from './media-plan.ts';

/** What a set of media connections tells its client. */
export interface MediaSetOwner {
  /** The first connections are up and none is about to be: media may flow. */
  mediaSettled(): void;
  /** A connection came up: before or after the set settled. */
  mediaUp(media: Media): void;
  mediaLost(media: Media, trouble: Trouble): void;
  /** After the set settled: the connection of a camera is up that was not there before. */
  cameraStarted(media: Media): void;
  /** Zoom refused one participant's camera; the others do not notice. */
  cameraRefused(userId: number, status: number): void;
  /** This camera is wanted no more. */
  cameraClosed(media: Media): void;
  /** After the set settled: one connection is down, one is back. */
  mediaInterrupted(media: Media, trouble: Trouble): void;
  mediaReconnected(media: Media, trouble: Trouble, attempt: number): void;
  /** After the set settled: Zoom refused a media type for good. */
  mediaLeftOut(leftOut: LeftOutMedia): void;
  /** No connection is left, or Zoom disowned the stream. */
  mediaEnded(closure: Closure): void;
  mediaMessage(media: Media, message: RtmsMessage, receivedAtMs: number): void;
  /** A data message is lost: it came before its parameters, and they never came or it was too much to keep. */
  mediaDropped(mediaType: MediaType, message: RtmsMessage, error: ServiceError): void;
  /** A data message of a media type that nobody wants, or that another connection carries. */
  mediaUnasked(mediaType: MediaType): void;
  mediaMalformed(media: Media, error: ServiceError): void;
}

/** What the sets of one client hand on to the next, and how the first begins. */
export interface MediaSetStart {
  readonly plan: MediaPlan;
  readonly unified: UnifiedFallback;
  /** Zoom may still count the connections of an earlier set. */
  readonly isReconnect: boolean;
  /** V2: cameras come and go, each with a connection of its own, so that the set may be without any. */
  readonly hasCameras: boolean;
}
