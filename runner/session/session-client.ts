import { RtmsClient } from '../../rtms/client.ts';
import { followsSeveralCameras } from '../../rtms/protocol/params.ts';
import type { Product } from '../../rtms/protocol/product.ts';
import { DEFAULT_PROTOCOL, type ProtocolSettings } from '../../rtms/protocol/protocol-settings.ts';
import type { ReadRest } from '../../rtms/wire/wire.ts';
import type { StartRegister } from '../../shared/session-table/session-row.ts';
import { DEFAULT_VIDEO_FOLLOW } from '../../shared/video-follow.ts';
import { isAllowedAddress } from '../../shared/zoom/allowed-hosts.ts';
import type { LimitedLogger } from '../task/log.ts';
import type { SessionClient, SessionContext } from './context.ts';
import { guardListeners, type SessionGuard } from './guard.ts';
import { LoopShare } from './loop-share.ts';
import type { SessionWriter } from './recording/session-writer.ts';
import type { TakeoverEvent } from './recording/takeover-event.ts';
import { type RelayListener, relay } from './relay.ts';
import type { SessionInput } from './session-inputs.ts';
import { followVideo } from './video/follow-video.ts';

export interface SessionClientParts {
  readonly context: SessionContext;
  readonly logger: LimitedLogger;
  readonly guard: SessionGuard;
  readonly writer: SessionWriter;
  readonly rest: ReadRest;
  readonly takeover: TakeoverEvent;
  readonly listener: RelayListener;
  /** The session has used more than its share of the event loop for too long. */
  readonly onOverload: () => void;
}

/** The client of one session, with everything it brings on its way to the writer; it has not joined yet. */
export function createSessionClient(
  { product, app }: Pick<StartRegister, 'product' | 'app'>,
  parts: SessionClientParts,
): SessionClient {
  const { context, logger, guard } = parts;
  const { allowedHosts, createClient = (options) => new RtmsClient(options) } = context;
  const client: SessionClient = createClient({
    media: context.mediaRequest,
    protocol: protocolOf(context, product),
    isAllowedAddress: (url) => isAllowedAddress(url, allowedHosts),
    renewCredentials: () => context.renewedCredentials(app, product),
    // The writer copies each payload into its record at once.
    lendPayloads: true,
    rest: parts.rest,
    meter: meterOf(parts),
    ...(context.standstills !== undefined && { standstills: context.standstills }),
    logger,
  });
  const { takeover, listener } = parts;
  const audioKeptSinceMs = () => takeover.audioKeptSinceMs;
  const tools = { logger, metrics: context.metrics, guard, audioKeptSinceMs };
  relay(client, takeover.behind, listener, tools);
  guardListeners(client, guard);
  followCameras(client, product, parts);
  return client;
}

/**
 * The credentials to join with. Checks the addresses before it asks for them; the client would refuse those too, but
 * later.
 *
 * @returns the session's next input: `cannot_connect` when no address is allowed or there is nothing to sign with
 */
export async function credentialsFor(
  { product, app, serverUrls }: StartRegister,
  { allowedHosts, credentials }: SessionContext,
  logger: LimitedLogger,
): Promise<SessionInput> {
  if (!serverUrls.some((url) => isAllowedAddress(url, allowedHosts))) {
    logger.error('server address refused', { event: 'address_refused' });
    return { name: 'cannot_connect', why: 'address_refused' };
  }
  try {
    return { name: 'credentials', credentials: await credentials(app, product) };
  } catch (error) {
    logger.error('no credentials', { event: 'credentials_failed', app, error });
    return { name: 'cannot_connect', why: 'no_credentials' };
  }
}

/** How the task speaks with a product. */
export function protocolOf({ protocol }: SessionContext, product: Product): ProtocolSettings {
  return protocol?.[product] ?? DEFAULT_PROTOCOL;
}

function followCameras(
  client: SessionClient,
  product: Product,
  { context, logger, writer }: SessionClientParts,
): void {
  const { metrics, mediaRequest } = context;
  const { video } = mediaRequest;
  if (video === false || video.dataOpt !== 'VIDEO_SINGLE_INDIVIDUAL_STREAM') return;
  const { cameras } = video;
  const several = followsSeveralCameras(mediaRequest, protocolOf(context, product));
  followVideo(
    client,
    video.follow ?? DEFAULT_VIDEO_FOLLOW,
    {
      selected: (data) => writer.event('video_selected', data.timestampMs, data),
      missing: (userId, sinceMs) => writer.notReceived(userId, sinceMs, Date.now()),
    },
    { logger, metrics, ...(cameras !== undefined && several && { cameras }) },
  );
}

/** Holds the session to its share of the event loop. */
function meterOf({ context, guard, onOverload }: SessionClientParts) {
  const { loopUse } = context;
  if (loopUse === undefined) return undefined;
  const share = new LoopShare(loopUse, guard.listener(onOverload));
  return (spentMs: number, nowMs: number) => share.spent(spentMs, nowMs);
}
