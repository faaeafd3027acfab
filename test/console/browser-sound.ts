import type { BrowserContext, Page } from 'playwright-core';

/** What comes out of a page: the samples on their way to the loudspeaker, behind the browser's own decoders. */

/** Samples of one look: a sixth of a second, in which tones 6 Hz apart can be told. */
const WINDOW = 8_192;

/** One look at the sound. */
export interface HeardWindow {
  readonly samples: readonly number[];
  readonly rateHz: number;
}

/** Puts a listener before the loudspeaker of every page of the context. Call before the page is opened. */
export async function tapSound(context: BrowserContext): Promise<void> {
  await context.addInitScript((size) => {
    const { connect } = AudioNode.prototype;
    AudioNode.prototype.connect = function (this: AudioNode, ...to: unknown[]) {
      if (to[0] === this.context.destination) {
        const own = globalThis as unknown as { heard?: AnalyserNode };
        own.heard ??= new AnalyserNode(this.context, { fftSize: size });
        Reflect.apply(connect, this, [own.heard]);
      }
      return Reflect.apply(connect, this, to);
    } as typeof connect;
  }, WINDOW);
}

/** Listens for some time. @returns nothing when nothing was played yet */
export function hear(page: Page, windows: number): Promise<HeardWindow[]> {
  return page.evaluate(
    async ({ windows: count, size }) => {
      const { heard } = globalThis as unknown as { heard?: AnalyserNode };
      if (heard === undefined) return [];
      const { context } = heard;
      const rateHz = context.sampleRate;
      const taken = [];
      for (let window = 0; window < count; window++) {
        await new Promise((resolve) => setTimeout(resolve, (1_000 * size) / rateHz));
        const samples = new Float32Array(size);
        // A context that is suspended sounds no more, and its listener still has what it heard last.
        if (context.state === 'running') heard.getFloatTimeDomainData(samples);
        taken.push({ samples: [...samples], rateHz });
      }
      return taken;
    },
    { windows, size: WINDOW },
  );
}

/** Mean power of the samples. */
export function powerOf({ samples }: HeardWindow): number {
  return samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
}

/**
 * How much of the sound is a tone of this frequency, from 0 to 1 (a Goertzel filter over a Hann window).
 *
 * @returns 0 for silence
 */
export function shareOf(hz: number, { samples, rateHz }: HeardWindow): number {
  let [real, imaginary, power] = [0, 0, 0];
  for (const [index, sample] of samples.entries()) {
    const weight = 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / samples.length);
    const angle = (2 * Math.PI * hz * index) / rateHz;
    real += weight * sample * Math.cos(angle);
    imaginary += weight * sample * Math.sin(angle);
    power += (weight * sample) ** 2;
  }
  if (power < 1e-9) return 0;
  // A Hann window spreads a tone over three bins, of which this is the middle one: two thirds of its power.
  return Math.min(1, (2 * (real ** 2 + imaginary ** 2)) / (power * samples.length) / (2 / 3));
}

/** Encodes a tone as Opus by the browser's own encoder, in packets of 20 ms, base64. */
export function opusTone(page: Page, hz: number, channels: number): Promise<string[]> {
  return page.evaluate(
    async ({ hz: tone, channels: count }) => {
      const sampleRate = 48_000;
      const packets: string[] = [];
      const encoder = new AudioEncoder({
        output: (chunk) => {
          const bytes = new Uint8Array(chunk.byteLength);
          chunk.copyTo(bytes);
          packets.push(btoa(String.fromCharCode(...bytes)));
        },
        error: (error) => {
          throw error;
        },
      });
      encoder.configure({
        codec: 'opus',
        sampleRate,
        numberOfChannels: count,
        bitrate: 64_000,
        opus: { frameDuration: 20_000 },
      } as AudioEncoderConfig);
      const numberOfFrames = sampleRate * 4;
      const data = new Float32Array(numberOfFrames * count);
      for (let frame = 0; frame < numberOfFrames; frame++) {
        const sample = 0.3 * Math.sin((2 * Math.PI * tone * frame) / sampleRate);
        for (let channel = 0; channel < count; channel++) data[frame * count + channel] = sample;
      }
      const rest = { sampleRate, numberOfFrames, numberOfChannels: count, timestamp: 0, data };
      encoder.encode(new AudioData({ format: 'f32', ...rest }));
      await encoder.flush();
      encoder.close();
      return packets;
    },
    { hz, channels },
  );
}
