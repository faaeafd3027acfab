import { createHash } from 'node:crypto';
import type { LiveMeeting } from '../../../rtms/api/live-meetings.ts';
import type { ZoomApi } from '../../../rtms/api/zoom-api.ts';
import type { HandshakeCredentials } from '../../../rtms/protocol/client-messages.ts';
import type { Product } from '../../../rtms/protocol/product.ts';
import type { ZoomReconcile } from '../../../shared/env.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { Metrics } from '../../../shared/metrics.ts';
import {
  writeMeetingClaim,
  writeMeetingOutcome,
  writeReconcilePeriod,
} from '../../../shared/session-table/live-meetings.ts';
import { missedUnannounced, NOTICE_ID } from '../../../shared/session-table/missed.ts';
import { expiresAt } from '../../../shared/session-table/session-row.ts';
import {
  type StartNoticeRow,
  writeStartNotice,
} from '../../../shared/session-table/webhook-writes.ts';
import type { SessionStore } from '../../ownership/store.ts';

/** A meeting that has just begun may still get its stream: the app starts it when the host joins. */
const GRACE_MS = 90_000;
/** What is not looked at by then waits for the next comparison: a loop whose step takes a minute counts as hung. */
const LOOK_MS = 20_000;

export interface LiveMeetingsOptions {
  readonly taskId: string;
  readonly mode: Exclude<ZoomReconcile, 'off'>;
  readonly store: Pick<SessionStore, 'tryWrite' | 'entityIds'>;
  /** Apps of the secret whose account can be asked. */
  readonly apis: () => ReadonlyMap<string, ZoomApi>;
  readonly credentials: (app: string, product: Product) => Promise<HandshakeCredentials>;
  /** Unix ms. @default Date.now */
  readonly now?: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const KINDS = { meetings: 'meeting', webinars: 'webinar' } as const;

/**
 * Compares Zoom's list of live meetings (`GET /metrics/meetings?type=live`, and webinars) with the session table: what is
 * live there and has never had a row here was missed. It gets a row that says so, of which whoever finds it writes
 * `session_missed`. One task of all does it, every five minutes.
 *
 * A meeting with a row is left alone, whatever its state: its end was decided, or is for `Restarts` to follow.
 */
export class LiveMeetings {
  readonly #options: LiveMeetingsOptions;

  constructor(options: LiveMeetingsOptions) {
    this.#options = options;
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  /** To be called more often than every five minutes. */
  async look(): Promise<void> {
    const { taskId, store, apis } = this.#options;
    const all = apis();
    const untilMs = performance.now() + LOOK_MS;
    if (all.size === 0) return;
    if (!(await store.tryWrite(writeReconcilePeriod(taskId, this.#now())))) return;
    for (const [app, api] of all) {
      for (const kind of ['meetings', 'webinars'] as const) {
        await this.#compare(app, api, kind, untilMs);
      }
    }
  }

  async #compare(
    app: string,
    api: ZoomApi,
    kind: keyof typeof KINDS,
    untilMs: number,
  ): Promise<void> {
    const { store, logger } = this.#options;
    if (performance.now() > untilMs) return;
    const listed = await api.liveMeetings(kind);
    if ('answer' in listed) {
      const { kind: answer, ...fields } = listed.answer;
      logger.warn('live meetings not listed', { event: 'live_not_listed', app, answer, ...fields });
      return;
    }
    const nowMs = this.#now();
    const old = listed.meetings.filter(({ startedAtMs = 0 }) => startedAtMs + GRACE_MS < nowMs);
    // Read behind the list: a stream that began in between is known.
    const known = await store.entityIds();
    for (const meeting of old.filter(({ uuid }) => !known.has(uuid))) {
      if (performance.now() > untilMs) return;
      await this.#missed(app, api, KINDS[kind], meeting);
    }
  }

  async #missed(
    app: string,
    api: ZoomApi,
    product: 'meeting' | 'webinar',
    meeting: LiveMeeting,
  ): Promise<void> {
    const { uuid, meetingId } = meeting;
    const { mode, store, credentials, logger, metrics } = this.#options;
    const tell = (outcome: 'reported' | 'requested' | 'refused' | 'delayed', why?: string) => {
      const fields = { event: 'meeting_unknown', app, product, entityId: uuid, meetingId };
      logger.warn('a live meeting has no stream', { ...fields, outcome, why });
      metrics.count('LiveMeetingsUnknown', 1, outcome);
    };
    const miss = async (outcome: 'reported' | 'refused', why?: string) => {
      const isFirst = await store.tryWrite(writeStartNotice(this.#row(app, product, meeting)));
      if (isFirst) tell(outcome, why);
    };
    if (mode === 'report') return miss('reported');
    // Zoom has agreed and no stream has come since, or it was asked often enough.
    if (!(await store.tryWrite(writeMeetingClaim(uuid, this.#now())))) return miss('reported');
    const { clientId } = await credentials(app, product);
    const answer = await api.setStream({ product, entityId: uuid, clientId }, 'start');
    if (answer.kind === 'refused') return miss('refused', answer.why);
    // A delayed one is asked for again at the next look.
    if (answer.kind === 'later') return tell('delayed', answer.why);
    await store.tryWrite(writeMeetingOutcome(uuid, 'requested'));
    tell('requested');
  }

  /** The row that has `session_missed` written; as long as it is there, the meeting is known. */
  #row(app: string, product: Product, meeting: LiveMeeting): StartNoticeRow {
    const { uuid: entityId, meetingId, startedAtMs } = meeting;
    const nowMs = this.#now();
    const named = createHash('sha256').update(JSON.stringify(['live', app, product, entityId]));
    return {
      rtmsStreamId: `${NOTICE_ID}${named.digest('hex').slice(0, 32)}`,
      startEventTsMs: startedAtMs ?? nowMs,
      requestedAtMs: nowMs,
      product,
      entityId,
      app,
      ...(meetingId !== undefined && { meetingId }),
      missed: missedUnannounced(nowMs),
      ttl: expiresAt(nowMs),
    };
  }
}
