import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/**
 * A Zoom that means harm: it shakes hands as Zoom does and then sends whatever it is told, on raw sockets, so that no
 * library keeps it from sending what no WebSocket server would. One stream is enough for every attack.
 */

const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const TEXT = 1;

interface Line {
  readonly path: string;
  readonly socket: Socket;
}

export class RawPeer {
  readonly #server: Server;
  readonly #lines = new Set<Line>();
  /** Messages of the client by type, for attacks that answer. */
  onMessage: (path: string, type: number) => void = () => {};
  /** Handshakes of either kind so far. */
  handshakes = 0;

  constructor() {
    this.#server = createServer((socket) => this.#accept(socket));
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this.#port;
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Is a media connection up? */
  get hasMedia(): boolean {
    return [...this.#lines].some(({ path }) => path.startsWith('/media'));
  }

  /** One message to every open connection whose path begins so; waits while the client does not read. */
  async send(path: string, message: unknown): Promise<void> {
    const text = Buffer.isBuffer(message)
      ? message
      : typeof message === 'string'
        ? message
        : JSON.stringify(message);
    await this.bytes(path, frame(Buffer.from(text)));
  }

  /** Any bytes, framed or not. */
  async bytes(path: string, bytes: Uint8Array): Promise<void> {
    for (const line of this.#lines) {
      if (!line.path.startsWith(path) || line.socket.destroyed) continue;
      if (line.socket.write(bytes)) continue;
      await writable(line.socket);
    }
  }

  /** Stops reading what the client answers. */
  stopReading(): void {
    for (const { socket } of this.#lines) socket.pause();
  }

  cut(path: string): void {
    for (const line of this.#lines) if (line.path.startsWith(path)) line.socket.destroy();
  }

  close(): void {
    this.cut('/');
    this.#server.close();
  }

  #accept(socket: Socket): void {
    let read = Buffer.alloc(0);
    let line: Line | undefined;
    socket.on('error', () => {});
    socket.on('close', () => line && this.#lines.delete(line));
    socket.on('data', (data) => {
      read = Buffer.concat([read, data]);
      if (!line) {
        const end = read.indexOf('\r\n\r\n');
        if (end < 0) return;
        const head = read.toString('latin1', 0, end);
        read = read.subarray(end + 4);
        socket.write(upgrade(head));
        line = { path: head.split(' ', 2)[1] ?? '/', socket };
        this.#lines.add(line);
      }
      for (let next = unmask(read); next; next = unmask(read)) {
        read = read.subarray(next.end);
        this.#answer(line, next.payload);
      }
    });
  }

  #answer({ path, socket }: Line, payload: Buffer): void {
    let type = 0;
    try {
      type = (JSON.parse(payload.toString()) as { msg_type: number }).msg_type;
    } catch {
      return;
    }
    const say = (message: object) => socket.write(frame(Buffer.from(JSON.stringify(message))));
    if (type === 1) {
      const all = `ws://127.0.0.1:${this.#port}/media/all`;
      const media_server = { server_urls: { audio: all.replace('all', 'audio'), transcript: all } };
      say({ msg_type: 2, status_code: 0, reason: '', media_server });
    }
    if (type === 3) say({ msg_type: 4, status_code: 0, reason: '' });
    if (type === 1 || type === 3) this.handshakes += 1;
    this.onMessage(path, type);
  }
}

/** When a socket takes more, or is gone. */
function writable(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

function upgrade(head: string): string {
  const key = /^sec-websocket-key: *(\S+)/im.exec(head)?.[1] ?? '';
  const accept = createHash('sha1').update(`${key}${WEBSOCKET_GUID}`).digest('base64');
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/** A frame of the server, unmasked. */
export function frame(payload: Uint8Array, opcode = TEXT, isFinal = true): Buffer {
  const head = Buffer.alloc(10);
  head[0] = (isFinal ? 0x80 : 0) | opcode;
  let size = 2;
  if (payload.length < 126) head[1] = payload.length;
  else if (payload.length < 65_536) {
    head[1] = 126;
    size = head.writeUInt16BE(payload.length, 2);
  } else {
    head[1] = 127;
    size = head.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  return Buffer.concat([head.subarray(0, size), payload]);
}

/** The first whole frame of a client, or none yet. */
function unmask(bytes: Buffer): { payload: Buffer; end: number } | undefined {
  if (bytes.length < 6) return undefined;
  let size = (bytes[1] as number) & 127;
  let at = 2;
  if (size === 126) {
    if (bytes.length < 8) return undefined;
    size = bytes.readUInt16BE(2);
    at = 4;
  } else if (size === 127) return undefined;
  const end = at + 4 + size;
  if (bytes.length < end) return undefined;
  const mask = bytes.subarray(at, at + 4);
  const payload = Buffer.from(bytes.subarray(at + 4, end));
  for (const [index, byte] of payload.entries()) {
    payload[index] = byte ^ (mask[index % 4] as number);
  }
  return { payload, end };
}
