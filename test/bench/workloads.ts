import { MESSAGE_TYPE } from '../../rtms/protocol/constants.ts';
import type { MediaType } from '../../rtms/protocol/media-type.ts';

/** What one media socket of a session carries. */
export interface Flow {
  readonly mediaType: MediaType;
  readonly intervalMs: number;
  /** Sent in turn, one per interval: each the messages that Zoom writes at one moment. */
  readonly moments: readonly (readonly object[])[];
}

export interface Workload {
  readonly title: string;
  /** RTMS_MEDIA, short form. */
  readonly media: object;
  readonly flows: readonly Flow[];
  /** Sessions to try, rising, until a build does not keep up. */
  readonly steps: readonly number[];
}

const SILENT = { audio: false, video: false, deskshare: false, transcript: false, chat: false };
const FRAME_TYPE = {
  audio: MESSAGE_TYPE.MEDIA_DATA_AUDIO,
  video: MESSAGE_TYPE.MEDIA_DATA_VIDEO,
  deskshare: MESSAGE_TYPE.MEDIA_DATA_SHARE,
} as const;
/** Patched when a message is sent; any 13 digits. */
const TIMESTAMP = 1_738_392_033_699;

function frame(mediaType: keyof typeof FRAME_TYPE, sizeBytes: number, userId = 16_778_240): object {
  const data = Buffer.alloc(sizeBytes);
  for (let at = 0; at < sizeBytes; at++) data[at] = (at * 31 + sizeBytes + userId) & 0xff;
  return {
    msg_type: FRAME_TYPE[mediaType],
    content: {
      user_id: userId,
      user_name: 'John Smith',
      data: data.toString('base64'),
      length: sizeBytes,
      timestamp: TIMESTAMP,
    },
  };
}

const AUDIO = { codec: 'L16', sampleRate: 'SR_16K', channel: 'MONO', sendRateMs: 20 };

function audio(sizeBytes: number, intervalMs: number, speakers = 1): Flow {
  const moment = Array.from({ length: speakers }, (_, index) =>
    frame('audio', sizeBytes, 16_778_240 + 1_024 * index),
  );
  return { mediaType: 'audio', intervalMs, moments: [moment] };
}

/** 1.25 Mb/s: a key frame every two seconds. */
const VIDEO: Flow = {
  mediaType: 'video',
  intervalMs: 1_000 / 30,
  moments: Array.from({ length: 60 }, (_, index) => [
    frame('video', index === 0 ? 40_000 : 4_000 + ((index * 397) % 1_200)),
  ]),
};

const TRANSCRIPT: Flow = {
  mediaType: 'transcript',
  intervalMs: 2_000,
  moments: [
    [
      {
        msg_type: MESSAGE_TYPE.MEDIA_DATA_TRANSCRIPT,
        content: {
          user_id: 16_778_240,
          user_name: 'John Smith',
          start_time: TIMESTAMP - 2_400,
          end_time: TIMESTAMP - 100,
          language: 9,
          attribute: 0,
          data: "Good morning everyone, let's get started with the numbers of the last quarter.",
          timestamp: TIMESTAMP,
        },
      },
    ],
  ],
};

const share = (sizeBytes: number, intervalMs: number): Flow => ({
  mediaType: 'deskshare',
  intervalMs,
  moments: [[frame('deskshare', sizeBytes)]],
});

const VIDEO_REQUEST = { codec: 'H264', resolution: 'HD', fps: 30 };
const SHARE_REQUEST = { codec: 'JPG', resolution: 'FHD', fps: 1 };

/** For those who record and do not listen: the same sound in fewer, larger messages. */
const archive = (sendRateMs: number): Workload => ({
  title: `L16, ${sendRateMs} ms, one speaker`,
  media: { ...SILENT, audio: { ...AUDIO, sendRateMs, dataOpt: 'AUDIO_MIXED_STREAM' } },
  flows: [audio(32 * sendRateMs, sendRateMs)],
  steps: [300, 600],
});

export const WORKLOADS = {
  audio: {
    title: 'L16 16 kHz mono, 20 ms, one speaker',
    media: { ...SILENT, audio: { ...AUDIO, dataOpt: 'AUDIO_MIXED_STREAM' } },
    flows: [audio(640, 20)],
    steps: [300, 600, 1_000, 1_200, 1_400],
  },
  'three-speakers': {
    title: 'L16, 20 ms, three speakers',
    media: { ...SILENT, audio: { ...AUDIO, dataOpt: 'AUDIO_MULTI_STREAMS' } },
    flows: [audio(640, 20, 3)],
    steps: [100, 300, 450, 600, 800],
  },
  'audio-100ms': {
    title: 'L16, 100 ms, one speaker',
    media: { ...SILENT, audio: { ...AUDIO, sendRateMs: 100, dataOpt: 'AUDIO_MIXED_STREAM' } },
    flows: [audio(3_200, 100)],
    steps: [150, 300, 1_000, 1_500],
  },
  'audio-200ms': archive(200),
  'audio-500ms': archive(500),
  'audio-1000ms': archive(1_000),
  opus: {
    title: 'Opus 48 kHz stereo, 20 ms, one speaker',
    media: { ...SILENT, audio: { codec: 'OPUS', dataOpt: 'AUDIO_MIXED_STREAM' } },
    flows: [audio(160, 20)],
    steps: [300, 700, 1_000, 1_200],
  },
  video: {
    title: 'H.264 720p, 30 fps, 1.25 Mb/s',
    media: { ...SILENT, video: VIDEO_REQUEST },
    flows: [VIDEO],
    steps: [60, 300, 500, 600],
  },
  share: {
    title: 'JPG share, 300 kB, 1 fps',
    media: { ...SILENT, deskshare: SHARE_REQUEST },
    flows: [share(300_000, 1_000)],
    steps: [60, 150, 300],
  },
  transcript: {
    title: 'transcript only, a line every 2 s',
    media: { ...SILENT, transcript: {} },
    flows: [TRANSCRIPT],
    steps: [300, 2_000],
  },
  meeting: {
    title: 'L16 20 ms, 720p, transcript, 100 kB share every 5 s',
    media: {
      ...SILENT,
      audio: { ...AUDIO, dataOpt: 'AUDIO_MIXED_STREAM' },
      video: VIDEO_REQUEST,
      deskshare: SHARE_REQUEST,
      transcript: {},
    },
    flows: [audio(640, 20), VIDEO, TRANSCRIPT, share(100_000, 5_000)],
    steps: [100, 200, 300],
  },
} as const satisfies Readonly<Record<string, Workload>>;

export type WorkloadName = keyof typeof WORKLOADS;

/** Those that `npm run bench -- runner` leaves out unless they are named. */
export const ONLY_WHEN_NAMED: readonly WorkloadName[] = [
  'audio-200ms',
  'audio-500ms',
  'audio-1000ms',
];
