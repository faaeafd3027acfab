import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { joinUnified, pass, type WireMessage } from '../../test/support/raw-client.ts';
import { manualClock } from '../clock.ts';
import { loadAsset } from '../media/assets.ts';
import { type Simulator, startSimulator } from '../simulator.ts';
import { scriptedMeeting } from './scripted-meeting.ts';

const script = JSON.parse(loadAsset('script.json').toString());

let simulator: Simulator;
afterEach(() => simulator.close());

test('the scripted meeting sends speech, words, slides and chat, and its ledger is exact', async () => {
  const clock = manualClock(1_738_392_033_699);
  const sentDir = mkdtempSync(join(tmpdir(), 'simulator-'));
  simulator = await startSimulator({ clock, sentDir });
  const id = simulator.start(scriptedMeeting()) as string;
  const media_params = { audio: { data_opt: 2 }, video: { codec: 7, fps: 30 } };
  const events = [2, 3, 4, 5, 6, 8, 9];
  const { signaling, media } = await joinUnified(simulator, id, { media_params, events });
  await pass(clock, 20_000, [signaling, media]);
  clock.advance(10_000);
  const sent = await simulator.finished(id);
  expect(await Promise.all([signaling.closed, media.closed])).toEqual([1000, 1000]);

  const byType = (type: number): WireMessage[] => media.take(type).map(({ content }) => content);
  const audio = byType(14);
  for (const userId of new Set(script.utterances.map((one: WireMessage) => one.userId))) {
    const spoken = Buffer.concat(
      audio
        .filter(({ user_id }) => user_id === userId)
        .map(({ data }) => Buffer.from(data, 'base64')),
    );
    const clips = script.utterances.filter((one: WireMessage) => one.userId === userId);
    expect(spoken).toEqual(
      Buffer.concat(clips.map(({ file }: WireMessage) => loadAsset(`${file}.pcm`))),
    );
    const source = sent.sources.find((one) => one.mediaType === 'audio' && one.userId === userId);
    expect(source).toMatchObject({ bytes: spoken.length, uncertain: [], notSent: [] });
    expect(source?.sha256).toBe(createHash('sha256').update(spoken).digest('hex'));
    expect(readFileSync(join(sentDir, id, `audio-${userId}.bin`))).toEqual(spoken);
  }

  expect(byType(17).map(({ data }) => data)).toEqual(
    script.utterances.map(({ text }: WireMessage) => text),
  );
  expect(byType(18)).toHaveLength(2);
  expect(byType(16).length).toBeGreaterThan(8);
  const cameras = new Set(byType(15).map(({ user_id }) => user_id));
  expect(cameras.size).toBe(2);

  const types = signaling.take(6).map(({ event }) => event.event_type);
  expect(new Set(types)).toEqual(new Set([1, ...events]));
  const report = JSON.parse(readFileSync(join(sentDir, id, 'sent.json'), 'utf8'));
  expect(report).toEqual(JSON.parse(JSON.stringify(simulator.sent(id))));
  rmSync(sentDir, { recursive: true });
});

test('the scripted meeting takes less than 25 seconds', () => {
  expect(scriptedMeeting().durationMs).toBeLessThan(25_000);
});
