import type { RtmsMessage } from '../../shared/rtms/codec.ts';

/** A data message that came before the parameters it was made with were known. */
export interface HeldMessage {
  readonly message: RtmsMessage;
  readonly receivedAtMs: number;
}

/** What a message costs in memory beside its payload or text, at least. */
const OVERHEAD_BYTES = 512;

/** Keeps messages by who brought them, in order, up to a number of bytes in all. */
export class HeldMessages<Source> {
  readonly #maxBytes: number;
  readonly #held: { source: Source; held: HeldMessage; bytes: number }[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @returns false when there is no room: the message is not kept */
  hold(source: Source, held: HeldMessage): boolean {
    const bytes = sizeOf(held.message);
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    this.#held.push({ source, held, bytes });
    return true;
  }

  /** Takes out everything of one source, oldest first. */
  take(source: Source): HeldMessage[] {
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

/** A character takes two bytes at most; Zoom's own words are kept with what could not be read in them. */
function sizeOf(message: RtmsMessage): number {
  if ('payload' in message) return OVERHEAD_BYTES + message.payload.length;
  const text = 'text' in message ? message.text.length : 0;
  const raw = 'raw' in message ? (JSON.stringify(message.raw)?.length ?? 0) : 0;
  return OVERHEAD_BYTES + 2 * (text + raw);
}
