import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { ServiceError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';
import { isReadable, UnreadableRows } from '../../shared/session-table/parse-row.ts';
import {
  isRevocationUntold,
  type SessionRow,
  startOf,
  UNOWNED,
  wantedState,
} from '../../shared/session-table/session-row.ts';
import type { RegisterUpdate } from '../../shared/session-table/webhook-writes.ts';
import type { AllowedHosts } from '../../shared/zoom/allowed-hosts.ts';
import { type AccountEvent, parseWebhookEvent } from '../../shared/zoom/webhook-event.ts';
import type { Delivery } from './delivery.ts';
import type { RingRunners } from './job-queue.ts';
import type { StoreUpdate } from './register-store.ts';
import { type Decision, route } from './route.ts';

/** Zoom gives up after 3 s; what is not stored by now is answered 503, so that Zoom delivers it again. */
const STORE_TIMEOUT_MS = 2_000;

const ACCEPTED: APIGatewayProxyStructuredResultV2 = { statusCode: 200 };

type ReceiveEvent = (
  delivery: Delivery,
  context: Context,
  options: { readonly signal: AbortSignal },
) => Promise<APIGatewayProxyStructuredResultV2>;

/**
 * The chain's innermost step: reads a genuine delivery and does what it asks for. The row is written
 * first, the runners are rung second, Zoom gets its 200 last.
 */
export function receiveEvent(dependencies: {
  readonly store: StoreUpdate;
  readonly ring: RingRunners;
  readonly allowedHosts: AllowedHosts;
  readonly logger: Logger;
  readonly metrics: Metrics;
}): ReceiveEvent {
  const { store, ring, allowedHosts, metrics } = dependencies;
  const unreadable = new UnreadableRows(dependencies.logger, metrics);
  return async (delivery, _context, options) => {
    const { app, secretToken, rawBody } = delivery;
    const logger = dependencies.logger.child({ requestId: delivery.requestContext.requestId });
    const event = parseWebhookEvent(rawBody);
    const decision = route(event, { app, secretToken, allowedHosts, nowMs: Date.now() });
    switch (decision.action) {
      case 'answer':
        logger.info('endpoint challenge answered', { app });
        return json(decision.answer);
      case 'ignore':
        metrics.count('WebhookUnknownEvent');
        logger.info('event of an unknown kind ignored', { app });
        return ACCEPTED;
      case 'notify':
        notify(decision.event, app, logger, metrics);
        return ACCEPTED;
      case 'record': {
        const signal = AbortSignal.any([options.signal, AbortSignal.timeout(STORE_TIMEOUT_MS)]);
        if (decision.move !== undefined) await store(decision.move, signal);
        const { changed, row } = await store(decision.update, signal);
        if (!isReadable(row)) unreadable.report(row);
        const rung =
          isReadable(row) && (await ringIfNeeded(decision.update, changed, row, ring, signal));
        metrics.count('WebhookAccepted', 1, decision.event);
        logRecorded(decision, changed, rung, logger);
        return ACCEPTED;
      }
    }
  };
}

/**
 * A start that is news and still wanted is rung for. A repeated one is rung for while nobody owns the
 * stream: its first delivery may have failed between the row and the queue. A revocation of a stream that
 * has ended is rung for until a runner has told it; everything else an owner reads from its row.
 */
async function ringIfNeeded(
  update: RegisterUpdate,
  changed: boolean,
  row: SessionRow,
  ring: RingRunners,
  signal: AbortSignal,
): Promise<boolean> {
  const start = startOf(row);
  const unowned = row.owner === undefined || row.owner === UNOWNED;
  const isWanted =
    update.register === 'start' && wantedState(row).state === 'started' && (changed || unowned);
  if (start === undefined || !(isWanted || (unowned && isRevocationUntold(row)))) return false;
  await ring(update.rtmsStreamId, start, signal);
  return true;
}

function logRecorded(
  decision: Extract<Decision, { action: 'record' }>,
  changed: boolean,
  rung: boolean,
  logger: Logger,
): void {
  const { event, update, refusedAddresses } = decision;
  const { rtmsStreamId, app } = update;
  logger.info('event recorded', { event, rtmsStreamId, app, changed, rung });
  if (refusedAddresses > 0) {
    logger.warn('server addresses off the allow-list left out', { rtmsStreamId, refusedAddresses });
  }
}

/** Nothing to record: these tell the operator that Zoom starts no more streams, or soon will not. */
function notify(event: AccountEvent, app: string, logger: Logger, metrics: Metrics): void {
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

/** Answers for middy when Lambda's own time is nearly over; Zoom delivers again. */
export function outOfTime(): never {
  throw new ServiceError('webhook/store-failed', 'out of time');
}
