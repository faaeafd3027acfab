import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { Product } from '../rtms/protocol/product.ts';
import { type StreamInfo, ZoomAccount } from './account.ts';
import { type ApiBooks, EXAMPLE_API, type SimulatedApi, serveApi } from './api/api-server.ts';
import { type Clock, scaledClock } from './clock.ts';
import { type Behaviour, DOCUMENTED_BEHAVIOUR } from './scenario/behaviour.ts';
import { formsFromEnvironment, type Missing } from './scenario/forms.ts';
import {
  type ActionInput,
  parseAction,
  parseScenario,
  type ScenarioInput,
} from './scenario/scenario.ts';
import type { SentReport } from './sent-ledger.ts';
import { ClientConnection } from './sockets/connection.ts';
import { EXAMPLE_APP, type SimulatorApp } from './sockets/handshake.ts';
import { isMediaPath, mediaAddresses, serveMedia } from './sockets/media-server.ts';
import { serveSignaling } from './sockets/signaling-server.ts';
import { listenForSockets } from './sockets/socket-server.ts';
import type { RtmsStream } from './stream.ts';
import { type WebhookDelivery, WebhookSender } from './webhook/webhook-sender.ts';

export interface SimulatorOptions {
  /** Endpoints of webhooks; each gets every event. @default none */
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
  /** Address to listen on, so that clients of other machines can connect. @default loopback */
  readonly bindHost?: string;
  /** Addresses of tunnels, which clients get in place of the loopback addresses. */
  readonly publicUrls?: { readonly signaling: string; readonly media: string };
  /** PEM; the addresses become `wss:`. @default plain `ws:` */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly behaviour?: Partial<Behaviour>;
  /** What the forms that `SIMULATOR_FORMS` draws may leave out. @default 'nothing' */
  readonly missing?: Missing;
  /** What may ask the REST API. @default `EXAMPLE_API` */
  readonly api?: Partial<SimulatedApi>;
  /** Streams that the account may have at once. @default 2000 */
  readonly concurrencyLimit?: number;
  /** Folder to which everything that is sent is written too. @default none */
  readonly sentDir?: string;
  /** The same seed gives the same ids. @default random */
  readonly seed?: string;
  readonly onEvent?: (event: SimulatorEvent) => void;
}

export type SimulatorEvent =
  | {
      readonly kind: 'stream_started';
      readonly rtmsStreamId: string;
      readonly entityId: string;
      readonly product: Product;
    }
  | {
      readonly kind: 'stream_stopped';
      readonly rtmsStreamId: string;
      readonly entityId: string;
      /** STOP_REASON. */
      readonly stopReason: number | undefined;
      readonly sent: SentReport;
    }
  | { readonly kind: 'webhook'; readonly delivery: WebhookDelivery };

/** A running fake Zoom, as tests and programs drive it. */
export interface Simulator extends AsyncDisposable {
  readonly clock: Clock;
  readonly signalingUrl: string;
  readonly mediaUrl: string;
  /** Addresses of the REST API, for `ZM_RTMS_API_URL` and `ZM_RTMS_OAUTH_URL`. */
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
   * @throws ServiceError `config/invalid` for a scenario with a wrong field
   */
  start(scenario: ScenarioInput): string | undefined;
  streams(): StreamInfo[];
  /**
   * Begins a meeting in which RTMS was not started yet: the REST API lists it and can start its stream.
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
  /** @returns when the stream has stopped and its payload files are written */
  finished(rtmsStreamId: string): Promise<SentReport>;
  /** The account's administrator makes new client secrets: signatures with the old ones are refused from now on. */
  rotate(secrets: Partial<Pick<SimulatorApp, 'clientSecret' | 'videoSdkSecret'>>): void;
  /** Sends the URL validation challenge. */
  validateUrl(url: string): Promise<boolean>;
  /** Ends every stream without a webhook or message, and the servers. */
  close(): Promise<void>;
}

/** Half the 20 ms grid on which frames are due. */
const TICK_MS = 10;

/** Starts a fake Zoom: signaling and media servers, the REST API, and the sender of webhooks. On loopback by default. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const app: SimulatorApp = { ...EXAMPLE_APP, ...options.app };
  const behaviour: Behaviour = {
    ...DOCUMENTED_BEHAVIOUR,
    ...formsFromEnvironment(options.missing),
    ...options.behaviour,
  };
  const clock = options.clock ?? scaledClock(options.speed);
  const { onEvent, sentDir } = options;
  const webhooks = new WebhookSender({
    urls: options.webhookUrls ?? [],
    secretToken: app.webhookSecretToken,
    clientId: app.clientId,
    clock,
    onAttempt: (delivery) => onEvent?.({ kind: 'webhook', delivery }),
  });
  const account = new ZoomAccount({
    clock,
    behaviour,
    seed: options.seed ?? randomUUID(),
    limit: options.concurrencyLimit ?? 2000,
    sentDir,
    webhooks,
    serverUrl,
    started: ({ rtmsStreamId, entityId, product }) =>
      onEvent?.({ kind: 'stream_started', rtmsStreamId, entityId, product }),
    stopped: ({ rtmsStreamId, entityId, stopReason }, sent) =>
      onEvent?.({ kind: 'stream_stopped', rtmsStreamId, entityId, stopReason, sent }),
  });

  const signaling = await listenForSockets(
    options.tls,
    options.signalingPort ?? 0,
    ([id, generation]) => {
      const stream = account.streamAt(id, generation);
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
      const stream = account.streamAt(id, generation);
      if (stream === 'dead' || !isMediaPath(path)) return undefined;
      return (socket) => serveMedia(connection(socket), stream, path, app, refusal(stream));
    },
    options.bindHost,
  );
  const api = await serveApi(
    { ...EXAMPLE_API, ...options.api },
    { clock, clientIds: [app.clientId, app.videoSdkKey], ...account.apiHost },
  );
  const stopTicking = clock.every(TICK_MS, () => account.advance());

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
      return account.start(scenario, scenario.entityId);
    },
    openMeeting: (input) => account.openMeeting(parseScenario(input)),
    endMeeting: (entityId) => account.endMeeting(entityId),
    streams: () => account.streams(),
    serverUrl: (rtmsStreamId) => serverUrl(account.stream(rtmsStreamId)),
    act(rtmsStreamId, action) {
      const stream = account.stream(rtmsStreamId);
      stream.advance();
      stream.act(parseAction(action));
    },
    sent: (rtmsStreamId) => account.stream(rtmsStreamId).ledger.report(),
    finished: (rtmsStreamId) => account.finished(rtmsStreamId),
    rotate: (secrets) => void Object.assign(app, secrets),
    validateUrl: (url) => webhooks.validateUrl(url),
    async close() {
      stopTicking();
      webhooks.close();
      await account.close();
      api.close();
      await Promise.all([signaling.close(), media.close()]);
    },
    [Symbol.asyncDispose]: () => simulator.close(),
  };

  return simulator;
}
