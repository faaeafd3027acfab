import { type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { encodeMediaRecord } from '../../shared/record/encode-media-record.ts';
import { encodeEvent } from '../../shared/record/event.ts';
import type { BlindTime, EventData, EventName, LedgerRow } from '../../shared/record/event-data.ts';
import { encodeAggregate } from '../../shared/record/kpl.ts';
import type { MediaRecord } from '../../shared/record/media-record.ts';
import { loadAccessUnits, loadAsset } from '../../simulator/media/assets.ts';
import { audioFrame } from '../../simulator/media/audio-source.ts';
import { WIRE_DEFAULTS } from '../../simulator/media/media-params.ts';
import type { ScenarioParticipant } from '../../simulator/scenario/scenario.ts';

/**
 * The records of a meeting of two hours, as runners would have written them: two cameras, two speakers, slides, a
 * transcript and chat. It is handed over after an hour, its runner is killed half an hour later, and five pictures are
 * lost before that.
 *
 * Ada clicks and flashes once a second, so that sound and picture can be compared anywhere. All offsets are ms since
 * media began to flow.
 */
export const LENGTH_MS = 7_200_000;
/** From Zoom's request, time zero of the files, until media flows. */
export const LEAD_MS = 1_500;
export const FPS = 15;
export const ADA = { userId: 16_778_240, userName: 'Ada' } as const;
export const BEN = { userId: 16_779_264, userName: 'Ben' } as const;
export const LINE_EVERY_MS = 10_000;
export const SLIDE_EVERY_MS = 300_000;

/** When each epoch is connected. Zoom sends the audio that it kept from `audioFromMs` on, the first second twice. */
const EPOCHS = [
  { epoch: 1, audioFromMs: 0, fromMs: 0, toMs: 3_600_000 },
  { epoch: 2, audioFromMs: 3_599_000, fromMs: 3_600_400, toMs: 5_399_700 },
  { epoch: 3, audioFromMs: 5_400_000, fromMs: 5_410_000, toMs: LENGTH_MS },
] as const;

/** Pictures of Ben's camera that its runner dropped, by their number. */
const LOST = { from: 40_510, to: 40_514 };

/** Pictures that are in no file, because no decoder can begin with them. Ada has a key frame every 15 pictures, Ben every 30. */
export const SKIPPED = { ada: 9, ben: 24 + 15 };
/** The times in which nobody was connected, or what was received was not written. */
export const BLIND = [
  { fromMs: 3_600_000, toMs: 3_600_400 },
  { fromMs: 5_399_700, toMs: 5_410_000 },
] as const;
export const GAP_FRAMES = LOST.to - LOST.from + 1;

const FLASH = loadAccessUnits('camera/flash.h264');
const CAMERA = loadAccessUnits('camera/ben.h264');
const AUDIO = { ...WIRE_DEFAULTS.audio, sample_rate: 0 };
const OPUS = { ...WIRE_DEFAULTS.audio, codec: 4 };

const CLICKS = {
  ...ADA,
  audio: { kind: 'clicks', everyMs: 1_000 },
} as unknown as ScenarioParticipant;
const SPEECH_EVERY_MS = 7_000;
/** Ben says one sentence again and again. Each scenario holds the current one alone. */
const speech = (index: number) =>
  ({
    ...BEN,
    audio: { kind: 'clips', clips: [{ startMs: 0, file: `speech/0${(index % 8) + 1}` }] },
  }) as unknown as ScenarioParticipant;

const pictureMs = (index: number) => Math.round((index * 1000) / FPS);
/** The first picture at or after an offset. */
const pictureAt = (ms: number) => Math.ceil((ms * FPS) / 1000);

export const PICTURES =
  pictureAt(3_600_000) +
  pictureAt(5_399_700) -
  pictureAt(3_600_400) +
  pictureAt(LENGTH_MS) -
  pictureAt(5_410_000);

interface Written {
  readonly frames: number;
  readonly mediaBytes: number;
  /** When Ben's last sentence ends. */
  readonly benEndsMs: number;
  readonly lines: number;
}

type Key = 'ada audio' | 'ben audio' | 'ada video' | 'ben video' | 'share';
const SOURCES = {
  'ada audio': { mediaType: 1, codec: 1, ...ADA, sampleRateHz: 8_000, channels: 1 },
  'ben audio': { mediaType: 1, codec: 4, ...BEN, sampleRateHz: 48_000, channels: 2 },
  'ada video': { mediaType: 2, codec: 7, ...ADA },
  'ben video': { mediaType: 2, codec: 7, ...BEN },
  share: { mediaType: 4, codec: 5, ...ADA },
} as const;

/** Longest time of a meeting in one PutRecords call: less than what a shard takes in a second. */
const FLUSH_MS = 20_000;
const AGGREGATE_BYTES = 25_000;

/**
 * Writes all of it into the streams `media` and `events`.
 *
 * @param startMs when media began to flow, Unix ms
 * @param atMs called with the time of what comes next, Unix ms, to set the clock of the Kinesis server
 */
export async function writeTwoHours(
  client: KinesisClient,
  rtmsStreamId: string,
  startMs: number,
  atMs: (ms: number) => void,
): Promise<Written> {
  let frames = 0;
  let mediaBytes = 0;
  let benEndsMs = 0;
  let lines = 0;
  for (const { epoch, audioFromMs, fromMs, toMs } of EPOCHS) {
    const ledger = new Map<string, { received: number; written: number; lost: number }>();
    const count = (key: string, isLost = false) => {
      const row = ledger.get(key) ?? { received: 0, written: 0, lost: 0 };
      row.received += 1;
      if (isLost) row.lost += 1;
      else row.written += 1;
      ledger.set(key, row);
      return row.received;
    };
    let media: Buffer[] = [];
    let events: Buffer[] = [];
    let sequence = 0;
    const origin = { rtmsStreamId, epoch, product: 'meeting', entityId: 'a/b==' } as const;
    const event = <Name extends EventName>(name: Name, ms: number, data: EventData[Name]) => {
      sequence += 1;
      if (name === 'transcript' || name === 'chat') count(name);
      else count('events');
      events.push(encodeEvent(origin, name, sequence, startMs + ms, data));
    };
    const frame = (key: Key, ms: number, payload: Buffer, receivedMs = ms) => {
      const record: MediaRecord = {
        rtmsStreamId,
        epoch,
        sequence: count(key),
        ...SOURCES[key],
        capturedAtMs: startMs + ms,
        receivedAtMs: startMs + receivedMs + 40,
        payload,
      };
      media.push(encodeMediaRecord(record));
      frames += 1;
      mediaBytes += payload.length;
    };
    const flush = async (ms: number) => {
      atMs(startMs + ms);
      await put(client, 'media', rtmsStreamId, aggregates(rtmsStreamId, media));
      await put(client, 'events', rtmsStreamId, events);
      media = [];
      events = [];
    };

    if (epoch > 1) event('session_taken_over', fromMs, takenOver(epoch, startMs));
    const mediaNames = { audio: {}, video: {}, deskshare: {}, transcript: {}, chat: {} };
    event('session_started', fromMs, {
      product: 'meeting',
      entityId: 'a/b==',
      media: mediaNames as EventData['session_started']['media'],
      requestedAtMs: startMs - LEAD_MS,
      claimedAtMs: startMs + fromMs - 100,
      streamingAtMs: startMs + fromMs,
    });
    let picture = pictureAt(fromMs);
    for (let ms = audioFromMs; ms < toMs; ms += 20) {
      const receivedMs = Math.max(ms, fromMs);
      frame('ada audio', ms, audioFrame(CLICKS, ms, AUDIO) as Buffer, receivedMs);
      const said = audioFrame(speech(Math.floor(ms / SPEECH_EVERY_MS)), ms % SPEECH_EVERY_MS, OPUS);
      if (said) {
        frame('ben audio', ms, said, receivedMs);
        benEndsMs = ms + 20;
      }
      for (; ms >= fromMs && pictureMs(picture) < Math.min(ms + 20, toMs); picture += 1) {
        frame('ada video', pictureMs(picture), FLASH[picture % FLASH.length] as Buffer);
        if (picture >= LOST.from && picture <= LOST.to) count('ben video', true);
        else frame('ben video', pictureMs(picture), CAMERA[picture % CAMERA.length] as Buffer);
        if (picture === LOST.to) event('gap', ms, lostPictures(startMs, picture + 1));
      }
      if (ms >= fromMs && ms % LINE_EVERY_MS === 0) {
        const timestampMs = startMs + ms;
        event('transcript', ms, { text: `Line at ${ms / 1000} s`, ...BEN, timestampMs });
        if (ms % 60_000 === 0) event('chat', ms, { text: 'Yes.', sender: ADA, timestampMs });
        if (ms % SLIDE_EVERY_MS === 0) {
          frame('share', ms, loadAsset(`slides/${((ms / SLIDE_EVERY_MS) % 4) + 1}.jpg`));
        }
        lines += 1;
      }
      if (ms % FLUSH_MS === FLUSH_MS - 20) await flush(receivedMs);
    }
    const rows: LedgerRow[] = [...ledger].map(([key, counts]) => {
      if (!(key in SOURCES)) return { mediaType: key as LedgerRow['mediaType'], ...counts };
      const { mediaType, userId } = SOURCES[key as Key];
      const names = { 1: 'audio', 2: 'video', 4: 'deskshare' } as const;
      return { mediaType: names[mediaType], userId, ...counts };
    });
    // A runner that is killed writes no ledger.
    if (epoch === 1) event('session_handed_over', toMs, { cause: 'revision', ledger: rows });
    if (epoch === 3)
      event('session_ended', toMs, {
        stopReason: 6,
        stopReasonName: 'MEETING_ENDED',
        restartable: false,
        ledger: rows,
      });
    await flush(toMs + 1_000);
  }
  return { frames, mediaBytes, benEndsMs, lines };
}

function takenOver(epoch: number, startMs: number): EventData['session_taken_over'] {
  const { fromMs, toMs } = BLIND[epoch - 2] as (typeof BLIND)[number];
  const times = { fromMs: startMs + fromMs, toMs: startMs + toMs };
  const mediaTypes: BlindTime['mediaType'][] = ['video', 'deskshare', 'transcript', 'chat'];
  return {
    previousEpoch: epoch - 1,
    cause: epoch === 2 ? 'handed_over' : 'owner_lost',
    ownerSeenAtMs: times.fromMs,
    blind: mediaTypes.map((mediaType) => ({ mediaType, ...times })),
  };
}

/** The gap event of the lost pictures. @param lastSequence of the last one */
function lostPictures(startMs: number, lastSequence: number): EventData['gap'] {
  return {
    mediaType: 'video',
    userId: BEN.userId,
    cause: 'buffer_full',
    fromSequence: lastSequence - GAP_FRAMES + 1,
    toSequence: lastSequence,
    count: GAP_FRAMES,
    bytes: 5_000,
    fromMs: startMs + pictureMs(LOST.from),
    toMs: startMs + pictureMs(LOST.to),
  };
}

function aggregates(key: string, records: readonly Buffer[]): Buffer[] {
  const done: Buffer[] = [];
  let open: Buffer[] = [];
  let bytes = 0;
  for (const record of records) {
    if (bytes + record.length > AGGREGATE_BYTES && open.length > 0) {
      done.push(encodeAggregate(key, open));
      open = [];
      bytes = 0;
    }
    open.push(record);
    bytes += record.length;
  }
  if (open.length > 0) done.push(encodeAggregate(key, open));
  return done;
}

async function put(
  client: KinesisClient,
  StreamName: string,
  PartitionKey: string,
  records: readonly Buffer[],
): Promise<void> {
  if (records.length === 0) return;
  const Records = records.map((Data) => ({ PartitionKey, Data }));
  const { FailedRecordCount } = await client.send(new PutRecordsCommand({ StreamName, Records }));
  if (FailedRecordCount !== 0) throw new Error(`${FailedRecordCount} records refused`);
}
