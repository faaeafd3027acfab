import { createHash } from 'node:crypto';
import { nameOf, STREAM_STATE } from '../rtms/protocol/constants.ts';
import { MEDIA_TYPES } from '../rtms/protocol/media-type.ts';
import type { Product } from '../rtms/protocol/product.ts';
import { STOP_REASON } from '../rtms/protocol/stop-reason.ts';
import type { ApiHost } from './api/api-server.ts';
import type { Clock } from './clock.ts';
import type { Behaviour } from './scenario/behaviour.ts';
import { restOf, type Scenario } from './scenario/scenario.ts';
import type { SentReport } from './sent-ledger.ts';
import { RtmsStream, type StreamHost } from './stream.ts';
import { concurrencyLimited, concurrencyNearLimit, streamEvent } from './webhook/webhook-events.ts';
import { applyWebhookAction, type WebhookSender } from './webhook/webhook-sender.ts';

/** What `GET /streams` shows of each stream. */
export interface StreamInfo {
  readonly rtmsStreamId: string;
  readonly entityId: string;
  readonly product: Product;
  readonly scenario: string;
  readonly startedAtMs: number;
  readonly state: string;
  readonly generation: number;
  readonly isConnected: boolean;
  readonly mediaConnected: readonly string[];
  readonly sessions: Readonly<Record<string, number>>;
}

/** Above this share of its limit the account gets a warning. */
const NEAR_LIMIT_SHARE = 0.8;
const MEETING_OVER = STOP_REASON.MEETING_ENDED;

interface StreamEntry {
  readonly stream: RtmsStream;
  /** Resolves when the stream has stopped and its ledger is written. */
  readonly finished: PromiseWithResolvers<SentReport>;
}

/** A meeting, with a stream or without. */
interface MeetingEntry {
  readonly scenario: Scenario;
  readonly startedAtMs: number;
  /** The newest of its streams. */
  stream?: RtmsStream;
  isOver?: boolean;
}

export interface AccountOptions {
  readonly clock: Clock;
  readonly behaviour: Behaviour;
  /** The same seed gives the same ids. */
  readonly seed: string;
  /** Streams that the account may have at once. */
  readonly limit: number;
  readonly sentDir: string | undefined;
  readonly webhooks: WebhookSender;
  /** Address of the signaling server for a stream. */
  serverUrl(stream: RtmsStream): string;
  started(stream: RtmsStream): void;
  /** The stream has stopped and its ledger is written. */
  stopped(stream: RtmsStream, sent: SentReport): void;
}

/** The streams and meetings of one Zoom account, and what Zoom posts about them. */
export class ZoomAccount {
  readonly #options: AccountOptions;
  readonly #host: StreamHost;
  readonly #streams = new Map<string, StreamEntry>();
  /** By entity id. */
  readonly #meetings = new Map<string, MeetingEntry>();

  constructor(options: AccountOptions) {
    this.#options = options;
    const { clock, sentDir, webhooks } = options;
    this.#host = {
      clock,
      sentDir,
      webhook(stream, kind, stopReason) {
        if (stream.scenario.withheld.includes(kind)) return;
        const serverUrls = options.serverUrl(stream);
        const details = { serverUrls, eventTsMs: clock.now(), stopReason };
        webhooks.send(streamEvent(stream, kind, details));
      },
      webhookAction: (stream, action) =>
        applyWebhookAction(webhooks, clock, stream.rtmsStreamId, action),
      stopped: (stream) => {
        const { rtmsStreamId, ledger } = stream;
        void ledger.close().then(() => {
          const sent = ledger.report();
          this.#streams.get(rtmsStreamId)?.finished.resolve(sent);
          options.stopped(stream, sent);
        });
      },
    };
  }

  /**
   * Starts a stream and posts its started webhook.
   *
   * @param knownAs the entity id; undefined: one made from the seed
   * @returns the stream's id, or undefined when the account is at its limit
   */
  start(scenario: Scenario, knownAs: string | undefined): string | undefined {
    const { clock, behaviour, limit, seed, webhooks } = this.#options;
    const ids = makeIds(`${seed}/${this.#streams.size}`);
    const entityId = knownAs ?? ids.entityId;
    const live = this.#live().length;
    if (live >= limit) {
      webhooks.send(concurrencyLimited(scenario.product, entityId, live + 1, clock.now()));
      return undefined;
    }
    const rtmsStreamId = scenario.rtmsStreamId ?? ids.rtmsStreamId;
    const stream = new RtmsStream(
      this.#host,
      scenario,
      { ...behaviour, ...scenario.behaviour },
      { rtmsStreamId, entityId, sessionId: ids.sessionId },
    );
    this.#streams.set(rtmsStreamId, { stream, finished: Promise.withResolvers() });
    this.#meetings.set(entityId, { scenario, startedAtMs: clock.now(), stream });
    stream.start();
    this.#options.started(stream);
    if (live + 1 > limit * NEAR_LIMIT_SHARE) {
      webhooks.send(concurrencyNearLimit(limit, live + 1, clock.now()));
    }
    return rtmsStreamId;
  }

  /** Begins a meeting without a stream. @returns its entity id */
  openMeeting(scenario: Scenario): string {
    const { seed, clock } = this.#options;
    const { entityId = makeIds(`${seed}/meeting/${this.#meetings.size}`).entityId } = scenario;
    this.#meetings.set(entityId, { scenario, startedAtMs: clock.now() });
    return entityId;
  }

  /** Ends a meeting and its stream. @throws Error for an unknown meeting */
  endMeeting(entityId: string): void {
    const meeting = this.#meetings.get(entityId);
    if (meeting === undefined) throw new Error(`no meeting ${entityId}`);
    meeting.isOver = true;
    meeting.stream?.stop(MEETING_OVER);
  }

  /** @throws Error for an unknown stream */
  stream(rtmsStreamId: string): RtmsStream {
    return this.#entry(rtmsStreamId).stream;
  }

  finished(rtmsStreamId: string): Promise<SentReport> {
    return this.#entry(rtmsStreamId).finished.promise;
  }

  /**
   * Finds the stream of an address. `dead`: the address is older than the last fail-over, and leads nowhere now.
   * Undefined: it is the address of no stream.
   */
  streamAt(id = '', generation = ''): RtmsStream | undefined | 'dead' {
    const stream = this.#streams.get(id)?.stream;
    return stream && Number(generation) !== stream.generation ? 'dead' : stream;
  }

  streams(): StreamInfo[] {
    return [...this.#streams.values()].map(({ stream }) => describe(stream));
  }

  /** Brings every stream up to the clock. */
  advance(): void {
    for (const { stream } of this.#live()) stream.advance();
  }

  /** Ends every stream without a webhook or message, and writes the ledgers. */
  async close(): Promise<void> {
    const live = this.#live();
    for (const { stream } of live) stream.vanish();
    await Promise.all(live.map(({ stream }) => stream.ledger.close()));
    for (const { stream, finished } of live) finished.resolve(stream.ledger.report());
  }

  /** The account's meetings, as the REST API needs them. */
  get apiHost(): Pick<ApiHost, 'meeting' | 'liveMeetings' | 'start'> {
    return {
      meeting: (id) => {
        for (const [entityId, meeting] of this.#meetings) {
          const { scenario, stream } = meeting;
          if (entityId !== id && scenario.meetingId !== id) continue;
          return { entityId, scenario, isOver: isOver(meeting), stream };
        }
        return undefined;
      },
      liveMeetings: () =>
        [...this.#meetings]
          .filter(([, meeting]) => !isOver(meeting))
          .map(([entityId, { scenario, startedAtMs }]) => ({ entityId, scenario, startedAtMs })),
      start: (entityId) => {
        const { scenario, startedAtMs } = this.#meetings.get(entityId) as MeetingEntry;
        return this.start(restOf(scenario, this.#options.clock.now() - startedAtMs), entityId);
      },
    };
  }

  #live(): StreamEntry[] {
    return [...this.#streams.values()].filter(({ stream }) => !stream.terminated);
  }

  #entry(rtmsStreamId: string): StreamEntry {
    const found = this.#streams.get(rtmsStreamId);
    if (found === undefined) throw new Error(`no RTMS stream ${rtmsStreamId}`);
    return found;
  }
}

function isOver({ isOver = false, stream }: MeetingEntry): boolean {
  return isOver || stream?.stopReason === MEETING_OVER;
}

function describe(stream: RtmsStream): StreamInfo {
  return {
    rtmsStreamId: stream.rtmsStreamId,
    entityId: stream.entityId,
    product: stream.product,
    scenario: stream.scenario.name,
    startedAtMs: stream.startedAtMs,
    state: nameOf(STREAM_STATE, stream.state) ?? String(stream.state),
    generation: stream.generation,
    isConnected: stream.client.signaling !== undefined,
    mediaConnected: MEDIA_TYPES.filter((mediaType) => stream.link(mediaType) !== undefined),
    sessions: Object.fromEntries(stream.sessions),
  };
}

/** The ids of a stream that the simulator makes up. */
export interface StreamIds {
  readonly rtmsStreamId: string;
  readonly entityId: string;
  /** Of the session that every stream begins with. */
  readonly sessionId: string;
}

/** Ids in the form of Zoom's examples, from a hash of the seed. */
export function makeIds(seed: string): StreamIds {
  const digest = createHash('sha512').update(seed).digest();
  const hex = digest.subarray(32, 48).toString('hex').toUpperCase();
  return {
    rtmsStreamId: digest.subarray(0, 16).toString('hex'),
    entityId: digest.subarray(16, 32).toString('base64'),
    sessionId: hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
  };
}
