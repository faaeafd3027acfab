import { type Logger, SILENT_LOGGER } from '../shared/logger.ts';
import type { RenewCredentials } from './connection/handshake-signer.ts';
import { type Backoff, redialDelayMs } from './connection/redial-delay.ts';
import { DEFAULT_MEDIA_REQUEST, type MediaRequest } from './protocol/params.ts';
import { DEFAULT_PROTOCOL, type ProtocolSettings } from './protocol/protocol-settings.ts';
import type { ReadMeter, ReadRest } from './wire/wire.ts';

export interface RtmsClientOptions {
  /**
   * Whether an address may be signed for and connected to, signaling and media alike. Without this check a
   * forged webhook or handshake answer would collect our signature.
   */
  readonly isAllowedAddress: (url: string) => boolean;
  /**
   * What to ask Zoom for. Types the app has no scope for are left out without harm to the others.
   *
   * @default DEFAULT_MEDIA_REQUEST, everything with the defaults of Zoom's SDK
   */
  readonly media?: MediaRequest;
  /**
   * Asked at every signaling handshake, for who changes while connected what it wants.
   *
   * @default what `media` says
   */
  readonly currentMedia?: () => MediaRequest;
  /** Told of every message that comes or goes: its type and size, for logs. @default nobody is told */
  readonly onWireMessage?: WireMessageListener;
  /**
   * One socket per media type, or one for all. Split keeps a slow or lost type from touching the others;
   * unified costs one socket. Where Zoom offers only the unified address, that is used.
   *
   * @default 'split'
   */
  readonly layout?: 'split' | 'unified';
  /**
   * Event types to subscribe to, by the product's own numbers.
   *
   * @default every event of the product
   */
  readonly events?: readonly number[];
  /**
   * Version, format and transport, and names for event codes.
   *
   * @default DEFAULT_PROTOCOL: version 1, JSON over WebSocket
   */
  readonly protocol?: ProtocolSettings;
  /**
   * Take the audio Zoom kept since the start (60 s at most), as a burst.
   *
   * @default true
   */
  readonly bufferData?: boolean;
  /**
   * What speaks WebSocket: our own code, or the `ws` package as the reference. Through a proxy it is always `ws`.
   *
   * @default 'lean'
   */
  readonly webSocket?: 'lean' | 'ws';
  /**
   * Decode all payloads into one buffer: a frame's `payload` is only valid until its listeners return. For
   * listeners that copy it anyway, because memory for every frame costs more than to fill it.
   *
   * @default false: `payload` is the listener's to keep
   */
  readonly lendPayloads?: boolean;
  /**
   * How long a busy socket rests between two reads: adds that much latency for a third less CPU. For callers that
   * batch frames anyway; `heldMs` tells them, during a frame's event, how much of their own wait is over.
   *
   * @default none: every frame is told as soon as it is there
   */
  readonly rest?: ReadRest;
  /**
   * Told what each read took; answers how long that socket has to rest. For a process with other sessions, which
   * one of them must not keep from their turn.
   *
   * @default none: every socket reads as much as it can
   */
  readonly meter?: ReadMeter | undefined;
  /**
   * Reads the credentials again when Zoom refuses the signature (status 3): the client secret may have been
   * rotated. Asked every 5 s while Zoom's window is open; the client shakes hands again once another signature
   * comes of it, and ends as `refused` when none does.
   *
   * @default none: status 3 ends the join
   */
  readonly renewCredentials?: RenewCredentials;
  /** Certificates to trust, PEM. @default Node's own and NODE_EXTRA_CA_CERTS */
  readonly ca?: string | Buffer;
  /** Forward proxy, `http://host:port`. @default a direct connection */
  readonly proxyUrl?: string;
  /** TCP, TLS and upgrade of one socket, ms; then the next attempt. @default 10000 */
  readonly connectTimeoutMs?: number;
  /** Socket open to handshake answer, ms; then the next attempt. @default 10000 */
  readonly handshakeTimeoutMs?: number;
  /**
   * Silence (no keep-alive and no data) after which a socket is redialled at the latest, ms.
   * Zoom's own 65 s would miss its 60 s reconnect window.
   *
   * @default 35000
   */
  readonly watchdogMs?: number;
  /** First sign of trouble on signaling to the end as `lost`, ms: Zoom's window. @default 60000 */
  readonly signalingWindowMs?: number;
  /**
   * First sign of trouble on a media socket to giving it up, ms: Zoom's window. While another media socket
   * is up it goes on trying; once the last one gives up, the client ends as `lost`.
   *
   * @default 65000
   */
  readonly mediaWindowMs?: number;
  /**
   * Zoom's notice of a broken media connection, which does not say which, to redialling every media socket that
   * brought nothing since, ms. Longer than Zoom's keep-alive interval of 10 s: silence alone is no fault.
   *
   * @default 12000
   */
  readonly noticeMs?: number;
  /** How long closing waits for Zoom's half of the close handshake, ms. @default 2000 */
  readonly closeTimeoutMs?: number;
  /** How long `joined` and the first frames wait for slower media sockets, ms. @default 1000 */
  readonly settleMs?: number;
  /** How much media that comes before its parameters may wait for them, bytes. @default 4 MiB */
  readonly maxHeldBytes?: number;
  /** Delay before a redial. @default redialDelayMs */
  readonly backoff?: Backoff;
  /** @default silent */
  readonly logger?: Logger;
  /** Unix ms: when something was received. @default Date.now */
  readonly now?: () => number;
  /**
   * Monotonic ms: how long something took. Windows on the wall clock would end a session, or never, when that
   * clock is set.
   *
   * @default performance.now
   */
  readonly clock?: () => number;
  /** For jitter, 0 to 1. @default Math.random */
  readonly random?: () => number;
}

/** @param msgType MESSAGE_TYPE; undefined for what could not be read */
export type WireMessageListener = (
  direction: 'received' | 'sent',
  msgType: number | undefined,
  sizeBytes: number,
) => void;

export type CompleteOptions = Required<Omit<RtmsClientOptions, OptionalName>> & {
  readonly events: readonly number[] | undefined;
  readonly renewCredentials: RenewCredentials | undefined;
  readonly ca: string | Buffer | undefined;
  readonly proxyUrl: string | undefined;
  readonly currentMedia: (() => MediaRequest) | undefined;
  readonly onWireMessage: WireMessageListener | undefined;
};

type OptionalName =
  | 'events'
  | 'renewCredentials'
  | 'ca'
  | 'proxyUrl'
  | 'currentMedia'
  | 'onWireMessage';

export function completeOptions(options: RtmsClientOptions): CompleteOptions {
  return {
    media: DEFAULT_MEDIA_REQUEST,
    layout: 'split',
    currentMedia: undefined,
    onWireMessage: undefined,
    events: undefined,
    protocol: DEFAULT_PROTOCOL,
    bufferData: true,
    webSocket: 'lean',
    lendPayloads: false,
    rest: { maxMs: 0, heldMs: 0 },
    meter: undefined,
    renewCredentials: undefined,
    ca: undefined,
    proxyUrl: undefined,
    connectTimeoutMs: 10_000,
    handshakeTimeoutMs: 10_000,
    watchdogMs: 35_000,
    signalingWindowMs: 60_000,
    mediaWindowMs: 65_000,
    noticeMs: 12_000,
    closeTimeoutMs: 2_000,
    settleMs: 1_000,
    maxHeldBytes: 4 * 1024 * 1024,
    backoff: redialDelayMs,
    logger: SILENT_LOGGER,
    now: Date.now,
    clock: () => performance.now(),
    random: Math.random,
    ...options,
  };
}
