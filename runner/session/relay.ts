import type { EndReason, RtmsClientEvents } from '../../rtms/events.ts';
import type { AgreedMedia, LeftOutMedia } from '../../rtms/protocol/agreed-media.ts';
import type { MediaType } from '../../rtms/protocol/media-type.ts';
import { MEDIA_TYPES } from '../../rtms/protocol/media-type.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';
import type { SessionClient } from './context.ts';
import type { SessionGuard } from './guard.ts';
import { blindOfReconnect } from './recording/blind-time.ts';
import { chatEvent, type EventBody, signalingEvent, transcriptEvent } from './recording/events.ts';
import { OwedAudio } from './recording/owed-audio.ts';
import type { SessionWriter } from './recording/session-writer.ts';

/** What the session is told of its client, beside what is written. */
export interface RelayListener {
  joined(media: AgreedMedia, leftOut: readonly LeftOutMedia[]): void;
  firstFrame(): void;
  paused(): void;
  resumed(): void;
  interrupted(info: RtmsClientEvents['interrupted'][0]): void;
  reconnected(info: Omit<RtmsClientEvents['reconnected'][0], 'media'>): void;
  ended(reason: EndReason): void;
}

export interface RelayTools {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Around every listener: a defect must not reach the socket's callback. */
  readonly guard: Pick<SessionGuard, 'listener'>;
  /** Since when Zoom has kept audio for whoever connects first in this epoch, Unix ms. */
  readonly audioKeptSinceMs: () => number;
}

/** Writes everything that a client brings, and tells the session what concerns it. */
export function relay(
  client: SessionClient,
  writer: Pick<SessionWriter, 'frame' | 'malformed' | 'event'>,
  session: RelayListener,
  { logger, metrics, guard, audioKeptSinceMs }: RelayTools,
): void {
  /** As of the last handshakes: frames of a connection that is going down still have this shape. */
  let media: AgreedMedia | undefined;
  let hasFrames = false;
  let hasMalformed = false;
  const owed = new OwedAudio();
  const unasked = new Set<MediaType>();
  const write = (body: EventBody | undefined) => {
    if (body !== undefined) writer.event(body.name, body.timeMs, body.data);
  };
  const on = <Name extends keyof RtmsClientEvents>(
    name: Name,
    listener: (...told: RtmsClientEvents[Name]) => void,
  ) => client.on(name, guard.listener(listener) as never);

  on('joined', (agreed, leftOut) => {
    media = agreed;
    // Also where its audio comes later than the rest: what Zoom keeps of it goes back as far.
    owed.isBack(audioKeptSinceMs(), Date.now());
    session.joined(agreed, leftOut);
  });
  on('unasked', ({ mediaType }) => {
    metrics.count('UnaskedMedia', 1, mediaType);
    if (!unasked.has(mediaType)) {
      logger.info('media came that was not asked for', { event: 'unasked', mediaType });
    }
    unasked.add(mediaType);
  });
  on('frame', (frame) => {
    writer.frame(frame, media ?? client.media);
    if (frame.mediaType === 'audio') owed.came(frame.capturedAtMs);
    if (hasFrames) return;
    hasFrames = true;
    session.firstFrame();
  });
  on('transcript', (line) => write(transcriptEvent(line)));
  on('chat', (message) => write(chatEvent(message)));
  on('event', (event) => write(signalingEvent(event)));
  on('sessionState', (state) => writer.event('session_state', state.timestampMs, state));
  on('paused', (timestampMs) => {
    session.paused();
    writer.event('session_paused', timestampMs, { timestampMs });
  });
  on('resumed', (timestampMs) => {
    session.resumed();
    writer.event('session_resumed', timestampMs, { timestampMs });
  });
  on('interrupted', (info) => {
    // One camera of several changes nothing for the session.
    if (info.userId === undefined) session.interrupted(info);
    const { durationMs = 0 } = info;
    writer.event('session_interrupted', Date.now(), { ...info, attempt: 0, durationMs });
  });
  on('reconnected', ({ media: agreed, ...info }) => {
    media = { ...media, ...agreed };
    metrics.count('Reconnects', 1, info.scope);
    if (info.userId === undefined) session.reconnected(info);
    const nowMs = Date.now();
    const mediaTypes = MEDIA_TYPES.filter((mediaType) => media?.[mediaType] !== undefined);
    const { scope, durationMs } = info;
    const goneMs = nowMs - durationMs;
    const isAudio = scope === 'signaling' || scope === 'audio';
    const owedSinceMs = isAudio ? owed.isBack(goneMs, nowMs) : goneMs;
    const blind = blindOfReconnect(scope, durationMs, mediaTypes, nowMs, owedSinceMs);
    writer.event('session_reconnected', nowMs, { ...info, blind });
  });
  on('gap', (gap) => logger.info('gap in capture', { event: 'hole', ...gap }));
  on('malformed', ({ scope, error, ...lost }) => {
    metrics.count('MalformedMessages', 1, scope);
    if (!hasMalformed) logger.warn('malformed message', { event: 'malformed', scope, error });
    hasMalformed = true;
    writer.malformed({ ...lost, mediaType: lost.mediaType ?? 'events' });
  });
  on('other', (raw) => {
    metrics.count('UnknownMessages');
    writer.event('other', Date.now(), { raw });
  });
  on('ended', (reason) => session.ended(reason));
}
