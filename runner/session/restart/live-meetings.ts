import type { LiveMeeting } from '../../../rtms/api/live-meetings.ts';
import type { ZoomApi } from '../../../rtms/api/zoom-api.ts';
import type { HandshakeCredentials } from '../../../rtms/protocol/handshake-signature.ts';
import type { Product } from '../../../rtms/protocol/product.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { Metrics } from '../../../shared/metrics.ts';
import {
  writeMeetingClaim,
  writeMeetingOutcome,
  writeReconcilePeriod,
} from '../../../shared/session-table/live-meetings.ts';
import type { ZoomReconcile } from '../../../shared/zoom/reconcile.ts';
import type { SessionStore } from '../../ownership/store.ts';

/** A meeting that has just begun may still get its stream: the app starts it when the host joins. */
const GRACE_MS = 90_000;

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
 * live there and has never had a row here was missed. One task of all does it, every five minutes.
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
    if (all.size === 0) return;
    if (!(await store.tryWrite(writeReconcilePeriod(taskId, this.#now())))) return;
    for (const [app, api] of all) {
      for (const kind of ['meetings', 'webinars'] as const) await this.#compare(app, api, kind);
    }
  }

  async #compare(app: string, api: ZoomApi, kind: keyof typeof KINDS): Promise<void> {
    const { store, logger } = this.#options;
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
      await this.#missed(app, api, KINDS[kind], meeting);
    }
  }

  async #missed(
    app: string,
    api: ZoomApi,
    product: 'meeting' | 'webinar',
    { uuid, meetingId }: LiveMeeting,
  ): Promise<void> {
    const { mode, store, credentials, logger, metrics } = this.#options;
    if (!(await store.tryWrite(writeMeetingClaim(uuid, this.#now())))) return;
    const tell = async (
      outcome: 'reported' | 'requested' | 'refused' | 'delayed',
      why?: string,
    ) => {
      const fields = { event: 'meeting_unknown', app, product, entityId: uuid, meetingId };
      logger.warn('a live meeting has no stream', { ...fields, outcome, why });
      metrics.count('LiveMeetingsUnknown', 1, outcome);
      // A delayed one is asked for again at the next look.
      if (outcome !== 'delayed') await store.tryWrite(writeMeetingOutcome(uuid, outcome, why));
    };
    if (mode === 'report') return tell('reported');
    const { clientId } = await credentials(app, product);
    const answer = await api.setStream({ product, entityId: uuid, clientId }, 'start');
    if (answer.kind === 'ok') return tell('requested');
    return tell(answer.kind === 'later' ? 'delayed' : 'refused', answer.why);
  }
}
