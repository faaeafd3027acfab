import type { Logger } from '../shared/logger.ts';
import type { Metrics } from '../shared/metrics.ts';
import type { LeftOutMedia } from '../shared/record/event.ts';
import type { EffectiveMedia } from '../shared/rtms/effective-media.ts';
import type { MediaType } from '../shared/rtms/media-type.ts';
import { MEDIA_TYPES } from '../shared/rtms/media-type.ts';
import { blindOfReconnect } from './blind-time.ts';
import type { RtmsClient } from './rtms/client.ts';
import type { EndReason, MediaFrame } from './rtms/events.ts';
import { chatEvent, type EventBody, signalingEvent, transcriptEvent } from './session-events.ts';
import type { SessionWriter } from './session-writer.ts';

/** What the session itself has to know of its client. */
export interface RelayListener {
  joined(media: EffectiveMedia, leftOut: readonly LeftOutMedia[]): void;
  firstFrame(): void;
  /** The signaling handshake was done anew. */
  rejoined(): void;
  became(
    state: 'streaming' | 'paused' | 'reconnecting',
    fields?: { readonly scope?: string },
  ): void;
  ended(reason: EndReason): void;
  /** Something of ours threw while it dealt with a message: a defect. */
  broke(error: unknown): void;
}

/** Writes everything that a client brings, and tells the session what concerns it. */
export function relay(
  client: RtmsClient,
  writer: Pick<SessionWriter, 'frame' | 'malformed' | 'event'>,
  session: RelayListener,
  { logger, metrics }: { readonly logger: Logger; readonly metrics: Metrics },
): void {
  /** As of the last handshakes: frames of a connection that is going down still have this shape. */
  let media: EffectiveMedia | undefined;
  let hasFrames = false;
  let hasMalformed = false;
  const unasked = new Set<MediaType>();
  const write = (body: EventBody | undefined) => {
    if (body !== undefined) writer.event(body.name, body.timeMs, body.data);
  };

  /** A defect in the care of one stream must not reach the socket's callback, where it would end the task. */
  const guarded =
    <T>(handle: (told: T) => void) =>
    (told: T) => {
      try {
        handle(told);
      } catch (error) {
        session.broke(error);
      }
    };

  client.on('joined', (effective, leftOut) => {
    media = effective;
    session.joined(effective, leftOut);
  });
  client.on('unasked', ({ mediaType }) => {
    metrics.count('UnaskedMedia', 1, mediaType);
    if (!unasked.has(mediaType))
      logger.info('media nobody asked for', { event: 'unasked', mediaType });
    unasked.add(mediaType);
  });
  const onFrame = (frame: MediaFrame) => {
    writer.frame(frame, media ?? client.media);
    if (hasFrames) return;
    hasFrames = true;
    session.firstFrame();
  };
  client.on('frame', guarded(onFrame));
  client.on(
    'transcript',
    guarded((line) => write(transcriptEvent(line))),
  );
  client.on(
    'chat',
    guarded((message) => write(chatEvent(message))),
  );
  client.on(
    'event',
    guarded((event) => write(signalingEvent(event))),
  );
  client.on('sessionState', (state) => writer.event('session_state', state.timestampMs, state));
  client.on('paused', (timestampMs) => {
    session.became('paused');
    writer.event('session_paused', timestampMs, { timestampMs });
  });
  client.on('resumed', (timestampMs) => {
    session.became('streaming');
    writer.event('session_resumed', timestampMs, { timestampMs });
  });
  client.on('interrupted', (info) => {
    session.became('reconnecting', info);
    writer.event('session_interrupted', Date.now(), { ...info, attempt: 0, durationMs: 0 });
  });
  client.on('reconnected', ({ media: effective, ...info }) => {
    media = { ...media, ...effective };
    metrics.count('Reconnects', 1, info.scope);
    if (info.scope === 'signaling') session.rejoined();
    session.became('streaming', info);
    const nowMs = Date.now();
    const mediaTypes = MEDIA_TYPES.filter((mediaType) => media?.[mediaType] !== undefined);
    const blind = blindOfReconnect(info.scope, info.durationMs, mediaTypes, nowMs);
    writer.event('session_reconnected', nowMs, { ...info, blind });
  });
  client.on('hole', (hole) => logger.info('hole in capture', { event: 'hole', ...hole }));
  client.on('malformed', ({ scope, error, ...lost }) => {
    metrics.count('MalformedMessages', 1, scope);
    if (!hasMalformed) logger.warn('malformed message', { event: 'malformed', scope, error });
    hasMalformed = true;
    writer.malformed({ ...lost, mediaType: lost.mediaType ?? 'events' });
  });
  client.on('other', (raw) => {
    metrics.count('UnknownMessages');
    writer.event('other', Date.now(), { raw });
  });
  client.on('ended', (reason) => session.ended(reason));
}
