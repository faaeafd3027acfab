import type { FrameView } from '../views.ts';
import { bytesOf } from './format.ts';

const SILENCE_DB = -96;
/** Frames of one speaker are joined without a seam when their times are nearer than this, s. */
const SEAM_S = 0.06;

export type LevelHandler = (
  source: string,
  who: string,
  capturedAtMs: number,
  level: number,
) => void;

/** What Opus decodes to. */
interface Voice {
  readonly decoder: AudioDecoder;
  who: string;
}

/** Decodes audio, measures it, and plays the speakers that somebody listens to. */
export class AudioPlayer {
  readonly #onLevel: LevelHandler;
  readonly #voices = new Map<string, Voice>();
  readonly #nextAt = new Map<string, number>();
  /** What is to sound, or sounds now. */
  readonly #sounding = new Set<AudioBufferSourceNode>();
  #context: AudioContext | undefined;
  /** `undefined`: nobody; `mix`: everybody. */
  #listensTo: string | undefined;

  constructor(onLevel: LevelHandler) {
    this.#onLevel = onLevel;
  }

  /** Call from a click or a key: a browser lets no page make a sound by itself. */
  listen(source: string | undefined): void {
    this.#listensTo = source;
    this.#nextAt.clear();
    // What was decoded for the one before would sound on, and a suspended context would keep it for the next one.
    for (const node of this.#sounding) node.stop();
    this.#sounding.clear();
    if (source === undefined) void this.#context?.suspend();
    else {
      this.#context ??= new AudioContext();
      void this.#context.resume();
    }
  }

  /** @param dueMs how long from now the frame is due, ms */
  push(frame: FrameView, dueMs: number): void {
    const { source, who, capturedAtMs, data, level, sampleRateHz = 16_000, channels = 1 } = frame;
    if (level !== undefined) this.#onLevel(source, who, capturedAtMs, level);
    if (data === undefined) return;
    if (frame.codec === 'OPUS') {
      this.#decode(frame, bytesOf(data));
      return;
    }
    if (!this.#isHeard(source)) return;
    const bytes = bytesOf(data);
    const samples = new Int16Array(bytes.buffer, 0, bytes.length >> 1);
    const planes = Array.from({ length: channels }, (_, channel) =>
      Float32Array.from({ length: Math.floor(samples.length / channels) }, (_, index) => {
        return (samples[index * channels + channel] ?? 0) / 32_768;
      }),
    );
    this.#play(source, planes, sampleRateHz, dueMs);
  }

  close(): void {
    for (const { decoder } of this.#voices.values())
      if (decoder.state !== 'closed') decoder.close();
    this.#voices.clear();
    void this.#context?.close();
  }

  #isHeard(source: string): boolean {
    return this.#listensTo === 'mix' || this.#listensTo === source;
  }

  #decode(
    { source, who, capturedAtMs, sampleRateHz, channels }: FrameView,
    data: Uint8Array<ArrayBuffer>,
  ): void {
    if (typeof AudioDecoder === 'undefined') return;
    let voice = this.#voices.get(source);
    if (voice === undefined || voice.decoder.state === 'closed') {
      const decoder = new AudioDecoder({
        output: (audio) => this.#decoded(source, audio),
        error: () => undefined,
      });
      // Opus always decodes at 48 kHz, whatever it was made from.
      decoder.configure({
        codec: 'opus',
        sampleRate: sampleRateHz || 48_000,
        numberOfChannels: channels || 1,
      });
      voice = { decoder, who };
      this.#voices.set(source, voice);
    }
    voice.who = who || voice.who;
    // Chunks carry their capture time through the decoder, in microseconds.
    voice.decoder.decode(
      new EncodedAudioChunk({ type: 'key', timestamp: capturedAtMs * 1_000, data }),
    );
  }

  #decoded(source: string, audio: AudioData): void {
    const { numberOfChannels, numberOfFrames, sampleRate, timestamp } = audio;
    const planes = Array.from({ length: numberOfChannels }, (_, planeIndex) => {
      const plane = new Float32Array(numberOfFrames);
      audio.copyTo(plane, { planeIndex, format: 'f32-planar' });
      return plane;
    });
    audio.close();
    const capturedAtMs = timestamp / 1_000;
    this.#onLevel(source, this.#voices.get(source)?.who ?? '', capturedAtMs, levelOf(planes[0]));
    if (this.#isHeard(source)) this.#play(source, planes, sampleRate, this.dueIn(capturedAtMs));
  }

  /** How long until what was captured then is due, ms. Set by whoever has the clock. */
  dueIn: (capturedAtMs: number) => number = () => 0;

  #play(
    source: string,
    planes: Float32Array<ArrayBuffer>[],
    sampleRateHz: number,
    dueMs: number,
  ): void {
    const context = this.#context;
    const length = planes[0]?.length ?? 0;
    if (context === undefined || length === 0 || dueMs < -1_000) return;
    const buffer = context.createBuffer(planes.length, length, sampleRateHz);
    for (const [channel, plane] of planes.entries()) buffer.copyToChannel(plane, channel);
    const dueAt = context.currentTime + Math.max(0, dueMs) / 1_000;
    const next = this.#nextAt.get(source) ?? 0;
    const startAt = Math.abs(dueAt - next) < SEAM_S && next >= context.currentTime ? next : dueAt;
    this.#nextAt.set(source, startAt + buffer.duration);
    const node = context.createBufferSource();
    node.buffer = buffer;
    node.connect(context.destination);
    node.onended = () => this.#sounding.delete(node);
    this.#sounding.add(node);
    node.start(startAt);
  }
}

function levelOf(samples: Float32Array | undefined): number {
  if (samples === undefined || samples.length === 0) return SILENCE_DB;
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.max(SILENCE_DB, 10 * Math.log10(sum / samples.length));
}
