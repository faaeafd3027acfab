import type { RtmsClient } from '../../rtms/client.ts';
import type { AgreedMedia } from '../../rtms/protocol/agreed-media.ts';
import { ServiceError } from '../../shared/errors.ts';
import { isCount, isUserId } from '../../shared/input-limits.ts';
import {
  DEFAULT_ALLOWED_HOSTS,
  isAllowedAddress,
  parseAllowedHosts,
} from '../../shared/zoom/allowed-hosts.ts';
import type { Executor } from './callbacks/executor.ts';
import { JoinedStream } from './joined-stream.ts';
import { liveClient } from './live-clients.ts';
import {
  defaultCa,
  defaultExecutor,
  environment,
  setDefaultCa,
  setInitialized,
} from './settings/environment.ts';
import {
  invalidParam,
  type JoinParams,
  type JoinPayload,
  parseJoin,
  payloadOf,
  serverUrlsOf,
  streamIdOf,
} from './settings/join-params.ts';
import { createSdkLogger, logWireMessages } from './settings/logger.ts';
import { MediaRegistrar } from './settings/media-registrar.ts';

/** Options of `new Client(options)`, all of one client. */
export interface ClientOptions {
  /** Where callbacks registered by name run. @default the executor of `run` */
  executor?: Executor;
  /**
   * Hosts that may be signed for and connected to, subdomains included, comma-separated. Plain `ws:` only
   * for loopback hosts named here.
   *
   * @default ZM_RTMS_ALLOWED_HOSTS, else Zoom's own hosts
   */
  allowedHosts?: string;
  /** One socket for each media type, or one for all. @default 'split' */
  layout?: 'split' | 'unified';
  /**
   * How much may wait for slow callbacks, bytes. Beyond that the oldest frames are dropped, video first.
   *
   * @default 16 MiB
   */
  maxQueuedBytes?: number;
}

/**
 * What `leave` and `release` return: a promise of `true`, under a type that also fits programs written for Zoom's
 * SDK, where both return a boolean.
 */
export type Left = boolean & Promise<boolean>;

const DEFAULT_MAX_QUEUED_BYTES = 16 * 1024 * 1024;

/**
 * A client of one RTMS stream, with the surface of Zoom's SDK. It reconnects by itself until the stream ends, and
 * asks for the media types that have a callback.
 */
export class Client extends MediaRegistrar implements AsyncDisposable {
  readonly #options: ClientOptions;
  readonly #events = new Map<number, boolean>();
  #videoUserId: number | undefined;
  #proxyUrl: string | undefined;
  /** The stream the client is on; undefined from `leave` on. */
  #joined: JoinedStream | undefined;
  /** The stream joined last, also after it was left or has ended. */
  #last: JoinedStream | undefined;
  #closed: Promise<void> = Promise.resolve();
  #uuid = '';
  #streamId = '';
  #released = false;

  constructor(options: ClientOptions = {}) {
    super();
    this.#options = options;
  }

  /** Trusts these roots in every later join of the process that names none. Path of a PEM file, or PEM. */
  static initialize(ca?: string, _isVerifyCert?: number, _agent?: string): boolean {
    setDefaultCa(ca);
    setInitialized(true);
    return true;
  }

  /** Drops the roots that `initialize` was given. @returns true, as Zoom's SDK does */
  static uninitialize(): boolean {
    setDefaultCa(undefined);
    setInitialized(false);
    return true;
  }

  /**
   * Starts joining; `onJoinConfirm` is called when media flows. A second call for the same stream, with the
   * payload of a second started webhook, reconnects to the addresses in it.
   *
   * When a client of this process was told to leave the stream and has not closed its sockets yet, the join waits
   * for it.
   *
   * @throws ServiceError `rtms/invalid-params` naming the field; `rtms/invalid-state` when this client is still on
   *   another stream, or another client of this process on this one; ReferenceError without credentials
   */
  join(params: JoinParams | JoinPayload): boolean;
  join(
    uuid: string,
    streamId: string,
    signature: string,
    serverUrls: string,
    timeout?: number,
  ): boolean;
  join(
    first: JoinParams | JoinPayload | string,
    ...rest: [string?, string?, string?, number?]
  ): boolean {
    if (this.#released) throw invalidState('the client was released');
    const params = payloadOf(first, ...rest);
    if (this.#joined !== undefined && this.#streamId === streamIdOf(params)) {
      this.#joined.failOver(serverUrlsOf(params));
    } else {
      this.#join(params);
    }
    return true;
  }

  #join(params: JoinPayload): void {
    if (this.#joined !== undefined) throw invalidState('the client has not left its stream');
    const logger = createSdkLogger('client');
    const { join, timeoutMs, ca } = parseJoin({ ...defaultCa(), ...params }, logger);
    const { rtmsStreamId, entityId, serverUrls } = join;
    const live = liveClient(rtmsStreamId);
    if (live !== undefined) {
      // New addresses mean that the old ones are going away, so the client that has the stream needs them.
      live.failOver(serverUrls);
      throw invalidState('another client of this process has the stream, and Zoom allows one');
    }
    const { allowedHosts, layout, maxQueuedBytes = DEFAULT_MAX_QUEUED_BYTES } = this.#options;
    const hosts = parseAllowedHosts(
      allowedHosts ?? environment('ZM_RTMS_ALLOWED_HOSTS') ?? DEFAULT_ALLOWED_HOSTS,
    );
    const streamLogger = logger.child({ rtmsStreamId });
    setInitialized(true);
    const joined = new JoinedStream(join, {
      client: {
        isAllowedAddress: (url) => isAllowedAddress(url, hosts),
        logger: streamLogger,
        onWireMessage: logWireMessages(streamLogger),
        ...(layout !== undefined && { layout }),
        ...(timeoutMs !== undefined && {
          connectTimeoutMs: timeoutMs,
          handshakeTimeoutMs: timeoutMs,
        }),
        ...(ca !== undefined && { ca }),
        ...(this.#proxyUrl !== undefined && { proxyUrl: this.#proxyUrl }),
      },
      delivery: {
        callbacks: this.callbacks,
        maxQueuedBytes,
        executor: () => this.#options.executor ?? defaultExecutor(),
        logger: streamLogger,
      },
      media: () => this.mediaRequest(),
      previous: this.#last,
      started: (rtms) => {
        for (const [type, on] of this.#events) rtms.subscribeEvents([type], on);
        if (this.#videoUserId !== undefined) rtms.subscribeVideo(this.#videoUserId, true);
        streamLogger.info('joining', { product: join.product });
      },
    });
    this.#joined = joined;
    this.#last = joined;
    this.#uuid = entityId;
    this.#streamId = rtmsStreamId;
    joined.rtms.once('ended', () => {
      if (this.#joined === joined) this.#joined = undefined;
    });
  }

  /**
   * Leaves the stream; does nothing when there is none to leave. From here on only `onEnded` and `onLeave` are
   * called, and the client may join again at once. Zoom keeps the stream for a minute in case somebody comes back,
   * unless `closeStream` ends it for everybody.
   *
   * @returns a promise of `true` for when the connections are closed
   */
  leave(options: { closeStream?: boolean } = {}): Left {
    const joined = this.#joined;
    this.#joined = undefined;
    if (joined !== undefined) this.#closed = joined.leave(options);
    return this.#closed.then(() => true) as Left;
  }

  /** Leaves for good: the client cannot join again. */
  release(): Left {
    this.#released = true;
    return this.leave();
  }

  /** Leaves, and waits for the callbacks that are still running. */
  async [Symbol.asyncDispose](): Promise<void> {
    const joined = this.#joined;
    this.#joined = undefined;
    await (joined?.finish() ?? this.#last?.finished);
  }

  /** The product's own id of the stream joined last, or the empty string. */
  uuid(): string {
    return this.#uuid;
  }

  /** The rtms_stream_id joined last, or the empty string. */
  streamId(): string {
    return this.#streamId;
  }

  /** Parameters of the media connections that are up, as Zoom answered them. */
  get media(): AgreedMedia {
    return this.#joined?.rtms.media ?? {};
  }

  /** Does nothing: there is no native library to poll. */
  poll(): boolean {
    return true;
  }

  /**
   * Sends every connection of the next join through a forward proxy.
   *
   * @param type of the proxy itself: `http` or `https`
   * @throws ServiceError `rtms/invalid-params` for anything else: a typing error must not go around the proxy
   */
  setProxy(type: string, url: string): boolean {
    const proxy = URL.parse(url);
    if ((type !== 'http' && type !== 'https') || proxy?.protocol !== `${type}:`) {
      throw new ServiceError('rtms/invalid-params', 'setProxy needs http or https and its URL', {
        detail: { field: 'proxy', value: type, allowed: ['http', 'https'] },
      });
    }
    this.#proxyUrl = url;
    return true;
  }

  /**
   * Selects or deselects the one participant whose video Zoom sends, with VIDEO_SINGLE_INDIVIDUAL_STREAM. A new
   * selection replaces the one before. It may be called at any time, before `join` too: the selection is sent as
   * soon as the video connection is up, and again after every reconnect.
   */
  subscribeVideo(userId: number, subscribe: boolean): boolean {
    if (!isUserId(userId)) throw invalidParam('userId', userId, ['the id of a participant']);
    if (subscribe) this.#videoUserId = userId;
    else if (this.#videoUserId === userId) this.#videoUserId = undefined;
    this.#rtms?.subscribeVideo(userId, subscribe);
    return true;
  }

  /** Adds event types, EVENT_*. A client starts with every event of the product. */
  subscribeEvent(events: readonly number[]): boolean {
    return this.#subscribe(events, true);
  }

  /** Takes event types away, EVENT_*. @returns true, as Zoom's SDK does */
  unsubscribeEvent(events: readonly number[]): boolean {
    return this.#subscribe(events, false);
  }

  protected override askForMedia(): void {
    this.#joined?.mediaChanged();
  }

  #subscribe(types: readonly number[], on: boolean): boolean {
    for (const type of types) {
      if (!isCount(type)) throw invalidParam('events', type, ['the numbers of EVENT_*']);
    }
    for (const type of types) this.#events.set(type, on);
    this.#rtms?.subscribeEvents(types, on);
    return true;
  }

  /** Undefined until the client has joined. The `started` listener sends earlier subscriptions then. */
  get #rtms(): RtmsClient | undefined {
    return this.#joined?.hasStarted ? this.#joined.rtms : undefined;
  }
}

function invalidState(what: string): ServiceError {
  return new ServiceError('rtms/invalid-state', what);
}
