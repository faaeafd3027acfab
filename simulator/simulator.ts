import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import { nameOf, STOP_REASON, STREAM_STATE } from '../rtms/protocol/constants.ts';
import { MEDIA_TYPES, type MediaType } from '../rtms/protocol/media-type.ts';
import type { Product } from '../rtms/protocol/product.ts';
import { type ApiBooks, EXAMPLE_API, type SimulatedApi, serveApi } from './api/api-server.ts';
import { type Clock, scaledClock } from './clock.ts';
import { type Behaviour, DOCUMENTED_BEHAVIOUR } from './scenario/behaviour.ts';
import { formsFromEnvironment, type Missing } from './scenario/forms.ts';
import {
  type Action,
  type ActionInput,
  parseAction,
  parseScenario,
  restOf,
  type Scenario,
  type ScenarioInput,
} from './scenario/scenario.ts';
import type { SentReport } from './sent-ledger.ts';
import { ClientConnection } from './sockets/connection.ts';
import { EXAMPLE_APP, type SimulatorApp } from './sockets/handshake.ts';
import { type MediaPath, serveMedia } from './sockets/media-server.ts';
import { serveSignaling } from './sockets/signaling-server.ts';
import { listenForSockets } from './sockets/socket-server.ts';
import { RtmsStream, type StreamHost } from './stream.ts';
import { makeIds } from './stream-ids.ts';
import { concurrencyLimited, concurrencyNearLimit, streamEvent } from './webhook/webhook-events.ts';
import { type WebhookDelivery, WebhookSender } from './webhook/webhook-sender.ts';

export interface SimulatorOptions {
  /** Where webhooks go; each gets every event. @default none */
  readonly webhookUrls?: readonly string[];
  /** @default the fake credentials of the fixtures */
  readonly app?: Partial<SimulatorApp>;
  /** How fast Zoom's clock runs; ignored with `clock`. @default 1 */
  readonly speed?: number;
  readonly clock?: Clock;
  /** @default any free port */
  readonly signalingPort?: number;
  /** @default any free port */
  readonly mediaPort?: number;
  /** Address to listen on, where clients of other machines are to connect. @default loopback */
  readonly bindHost?: string;
  /** Addresses that clients are told in place of the loopback ones: of tunnels to them. */
  readonly publicUrls?: { readonly signaling: string; readonly media: string };
  /** PEM; the addresses become `wss:`. @default plain `ws:` */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly behaviour?: Partial<Behaviour>;
  /** What the forms that `SIMULATOR_FORMS` draws may leave out. @default 'nothing' */
  readonly missing?: Missing;
  /** What may ask the REST API. @default `EXAMPLE_API` */
  readonly api?: Partial<SimulatedApi>;
  /** Streams the account may have at once. @default 2000 */
  readonly concurrencyLimit?: number;
  /** Where everything sent is written too. @default nowhere */
  readonly sentDir?: string;
  /** The same seed gives the same ids. @default random */
  readonly seed?: string;
  readonly onEvent?: (event: SimulatorEvent) => void;
}

export type SimulatorEvent =
  | { readonly kind: 'stream_started'; readonly rtmsStreamId: string; readonly product: Product }
  | { readonly kind: 'stream_stopped'; readonly rtmsStreamId: string; readonly sent: SentReport }
  | { readonly kind: 'webhook'; readonly delivery: WebhookDelivery };

/** What GET /streams tells of each stream. */
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

export interface Simulator extends AsyncDisposable {
  readonly clock: Clock;
  readonly signalingUrl: string;
  readonly mediaUrl: string;
  /** Of the REST API, as `ZM_RTMS_API_URL` and `ZM_RTMS_OAUTH_URL` want them. */
  readonly apiUrl: string;
  readonly oauthUrl: string;
  /** What the REST API was asked. */
  readonly api: ApiBooks;
  /** Webhooks so far, with every attempt. */
  readonly deliveries: readonly WebhookDelivery[];
  /**
   * Starts an RTMS stream and posts its started webhook.
   *
   * @returns the stream's id, or undefined when the account is at its limit
   * @throws ServiceError `config/invalid` for a scenario that makes no sense
   */
  start(scenario: ScenarioInput): string | undefined;
  streams(): StreamInfo[];
  /**
   * Begins a meeting in which nobody has started RTMS yet: the REST API lists it and can start its stream.
   *
   * @returns its entity id
   */
  openMeeting(scenario: ScenarioInput): string;
  /** Ends a meeting, whether it has a stream or not: the REST API starts nothing in it any more. */
  endMeeting(entityId: string): void;
  /** Address of the signaling server for a stream, as in its latest started webhook. */
  serverUrl(rtmsStreamId: string): string;
  /** @throws ServiceError `config/invalid` for a wrong action; Error for an unknown stream */
  act(rtmsStreamId: string, action: ActionInput): void;
  /** What was sent so far. @throws Error for an unknown stream */
  sent(rtmsStreamId: string): SentReport;
  /** Settles when the stream has stopped and its payload files are written. */
  finished(rtmsStreamId: string): Promise<SentReport>;
  /** The account's administrator regenerates client secrets: the old ones sign nothing any more, at once. */
  rotate(secrets: Partial<Pick<SimulatorApp, 'clientSecret' | 'videoSdkSecret'>>): void;
  /** Sends the URL validation challenge. */
  validateUrl(url: string): Promise<boolean>;
  /** Ends every stream without a word, and the servers. */
  close(): Promise<void>;
}

/** Frames are due on a 20 ms grid. */
const TICK_MS = 10;
const NEAR_LIMIT_SHARE = 0.8;
const MEETING_OVER = STOP_REASON.MEETING_ENDED;

interface Entry {
  readonly stream: RtmsStream;
  readonly finished: PromiseWithResolvers<SentReport>;
}

/** A meeting, with a stream or without. */
interface MeetingEntry {
  readonly scenario: Scenario;
  readonly startedAtMs: number;
  /** The newest. */
  stream?: RtmsStream;
  isOver?: boolean;
}

/** Starts a fake Zoom on loopback: signaling and media servers, and whoever posts the webhooks. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const app: SimulatorApp = { ...EXAMPLE_APP, ...options.app };
  const behaviour: Behaviour = {
    ...DOCUMENTED_BEHAVIOUR,
    ...formsFromEnvironment(options.missing),
    ...options.behaviour,
  };
  const clock = options.clock ?? scaledClock(options.speed);
  const seed = options.seed ?? randomUUID();
  const limit = options.concurrencyLimit ?? 2000;
  const { onEvent, sentDir } = options;
  const entries = new Map<string, Entry>();
  const meetings = new Map<string, MeetingEntry>();
  const webhooks = new WebhookSender({
    urls: options.webhookUrls ?? [],
    secretToken: app.webhookSecretToken,
    clientId: app.clientId,
    clock,
    onAttempt: (delivery) => onEvent?.({ kind: 'webhook', delivery }),
  });

  const signaling = await listenForSockets(
    options.tls,
    options.signalingPort ?? 0,
    ([id, generation]) => {
      const stream = streamAt(id, generation);
      if (stream === 'dead') return undefined;
      return (socket) =>
        serveSignaling(connection(socket), stream, app, refusal(stream), mediaUrls);
    },
    options.bindHost,
  );
  const media = await listenForSockets(
    options.tls,
    options.mediaPort ?? 0,
    ([id, generation, path]) => {
      const stream = streamAt(id, generation);
      if (stream === 'dead' || !isMediaPath(path)) return undefined;
      return (socket) => serveMedia(connection(socket), stream, path, app, refusal(stream));
    },
    options.bindHost,
  );
  const api = await serveApi(
    { ...EXAMPLE_API, ...options.api },
    {
      clock,
      clientIds: [app.clientId, app.videoSdkKey],
      meeting(id) {
        for (const [entityId, { scenario, stream, isOver = false }] of meetings) {
          if (entityId !== id && scenario.meetingId !== id) continue;
          return {
            entityId,
            scenario,
            isOver: isOver || stream?.stopReason === MEETING_OVER,
            stream,
          };
        }
        return undefined;
      },
      liveMeetings: () =>
        [...meetings].flatMap(([entityId, { scenario, startedAtMs, stream, isOver }]) =>
          isOver || stream?.stopReason === MEETING_OVER
            ? []
            : [{ entityId, scenario, startedAtMs }],
        ),
      start(entityId) {
        const { scenario, startedAtMs } = meetings.get(entityId) as MeetingEntry;
        return begin(restOf(scenario, clock.now() - startedAtMs), entityId);
      },
    },
  );
  const stopTicking = clock.every(TICK_MS, () => {
    for (const { stream } of entries.values()) if (!stream.terminated) stream.advance();
  });

  /** After a fail-over the addresses of the old server lead nowhere. */
  function streamAt(id = '', generation = ''): RtmsStream | undefined | 'dead' {
    const stream = entries.get(id)?.stream;
    return stream && Number(generation) !== stream.generation ? 'dead' : stream;
  }

  function refusal(stream: RtmsStream | undefined): Behaviour['badSignature'] {
    return (stream?.behaviour ?? behaviour).badSignature;
  }

  function connection(socket: WebSocket): ClientConnection {
    return new ClientConnection(socket, clock, behaviour);
  }

  function serverUrl({ rtmsStreamId, generation }: RtmsStream): string {
    return `${options.publicUrls?.signaling ?? signaling.url}/${rtmsStreamId}/${generation}`;
  }

  function mediaUrls(stream: RtmsStream): Record<string, string | string[]> {
    const { rtmsStreamId, generation } = stream;
    const base = `${options.publicUrls?.media ?? media.url}/${rtmsStreamId}/${generation}`;
    return mediaAddresses(base, stream);
  }

  const host: StreamHost = {
    clock,
    sentDir,
    webhook(stream, kind, stopReason) {
      if (stream.scenario.withheld.includes(kind)) return;
      const details = { serverUrls: serverUrl(stream), eventTsMs: clock.now(), stopReason };
      webhooks.send(streamEvent(stream, kind, details));
    },
    webhookAction: (stream, action) => applyWebhookAction(webhooks, clock, stream, action),
    stopped(stream) {
      const { rtmsStreamId, ledger } = stream;
      void ledger.close().then(() => {
        const sent = ledger.report();
        entries.get(rtmsStreamId)?.finished.resolve(sent);
        onEvent?.({ kind: 'stream_stopped', rtmsStreamId, sent });
      });
    },
  };

  function begin(scenario: Scenario, knownAs: string | undefined): string | undefined {
    const ids = makeIds(`${seed}/${entries.size}`);
    const entityId = knownAs ?? ids.entityId;
    const live = [...entries.values()].filter(({ stream }) => !stream.terminated).length;
    if (live >= limit) {
      webhooks.send(concurrencyLimited(scenario.product, entityId, live + 1, clock.now()));
      return undefined;
    }
    const rtmsStreamId = scenario.rtmsStreamId ?? ids.rtmsStreamId;
    const stream = new RtmsStream(
      host,
      scenario,
      { ...behaviour, ...(scenario.behaviour as Partial<Behaviour>) },
      { rtmsStreamId, entityId, sessionId: ids.sessionId },
    );
    entries.set(rtmsStreamId, { stream, finished: Promise.withResolvers() });
    meetings.set(entityId, { scenario, startedAtMs: clock.now(), stream });
    stream.start();
    onEvent?.({ kind: 'stream_started', rtmsStreamId, product: scenario.product });
    if (live + 1 > limit * NEAR_LIMIT_SHARE) {
      webhooks.send(concurrencyNearLimit(limit, live + 1, clock.now()));
    }
    return rtmsStreamId;
  }

  function entry(rtmsStreamId: string): Entry {
    const found = entries.get(rtmsStreamId);
    if (found === undefined) throw new Error(`no RTMS stream ${rtmsStreamId}`);
    return found;
  }

  const simulator: Simulator = {
    clock,
    signalingUrl: signaling.url,
    mediaUrl: media.url,
    apiUrl: api.apiUrl,
    oauthUrl: api.oauthUrl,
    api: api.books,
    deliveries: webhooks.deliveries,
    start(input) {
      const scenario = parseScenario(input);
      return begin(scenario, scenario.entityId);
    },
    openMeeting(input) {
      const scenario = parseScenario(input);
      const { entityId = makeIds(`${seed}/meeting/${meetings.size}`).entityId } = scenario;
      meetings.set(entityId, { scenario, startedAtMs: clock.now() });
      return entityId;
    },
    endMeeting(entityId) {
      const meeting = meetings.get(entityId);
      if (meeting === undefined) throw new Error(`no meeting ${entityId}`);
      meeting.isOver = true;
      meeting.stream?.stop(MEETING_OVER);
    },
    streams: () => [...entries.values()].map(({ stream }) => describe(stream)),
    serverUrl: (rtmsStreamId) => serverUrl(entry(rtmsStreamId).stream),
    act(rtmsStreamId, action) {
      const { stream } = entry(rtmsStreamId);
      stream.advance();
      stream.act(parseAction(action));
    },
    sent: (rtmsStreamId) => entry(rtmsStreamId).stream.ledger.report(),
    finished: (rtmsStreamId) => entry(rtmsStreamId).finished.promise,
    rotate: (secrets) => void Object.assign(app, secrets),
    validateUrl: (url) => webhooks.validateUrl(url),
    async close() {
      stopTicking();
      webhooks.close();
      const live = [...entries.values()].filter(({ stream }) => !stream.terminated);
      for (const { stream } of live) stream.abandon();
      await Promise.all(live.map(({ stream }) => stream.ledger.close()));
      for (const { stream, finished } of live) finished.resolve(stream.ledger.report());
      api.close();
      await Promise.all([signaling.close(), media.close()]);
    },
    [Symbol.asyncDispose]: () => simulator.close(),
  };

  return simulator;
}

/** `server_urls` of message 2, by the stream's behaviour. */
function mediaAddresses(
  base: string,
  { granted, behaviour, hasVoiceEvents }: RtmsStream,
): Record<string, string | string[]> {
  const documented = hasVoiceEvents ? ['audio'] : ['audio', 'video', 'transcript'];
  const named = {
    documented: granted.filter((mediaType) => documented.includes(mediaType)),
    every: granted,
    sharescreen: granted,
    all: [],
  }[behaviour.mediaUrls];
  const keyOf = (mediaType: MediaType) =>
    mediaType === 'deskshare' && behaviour.mediaUrls === 'sharescreen' ? 'sharescreen' : mediaType;
  const shaped = (url: string) => (behaviour.urlShape === 'list' ? [url] : url);
  return Object.fromEntries([
    ...named.map((mediaType) => [keyOf(mediaType), shaped(`${base}/${mediaType}`)]),
    ['all', shaped(`${base}/all`)],
  ]);
}

function isMediaPath(path: string | undefined): path is MediaPath {
  return path === 'all' || MEDIA_TYPES.some((mediaType) => mediaType === path);
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

function applyWebhookAction(
  webhooks: WebhookSender,
  clock: Clock,
  { rtmsStreamId }: RtmsStream,
  action: Action,
): void {
  switch (action.do) {
    case 'hold_webhooks':
      webhooks.hold();
      return;
    case 'release_webhooks':
      webhooks.release(action.reversed);
      return;
    case 'replay_webhook':
      webhooks.replay(
        ({ event, payload }) =>
          event.endsWith(`_${action.kind}`) && payload['rtms_stream_id'] === rtmsStreamId,
      );
      return;
    case 'webhook':
      webhooks.send({ event: action.event, event_ts: clock.now(), payload: action.payload });
      return;
  }
}
