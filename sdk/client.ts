import { ServiceError } from '../shared/errors.ts';
import type { EffectiveMedia } from '../shared/rtms/effective-media.ts';
import {
  DEFAULT_ALLOWED_HOSTS,
  isAllowedAddress,
  parseAllowedHosts,
} from '../shared/zoom/allowed-hosts.ts';
import { CallbackRegistrar } from './callback-registrar.ts';
import { environment } from './environment.ts';
import type { Executor } from './executor.ts';
import { type JoinParams, parseJoin, readServerUrls } from './join-params.ts';
import { JoinedStream } from './joined-stream.ts';
import { liveClient } from './live-clients.ts';
import { createLogger } from './logger.ts';
import {
  type AudioParams,
  audioFields,
  type DeskshareParams,
  pictureFields,
  type TranscriptParams,
  transcriptFields,
  type VideoParams,
} from './media-params.ts';
import { MediaSettings } from './media-settings.ts';
import { defaultCa, defaultExecutor, setDefaultCa } from './process-defaults.ts';

export interface ClientOptions {
  /** Where callbacks registered by name run. @default the executor of `run` */
  readonly executor?: Executor;
  /**
   * Hosts that may be signed for and connected to, subdomains included, comma-separated. Plain `ws:` only
   * for loopback hosts named here.
   *
   * @default ZM_RTMS_ALLOWED_HOSTS, else Zoom's own hosts
   */
  readonly allowedHosts?: string;
  /** One socket for each media type, or one for all. @default 'split' */
  readonly layout?: 'split' | 'unified';
  /** How much may wait for slow callbacks, bytes; then the oldest goes, video first. @default 16 MiB */
  readonly maxQueuedBytes?: number;
}

const DEFAULT_MAX_QUEUED_BYTES = 16 * 1024 * 1024;

/**
 * A client of one RTMS stream, with the surface of Zoom's SDK. It reconnects by itself until the stream
 * ends. Media types are asked for when they have a callback.
 */
export class Client extends CallbackRegistrar implements AsyncDisposable {
  readonly #options: ClientOptions;
  readonly #media = new MediaSettings();
  readonly #events = new Map<number, boolean>();
  #videoUserId: number | undefined;
  #proxyUrl: string | undefined;
  #joined: JoinedStream | undefined;
  #finished: Promise<void> = Promise.resolve();
  #uuid = '';
  #streamId = '';
  #released = false;

  constructor(options: ClientOptions = {}) {
    super();
    this.#options = options;
  }

  /** Trusts these roots in every later join of the process that names none. Path of a PEM file, or PEM. */
  static initialize(ca?: string): boolean {
    setDefaultCa(ca);
    return true;
  }

  static uninitialize(): boolean {
    setDefaultCa(undefined);
    return true;
  }

  /**
   * Starts joining; `onJoinConfirm` tells when media flows. A second call for the same stream, with the
   * payload of a second started webhook, reconnects to the addresses in it.
   *
   * @throws ServiceError `rtms/invalid-params` naming the field; `rtms/invalid-state` when this client, or
   *   another one of this process, has not yet left what it joined; ReferenceError without credentials
   */
  join(params: JoinParams): boolean;
  join(
    uuid: string,
    streamId: string,
    signature: string,
    serverUrls: string,
    timeout?: number,
  ): boolean;
  join(
    first: JoinParams | string,
    streamId = '',
    signature = '',
    serverUrls = '',
    timeout = -1,
  ): boolean {
    if (this.#released) throw invalidState('the client was released');
    const params: JoinParams =
      typeof first === 'string'
        ? {
            meeting_uuid: first,
            rtms_stream_id: streamId,
            signature,
            server_urls: serverUrls,
            timeout,
          }
        : first;
    if (this.#joined !== undefined && this.#streamId === streamIdOf(params)) {
      this.#joined.failOver(readServerUrls({ ...params, ...params.object }.server_urls));
      return true;
    }
    this.#join(params);
    return true;
  }

  #join(params: JoinParams): void {
    if (this.#joined !== undefined) throw invalidState('the client has not left its stream');
    const { join, timeoutMs, ca } = parseJoin({ ...defaultCa(), ...params });
    const { rtmsStreamId, entityId } = join;
    if (liveClient(rtmsStreamId) !== undefined) {
      throw invalidState('another client of this process has the stream, and Zoom allows one');
    }
    const { allowedHosts, layout, maxQueuedBytes = DEFAULT_MAX_QUEUED_BYTES } = this.#options;
    const hosts = parseAllowedHosts(
      allowedHosts ?? environment('ZM_RTMS_ALLOWED_HOSTS') ?? DEFAULT_ALLOWED_HOSTS,
    );
    const logger = createLogger('client', { rtmsStreamId });
    const joined = new JoinedStream(
      join,
      {
        isAllowedAddress: (url) => isAllowedAddress(url, hosts),
        media: this.#media.request(this.callbacks),
        logger,
        ...(layout !== undefined && { layout }),
        ...(timeoutMs !== undefined && {
          connectTimeoutMs: timeoutMs,
          handshakeTimeoutMs: timeoutMs,
        }),
        ...(ca !== undefined && { ca }),
        ...(this.#proxyUrl !== undefined && { proxyUrl: this.#proxyUrl }),
      },
      {
        callbacks: this.callbacks,
        maxQueuedBytes,
        executor: () => this.#options.executor ?? defaultExecutor(),
        logger,
      },
    );
    const { rtms } = joined;
    this.#joined = joined;
    this.#finished = joined.finished;
    this.#uuid = entityId;
    this.#streamId = rtmsStreamId;
    rtms.once('ended', () => {
      this.#joined = undefined;
    });
    for (const [type, on] of this.#events) rtms.subscribeEvents([type], on);
    if (this.#videoUserId !== undefined) rtms.subscribeVideo(this.#videoUserId, true);
    logger.info('joining', { product: join.product });
  }

  /**
   * Leaves the stream; calling it again, or when there is nothing to leave, does nothing. Zoom waits a
   * minute for somebody to come back, unless `closeStream` ends the stream for everybody.
   *
   * @returns once the connections are closed: always true
   */
  async leave(options: { readonly closeStream?: boolean } = {}): Promise<boolean> {
    await this.#joined?.rtms.leave(options);
    return true;
  }

  /** Leaves for good: the client cannot join again. */
  release(): Promise<boolean> {
    this.#released = true;
    return this.leave();
  }

  /** Leaves, and waits for the callbacks that are still at work. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
    await this.#finished;
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
  get media(): EffectiveMedia {
    return this.#joined?.rtms.media ?? {};
  }

  /** Nothing to do: there is no native library to poll. */
  poll(): boolean {
    return true;
  }

  /**
   * The four setters take effect at the next join, in any order, and replace what they set before.
   *
   * @throws ServiceError `rtms/invalid-params`; `detail` names `field`, `value` and `allowed`
   */
  setAudioParams(params: AudioParams): boolean {
    return this.#media.set('audio', audioFields(params));
  }

  setVideoParams(params: VideoParams): boolean {
    return this.#media.set('video', pictureFields('video', params));
  }

  setDeskshareParams(params: DeskshareParams): boolean {
    return this.#media.set('deskshare', pictureFields('deskshare', params));
  }

  setTranscriptParams(params: TranscriptParams): boolean {
    return this.#media.set('transcript', transcriptFields(params));
  }

  /** Asks for a media type without a callback, or leaves one out that has a callback. */
  enableAudio(enable: boolean): boolean {
    return this.#media.enable('audio', enable);
  }

  enableVideo(enable: boolean): boolean {
    return this.#media.enable('video', enable);
  }

  enableDeskshare(enable: boolean): boolean {
    return this.#media.enable('deskshare', enable);
  }

  enableTranscript(enable: boolean): boolean {
    return this.#media.enable('transcript', enable);
  }

  enableChat(enable: boolean): boolean {
    return this.#media.enable('chat', enable);
  }

  /**
   * Sends every connection of the next join through a forward proxy.
   *
   * @param type of the proxy itself: `http` or `https`
   * @throws ServiceError `rtms/invalid-params`: going around a proxy must not happen by a typing error
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
   * Selects or deselects the one participant whose video is sent, with VIDEO_SINGLE_INDIVIDUAL_STREAM. A
   * new selection replaces the one before; before `join` it is kept until then.
   */
  subscribeVideo(userId: number, subscribe: boolean): boolean {
    if (subscribe) this.#videoUserId = userId;
    else if (this.#videoUserId === userId) this.#videoUserId = undefined;
    this.#joined?.rtms.subscribeVideo(userId, subscribe);
    return true;
  }

  /** Adds event types, EVENT_*. A client starts with every event of the product. */
  subscribeEvent(types: readonly number[]): boolean {
    return this.#subscribe(types, true);
  }

  unsubscribeEvent(types: readonly number[]): boolean {
    return this.#subscribe(types, false);
  }

  #subscribe(types: readonly number[], on: boolean): boolean {
    for (const type of types) this.#events.set(type, on);
    this.#joined?.rtms.subscribeEvents(types, on);
    return true;
  }
}

function streamIdOf(params: JoinParams): string | undefined {
  return params.object?.rtms_stream_id ?? params.rtms_stream_id;
}

function invalidState(what: string): ServiceError {
  return new ServiceError('rtms/invalid-state', what);
}
