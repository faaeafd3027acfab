import type { FrameView } from '../views.ts';
import { bytesOf } from './format.ts';

/** Frames that wait until they are due. A tab in the background shows none, and must not keep them. */
const MOST_WAITING = 600;

export interface VideoState {
  readonly source: string;
  readonly mediaType: 'video' | 'deskshare';
  readonly who: string;
  readonly codec: string;
  /** What cannot be shown, and why. */
  readonly problem?: string | undefined;
  /** When the newest picture was captured, Unix ms. */
  readonly shownAtMs: number;
}

/** One camera or share: decodes its frames when they are due, and draws them. */
export class VideoPlayer {
  #state: VideoState;
  #waiting: FrameView[] = [];
  #decoder: VideoDecoder | undefined;
  #codec = '';
  #needsKey = true;
  #canvas: HTMLCanvasElement | undefined;
  /** The newest picture, for a canvas that comes later. */
  #last: ImageBitmap | undefined;
  #isBusy = false;

  constructor({ source, mediaType, who, codec }: FrameView) {
    this.#state = { source, mediaType: mediaType as 'video', who, codec, shownAtMs: 0 };
  }

  get state(): VideoState {
    return this.#state;
  }

  set canvas(canvas: HTMLCanvasElement | undefined) {
    this.#canvas = canvas;
    if (canvas !== undefined && this.#last !== undefined) draw(canvas, this.#last);
  }

  push(frame: FrameView): void {
    if (frame.who !== '') this.#state = { ...this.#state, who: frame.who };
    this.#waiting.push(frame);
    if (this.#waiting.length <= MOST_WAITING) return;
    this.#waiting = this.#waiting.slice(this.#waiting.findLastIndex(({ key }) => key));
    this.#needsKey = true;
  }

  /** Decodes what is due. */
  tick(playheadMs: number): void {
    while ((this.#waiting[0]?.capturedAtMs ?? Number.POSITIVE_INFINITY) <= playheadMs) {
      const frame = this.#waiting.shift();
      if (frame === undefined) return;
      if (frame.codec === 'JPG' || frame.codec === 'PNG') void this.#picture(frame);
      else this.#h264(frame);
    }
  }

  close(): void {
    if (this.#decoder !== undefined && this.#decoder.state !== 'closed') this.#decoder.close();
    this.#last?.close();
    this.#waiting = [];
  }

  #h264(frame: FrameView): void {
    if (typeof VideoDecoder === 'undefined') {
      this.#state = {
        ...this.#state,
        problem: 'this browser decodes no video; key frames are counted',
      };
      if (frame.key) this.#state = { ...this.#state, shownAtMs: frame.capturedAtMs };
      return;
    }
    if (this.#needsKey && !frame.key) return;
    if (frame.key && (this.#codec !== frame.codec || this.#decoder?.state !== 'configured')) {
      this.#configure(frame.codec);
    }
    if (this.#decoder?.state !== 'configured') return;
    this.#needsKey = false;
    this.#decoder.decode(
      new EncodedVideoChunk({
        type: frame.key ? 'key' : 'delta',
        timestamp: frame.capturedAtMs * 1_000,
        data: bytesOf(frame.data ?? ''),
      }),
    );
  }

  /** Without a description the decoder expects start codes (Annex B), which is what Zoom sends. */
  #configure(codec: string): void {
    if (this.#decoder !== undefined && this.#decoder.state !== 'closed') this.#decoder.close();
    this.#codec = codec;
    this.#decoder = new VideoDecoder({
      output: (picture) => void this.#show(picture),
      error: (error) => {
        this.#needsKey = true;
        this.#state = {
          ...this.#state,
          problem: `the browser cannot decode ${codec}: ${error.message}`,
        };
      },
    });
    this.#decoder.configure({ codec, optimizeForLatency: true });
  }

  async #show(picture: VideoFrame): Promise<void> {
    const shownAtMs = picture.timestamp / 1_000;
    const canvas = this.#canvas;
    if (canvas === undefined || document.hidden) {
      picture.close();
      return;
    }
    resize(canvas, picture.displayWidth, picture.displayHeight);
    canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    this.#state = { ...this.#state, shownAtMs, problem: undefined };
  }

  async #picture(frame: FrameView): Promise<void> {
    // Two at once could be drawn in the wrong order.
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      const type = frame.codec === 'PNG' ? 'image/png' : 'image/jpeg';
      const bitmap = await createImageBitmap(new Blob([bytesOf(frame.data ?? '')], { type }));
      this.#last?.close();
      this.#last = bitmap;
      if (this.#canvas !== undefined) draw(this.#canvas, bitmap);
      this.#state = { ...this.#state, shownAtMs: frame.capturedAtMs, problem: undefined };
    } catch {
      this.#state = { ...this.#state, problem: `a ${frame.codec} that no browser can open` };
    } finally {
      this.#isBusy = false;
    }
  }
}

function draw(canvas: HTMLCanvasElement, bitmap: ImageBitmap): void {
  resize(canvas, bitmap.width, bitmap.height);
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
}

function resize(canvas: HTMLCanvasElement, width: number, height: number): void {
  // Setting a size clears the canvas, so only a new one is set.
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}
