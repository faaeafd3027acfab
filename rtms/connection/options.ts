import { type Logger, SILENT_LOGGER } from '../../shared/logger.ts';
import { DEFAULT_MEDIA_REQUEST, type MediaRequest } from '../protocol/params.ts';
import { DEFAULT_PROTOCOL, type ProtocolSettings } from '../protocol/protocol-settings.ts';
import type { SocketFollower } from '../wire/standstills.ts';
import type { ReadMeter, ReadRest } from '../wire/wire.ts';
import { type Backoff, redialDelayMs } from './delays.ts';
import type { RenewCredentials } from './handshake-signer.ts';

export interface RtmsClientOptions {
  /**
   * Whether an address may be connected to and get our signature, signaling and media alike. Without this check a
   * forged webhook or handshake answer could collect the signature.
   */
  readonly isAllowedAddress: (url: string) => boolean;
  /**
   * What to ask Zoom for. Media types for which the app has no scope are left out, and the others flow.
   *
   * @default DEFAULT_MEDIA_REQUEST, everything with the defaults of Zoom's SDK
   */
  readonly media?: MediaRequest;
  /**
   * Called at every signaling handshake: what is wanted from then on. For callers that change it while connected.
   *
   * @default what `media` says
   */
  readonly currentMedia?: () => MediaRequest;
  /** Called for every message received and sent, with its type and size: for logs. @default none */
  readonly onWireMessage?: WireMessageListener;
  /**
   * One socket for each media type, or one for all. With `split` a slow or lost type does not touch the others;
   * `unified` costs one socket only, and is used in any case where Zoom offers no other address.
   *
   * @default 'split'
   */
  readonly layout?: 'split' | 'unified';
  /**
   * Event types to subscribe to, in the product's own numbers.
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
   * Take the audio that Zoom kept since the stream started, 60 s at most. It comes as a burst.
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
   * Decode all payloads into one buffer, so that a frame's `payload` is only valid until its listeners return. For
   * listeners that copy the payload anyway: allocating memory for every frame costs more than filling it.
   *
   * @default false: a listener may keep `payload`
   */
  readonly lendPayloads?: boolean;
  /**
   * How long a busy socket rests between two reads. Adds that much latency for a third less CPU: for callers that
   * batch frames anyway. During a frame's event `heldMs` tells how long the frame may have waited already.
   *
   * @default none: every frame is told as soon as it arrives
   */
  readonly rest?: ReadRest;
  /**
   * Called after each read with the time it took; returns how long that socket has to rest. For a process with several
   * sessions: without it one busy session would keep the others waiting.
   *
   * @default none: every socket reads as much as it can
   */
  readonly meter?: ReadMeter | undefined;
  /**
   * Reads the credentials again when Zoom refuses the signature (status 3), because the client secret may have been
   * rotated. Called every 5 s while Zoom's window is open. The client repeats the handshake once the signature is
   * another one, and ends as `refused` if the window passes before.
   *
   * @default none: status 3 ends the join
   */
  readonly renewCredentials?: RenewCredentials;
  /** Certificates to trust, PEM. @default Node's own and NODE_EXTRA_CA_CERTS */
  readonly ca?: string | Buffer;
  /** Forward proxy, `http://host:port`. @default a direct connection */
  readonly proxyUrl?: string;
  /** Limit for TCP, TLS and upgrade of one socket, ms; after it the next attempt. @default 10000 */
  readonly connectTimeoutMs?: number;
  /** Limit from the open socket to the handshake answer, ms; after it the next attempt. @default 10000 */
  readonly handshakeTimeoutMs?: number;
  /**
   * Silence, neither keep-alive nor data, after which a socket is redialled at the latest, ms. Zoom's own value of
   * 65 s would be longer than its reconnect window of 60 s.
   *
   * @default 35000
   */
  readonly watchdogMs?: number;
  /** Zoom's window for signaling, ms: from the first sign of trouble until the client ends as `lost`. @default 60000 */
  readonly signalingWindowMs?: number;
  /**
   * Zoom's window for a media connection, ms, from the first sign of trouble. While another media connection is up, a
   * lost one goes on trying after it. If none is up, the connection ends, and with the last one the client, as `lost`.
   *
   * @default 65000
   */
  readonly mediaWindowMs?: number;
  /**
   * Zoom may notify that a media connection is broken without saying which. This long after the notice, ms, every media
   * connection that brought nothing since is redialled. Longer than Zoom's keep-alive interval of 10 s, because a
   * healthy connection may be silent that long.
   *
   * @default 12000
   */
  readonly noticeMs?: number;
  /** How long closing waits for Zoom's half of the close handshake, ms. @default 2000 */
  readonly closeTimeoutMs?: number;
  /** How long `joined` and the first frames wait for slower media connections, ms. @default 1000 */
  readonly mediaWaitMs?: number;
  /** How much media is held that comes before its parameters, bytes. @default 4 MiB */
  readonly maxHeldBytes?: number;
  /** Delay before a redial. @default redialDelayMs */
  readonly backoff?: Backoff;
  /** @default silent */
  readonly logger?: Logger;
  /** Unix ms: when something was received. @default Date.now */
  readonly now?: () => number;
  /**
   * Monotonic ms, for durations. Windows measured by the wall clock would end too early or never when that clock is
   * set.
   *
   * @default performance.now
   */
  readonly clock?: () => number;
  /**
   * A process that stands still notices a broken connection only when it goes on, and has read what came before. A connection that is found
   * broken then is told as gone since the standstill. One `Standstills` for all clients of a process.
   *
   * @default the process never stands still
   */
  readonly standstills?: SocketFollower;
  /** For jitter, 0 to 1. @default Math.random */
  readonly random?: () => number;
}

/** @param msgType MESSAGE_TYPE; undefined for a message that could not be read */
export type WireMessageListener = (
  direction: 'received' | 'sent',
  msgType: number | undefined,
  sizeBytes: number,
) => void;

/** The options with every default filled in. */
export type CompleteOptions = Required<Omit<RtmsClientOptions, OptionalName>> & {
  readonly events: readonly number[] | undefined;
  readonly renewCredentials: RenewCredentials | undefined;
  readonly ca: string | Buffer | undefined;
  readonly proxyUrl: string | undefined;
  readonly currentMedia: (() => MediaRequest) | undefined;
  readonly onWireMessage: WireMessageListener | undefined;
  readonly standstills: SocketFollower | undefined;
};

type OptionalName =
  | 'events'
  | 'renewCredentials'
  | 'ca'
  | 'proxyUrl'
  | 'currentMedia'
  | 'onWireMessage'
  | 'standstills';

/** Fills in the defaults. */
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
    mediaWaitMs: 1_000,
    maxHeldBytes: 4 * 1024 * 1024,
    backoff: redialDelayMs,
    logger: SILENT_LOGGER,
    now: Date.now,
    clock: () => performance.now(),
    standstills: undefined,
    random: Math.random,
    ...options,
  };
}
