import type { AudioRequest, DeskshareRequest, MediaRequest } from '../../rtms/protocol/params.ts';
import { KINESIS_LIMITS, PUT_UNIT_BYTES } from '../../shared/kinesis-rules.ts';

/** What is written to one of the two streams, by one meeting. */
export interface WriteLoad {
  readonly bytesPerSecond: number;
  readonly putsPerSecond: number;
}

/** What one meeting writes to each of the two streams while it runs. */
export interface MeetingLoad {
  readonly media: WriteLoad;
  readonly events: WriteLoad;
  /** Sources of media that send at the same time. The archive writes one object a minute for each, and one of events. */
  readonly sources: number;
}

/** People whose audio is on at the same time, with one source each; our assumption for planning. */
const AUDIO_SOURCES = 3;
/** Share of a meeting during which somebody shares a screen; our assumption. */
const SHARE_OF_SHARING = 0.3;

/** Bytes that a frame takes beside its payload: about 100 for our record's header, the rest in the aggregate. */
const FRAME_OVERHEAD_BYTES = 111;
/** The runner writes a lane's aggregate after some 200 ms, or once it is full (`runner/kinesis/producer-options.ts`). */
const FLUSHES_PER_SECOND = 5;

const EVENT_BYTES = 400;
const TRANSCRIPT_LINES_PER_SECOND = 1;
const OTHER_EVENTS_PER_SECOND = 0.1;

const SAMPLE_RATE_HZ = { SR_8K: 8_000, SR_16K: 16_000, SR_32K: 32_000, SR_48K: 48_000 } as const;

/** A camera at 25-30 frames a second in H.264. We assume 1.25 Mb/s for HD, and the others in proportion. */
const H264_BYTES_PER_SECOND = { SD: 75_000, HD: 156_250, FHD: 312_500, QHD: 625_000 } as const;
/** One JPEG picture; our assumption. A PNG is three times as large. */
const PICTURE_BYTES = { SD: 40_000, HD: 90_000, FHD: 150_000, QHD: 250_000 } as const;

/** Estimates one meeting's load from what Zoom is asked for; the constants above are its assumptions. */
export function meetingLoad(media: MediaRequest): MeetingLoad {
  const audio = media.audio ? audioBytesPerSecond(media.audio) : 0;
  const cameras = media.video ? (media.video.cameras ?? 1) : 0;
  const camera = media.video ? pictureBytesPerSecond(media.video) : 0;
  const video = cameras * camera;
  const share = media.deskshare ? pictureBytesPerSecond(media.deskshare) * SHARE_OF_SHARING : 0;
  const lines = OTHER_EVENTS_PER_SECOND + (media.transcript ? TRANSCRIPT_LINES_PER_SECOND : 0);
  return {
    media: {
      bytesPerSecond: audio + video + share,
      // Audio has one key a meeting; every camera and the share have one each.
      putsPerSecond:
        audioPuts(media.audio) + cameras * putsPerSecond(camera) + putsPerSecond(share),
    },
    events: { bytesPerSecond: lines * EVENT_BYTES, putsPerSecond: lines },
    sources:
      (media.audio ? audioSources(media.audio) : 0) +
      cameras +
      (media.deskshare ? SHARE_OF_SHARING : 0),
  };
}

/**
 * Shards of a provisioned stream.
 *
 * @param shardLoad average share of each shard to use. Keys are placed by hash: with keys of 113 kB/s, 0.5 % of the
 *   shards are overloaded at 0.4, and 6 % at 0.6
 * @returns at least 1
 */
export function shardsFor(load: WriteLoad, meetings: number, shardLoad: number): number {
  const perMeeting = Math.max(
    load.bytesPerSecond / KINESIS_LIMITS.shardBytesPerSecond,
    load.putsPerSecond / KINESIS_LIMITS.shardRecordsPerSecond,
  );
  return Math.max(1, Math.ceil((perMeeting * meetings) / shardLoad));
}

function audioFlow(audio: AudioRequest): { framesPerSecond: number; frameBytes: number } {
  const framesPerSource = 1000 / audio.sendRateMs;
  return {
    framesPerSecond: audioSources(audio) * framesPerSource,
    frameBytes: codecBytesPerSecond(audio) / framesPerSource + FRAME_OVERHEAD_BYTES,
  };
}

function audioBytesPerSecond(audio: AudioRequest): number {
  const { framesPerSecond, frameBytes } = audioFlow(audio);
  return framesPerSecond * frameBytes;
}

/** A frame over one PUT unit leaves by itself. Frames that are rarer than flushes do not share a record either. */
function audioPuts(audio: AudioRequest | false): number {
  if (!audio) return 0;
  const { framesPerSecond, frameBytes } = audioFlow(audio);
  if (frameBytes >= PUT_UNIT_BYTES) return framesPerSecond;
  return Math.min(framesPerSecond, putsPerSecond(framesPerSecond * frameBytes));
}

const audioSources = ({ dataOpt }: AudioRequest): number =>
  dataOpt === 'AUDIO_MULTI_STREAMS' ? AUDIO_SOURCES : 1;

function codecBytesPerSecond({ codec, sampleRate, channel }: AudioRequest): number {
  const channels = channel === 'STEREO' ? 2 : 1;
  switch (codec) {
    case 'L16':
      return SAMPLE_RATE_HZ[sampleRate] * 2 * channels;
    case 'OPUS':
      return 8_000 * channels;
    case 'G711':
    case 'G722':
      return 8_000;
  }
}

function pictureBytesPerSecond({ codec, resolution, fps }: DeskshareRequest): number {
  if (codec === 'H264') return H264_BYTES_PER_SECOND[resolution] + fps * FRAME_OVERHEAD_BYTES;
  return fps * (PICTURE_BYTES[resolution] * (codec === 'PNG' ? 3 : 1) + FRAME_OVERHEAD_BYTES);
}

function putsPerSecond(bytesPerSecond: number): number {
  if (bytesPerSecond === 0) return 0;
  return Math.max(FLUSHES_PER_SECOND, bytesPerSecond / PUT_UNIT_BYTES);
}
