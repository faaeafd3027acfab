import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseScenario, type ScenarioParticipant } from '../scenario/scenario.ts';
import { loadAsset, loadOpusPackets } from './assets.ts';
import { aLaw, audioFrame, mixedAudioFrame } from './audio-source.ts';
import { type SimulatedAudioParams, WIRE_DEFAULTS } from './media-params.ts';
import { readSyntheticFrame } from './synthetic-frame.ts';

const L16: SimulatedAudioParams = WIRE_DEFAULTS.audio;
const CLIP = 'speech/01';
const pcm = loadAsset(`${CLIP}.pcm`);

function speaker(userId: number, audio: unknown): ScenarioParticipant {
  const participants = [{ userId, userName: 'A', audio }];
  const scenario = parseScenario({ name: 'test', durationMs: 0, participants });
  return scenario.participants[0] as ScenarioParticipant;
}

const ada = speaker(1, { kind: 'clips', clips: [{ startMs: 100, file: CLIP }] });

describe('audioFrame', () => {
  test('is the clip byte for byte, and undefined before and after it', () => {
    const frames: (Buffer | undefined)[] = [];
    for (let ms = 0; ms < 4000; ms += 20) frames.push(audioFrame(ada, ms, L16));
    const spoken = frames.filter((frame) => frame !== undefined);
    expect(Buffer.concat(spoken)).toEqual(pcm);
    expect(frames.slice(0, 5)).toEqual(Array(5).fill(undefined));
    expect(frames.at(-1)).toBeUndefined();
  });

  test('pads a longer frame with silence where the clip begins inside it', () => {
    const frame = audioFrame(ada, 0, { ...L16, send_rate: 200 });
    expect(frame).toEqual(Buffer.concat([Buffer.alloc(3200), pcm.subarray(0, 3200)]));
  });

  test.each([
    ['8 kHz mono', { sample_rate: 0 }, 320],
    ['32 kHz mono', { sample_rate: 2 }, 1280],
    ['48 kHz stereo', { sample_rate: 3, channel: 2 }, 3840],
    ['16 kHz mono, 100 ms', { send_rate: 100 }, 3200],
  ])('has the size of L16 at %s', (_name, params, bytes) => {
    expect(audioFrame(ada, 200, { ...L16, ...params })).toHaveLength(bytes);
  });

  test('plays the Opus packets of the clip', () => {
    const opus = { ...L16, codec: 4, sample_rate: 3, channel: 2 };
    expect(audioFrame(ada, 140, opus)).toBe(loadOpusPackets(`${CLIP}.ogg`)[2]);
    expect(audioFrame(ada, 80, opus)).toBeUndefined();
  });

  test('clicks at every full second', () => {
    const clicks = speaker(1, { kind: 'clicks', everyMs: 1000 });
    const loud = (ms: number) => audioFrame(clicks, ms, L16)?.some((byte) => byte !== 0);
    expect([loud(0), loud(20), loud(980), loud(1000)]).toEqual([true, false, false, true]);
  });

  test('numbers synthetic frames, and has no codec of its own for G.722', () => {
    const synthetic = speaker(9, { kind: 'synthetic', talkMs: 40, pauseMs: 60, phaseMs: 20 });
    const frames = [0, 20, 40, 60, 80, 100].map((ms) => audioFrame(synthetic, ms, L16));
    expect(frames.map((frame) => frame && readSyntheticFrame(frame)?.offsetMs)).toEqual([
      0,
      undefined,
      undefined,
      undefined,
      80,
      100,
    ]);
    const g722 = audioFrame(ada, 200, { ...L16, codec: 3 });
    expect(readSyntheticFrame(g722 ?? Buffer.alloc(0))).toMatchObject({ source: 1, offsetMs: 200 });
  });
});

describe('G.711', () => {
  test('agrees with the reference encoder on the 440 Hz tone of the fixtures', () => {
    const [tone, reference] = ['contact-center-channel', 'g711-alaw-8k-mono-20ms.mixed'].map(
      (name) =>
        Buffer.from(
          JSON.parse(
            readFileSync(
              new URL(`../../test/fixtures/rtms/media/14-audio.${name}.json`, import.meta.url),
              'utf8',
            ),
          ).content.data,
          'base64',
        ),
    );
    const encoded = Array.from({ length: 160 }, (_, i) => aLaw(tone?.readInt16LE(i * 2) ?? 0));
    expect(encoded).toEqual([...(reference ?? [])]);
  });

  test('has one byte for each sample', () => {
    expect(audioFrame(ada, 200, { ...L16, codec: 2, sample_rate: 0 })).toHaveLength(160);
  });
});

describe('mixedAudioFrame', () => {
  const ben = speaker(2, { kind: 'clips', clips: [{ startMs: 100, file: CLIP }] });

  test('is the audio of the only talker, unchanged', () => {
    expect(mixedAudioFrame([ada], 200, L16, false)).toEqual(audioFrame(ada, 200, L16));
  });

  test('adds talkers up, within the range of a sample', () => {
    const one = audioFrame(ada, 500, L16) as Buffer;
    const both = mixedAudioFrame([ada, ben], 500, L16, false) as Buffer;
    for (let at = 0; at < one.length; at += 2) {
      const sum = one.readInt16LE(at) * 2;
      expect(both.readInt16LE(at)).toBe(Math.max(-32768, Math.min(32767, sum)));
    }
  });

  test('goes on through silence only if asked to', () => {
    expect(mixedAudioFrame([ada], 0, L16, false)).toBeUndefined();
    expect(mixedAudioFrame([ada], 0, L16, true)).toEqual(Buffer.alloc(640));
  });
});
