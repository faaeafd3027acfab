import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadAccessUnits } from '../../../../simulator/media/assets.ts';
import { audioFrame } from '../../../../simulator/media/audio-source.ts';
import { WIRE_DEFAULTS } from '../../../../simulator/media/media-params.ts';
import type { ScenarioParticipant } from '../../../../simulator/scenario/scenario.ts';
import { missingTools, openMovie } from '../../../../test/support/media-tools.ts';
import { frame, START_MS } from '../../../../test/support/test-records.ts';
import { MeetingExport } from '../meeting.ts';

const FLASH = loadAccessUnits('camera/flash.h264');
const BEN = loadAccessUnits('camera/ben.h264');
const OPUS = { ...WIRE_DEFAULTS.audio, codec: 4 };
const sentence = {
  audio: { kind: 'clips', clips: [{ startMs: 0, file: 'speech/01' }] },
} as unknown as ScenarioParticipant;

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'rtms-damaged-'));
});
afterAll(() => rm(root, { recursive: true }));

test('a source that changes size and codec, lost pictures, damaged Opus and odd times leave a file that plays', async () => {
  const directory = join(root, 'damaged');
  const meeting = await MeetingExport.create(directory, { startMs: START_MS, layout: 'share' });
  const show = (index: number, payload: Buffer, atMs: number) =>
    meeting.frame(
      frame({
        mediaType: 2,
        codec: 7,
        payload,
        sequence: index,
        capturedAtMs: START_MS + atMs,
        receivedAtMs: START_MS + index * 66,
      }),
    );
  for (let index = 1; index <= 60; index++) {
    // Ten pictures are lost, one has a time of next year, and from the thirtieth on they have another size.
    if (index > 10 && index <= 20) continue;
    const units = index < 30 ? BEN : FLASH;
    await show(
      index,
      units[((index - 1) % 30) % units.length] as Buffer,
      index === 25 ? 3e10 : index * 66,
    );
  }
  for (let sequence = 1; sequence <= 100; sequence++) {
    const times = {
      sequence,
      capturedAtMs: START_MS + sequence * 20,
      receivedAtMs: START_MS + sequence * 20,
    };
    const opus = { codec: 4, sampleRateHz: 48_000, channels: 2 };
    const packet = audioFrame(sentence, sequence * 20, OPUS) as Buffer;
    const damaged = Buffer.from([packet[0] as number, 0xff, sequence]);
    if (sequence <= 50) await meeting.frame(frame(times));
    else
      await meeting.frame(frame({ ...times, ...opus, payload: sequence % 10 ? packet : damaged }));
  }
  await meeting.close();
  const { meeting: file, sources } = JSON.parse(
    await readFile(join(directory, 'manifest.json'), 'utf8'),
  );
  const names = sources.map(({ file }: { file: string }) => file);
  expect(names).toEqual(
    expect.arrayContaining(['video-7-ada.mp4', 'video-7-ada-2.mp4', 'audio-7-ada-part2.ogg']),
  );
  expect(file.lengthMs).toBeLessThan(5_000);
  if (missingTools.length > 0) return;
  const [video, sound] = openMovie(join(directory, 'meeting.mp4')).streams;
  expect(video?.nb_read_frames).toBe(video?.nb_read_packets);
  // The first packet is what the encoder puts before the sound, and players leave it out.
  expect(Number(sound?.nb_read_frames)).toBe(Number(sound?.nb_read_packets) - 1);
});
