import type { Frame, MeetingExport } from '../../sdk/consumer/index.ts';
import { loadAccessUnits, loadAsset } from '../../simulator/media/assets.ts';
import { audioFrame } from '../../simulator/media/audio-source.ts';
import { WIRE_DEFAULTS } from '../../simulator/media/media-params.ts';
import type { ScenarioParticipant } from '../../simulator/scenario/scenario.ts';
import { START_MS } from './test-records.ts';

const FPS = 15;

const FLASH = loadAccessUnits('camera/flash.h264');
const CAMERA = loadAccessUnits('camera/ben.h264');
const L16 = { ...WIRE_DEFAULTS.audio, sample_rate: 0 };
const OPUS = { ...WIRE_DEFAULTS.audio, codec: 4 };
const clicks = { audio: { kind: 'clicks', everyMs: 1_000 } } as unknown as ScenarioParticipant;
const sentence = {
  audio: { kind: 'clips', clips: [{ startMs: 0, file: 'speech/01' }] },
} as unknown as ScenarioParticipant;

export interface RecordedMeeting {
  readonly lengthMs: number;
  /** When another runner takes over: Zoom sends the last second of sound again. @default never */
  readonly takeOverMs?: number;
  /** How long the pictures are gone then. */
  readonly blindMs?: number;
  /** A JPG is shared this often. @default never */
  readonly slideMs?: number;
}

/**
 * Hands a long meeting to an export: Ada clicks and flashes once a second, Ben speaks Opus and has a camera.
 *
 * @returns how many frames it had
 */
export async function recordMeeting(
  meeting: MeetingExport,
  { lengthMs, takeOverMs = Number.POSITIVE_INFINITY, blindMs = 0, slideMs }: RecordedMeeting,
): Promise<number> {
  const common = {
    rtmsStreamId: 'recorded',
    sampleRateHz: 0,
    channels: 0,
    width: 0,
    height: 0,
    partitionKey: 'k',
    kinesisSequenceNumber: '1',
  };
  const ada = { ...common, userId: 7, userName: 'Ada' };
  const ben = { ...common, userId: 8, userName: 'Ben' };
  const numbers = new Map<string, number>();
  let count = 0;
  let epoch = 1;
  const put = async (
    frame: Omit<Frame, 'epoch' | 'sequence' | 'capturedAt' | 'receivedAt'>,
    ms: number,
  ) => {
    const key = `${epoch} ${frame.mediaType} ${frame.userId}`;
    const sequence = (numbers.get(key) ?? 0) + 1;
    numbers.set(key, sequence);
    const capturedAt = new Date(START_MS + ms);
    count += 1;
    await meeting.frame({ ...frame, epoch, sequence, capturedAt, receivedAt: capturedAt });
  };
  const sound = { mediaType: 'audio', channels: 1 } as const;
  const camera = { mediaType: 'video', codec: 'H264' } as const;
  const share = { mediaType: 'deskshare', codec: 'JPG' } as const;
  const slides = [1, 2].map((number) => loadAsset(`slides/${number}.jpg`));
  let picture = 0;
  for (let ms = 0; ms < lengthMs; ms += 20) {
    if (ms === takeOverMs && epoch === 1) {
      epoch = 2;
      ms -= 1_000;
    }
    const payload = audioFrame(clicks, ms, L16) as Buffer;
    await put({ ...ada, ...sound, codec: 'L16', sampleRateHz: 8_000, payload }, ms);
    const said = audioFrame(sentence, ms % 7_000, OPUS);
    if (said)
      await put({ ...ben, ...sound, codec: 'OPUS', sampleRateHz: 48_000, payload: said }, ms);
    for (; (picture * 1000) / FPS < ms + 20; picture += 1) {
      const pictureMs = Math.round((picture * 1000) / FPS);
      if (pictureMs >= takeOverMs && pictureMs < takeOverMs + blindMs) continue;
      await put({ ...ada, ...camera, payload: FLASH[picture % FLASH.length] as Buffer }, pictureMs);
      await put(
        { ...ben, ...camera, payload: CAMERA[picture % CAMERA.length] as Buffer },
        pictureMs,
      );
    }
    if (slideMs !== undefined && ms % slideMs === 0)
      await put({ ...ada, ...share, payload: slides[(ms / slideMs) % 2] as Buffer }, ms);
  }
  return count;
}
