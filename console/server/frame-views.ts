import { PcmDecoder } from '../../sdk/consumer/export/audio/pcm.ts';
import { inspectAccessUnit } from '../../sdk/consumer/export/video/h264.ts';
import type { Frame } from '../../sdk/consumer/index.ts';
import { accountKey } from '../model/source-account.ts';
import type { FrameView } from '../views.ts';

/** Audio that the browser decodes itself. What else Zoom sends becomes 16-bit samples here. */
const BROWSER_AUDIO = 'OPUS';
/** What is kept of a camera since its last key frame, so that a tab that opens sees a picture at once. */
const MAX_PICTURES_BYTES = 3 * 1024 * 1024;
/** dB below full scale of digital silence. */
const SILENCE_DB = -96;
/** Speakers and cameras that are kept, per meeting. */
const MOST_SOURCES = 200;

/** Makes the frames of one meeting ready for the decoders of a browser. One for each meeting that somebody looks at. */
export class FrameViews {
  readonly #decoders = new Map<string, PcmDecoder>();
  readonly #codecs = new Map<string, { codec: string; sets: Buffer | undefined }>();
  readonly #pictures = new Map<string, { views: FrameView[]; bytes: number }>();

  /** @returns undefined for a frame that no decoder can take */
  view(frame: Frame): FrameView | undefined {
    if (frame.mediaType === 'audio') return this.#audio(frame);
    const view =
      frame.mediaType === 'video' && frame.codec === 'H264' ? this.#h264(frame) : picture(frame);
    if (view !== undefined) this.#keep(view);
    return view;
  }

  /** The newest pictures of every camera and share, each from its last key frame on. */
  pictures(): FrameView[] {
    return [...this.#pictures.values()].flatMap(({ views }) => views);
  }

  #audio(frame: Frame): FrameView | undefined {
    const base = { ...head(frame), key: true };
    if (frame.codec === BROWSER_AUDIO) {
      const { sampleRateHz, channels } = frame;
      return { ...base, sampleRateHz, channels, data: frame.payload.toString('base64') };
    }
    try {
      const decoder = this.#decoders.get(base.source) ?? new PcmDecoder(frame);
      if (this.#decoders.size < MOST_SOURCES) this.#decoders.set(base.source, decoder);
      const samples = decoder.decode(frame);
      const { sampleRateHz, channels } = decoder.format;
      const data = samples.toString('base64');
      return { ...base, codec: 'L16', sampleRateHz, channels, level: levelOf(samples), data };
    } catch {
      // Another format than before, or one that nobody can decode: the next frame begins anew.
      this.#decoders.delete(base.source);
      return undefined;
    }
  }

  /** Zoom may send parameter sets in a message of their own. They are put before the next key frame. */
  #h264(frame: Frame): FrameView | undefined {
    const base = head(frame);
    const { isKey, hasPicture, config, parameterSets } = inspectAccessUnit(frame.payload);
    if (config !== undefined && this.#codecs.size < MOST_SOURCES) {
      this.#codecs.set(base.source, { codec: config.codec, sets: parameterSets });
    }
    if (!hasPicture) return undefined;
    const known = this.#codecs.get(base.source);
    if (!isKey) return { ...base, key: false, data: frame.payload.toString('base64') };
    // Without its parameters no decoder can begin here.
    if (known === undefined) return undefined;
    const { codec, sets } = known;
    const lacksSets = config === undefined && sets !== undefined;
    const whole = lacksSets ? Buffer.concat([sets, frame.payload]) : frame.payload;
    return { ...base, codec, key: true, data: whole.toString('base64') };
  }

  #keep(view: FrameView): void {
    const known = this.#pictures.get(view.source);
    if (view.key) {
      if (known === undefined && this.#pictures.size >= MOST_SOURCES) return;
      this.#pictures.delete(view.source);
      this.#pictures.set(view.source, { views: [view], bytes: view.data?.length ?? 0 });
      return;
    }
    if (known === undefined) return;
    known.bytes += view.data?.length ?? 0;
    // The key frame alone still shows a picture.
    if (known.bytes > MAX_PICTURES_BYTES) known.views = known.views.slice(0, 1);
    else known.views.push(view);
  }
}

function picture(frame: Frame): FrameView | undefined {
  if (frame.codec !== 'JPG' && frame.codec !== 'PNG') return undefined;
  return { ...head(frame), key: true, data: frame.payload.toString('base64') };
}

function head(
  frame: Frame,
): Pick<FrameView, 'mediaType' | 'source' | 'who' | 'codec' | 'capturedAtMs'> {
  return {
    mediaType: frame.mediaType,
    source: accountKey(frame),
    who: frame.userName,
    codec: frame.codec,
    capturedAtMs: frame.capturedAt.getTime(),
  };
}

/** @param samples 16-bit little-endian @returns the mean loudness, dB below full scale */
export function levelOf(samples: Buffer): number {
  const count = Math.floor(samples.length / 2);
  if (count === 0) return SILENCE_DB;
  let sum = 0;
  for (let index = 0; index < count; index++) {
    const sample = samples.readInt16LE(index * 2) / 32_768;
    sum += sample * sample;
  }
  const db = 10 * Math.log10(sum / count);
  return Math.max(SILENCE_DB, Math.round(db * 10) / 10);
}
