import type { RtmsMessage } from '../protocol/codec.ts';
import type { CompleteOptions } from './options.ts';

/** A data message that came before the parameters it was made with. */
interface HeldMessage {
  readonly message: RtmsMessage;
  readonly receivedAtMs: number;
}

/** What a message costs in memory beside its payload or text, at least. */
const OVERHEAD_BYTES = 512;

/** Holds messages in order, each with its source, up to a number of bytes in all. */
export class HeldMessages<Source> {
  readonly #maxBytes: number;
  readonly #arePayloadsLent: boolean;
  readonly #held: { source: Source; held: HeldMessage; bytes: number }[] = [];
  #bytes = 0;

  constructor({
    maxHeldBytes,
    lendPayloads,
  }: Pick<CompleteOptions, 'maxHeldBytes' | 'lendPayloads'>) {
    this.#maxBytes = maxHeldBytes;
    this.#arePayloadsLent = lendPayloads;
  }

  /** @returns false when there is no room: the message is not held */
  hold(source: Source, message: RtmsMessage, receivedAtMs: number): boolean {
    const bytes = sizeOf(message);
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    const kept = this.#arePayloadsLent ? withOwnPayload(message) : message;
    this.#held.push({ source, held: { message: kept, receivedAtMs }, bytes });
    return true;
  }

  /** Removes and returns everything of one source, oldest first. */
  takeOut(source: Source): HeldMessage[] {
    const taken: HeldMessage[] = [];
    for (let index = 0; index < this.#held.length; ) {
      const entry = this.#held[index];
      if (entry?.source !== source) index += 1;
      else {
        this.#held.splice(index, 1);
        this.#bytes -= entry.bytes;
        taken.push(entry.held);
      }
    }
    return taken;
  }
}

/** A lent payload is only valid until its listeners return, so a message that is held needs a copy. */
function withOwnPayload(message: RtmsMessage): RtmsMessage {
  return 'payload' in message ? { ...message, payload: Buffer.from(message.payload) } : message;
}

/** An upper bound: two bytes a character. `raw` is Zoom's message itself, kept when not all of it could be read. */
function sizeOf(message: RtmsMessage): number {
  if ('payload' in message) return OVERHEAD_BYTES + message.payload.length;
  const text = 'text' in message ? message.text.length : 0;
  const raw = 'raw' in message ? (JSON.stringify(message.raw)?.length ?? 0) : 0;
  return OVERHEAD_BYTES + 2 * (text + raw);
}
