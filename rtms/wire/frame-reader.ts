import { type MemoryPool, processMemory } from '../../shared/memory-pool.ts';

/**
 * The receiving half of a WebSocket client (RFC 6455, section 5): frames from bytes, messages from frames. It does no
 * input or output: bytes go in as they come, and the handlers are called with what they mean.
 *
 * Text is not checked for UTF-8: the codec reports a message with broken text, and the connection goes on.
 */
export interface FrameHandlers {
  /** One message, text or binary. `data` is only valid during the call. */
  message(data: Buffer): void;
  /** `payload` is only valid during the call. */
  ping(payload: Buffer): void;
  /** The other side's close frame; nothing follows. @param closeCode 1005: it gave none */
  closed(closeCode: number): void;
  /** The other side broke the protocol; nothing follows. */
  failed(violation: FrameViolation): void;
}

/** How the other side broke the protocol. */
export interface FrameViolation {
  /** The code of the close frame that ends the connection. */
  readonly closeCode: 1002 | 1009;
  readonly what: string;
}

const OPCODE = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const;
const FIN = 0x80;
const RESERVED = 0x70;
const CONTROL = 0x08;
const MASKED = 0x80;
const MAX_CONTROL_BYTES = 125;
const MAX_HEADER_BYTES = 10;
const NOTHING = Buffer.alloc(0);

/** Reads the frames of one connection. A message that lies in one read is handed on without a copy. */
export class WebSocketReader {
  readonly #handlers: FrameHandlers;
  readonly #maxMessageBytes: number;
  readonly #memory: MemoryPool;
  #ended = false;
  /** A header that came in pieces. */
  readonly #header: Buffer = Buffer.alloc(MAX_HEADER_BYTES);
  #headerBytes = 0;
  /** The frame whose payload is being read, once its header is known. */
  #inPayload = false;
  #isFinal = false;
  #opcode = 0;
  #payloadBytes = 0;
  /** Payload of a control frame that came in pieces. */
  #control: Buffer = NOTHING;
  #controlBytes = 0;
  /** Opcode of the message whose fragments are being collected; 0: there is none. */
  #messageOpcode = 0;
  #message: Buffer = NOTHING;
  #messageBytes = 0;

  /** @param memory where messages in pieces are collected */
  constructor(maxMessageBytes: number, handlers: FrameHandlers, memory = processMemory) {
    this.#memory = memory;
    this.#maxMessageBytes = maxMessageBytes;
    this.#handlers = handlers;
  }

  /** No handler is called any more. */
  stop(): void {
    this.#ended = true;
    this.#message = NOTHING;
  }

  /** Reads the next bytes, `chunk[from, to)`. They may be overwritten afterwards. */
  read(chunk: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to && !this.#ended) {
      at = this.#inPayload ? this.#readPayload(chunk, at, to) : this.#readHeader(chunk, at, to);
      if (this.#inPayload && this.#payloadBytes === 0 && !this.#ended) this.#endFrame();
    }
  }

  #readHeader(chunk: Buffer, from: number, to: number): number {
    let at = from;
    // Nearly always the header comes in one piece, and is read where it lies.
    let header = chunk;
    let start = from;
    let needed = this.#headerBytes > 0 ? 0 : headerSize(chunk, from, to);
    if (needed === 0) {
      header = this.#header;
      start = 0;
      do {
        if (at === to) return at;
        header[this.#headerBytes++] = chunk[at++] as number;
        if (this.#headerBytes === 2 && this.#isViolation(header, 0)) return to;
        needed = headerSize(header, 0, this.#headerBytes);
      } while (needed === 0);
      this.#headerBytes = 0;
    } else {
      if (this.#isViolation(chunk, from)) return to;
      at += needed;
    }
    this.#startFrame(header, start);
    return at;
  }

  #startFrame(header: Buffer, start: number): void {
    const first = header[start] as number;
    const length = (header[start + 1] as number) & 0x7f;
    this.#opcode = first & 0x0f;
    this.#isFinal = (first & FIN) !== 0;
    this.#inPayload = true;
    if (length < 126) this.#payloadBytes = length;
    else if (length === 126) this.#payloadBytes = header.readUInt16BE(start + 2);
    else {
      this.#payloadBytes =
        header.readUInt32BE(start + 2) * 2 ** 32 + header.readUInt32BE(start + 6);
    }
    if (this.#opcode < CONTROL) this.#startData();
  }

  /** Tells from the first two bytes whether a frame is allowed, and allowed at this point. */
  #isViolation(header: Buffer, start: number): boolean {
    const first = header[start] as number;
    const second = header[start + 1] as number;
    const opcode = first & 0x0f;
    if ((first & RESERVED) !== 0) this.#fail(1002, 'reserved bits are set');
    else if ((second & MASKED) !== 0) this.#fail(1002, 'a server must not mask');
    else if (opcode > OPCODE.PONG || (opcode > OPCODE.BINARY && opcode < OPCODE.CLOSE)) {
      this.#fail(1002, 'a frame of unknown kind');
    } else if ((opcode & CONTROL) === 0) {
      const isContinuation = opcode === OPCODE.CONTINUATION;
      if (isContinuation !== (this.#messageOpcode !== 0)) {
        this.#fail(1002, isContinuation ? 'a continuation of nothing' : 'a message inside another');
      }
    } else if ((first & FIN) === 0) this.#fail(1002, 'a control frame in pieces');
    else if ((second & 0x7f) > MAX_CONTROL_BYTES) this.#fail(1002, 'a long control frame');
    else if (opcode === OPCODE.CLOSE && second === 1) this.#fail(1002, 'half a close code');
    return this.#ended;
  }

  #startData(): void {
    if (this.#messageBytes + this.#payloadBytes > this.#maxMessageBytes) {
      this.#fail(1009, 'message over the limit');
    } else if (this.#opcode !== OPCODE.CONTINUATION) this.#messageOpcode = this.#opcode;
  }

  #readPayload(chunk: Buffer, from: number, to: number): number {
    const end = Math.min(to, from + this.#payloadBytes);
    const isControl = (this.#opcode & CONTROL) !== 0;
    const isWhole = end - from === this.#payloadBytes;
    if (isWhole && isControl && this.#controlBytes === 0) {
      this.#control = chunk.subarray(from, end);
      this.#controlBytes = end - from;
    } else if (isWhole && !isControl && this.#isFinal && this.#messageBytes === 0) {
      this.#endMessage(chunk.subarray(from, end));
      return end;
    } else if (isControl) this.#keepControl(chunk, from, end);
    else this.#keepMessage(chunk, from, end);
    this.#payloadBytes -= end - from;
    return end;
  }

  #keepControl(chunk: Buffer, from: number, end: number): void {
    if (this.#controlBytes === 0) this.#control = Buffer.allocUnsafeSlow(MAX_CONTROL_BYTES);
    chunk.copy(this.#control, this.#controlBytes, from, end);
    this.#controlBytes += end - from;
  }

  /** Grows to the announced size, and at least doubles, so that copying endless fragments stays linear in their sum. */
  #keepMessage(chunk: Buffer, from: number, end: number): void {
    const needed = this.#messageBytes + this.#payloadBytes;
    if (this.#message.length < needed) {
      const size = Math.min(this.#maxMessageBytes, Math.max(needed, 2 * this.#message.length));
      const grown = this.#memory.acquire(size);
      this.#message.copy(grown, 0, 0, this.#messageBytes);
      this.#release(this.#message);
      this.#message = grown;
    }
    chunk.copy(this.#message, this.#messageBytes, from, end);
    this.#messageBytes += end - from;
  }

  #endFrame(): void {
    this.#inPayload = false;
    if ((this.#opcode & CONTROL) === 0) {
      if (this.#isFinal) this.#endMessage(this.#message.subarray(0, this.#messageBytes));
      return;
    }
    const payload = this.#control.subarray(0, this.#controlBytes);
    this.#control = NOTHING;
    this.#controlBytes = 0;
    if (this.#opcode === OPCODE.PING) this.#handlers.ping(payload);
    else if (this.#opcode === OPCODE.CLOSE) this.#onClose(payload);
  }

  #endMessage(data: Buffer): void {
    this.#inPayload = false;
    this.#payloadBytes = 0;
    this.#messageOpcode = 0;
    this.#messageBytes = 0;
    const memory = this.#message;
    this.#message = NOTHING;
    this.#handlers.message(data);
    this.#release(memory);
  }

  #release(message: Buffer): void {
    if (message !== NOTHING) this.#memory.release(message);
  }

  #onClose(payload: Buffer): void {
    const closeCode = payload.length === 0 ? 1005 : payload.readUInt16BE(0);
    if (payload.length > 0 && !isCloseCode(closeCode)) {
      this.#fail(1002, 'a close code that must not be sent');
      return;
    }
    this.#ended = true;
    this.#handlers.closed(closeCode);
  }

  #fail(closeCode: FrameViolation['closeCode'], what: string): void {
    this.stop();
    this.#handlers.failed({ closeCode, what });
  }
}

/** Size in bytes of the header that starts at `from`; 0 when not all of it lies before `to`. */
function headerSize(bytes: Buffer, from: number, to: number): number {
  if (to - from < 2) return 0;
  const length = (bytes[from + 1] as number) & 0x7f;
  const size = length < 126 ? 2 : length === 126 ? 4 : MAX_HEADER_BYTES;
  return to - from < size ? 0 : size;
}

/** Whether a close frame may have this code: section 7.4 and IANA's registry (read 2026-11-22). */
function isCloseCode(code: number): boolean {
  return (
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) ||
    (code >= 3000 && code <= 4999)
  );
}

/** One frame from a client: final, and masked as section 5.3 demands. */
export function encodeClientFrame(
  opcode: 'text' | 'close' | 'pong',
  payload: Buffer,
  maskKey: Buffer,
): Buffer {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 0x1_0000 ? 2 : 8;
  const out = Buffer.allocUnsafe(2 + lengthBytes + 4 + length);
  out[0] = FIN | { text: OPCODE.TEXT, close: OPCODE.CLOSE, pong: OPCODE.PONG }[opcode];
  out[1] = MASKED | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) out.writeUInt16BE(length, 2);
  else if (lengthBytes === 8) out.writeBigUInt64BE(BigInt(length), 2);
  const start = 2 + lengthBytes + 4;
  maskKey.copy(out, start - 4, 0, 4);
  for (let index = 0; index < length; index += 1) {
    out[start + index] = (payload[index] as number) ^ (maskKey[index & 3] as number);
  }
  return out;
}
