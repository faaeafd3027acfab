import { isDeepStrictEqual } from 'node:util';
import type { ApiAnswer } from '../../../rtms/api/answer.ts';
import { ZoomApi } from '../../../rtms/api/zoom-api.ts';
import type { HandshakeCredentials } from '../../../rtms/protocol/client-messages.ts';
import type { Product } from '../../../rtms/protocol/product.ts';
import { ServiceError } from '../../../shared/errors.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { Metrics } from '../../../shared/metrics.ts';
import type { RestartStep } from '../../../shared/record/session-causes.ts';
import type { EndedReason } from '../../../shared/session-table/registers.ts';
import {
  afterAnswer,
  afterUnheard,
  findContinued,
  isAuthentication,
  isSameMeeting,
  judgeRestart,
  planRestart,
  type RestartRegister,
  type RestartVerdict,
} from '../../../shared/session-table/restart.ts';
import {
  writeRestartClaim,
  writeRestartLeft,
  writeRestartOutcome,
  writeRestartResult,
} from '../../../shared/session-table/restart-writes.ts';
import {
  RESTARTS,
  type SessionRow,
  startOf,
  UNOWNED,
  wantedState,
} from '../../../shared/session-table/session-row.ts';
import type { ApiAddresses, ApiCredentials } from '../../../shared/zoom/api-credentials.ts';
import type { Sink } from '../../kinesis/unit.ts';
import type { SessionStore } from '../../ownership/store.ts';
import { sleep } from '../../task/loop.ts';
import type { SessionRestarts } from '../context.ts';
import { answerFields, restartEvent, writeRestartEvent } from './restart-event.ts';

/** Rows that this task works on at once. Zoom limits requests per second and account. */
const AT_ONCE = 8;
/** For each of the four answers that one request may need: token, answer, and both again with another token. */
const ANSWER_MS = 3_000;
const REQUEST_MS = 4 * ANSWER_MS;
const RETRY_MS = 300;
const LOOK_MS = 20_000;

export interface RestartsOptions {
  readonly taskId: string;
  readonly store: Pick<SessionStore, 'session' | 'sessionsOf' | 'tasks' | 'update'>;
  readonly events: Pick<Sink, 'put'>;
  /** What signs requests in the name of an app's account. Undefined for an app for which Zoom is not asked. */
  readonly apiCredentials: (app: string) => ApiCredentials | undefined;
  /** What the app signs with: a request has to name it. */
  readonly credentials: (app: string, product: Product) => Promise<HandshakeCredentials>;
  /** As `credentials`, but reads the secret again first. */
  readonly renewedCredentials: (app: string, product: Product) => Promise<HandshakeCredentials>;
  /** @default Zoom's */
  readonly addresses?: ApiAddresses | undefined;
  /** Tells the runners that a stream waits for one of them. */
  readonly notify: (rtmsStreamId: string) => Promise<void>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Asks Zoom again for streams that it ended for a technical reason. What is to be done stands in the rows of `RESTARTS`
 * (shared/session-table/restart.ts); every task looks at them, and whoever claims one acts.
 *
 * ```text
 *   session ends ─▶ wanted ─┐
 *   every 2 s: look ────────┴▶ judgeRestart ─▶ claim ─▶ Zoom ─▶ event ─▶ result into the row
 * ```
 */
export class Restarts implements SessionRestarts {
  readonly #options: RestartsOptions;
  readonly #apis = new Map<
    string,
    { readonly credentials: ApiCredentials; readonly api: ZoomApi }
  >();
  readonly #underWay = new Set<string>();
  /** Zoom has asked to be left alone until then, Unix ms, by app. */
  readonly #heldUntilMs = new Map<string, number>();

  constructor(options: RestartsOptions) {
    this.#options = options;
  }

  plan(row: SessionRow, reason: EndedReason): RestartRegister | undefined {
    const hasApi = this.#options.apiCredentials(row.app ?? 'default') !== undefined;
    return planRestart({ reason, continues: row.continues }, hasApi, Date.now());
  }

  wanted(rtmsStreamId: string): void {
    void this.#consider(rtmsStreamId);
  }

  async continuedBy(started: SessionRow): Promise<SessionRow | undefined> {
    try {
      return findContinued(await this.#options.store.sessionsOf(RESTARTS), started);
    } catch (error) {
      // The meeting must not wait for the link to what was before.
      this.#warn('not known what a stream continues', 'continues_unknown', started, error);
      return undefined;
    }
  }

  /** Tries until the row says so, or its restart is closed: an open one would ask Zoom for a stream that is there. */
  async resumed(rtmsStreamId: string): Promise<void> {
    const { store } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        const row = await store.session(rtmsStreamId);
        const isOpen = row?.restart !== undefined && row.restart.outcome === undefined;
        if (row === undefined || row.owner !== RESTARTS || !isOpen) return;
        if ((await store.update(writeRestartOutcome(row, 'resumed'))) !== undefined) return;
      } catch (error) {
        const stream = { rtmsStreamId };
        const text = 'not told that a stream is continued';
        if (attempt === 1) this.#warn(text, 'resumed_untold', stream, error);
        if (error instanceof ServiceError && !error.retryable) return;
      }
      await sleep(RETRY_MS);
    }
  }

  /**
   * One look at all rows that wait for Zoom. What is not begun in time waits for the next one: while Zoom's API does not
   * answer, a look at many rows would take so long that its loop counts as hung.
   */
  async look(): Promise<void> {
    const untilMs = performance.now() + LOOK_MS;
    const rows = await this.#options.store.sessionsOf(RESTARTS);
    const due = rows.filter((row) => judgeRestart(row, Date.now()).act !== 'wait').values();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const { rtmsStreamId } of due) {
          if (performance.now() > untilMs) return;
          await this.#consider(rtmsStreamId);
        }
      }),
    );
  }

  /** Reads a row, and does what it asks for. */
  async #consider(rtmsStreamId: string): Promise<void> {
    if (this.#underWay.has(rtmsStreamId)) return;
    this.#underWay.add(rtmsStreamId);
    try {
      const row = await this.#options.store.session(rtmsStreamId);
      if (row?.owner === RESTARTS) await this.#act(row, judgeRestart(row, Date.now()));
    } catch (error) {
      this.#warn('a restart has to wait', 'restart_failed', { rtmsStreamId }, error);
    } finally {
      this.#underWay.delete(rtmsStreamId);
    }
  }

  async #act(row: SessionRow, verdict: RestartVerdict): Promise<void> {
    const { store, notify } = this.#options;
    switch (verdict.act) {
      case 'wait':
        return;
      case 'retire':
        await store.update(writeRestartLeft(row, 'rest'));
        return;
      case 'offer':
        if (await store.update(writeRestartLeft(row, 'unowned'))) await notify(row.rtmsStreamId);
        return;
      case 'close': {
        const { outcome } = verdict;
        await this.#claimed(row, false, async (_row, { sinceMs, reason, tries, nextAtMs }) => ({
          restart: { sinceMs, reason, tries, nextAtMs, outcome },
          step: outcome,
        }));
        return;
      }
      case 'tell_unheard':
        await this.#claimed(row, false, async (_row, restart) => ({
          restart: afterUnheard(restart, Date.now()),
          step: 'unheard',
        }));
        return;
      case 'ask': {
        if (!(await this.#mayAsk(row))) return;
        const request = await this.#request(row);
        await this.#claimed(row, true, async (_row, restart) => {
          const answer = await request();
          const after = afterAnswer(restart, answer, Date.now(), Math.random());
          const step = STEP_OF_ANSWER[answer.kind];
          return {
            restart: after,
            step: after.outcome === 'exhausted' ? 'exhausted' : step,
            answer,
          };
        });
      }
    }
  }

  /** Claims a row, does something, and tells what: in the records, then in the row. */
  async #claimed(
    seen: SessionRow,
    isRequest: boolean,
    act: (row: SessionRow, restart: RestartRegister) => Promise<Told>,
  ): Promise<void> {
    const { taskId, store, events, logger, metrics } = this.#options;
    const row = await store.update(writeRestartClaim(seen, taskId, Date.now(), isRequest));
    if (row?.restart === undefined) return;
    const { rtmsStreamId, epoch = 0 } = row;
    const { claimedUntilMs = 0 } = row.restart;
    // Frozen in between, another task may have the claim: before Zoom has answered, or before this one has told anything.
    if (Date.now() > claimedUntilMs - (isRequest ? REQUEST_MS : 0)) return;
    const { restart, step, answer } = await act(row, row.restart);
    const data = restartEvent(step, restart, answer && answerFields(answer));
    logger.info('restart', { event: 'restart', rtmsStreamId, epoch, ...data });
    metrics.count('Restarts', 1, step);
    writeRestartEvent(row, data, Date.now(), { events, logger });
    await store.update(writeRestartResult({ rtmsStreamId, taskId, epoch }, restart));
  }

  /** Is Zoom ready for a request, and has no stream of the meeting come meanwhile? */
  async #mayAsk(row: SessionRow): Promise<boolean> {
    const { store } = this.#options;
    const { app = 'default' } = row;
    if (Date.now() < (this.#heldUntilMs.get(app) ?? 0)) return false;
    const isLive = (other: SessionRow) =>
      isSameMeeting(row, other) && wantedState(other).state === 'started';
    const isWaiting = async () => (await store.sessionsOf(UNOWNED)).some(isLive);
    if (await isWaiting()) return false;
    // Whoever serves the new stream says so here, but it may have come before this one was known to have ended: its owner was lost, and
    // the next one heard of the end minutes later. Or it died before it said so, or is of a release that does not.
    const served = await Promise.all(
      (await store.tasks()).map(({ taskId }) => store.sessionsOf(taskId)),
    );
    // One that its owner has given back between the two looks is found by neither of them.
    if (!served.flat().some(isLive)) return !(await isWaiting());
    await store.update(writeRestartOutcome(row, 'resumed'));
    return false;
  }

  /** Gets together what a request needs, before the claim: reading the secret again may take a while. */
  async #request(row: SessionRow): Promise<() => Promise<ApiAnswer>> {
    const start = startOf(row);
    const { app = 'default', restart } = row;
    const { credentials, renewedCredentials } = this.#options;
    const read =
      restart !== undefined && isAuthentication(restart.reason) ? renewedCredentials : credentials;
    const found = start && (await read(app, start.product).catch(() => undefined));
    const api = this.api(app);
    // Taken out of the secret since the end.
    if (start === undefined || found === undefined || api === undefined) {
      return async () => NO_CREDENTIALS;
    }
    const { product, entityId } = start;
    return async () => {
      const answer = await api.setStream({ product, entityId, clientId: found.clientId }, 'start');
      if (answer.kind === 'later' && answer.why === 'rate_limited') {
        this.#heldUntilMs.set(app, Date.now() + (answer.afterMs ?? 0));
      }
      return answer;
    };
  }

  /** What can be asked in the name of an app's account; undefined without credentials. */
  api(app: string): ZoomApi | undefined {
    const { apiCredentials, addresses } = this.#options;
    const credentials = apiCredentials(app);
    if (credentials === undefined) return undefined;
    const known = this.#apis.get(app);
    // A token is as old as its secret: with a new one it is fetched anew.
    if (known !== undefined && isDeepStrictEqual(known.credentials, credentials)) return known.api;
    const api = new ZoomApi({ credentials, timeoutMs: ANSWER_MS, ...(addresses && { addresses }) });
    this.#apis.set(app, { credentials, api });
    return api;
  }

  #warn(text: string, event: string, { rtmsStreamId }: { rtmsStreamId: string }, error: unknown) {
    this.#options.logger.warn(text, { event, rtmsStreamId, error });
  }
}

interface Told {
  /** The register from now on. */
  readonly restart: RestartRegister;
  readonly step: RestartStep;
  readonly answer?: ApiAnswer;
}

const STEP_OF_ANSWER = { ok: 'requested', later: 'delayed', refused: 'refused' } as const;
const NO_CREDENTIALS: ApiAnswer = { kind: 'refused', why: 'credentials_invalid', status: 0 };
