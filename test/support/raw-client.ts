import { once } from 'node:events';
import { WebSocket } from 'ws';
import { signHandshake } from '../../rtms/protocol/client-messages.ts';
import { MESSAGE_TYPE } from '../../rtms/protocol/constants.ts';
import { ENTITY_ID_FIELD } from '../../rtms/protocol/product.ts';
import type { ManualClock } from '../../simulator/clock.ts';
import type { Simulator } from '../../simulator/simulator.ts';
import { EXAMPLE_APP } from '../../simulator/sockets/handshake.ts';

/** Whatever came over the wire; tests look inside. */
// biome-ignore lint/suspicious/noExplicitAny: messages are compared with literals, never trusted
export type WireMessage = any;

/**
 * A WebSocket that knows nothing of RTMS but how to echo a keep-alive: what tests of the simulator speak
 * with, so that no rule of the real client can hide a mistake of the server.
 */
export class RawSocket {
  readonly socket: WebSocket;
  /** Messages not taken by `next` yet, oldest first. */
  readonly unread: WireMessage[] = [];
  /** Opcode of the last message. */
  lastWasBinary = false;
  /** Echo message 12 (and keep it out of `unread`). */
  answersKeepAlives = true;
  /** Close code, once closed. */
  readonly closed: Promise<number>;
  #waiting: (() => void)[] = [];

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('message', (data, isBinary) => {
      const text = data.toString();
      const message = JSON.parse(text) as WireMessage;
      this.lastWasBinary = isBinary;
      if (message.msg_type === MESSAGE_TYPE.KEEP_ALIVE_REQ && this.answersKeepAlives) {
        socket.send(text.replace(/"msg_type":12/, '"msg_type":13'));
      } else this.unread.push(message);
      this.#wake();
    });
    socket.on('close', () => this.#wake());
  }

  /** Rejects when nobody listens at the address. */
  static async open(url: string): Promise<RawSocket> {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    const raw = new RawSocket(socket);
    await once(socket, 'open');
    socket.on('error', () => {});
    return raw;
  }

  send(message: Readonly<Record<string, unknown>>): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Takes the next message of a type, leaving others unread. Rejects when the socket closes first. */
  async next(
    msgType: number,
    matches: (message: WireMessage) => boolean = () => true,
  ): Promise<WireMessage> {
    for (;;) {
      const at = this.unread.findIndex(
        (message) => message.msg_type === msgType && matches(message),
      );
      const [message] = at < 0 ? [] : this.unread.splice(at, 1);
      if (message) return message;
      if (this.socket.readyState >= WebSocket.CLOSING) throw new Error(`closed before ${msgType}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Everything the server had sent until now has arrived. */
  async caughtUp(): Promise<void> {
    this.socket.ping();
    await once(this.socket, 'pong');
  }

  /** Takes every unread message of a type. */
  take(msgType: number): WireMessage[] {
    const taken = this.unread.filter((message) => message.msg_type === msgType);
    const rest = this.unread.filter((message) => message.msg_type !== msgType);
    this.unread.splice(0, this.unread.length, ...rest);
    return taken;
  }

  /** Closes in good order: reads on until the server answered. */
  async close(): Promise<void> {
    this.socket.close(1000);
    await this.closed;
  }

  #wake(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }
}

/** The fields that messages 1 and 3 share, signed with the example credentials. */
export function handshakeIds(simulator: Simulator, rtmsStreamId: string): Record<string, string> {
  const stream = simulator.streams().find((one) => one.rtmsStreamId === rtmsStreamId);
  if (stream === undefined) throw new Error(`no stream ${rtmsStreamId}`);
  const { product, entityId } = stream;
  const isSession = product === 'session';
  const clientId = isSession ? EXAMPLE_APP.videoSdkKey : EXAMPLE_APP.clientId;
  const clientSecret = isSession ? EXAMPLE_APP.videoSdkSecret : EXAMPLE_APP.clientSecret;
  return {
    [ENTITY_ID_FIELD[product]]: entityId,
    rtms_stream_id: rtmsStreamId,
    signature: signHandshake({ clientId, clientSecret, entityId, rtmsStreamId }),
  };
}

/** Lets time pass in steps that leave every socket the time to answer its keep-alives. */
export async function pass(
  clock: ManualClock,
  durationMs: number,
  sockets: readonly RawSocket[],
): Promise<void> {
  for (let leftMs = durationMs; leftMs > 0; leftMs -= 10_000) {
    clock.advance(Math.min(leftMs, 10_000));
    // Twice: after the first the questions have come, after the second the answers have gone.
    for (const socket of [...sockets, ...sockets]) await socket.caughtUp();
  }
}

/** Opens the signaling socket and gets through messages 1 and 2. */
export async function joinSignaling(
  simulator: Simulator,
  rtmsStreamId: string,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<{ signaling: RawSocket; response: WireMessage }> {
  const signaling = await RawSocket.open(simulator.serverUrl(rtmsStreamId));
  signaling.send({ msg_type: 1, ...handshakeIds(simulator, rtmsStreamId), ...fields });
  return { signaling, response: await signaling.next(2) };
}

/** Opens a media socket and gets through messages 3 and 4. */
export async function joinMedia(
  simulator: Simulator,
  rtmsStreamId: string,
  url: string,
  fields: Readonly<Record<string, unknown>>,
): Promise<{ media: RawSocket; response: WireMessage }> {
  const media = await RawSocket.open(url);
  media.send({ msg_type: 3, ...handshakeIds(simulator, rtmsStreamId), ...fields });
  return { media, response: await media.next(4) };
}

/** A client with one socket for everything, subscribed to `events` and ready. */
export async function joinUnified(
  simulator: Simulator,
  rtmsStreamId: string,
  options: {
    media_params?: unknown;
    events?: readonly number[];
    handshake?: Readonly<Record<string, unknown>>;
  } = {},
): Promise<{ signaling: RawSocket; media: RawSocket; urls: Record<string, string> }> {
  const { signaling, response } = await joinSignaling(simulator, rtmsStreamId, options.handshake);
  const urls: Record<string, string> = response.media_server.server_urls;
  const events = options.events?.map((event_type) => ({ event_type, subscribe: true }));
  if (events) signaling.send({ msg_type: 5, events });
  const { media } = await joinMedia(simulator, rtmsStreamId, urls['all'] ?? '', {
    media_type: 32,
    media_params: options.media_params,
  });
  signaling.send({ msg_type: 7, rtms_stream_id: rtmsStreamId });
  await signaling.next(8);
  return { signaling, media, urls };
}
