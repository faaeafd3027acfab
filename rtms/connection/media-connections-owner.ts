import type { ServiceError } from '../../shared/errors.ts';
import type { LeftOutMedia } from '../protocol/agreed-media.ts';
import type { Closure, Trouble } from './connection-state.ts';
import type { MediaConnection } from './media-connection.ts';
import type { MediaReceiver } from './media-delivery.ts';
import type { MediaPlan, UnifiedFallback } from './media-plan.ts';

/** Where the media connections send every message, without a detour over the client. */
export interface MediaConnectionsReceiver extends MediaReceiver<MediaConnection> {
  mediaMalformed(media: MediaConnection, error: ServiceError): void;
}

/**
 * What the media connections of one signaling handshake tell their client. They are "ready" from the call of
 * `mediaReady` on.
 */
export interface MediaConnectionsOwner {
  /** The first connections are up, and the slower ones are too or have been waited for: media may flow. */
  mediaReady(): void;
  /** A connection came up, before or after they are ready. */
  mediaUp(media: MediaConnection): void;
  mediaLost(media: MediaConnection, trouble: Trouble): void;
  /** When ready: a participant's camera that was just selected has its connection. */
  cameraStarted(media: MediaConnection): void;
  /** Zoom refused one participant's camera. The other connections go on. */
  cameraRefused(userId: number, status: number): void;
  /** This camera is not selected any more. */
  cameraClosed(media: MediaConnection): void;
  /** When ready: a connection is down. */
  mediaInterrupted(media: MediaConnection, trouble: Trouble): void;
  /** When ready: a connection that was down is up again. */
  mediaReconnected(media: MediaConnection, trouble: Trouble, attempt: number): void;
  /** When ready: Zoom refused a media type for good. */
  mediaLeftOut(leftOut: LeftOutMedia): void;
  /** No connection is left, or Zoom says that the stream is not ours. */
  mediaEnded(closure: Closure): void;
}

/** What the media connections of one handshake take over from those of the handshake before. */
export interface MediaConnectionsStart {
  readonly plan: MediaPlan;
  readonly unified: UnifiedFallback;
  /** Zoom may still count the connections of an earlier handshake. */
  readonly isReconnect: boolean;
  /** V2: each selected camera has a connection of its own, so there may be no connection at all for a while. */
  readonly hasCameras: boolean;
}
