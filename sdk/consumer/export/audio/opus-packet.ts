import { opusSamples } from '../../records/frame-length.ts';

/** The longest Opus frame, and the longest packet at 48 kHz (120 ms). @see RFC 6716, 3.4, R2 and R5 */
const MAX_FRAME_BYTES = 1_275;
const MAX_PACKET_SAMPLES = 5_760;

/**
 * Whether bytes have the framing of one Opus packet. libopus refuses others, and its WebAssembly form prints each refusal
 * on the console, which a consumer of damaged records must not do.
 *
 * @see RFC 6716, 3.4
 */
export function isOpusPacket(packet: Uint8Array): boolean {
  const samples = opusSamples(packet);
  if (samples === 0 || samples > MAX_PACKET_SAMPLES) return false;
  const code = (packet[0] as number) & 3;
  const rest = packet.subarray(1);
  if (code === 0) return rest.length <= MAX_FRAME_BYTES;
  if (code === 1) return rest.length % 2 === 0 && rest.length / 2 <= MAX_FRAME_BYTES;
  if (code === 2) {
    const [bytes, used] = frameLength(rest, 0);
    const second = rest.length - used - bytes;
    return used > 0 && second >= 0 && second <= MAX_FRAME_BYTES;
  }
  return hasManyFrames(rest);
}

/** The body of a packet with a frame count, from the byte that holds the count. */
function hasManyFrames(body: Uint8Array): boolean {
  const head = body[0] as number;
  const count = head & 0x3f;
  let at = 1;
  let padding = 0;
  if (head & 0x40) {
    let byte: number | undefined;
    do {
      byte = body[at];
      if (byte === undefined) return false;
      at += 1;
      padding += Math.min(byte, 254);
    } while (byte === 255);
  }
  const end = body.length - padding;
  if ((head & 0x80) === 0) {
    const each = (end - at) / count;
    return Number.isInteger(each) && each >= 0 && each <= MAX_FRAME_BYTES;
  }
  let sum = 0;
  for (let frame = 1; frame < count; frame++) {
    const [bytes, used] = frameLength(body, at);
    if (used === 0) return false;
    at += used;
    sum += bytes;
  }
  const last = end - at - sum;
  return last >= 0 && last <= MAX_FRAME_BYTES;
}

/** @returns the length that stands at a place, and how many bytes say it: none when the packet ends there */
function frameLength(bytes: Uint8Array, at: number): readonly [length: number, used: number] {
  const first = bytes[at];
  if (first === undefined) return [0, 0];
  if (first < 252) return [first, 1];
  const second = bytes[at + 1];
  return second === undefined ? [0, 0] : [second * 4 + first, 2];
}
