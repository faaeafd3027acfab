import type { SpeakerLane, SpeechBlock } from '../../../../sdk/consumer/index.ts';
import type { Heard } from './results.ts';

/** A pause of so long ends an utterance. Whisper hears 30 s at once. */
const PAUSE_MS = 500;
const MOST_MS = 28_000;

export interface WhisperOptions {
  /** Of `whisper-server` (whisper.cpp), such as `http://127.0.0.1:8080/inference`. */
  readonly url: string;
  /** Writes a result. It is awaited before the position moves on. */
  readonly onHeard: (heard: Heard) => Promise<void>;
  /** Everything before this moment is recognised and written. */
  readonly onDone: (atMs: number) => Promise<void>;
  readonly onRetry?: (error: unknown) => void;
  /** Before the first retry; doubled each time, up to 10 s. @default 250 */
  readonly retryMs?: number;
}

/**
 * Recognises one speech lane with a Whisper on this machine, one utterance after the other. While the server is away the same utterance is
 * tried again, and the lane keeps what is said meanwhile (`bufferMs`).
 */
export async function recogniseWithWhisper(
  lane: SpeakerLane,
  options: WhisperOptions,
): Promise<void> {
  let blocks: SpeechBlock[] = [];
  let quietMs = 0;
  const end = async () => {
    const [first, last] = [blocks[0], blocks.at(-1)];
    if (first === undefined || last === undefined) return;
    const samples = Int16Array.from(blocks.flatMap((block) => [...block.samples]));
    blocks = [];
    const text = await askUntilAnswered(wavFile(samples, lane.rateHz), lane, options);
    if (text === undefined) return;
    const toMs = last.endMs - quietMs;
    // To the sample, so that the same utterance has the same time whichever block it begins in.
    const fromMs = first.atMs + (Math.max(samples.findIndex(isLoud), 0) * 1000) / lane.rateHz;
    if (text !== '') await options.onHeard({ fromMs, toMs, text });
    await options.onDone(last.endMs);
  };
  for await (const block of lane) {
    quietMs = isQuiet(block) ? quietMs + block.endMs - block.atMs : 0;
    if (blocks.length === 0 && quietMs > 0) {
      await options.onDone(block.endMs);
      continue;
    }
    blocks.push(block);
    const longMs = block.endMs - (blocks[0]?.atMs ?? 0);
    if (quietMs >= PAUSE_MS || longMs >= MOST_MS) await end();
  }
  await end();
}

/** Background noise is no utterance: a peak below -40 dB. */
function isQuiet({ samples, isSilence }: SpeechBlock): boolean {
  return isSilence || !samples.some(isLoud);
}

function isLoud(sample: number): boolean {
  return Math.abs(sample) > 328;
}

/** @returns undefined when the consent was taken back: then nothing more is asked, and what was answered is dropped */
async function askUntilAnswered(
  wav: Uint8Array<ArrayBuffer>,
  lane: SpeakerLane,
  options: WhisperOptions,
): Promise<string | undefined> {
  const { retryMs = 250, onRetry = () => undefined } = options;
  for (let attempt = 0; ; attempt++) {
    if (isRevoked(lane)) return undefined;
    try {
      const text = await ask(wav, options.url);
      return isRevoked(lane) ? undefined : text;
    } catch (error) {
      onRetry(error);
      await new Promise((resolve) => setTimeout(resolve, Math.min(retryMs * 2 ** attempt, 10_000)));
    }
  }
}

function isRevoked({ ended }: SpeakerLane): boolean {
  return ended === 'revoked';
}

async function ask(wav: Uint8Array<ArrayBuffer>, url: string): Promise<string> {
  const body = new FormData();
  body.set('file', new Blob([wav], { type: 'audio/wav' }), 'utterance.wav');
  body.set('response_format', 'json');
  const answer = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(120_000) });
  if (!answer.ok) throw new Error(`whisper-server answered ${answer.status}`);
  const { text } = (await answer.json()) as { text?: unknown };
  if (typeof text !== 'string') throw new Error('whisper-server answered without a text');
  return text.trim();
}

function wavFile(samples: Int16Array, rateHz: number): Uint8Array<ArrayBuffer> {
  const wav = Buffer.alloc(44 + samples.byteLength);
  wav.write('RIFF', 0, 'latin1');
  wav.writeUInt32LE(36 + samples.byteLength, 4);
  wav.write('WAVEfmt ', 8, 'latin1');
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(rateHz, 24);
  wav.writeUInt32LE(rateHz * 2, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36, 'latin1');
  wav.writeUInt32LE(samples.byteLength, 40);
  wav.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength), 44);
  return new Uint8Array(wav);
}
