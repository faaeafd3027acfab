import { MEDIA_DATA_TYPE, MEDIA_PAYLOAD_TYPE } from '../../rtms/protocol/constants.ts';
import { SourceEncoder } from '../../shared/record/encode-media-record.ts';
import type { EventData, EventName, LedgerRow } from '../../shared/record/event-data.ts';
import { encodeAggregate } from '../../shared/record/kpl.ts';
import { partitionKeyOf } from '../../shared/record/partition-key.ts';
import { WORLD_STREAMS } from '../support/archive-world.ts';
import { eventBytes } from '../support/test-records.ts';

/** One record on its way to a Kinesis stream. */
export interface LoadRecord {
  readonly streamName: string;
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

/** A runner writes the frames of a key together after about this time (`runner/kinesis/producer-options.ts`). */
export const STEP_MS = 200;
const STEPS_PER_SECOND = 1_000 / STEP_MS;

/** What Zoom sends by default: Opus of 128 kb/s for each of three people who speak, in 20 ms frames. */
const SPEAKERS = [1, 2, 3];
const AUDIO_FRAME_MS = 20;
const AUDIO_BYTES = 320;
/** A camera of 1.25 Mb/s: 25 frames a second, every fiftieth a whole picture. */
const CAMERA = 7;
const VIDEO_FRAME_MS = 40;
const PICTURE_EVERY = 50;
const PICTURE_BYTES = 50_000;
const VIDEO_BYTES = 5_300;

/** A meeting as a runner writes it while it lasts: each step brings the records of a fifth of a second. */
export class LoadMeeting {
  readonly rtmsStreamId: string;
  readonly #startMs: number;
  readonly #speakers: readonly Source[];
  readonly #camera: Source | undefined;
  #lines = 0;
  #transcripts = 0;
  #steps = 0;

  /** @param startMs when it begins, Unix ms */
  constructor(rtmsStreamId: string, startMs: number, hasCamera: boolean) {
    this.rtmsStreamId = rtmsStreamId;
    this.#startMs = startMs;
    this.#speakers = SPEAKERS.map((userId) => new Source(rtmsStreamId, 'audio', userId, startMs));
    this.#camera = hasCamera ? new Source(rtmsStreamId, 'video', CAMERA, startMs) : undefined;
  }

  begin(): LoadRecord[] {
    const atMs = this.#startMs;
    const times = { requestedAtMs: atMs, claimedAtMs: atMs, streamingAtMs: atMs };
    const data = { product: 'meeting', entityId: 'a/b==', media: {}, ...times } as const;
    return [this.#event('session_started', data, atMs)];
  }

  step(): LoadRecord[] {
    const records = [this.#together(this.#speakers)];
    if (this.#camera) records.push(this.#together([this.#camera]));
    this.#steps += 1;
    if (this.#steps % STEPS_PER_SECOND === 0) {
      const timestampMs = this.#startMs + this.#steps * STEP_MS;
      const text = 'a line of what somebody says in a second of a meeting';
      this.#transcripts += 1;
      records.push(this.#event('transcript', { text, userId: 1, timestampMs }, timestampMs));
    }
    return records;
  }

  end(): LoadRecord[] {
    const sources = [...this.#speakers, ...(this.#camera ? [this.#camera] : [])];
    const row = (mediaType: LedgerRow['mediaType'], received: number) =>
      ({ mediaType, received, written: received, lost: 0 }) as const;
    const ledger = [
      ...sources.map(({ mediaType, userId, sent }) => ({ ...row(mediaType, sent), userId })),
      row('events', this.#lines - this.#transcripts),
      row('transcript', this.#transcripts),
    ];
    const atMs = this.#startMs + this.#steps * STEP_MS;
    return [this.#event('session_ended', { stopReason: 6, restartable: false, ledger }, atMs)];
  }

  #together(sources: readonly Source[]): LoadRecord {
    const [first] = sources;
    const { rtmsStreamId } = this;
    const partitionKey = partitionKeyOf(rtmsStreamId, first as Source);
    // The frames of people who speak at once arrive one beside the other.
    const bySource = sources.map((source) => source.step());
    const frames = (bySource[0] ?? []).flatMap((_, index) =>
      bySource.map((ofSource) => ofSource[index] as Buffer),
    );
    const data = encodeAggregate(partitionKey, frames);
    return { streamName: WORLD_STREAMS.media, partitionKey, data };
  }

  #event<Name extends EventName>(name: Name, data: EventData[Name], timeMs: number): LoadRecord {
    this.#lines += 1;
    const { rtmsStreamId } = this;
    const bytes = eventBytes(name, data, this.#lines, { rtmsStreamId, timeMs });
    return { streamName: WORLD_STREAMS.events, partitionKey: rtmsStreamId, data: bytes };
  }
}

const AUDIO_FIELDS = { codec: MEDIA_PAYLOAD_TYPE.OPUS, sampleRateHz: 48_000, channels: 2 };
const VIDEO_FIELDS = { codec: MEDIA_PAYLOAD_TYPE.H264, width: 1_280, height: 720 };

class Source {
  readonly mediaType: 'audio' | 'video';
  readonly userId: number;
  sent = 0;
  readonly #startMs: number;
  readonly #encoder: SourceEncoder;
  readonly #payload = Buffer.alloc(PICTURE_BYTES);

  constructor(rtmsStreamId: string, mediaType: 'audio' | 'video', userId: number, startMs: number) {
    this.mediaType = mediaType;
    this.userId = userId;
    this.#startMs = startMs;
    const isAudio = mediaType === 'audio';
    const fields = { rtmsStreamId, epoch: 1, userId, userName: `Person ${userId}` };
    this.#encoder = new SourceEncoder({
      ...fields,
      ...(isAudio ? AUDIO_FIELDS : VIDEO_FIELDS),
      mediaType: isAudio ? MEDIA_DATA_TYPE.AUDIO : MEDIA_DATA_TYPE.VIDEO,
    });
  }

  /** The frames of the next fifth of a second. */
  step(): Buffer[] {
    const everyMs = this.mediaType === 'audio' ? AUDIO_FRAME_MS : VIDEO_FRAME_MS;
    return Array.from({ length: STEP_MS / everyMs }, () => {
      const capturedAtMs = this.#startMs + this.sent * everyMs;
      this.sent += 1;
      const payload = this.#payload.subarray(0, this.#sizeBytes());
      // Its checksum is another one each time, as that of real media is.
      payload.writeUInt32LE(this.sent);
      const times = { capturedAtMs, receivedAtMs: capturedAtMs + STEP_MS };
      const [record] = this.#encoder.splitIntoChunks(
        { sequence: this.sent, ...times, payload },
        Number.POSITIVE_INFINITY,
      );
      return record as Buffer;
    });
  }

  #sizeBytes(): number {
    if (this.mediaType === 'audio') return AUDIO_BYTES;
    return this.sent % PICTURE_EVERY === 1 ? PICTURE_BYTES : VIDEO_BYTES;
  }
}
