import { ENTITY_ID_FIELD, type Product } from '../../rtms/protocol/product.ts';
import type { RtmsStream } from '../stream.ts';

/** Body of a webhook as Zoom posts it. */
export interface SentWebhookEvent {
  readonly event: string;
  readonly event_ts: number;
  readonly payload: Readonly<Record<string, unknown>>;
}

export type StreamEventKind = 'started' | 'interrupted' | 'stopped';

const EVENT_PREFIX: Record<Product, string> = {
  meeting: 'meeting.rtms_',
  webinar: 'webinar.rtms_',
  session: 'session.rtms_',
  contact_center: 'contact_center.voice_rtms_',
  phone: 'phone.rtms_',
};
const OPERATOR_ID = '30R7kT7bTIKSNUFEuH_Qlg';
const ACCOUNT_ID = 'AAAAAABBBB';
const MEETING_ID = '91234567890';

/** What Zoom posts when a stream starts (also after a fail-over), is interrupted, or stops. */
export function streamEvent(
  stream: RtmsStream,
  kind: StreamEventKind,
  details: { serverUrls: string; eventTsMs: number; stopReason?: number | undefined },
): SentWebhookEvent {
  const { product, rtmsStreamId, entityId, behaviour } = stream;
  const ids = {
    [ENTITY_ID_FIELD[product]]: entityId,
    ...(product === 'session' && { session_key: 'ABC36jaBI145' }),
    rtms_stream_id: rtmsStreamId,
  };
  const payload = {
    ...(kind === 'started' && startedFields(product, behaviour.webhookExtended)),
    ...ids,
    ...(kind === 'started' && { server_urls: details.serverUrls }),
    ...(kind === 'stopped' && { stop_reason: details.stopReason }),
  };
  return {
    event: `${EVENT_PREFIX[product]}${kind}`,
    event_ts: details.eventTsMs,
    payload: behaviour.webhookShape === 'flat' ? payload : { object: payload },
  };
}

function startedFields(product: Product, extended: boolean): Readonly<Record<string, unknown>> {
  if (product === 'session') return { account_id: ACCOUNT_ID };
  if (product !== 'meeting' && product !== 'webinar') return {};
  const ids = { meeting_id: MEETING_ID, ...(product === 'webinar' && { webinar_id: MEETING_ID }) };
  return {
    operator_id: OPERATOR_ID,
    ...(extended && { account_id: ACCOUNT_ID, is_original_host: true, ...ids }),
  };
}

/** Sent when a stream starts and more than 80 % of the account's streams are in use. */
export function concurrencyNearLimit(
  limit: number,
  inUse: number,
  eventTsMs: number,
): SentWebhookEvent {
  const percentage = Math.floor((inUse * 100) / limit);
  return {
    event: 'rtms.concurrency_near_limit',
    event_ts: eventTsMs,
    payload: { concurrency_limit: limit, concurrency_number: inUse, percentage },
  };
}

/** Sent when a start was refused, so that there is no stream. */
export function concurrencyLimited(
  product: Product,
  entityId: string,
  wouldBe: number,
  eventTsMs: number,
): SentWebhookEvent {
  return {
    event: 'rtms.concurrency_limited',
    event_ts: eventTsMs,
    payload: {
      operator_id: OPERATOR_ID,
      concurrency_number: wouldBe,
      id_field: { [ENTITY_ID_FIELD[product]]: entityId },
    },
  };
}
