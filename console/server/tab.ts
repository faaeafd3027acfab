import type { ServerResponse } from 'node:http';
import type { MeetingLog } from '../model/meeting-log.ts';
import type { FrameView } from '../views.ts';
import { FrameQueue } from './frame-queue.ts';

/** Frames that wait for one tab: some seconds of all media of a meeting. */
const MAX_FRAME_BYTES = 8 * 1024 * 1024;
/** Sent in one go, so that a large backlog does not stand in the socket at once. */
const MAX_BATCH_BYTES = 1024 * 1024;
const MAX_BATCH_LINES = 200;
const PING_MS = 5_000;

/** What one tab looks at. */
export interface TabView {
  /** `rtms_stream_id` of the open meeting; absent on the overview. */
  readonly meeting?: string | undefined;
  /** The first line and moment that the tab has not seen. */
  readonly line: number;
  readonly moment: number;
}

/**
 * One tab of a browser, over server-sent events. Nothing is queued for it but frames: lines and moments are read from the
 * meeting's own list from where the tab is, and state is sent as it is when the tab can take it. So a tab that slept for
 * an hour costs a bounded number of frames, and catches up with all lines that are kept.
 */
export class Tab {
  readonly looksAt: TabView;
  readonly #response: ServerResponse;
  readonly #frames = new FrameQueue(MAX_FRAME_BYTES);
  readonly #sent = new Map<string, string>();
  #line: number;
  #moment: number;
  /** The log that the numbers belong to. Another one means that the meeting was read anew, from its beginning. */
  #log: MeetingLog | undefined;
  #sentAtMs = 0;

  constructor(looksAt: TabView, response: ServerResponse) {
    this.looksAt = looksAt;
    this.#line = looksAt.line;
    this.#moment = looksAt.moment;
    this.#response = response;
  }

  get droppedFrames(): number {
    return this.#frames.dropped;
  }

  frame(frame: FrameView): void {
    this.#frames.push(frame);
  }

  /** Whether the tab has taken everything that was sent. Otherwise nothing is prepared for it. */
  get isReady(): boolean {
    return !this.#response.writableNeedDrain && !this.#response.destroyed;
  }

  /** Sends a state, unless the tab has it already. */
  state(name: string, value: object): void {
    const text = JSON.stringify(value);
    if (this.#sent.get(name) === text) return;
    this.#sent.set(name, text);
    this.#send(name, text);
  }

  /** Sends what the tab lacks of the meeting's lines and moments, and the frames that wait for it. */
  pump(log: MeetingLog | undefined, nowMs: number): void {
    if (log !== undefined) this.#texts(log);
    const frames = this.isReady ? this.#frames.take(MAX_BATCH_BYTES) : [];
    if (frames.length > 0) this.#send('frames', JSON.stringify(frames));
    if (nowMs - this.#sentAtMs > PING_MS) this.#send('ping', String(nowMs));
  }

  end(): void {
    this.#response.end();
  }

  #texts(log: MeetingLog): void {
    if (this.#log !== undefined && this.#log !== log) {
      this.#line = 1;
      this.#moment = 1;
      this.#send('again', '{}');
    }
    this.#log = log;
    if (log.isRevoked) {
      this.#line = log.lines.next;
      this.#moment = log.moments.next;
      return;
    }
    const lines = log.lines.from(this.#line, MAX_BATCH_LINES);
    if (lines.length > 0) {
      this.#line = (lines.at(-1)?.number ?? 0) + 1;
      this.#send('lines', JSON.stringify(lines));
    }
    const moments = log.moments.from(this.#moment, MAX_BATCH_LINES);
    if (moments.length > 0) {
      this.#moment = (moments.at(-1)?.number ?? 0) + 1;
      this.#send('moments', JSON.stringify(moments));
    }
  }

  #send(name: string, json: string): void {
    this.#sentAtMs = Date.now();
    this.#response.write(`event: ${name}\ndata: ${json}\n\n`);
  }
}
