import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { ServiceError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';
import { isReadable, UnreadableRows } from '../../shared/session-table/parse-row.ts';
import {
  isRevocationUntold,
  isUnowned,
  type SessionRow,
  startOf,
  wantedState,
} from '../../shared/session-table/session-row.ts';
import type { RegisterUpdate } from '../../shared/session-table/webhook-writes.ts';
import type { AllowedHosts } from '../../shared/zoom/allowed-hosts.ts';
import { type AccountEvent, parseWebhookEvent } from '../../shared/zoom/webhook-event.ts';
import type { ZoomDelivery } from './delivery.ts';
import type { NotifyRunners } from './job-queue.ts';
import type { StoreNotice, StoreUpdate } from './register-store.ts';
import { type Decision, route } from './route.ts';

/** Zoom waits 3 s. What is not stored after this long is answered 503, so that Zoom delivers it again. */
const STORE_TIMEOUT_MS = 2_000;

const ACCEPTED: APIGatewayProxyStructuredResultV2 = { statusCode: 200 };

type ReceiveEvent = (
  delivery: ZoomDelivery,
  context: Context,
  options: { readonly signal: AbortSignal },
) => Promise<APIGatewayProxyStructuredResultV2>;

/**
 * The innermost step of the chain: reads a genuine delivery and does what it asks for. The row is written first, the
 * runners are notified second, Zoom gets its 200 last: whatever fails in between, Zoom's repeat makes it good.
 */
export function receiveEvent(dependencies: {
  readonly store: StoreUpdate;
  readonly storeNotice: StoreNotice;
  readonly notifyRunners: NotifyRunners;
  readonly allowedHosts: AllowedHosts;
  readonly logger: Logger;
  readonly metrics: Metrics;
}): ReceiveEvent {
  const { store, storeNotice, notifyRunners, allowedHosts, metrics } = dependencies;
  const unreadable = new UnreadableRows(dependencies.logger, metrics);
  return async (delivery, _context, options) => {
    const { app, secretToken, rawBody } = delivery;
    const logger = dependencies.logger.child({ requestId: delivery.requestContext.requestId });
    const event = parseWebhookEvent(rawBody);
    const decision = route(event, { app, secretToken, allowedHosts, nowMs: Date.now() });
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(STORE_TIMEOUT_MS)]);
    switch (decision.action) {
      case 'answer':
        logger.info('endpoint challenge answered', { app });
        return json(decision.answer);
      case 'ignore':
        metrics.count('WebhookUnknownEvent');
        logger.info('event of an unknown kind ignored', { app });
        return ACCEPTED;
      case 'report':
        report(decision.event, app, logger, metrics);
        return ACCEPTED;
      case 'notice': {
        const { row } = decision;
        report(decision.event, app, logger, metrics);
        if (await storeNotice(row, signal)) await notifyRunners(row.rtmsStreamId, row, signal);
        return ACCEPTED;
      }
      case 'record': {
        if (decision.move !== undefined) await store(decision.move, signal);
        const { changed, row } = await store(decision.update, signal);
        if (!isReadable(row)) unreadable.report(row);
        const notified =
          isReadable(row) &&
          (await notifyIfNeeded(decision.update, changed, row, notifyRunners, signal));
        logRecorded(decision, changed, notified, logger);
        if (decision.refusal !== undefined) throw decision.refusal;
        metrics.count('WebhookAccepted', 1, decision.event);
        return ACCEPTED;
      }
    }
  };
}

/**
 * Notifies the runners of
 *
 * - a start that is news and still wanted
 * - a repeated start while nobody owns the stream: its first delivery may have failed between the row and the queue
 * - the revocation of a stream that has ended, until a runner has written it into the records
 *
 * Everything else the owner reads from its row.
 *
 * @returns whether it did
 */
async function notifyIfNeeded(
  update: RegisterUpdate,
  changed: boolean,
  row: SessionRow,
  notifyRunners: NotifyRunners,
  signal: AbortSignal,
): Promise<boolean> {
  const start = startOf(row);
  const unowned = isUnowned(row);
  const isWanted =
    update.register === 'start' && wantedState(row).state === 'started' && (changed || unowned);
  if (start === undefined || !(isWanted || (unowned && isRevocationUntold(row)))) return false;
  await notifyRunners(update.rtmsStreamId, start, signal);
  return true;
}

function logRecorded(
  decision: Extract<Decision, { action: 'record' }>,
  changed: boolean,
  notified: boolean,
  logger: Logger,
): void {
  const { event, update, refusedAddresses } = decision;
  const { rtmsStreamId, app } = update;
  logger.info('event recorded', { event, rtmsStreamId, app, changed, notified });
  if (refusedAddresses > 0) {
    logger.warn('server addresses off the allow-list left out', { rtmsStreamId, refusedAddresses });
  }
}

/** Tells the operator that Zoom starts no more streams, or soon will not. There is nothing to record. */
function report(event: AccountEvent, app: string, logger: Logger, metrics: Metrics): void {
  metrics.count('WebhookAccepted', 1, event.event);
  if (event.event === 'rtms.concurrency_limited') metrics.count('ConcurrencyLimited');
  const share = event.numbers['percentage'];
  if (event.event === 'rtms.concurrency_near_limit' && share !== undefined) {
    metrics.observe('ConcurrencyShare', share);
  }
  const { entityId, numbers } = event;
  logger.warn('Zoom reports on the account', { event: event.event, app, entityId, ...numbers });
}

function json(body: object): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}

/** Called by middy when Lambda's own time is nearly over. The answer makes Zoom deliver again. */
export function outOfTime(): never {
  throw new ServiceError('webhook/store-failed', 'the time limit of Lambda is near');
}
