import { ServiceError } from '../../shared/errors.ts';
import type { CompleteOptions } from '../client-options.ts';
import type { RtmsMessage } from '../protocol/codec.ts';
import type { MediaType } from '../protocol/media-type.ts';

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

  /** @returns false when there is no room: the message is not kept */
  hold(source: Source, message: RtmsMessage, receivedAtMs: number): boolean {
    const bytes = sizeOf(message);
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    const kept = this.#arePayloadsLent ? withOwnPayload(message) : message;
    this.#held.push({ source, held: { message: kept, receivedAtMs }, bytes });
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

/** Why a data message is lost that came before its parameters. */
const EARLY_MEDIA_LOST = {
  full: 'more came before its parameters than is kept',
  over: 'it came before its parameters, and they never came',
} as const;

export function earlyMediaLost(
  mediaType: MediaType,
  why: keyof typeof EARLY_MEDIA_LOST,
): ServiceError {
  return new ServiceError('rtms/early-media', EARLY_MEDIA_LOST[why], { detail: { mediaType } });
}

/** A lent payload is only valid until its listeners return. */
function withOwnPayload(message: RtmsMessage): RtmsMessage {
  return 'payload' in message ? { ...message, payload: Buffer.from(message.payload) } : message;
}

/** A character takes two bytes at most; Zoom's own words are kept with what could not be read in them. */
function sizeOf(message: RtmsMessage): number {
  if ('payload' in message) return OVERHEAD_BYTES + message.payload.length;
  const text = 'text' in message ? message.text.length : 0;
  const raw = 'raw' in message ? (JSON.stringify(message.raw)?.length ?? 0) : 0;
  return OVERHEAD_BYTES + 2 * (text + raw);
}
