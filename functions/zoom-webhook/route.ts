import { createHash } from 'node:crypto';
import { ServiceError } from '../../shared/errors.ts';
import { START_NOTICES } from '../../shared/record/event-data.ts';
import type { MissReason } from '../../shared/record/session-causes.ts';
import { missedByNotice, NOTICE_ID } from '../../shared/session-table/missed.ts';
import type { RegisterUpdate, StartNoticeRow } from '../../shared/session-table/webhook-writes.ts';
import { type AllowedHosts, isAllowedAddress } from '../../shared/zoom/allowed-hosts.ts';
import { startFactsOf } from '../../shared/zoom/start-facts.ts';
import type {
  AccountEvent,
  InterruptedEvent,
  StartedEvent,
  ZoomWebhookEvent,
} from '../../shared/zoom/webhook-event.ts';
import {
  answerUrlValidation,
  type UrlValidationAnswer,
} from '../../shared/zoom/webhook-signature.ts';

export type Decision =
  | { readonly action: 'answer'; readonly answer: UrlValidationAnswer }
  | {
      readonly action: 'record';
      /** Zoom's event name. */
      readonly event: string;
      readonly update: RegisterUpdate;
      /** What to store before it: an interruption is only news once its addresses are there. */
      readonly move?: RegisterUpdate;
      /** Addresses that were left out: another scheme, or a host off the allow-list. */
      readonly refusedAddresses: number;
      /** What Zoom is answered, once the event is stored; absent: 200. */
      readonly refusal?: ServiceError;
    }
  | { readonly action: 'notice'; readonly event: AccountEvent; readonly row: StartNoticeRow }
  | { readonly action: 'report'; readonly event: AccountEvent }
  | { readonly action: 'ignore' };

/** Far longer than any meeting: a row that nobody ends is deleted, a live one never is. */
const ROW_LIFE_SECONDS = 14 * 24 * 3_600;

/** What is known about a delivery besides its event. */
export interface RouteContext {
  readonly app: string;
  /** The token that the delivery's signature fits. */
  readonly secretToken: string;
  readonly allowedHosts: AllowedHosts;
  readonly nowMs: number;
}

/**
 * Decides what a genuine event asks for. However late a start is, it is recorded: Zoom documents no
 * deadline, so the runner tries it once.
 *
 * @throws ServiceError `webhook/malformed` for a challenge that must not be signed
 */
export function route(event: ZoomWebhookEvent, context: RouteContext): Decision {
  switch (event.kind) {
    case 'url_validation': {
      const answer = answerUrlValidation(context.secretToken, event.plainToken);
      if (answer !== undefined) return { action: 'answer', answer };
      throw new ServiceError('webhook/malformed', 'plainToken looks like a signed text', {
        detail: { field: 'payload.plainToken' },
      });
    }
    case 'account':
      return notice(event, context) ?? { action: 'report', event };
    case 'unknown':
      return { action: 'ignore' };
    case 'started':
      return start(event, context);
    case 'stopped':
      return record(event, context, {
        register: 'stop',
        value: { stopEventTsMs: event.eventTsMs, stopReason: event.stopReason },
      });
    case 'interrupted':
      return interrupt(event, context);
  }
}

/** Zoom may name the addresses to reconnect to; those it may not name are left out, the interruption stands. */
function interrupt(event: InterruptedEvent, context: RouteContext): Decision {
  const { eventTsMs, serverUrls = [] } = event;
  const allowed = serverUrls.filter((url) => isAllowedAddress(url, context.allowedHosts));
  const refused = serverUrls.length - allowed.length;
  const value = { interruptEventTsMs: eventTsMs };
  const decision = record(event, context, { register: 'interrupt', value }, refused);
  if (allowed.length === 0) return decision;
  const move = { movedEventTsMs: eventTsMs, movedServerUrls: allowed };
  const register = { register: 'move', value: move, digest: digestOf(allowed) } as const;
  return { ...decision, move: record(event, context, register).update };
}

function digestOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

function start(event: StartedEvent, context: RouteContext): Decision {
  const serverUrls = event.serverUrls.filter((url) => isAllowedAddress(url, context.allowedHosts));
  const content = {
    serverUrls,
    product: event.product,
    entityId: event.entityId,
    app: context.app,
    ...startFactsOf(event),
  };
  const digest = digestOf(content);
  const value = { ...content, startEventTsMs: event.eventTsMs, requestedAtMs: context.nowMs };
  const refused = event.serverUrls.length - serverUrls.length;
  if (serverUrls.length > 0) {
    return record(event, context, { register: 'start', value, digest }, refused);
  }
  // Zoom is told that its addresses are not taken. The start is recorded, so that the records say what was missed.
  const refusal = new ServiceError(
    'webhook/refused-host',
    'no server address is on an allowed host',
    {
      detail: { rtmsStreamId: event.rtmsStreamId, field: 'payload.server_urls' },
    },
  );
  const register = { register: 'start', value, digest, isRefused: true } as const;
  return { ...record(event, context, register, refused), refusal };
}

/** What says that a stream was wanted and did not come. `rtms.request_status` is undocumented: it is recorded alone. */
const MISS_OF_NOTICE: Partial<Record<AccountEvent['event'], MissReason>> = {
  'rtms.start_failed': 'start_failed',
  'rtms.concurrency_limited': 'concurrency_limited',
};

/** @returns undefined for an event that is not recorded, or that names no meeting it could be recorded under */
function notice(
  event: AccountEvent,
  { app, nowMs }: RouteContext,
): Extract<Decision, { action: 'notice' }> | undefined {
  const { entityId, product, eventTsMs = nowMs, operatorId, numbers, raw } = event;
  if (!isStartNotice(event.event) || entityId === undefined || product === undefined)
    return undefined;
  const reason = MISS_OF_NOTICE[event.event];
  const named = digestOf([event.event, app, product, entityId, event.eventTsMs ?? raw]);
  const rtmsStreamId = `${NOTICE_ID}${named.slice(0, 32)}`;
  return {
    action: 'notice',
    event,
    row: {
      rtmsStreamId,
      startEventTsMs: eventTsMs,
      requestedAtMs: nowMs,
      product,
      entityId,
      app,
      ttl: Math.ceil(nowMs / 1000) + ROW_LIFE_SECONDS,
      notice: {
        event: event.event,
        numbers,
        ...(operatorId !== undefined && { operatorId }),
        ...(raw !== undefined && { raw }),
      },
      ...(reason !== undefined && { missed: missedByNotice(reason, eventTsMs) }),
    },
  };
}

function isStartNotice(event: AccountEvent['event']): event is keyof typeof START_NOTICES {
  return Object.hasOwn(START_NOTICES, event);
}

type Without<Update, Keys extends PropertyKey> = Update extends unknown
  ? Omit<Update, Keys>
  : never;

function record(
  event: { readonly event: string; readonly rtmsStreamId: string },
  { app, nowMs }: RouteContext,
  register: Without<RegisterUpdate, 'rtmsStreamId' | 'app' | 'ttl'>,
  refusedAddresses = 0,
): Extract<Decision, { action: 'record' }> {
  const ttl = Math.ceil(nowMs / 1000) + ROW_LIFE_SECONDS;
  const update: RegisterUpdate = { rtmsStreamId: event.rtmsStreamId, app, ttl, ...register };
  return { action: 'record', event: event.event, update, refusedAddresses };
}
