import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSimulatedMeeting } from '../../local/simulated-meeting.ts';
import { encodeMediaRecord } from '../../shared/record/encode-media-record.ts';
import { encodeAggregate } from '../../shared/record/kpl.ts';
import type { MediaRecord } from '../../shared/record/media-record.ts';
import {
  isBrowserRequired,
  missingBrowser,
  openPage,
  startBrowser,
  type WatchedPage,
} from '../support/browser.ts';
import { type ConsoleWorld, startConsoleWorld, started } from '../support/console-world.ts';
import { startLocalStack } from '../support/local-stack.ts';
import { mediaRecord } from '../support/test-records.ts';
import { type HeardWindow, hear, opusTone, powerOf, shareOf, tapSound } from './browser-sound.ts';

/** The sound of the page in a real Chromium: what its decoders make of L16 and Opus, on the way to the loudspeaker. */

const canSkip = missingBrowser !== undefined && !isBrowserRequired;
const ID = 'sounding';
const FRAME_MS = 20;
/** Frames of a record, as a runner writes them. */
const FRAMES = 10;
const RATE_HZ = 16_000;
/** A whole number of periods a second each, and far from the harmonics of the others. */
const TONES = { Ada: 440, Ben: 1_130, Cleo: 2_210 } as const;
const OPUS = 4;

let browser: Browser;
let world: ConsoleWorld;
let opened: WatchedPage;
let page: Page;
const stop = new AbortController();
let talking: Promise<void>;

beforeAll(async () => {
  if (canSkip) return;
  browser = await startBrowser();
  world = await startConsoleWorld();
  const context = await browser.newContext();
  await tapSound(context);
  opened = await openPage(context, `${world.console.url}&meeting=${ID}`);
  page = opened.page;
  const opus = {
    mono: await opusTone(page, TONES.Ben, 1),
    stereo: await opusTone(page, TONES.Cleo, 2),
  };
  await world.event(ID, 'session_started', started(Date.now(), 'Sound'));
  talking = talk(opus, stop.signal);
}, 60_000);

afterAll(async () => {
  if (canSkip) return;
  stop.abort();
  await talking;
  await browser?.close();
  await world?.[Symbol.asyncDispose]();
});

/** 20 ms of L16. */
function l16(frame: number): Buffer {
  const count = (RATE_HZ * FRAME_MS) / 1_000;
  const payload = Buffer.alloc(count * 2);
  for (let index = 0; index < count; index++) {
    const seconds = (frame * count + index) / RATE_HZ;
    const sample = 0.3 * Math.sin(2 * Math.PI * TONES.Ada * seconds);
    payload.writeInt16LE(Math.round(sample * 32_767), index * 2);
  }
  return payload;
}

/** Three people who hold a tone each, in real time: Ada in L16, Ben in Opus, Cleo in Opus with two channels. */
async function talk(
  { mono, stereo }: Readonly<Record<'mono' | 'stereo', readonly string[]>>,
  signal: AbortSignal,
): Promise<void> {
  const beganMs = Date.now();
  const packet = (packets: readonly string[], frame: number) =>
    Buffer.from(packets[frame % packets.length] ?? '', 'base64');
  const voices: ((frame: number) => Partial<MediaRecord>)[] = [
    (frame) => ({ userId: 1, userName: 'Ada', sampleRateHz: RATE_HZ, payload: l16(frame) }),
    (frame) => ({
      userId: 2,
      userName: 'Ben',
      codec: OPUS,
      sampleRateHz: 48_000,
      payload: packet(mono, frame),
    }),
    (frame) => ({
      userId: 3,
      userName: 'Cleo',
      codec: OPUS,
      sampleRateHz: 48_000,
      channels: 2,
      payload: packet(stereo, frame),
    }),
  ];
  for (let first = 0; !signal.aborted; first += FRAMES) {
    const records = voices.flatMap((voice) =>
      Array.from({ length: FRAMES }, (_, index) => {
        const frame = first + index;
        const capturedAtMs = beganMs + frame * FRAME_MS;
        const times = { capturedAtMs, receivedAtMs: capturedAtMs };
        return encodeMediaRecord(
          mediaRecord({ rtmsStreamId: ID, sequence: frame + 1, ...times, ...voice(frame) }),
        );
      }),
    );
    await world.put(world.streams.media, encodeAggregate(ID, records), ID);
    const dueMs = beganMs + (first + FRAMES) * FRAME_MS - Date.now();
    await delay(Math.max(0, dueMs), undefined, { signal }).catch(() => undefined);
  }
}

const button = (name: string) => page.getByRole('button', { name: `Listen to ${name}` });
const WINDOWS = 15;

/** The share of each person's tone in the sound, window by window. */
async function tones(): Promise<Record<keyof typeof TONES, number>[]> {
  const heard = await hear(page, WINDOWS);
  expect(heard).toHaveLength(WINDOWS);
  return heard.map((window) => ({
    Ada: shareOf(TONES.Ada, window),
    Ben: shareOf(TONES.Ben, window),
    Cleo: shareOf(TONES.Cleo, window),
  }));
}

const quiet = (windows: readonly HeardWindow[]) => windows.every((each) => powerOf(each) < 1e-6);

test.skipIf(canSkip)(
  `one speaker is heard, in L16 and in Opus, and nobody else${canSkip ? ` (${missingBrowser})` : ''}`,
  async () => {
    for (const who of ['Ada', 'Ben', 'Cleo'] as const) {
      await button(who).click({ timeout: 30_000 });
      // What was to sound before the click is over, and the first frames of this one are due.
      await expect
        .poll(async () => (await tones()).at(-1)?.[who], { timeout: 30_000 })
        .toBeGreaterThan(0.9);
      const heard = await tones();
      // On a machine that is busy with other things a frame may come too late. Then a window has a gap in it.
      const clear = heard.filter((share) => share[who] > 0.9);
      expect(clear.length, JSON.stringify(heard)).toBeGreaterThanOrEqual(WINDOWS * 0.7);
      for (const other of ['Ada', 'Ben', 'Cleo'] as const) {
        if (other === who) continue;
        for (const share of clear) expect(share[other]).toBeLessThan(0.02);
      }
      await button(who).click();
    }
  },
  120_000,
);

test.skipIf(canSkip)('everybody is heard together, and after the button nobody', async () => {
  await button('everybody').click();
  const isMixed = ({ Ada, Ben, Cleo }: Record<keyof typeof TONES, number>) =>
    Math.min(Ada, Ben, Cleo) > 0.2;
  await expect.poll(async () => (await tones()).some(isMixed), { timeout: 30_000 }).toBe(true);
  const heard = await tones();
  expect(heard.filter(isMixed).length, JSON.stringify(heard)).toBeGreaterThanOrEqual(WINDOWS * 0.7);
  await button('everybody').click();
  await expect.poll(async () => quiet(await hear(page, 2)), { timeout: 10_000 }).toBe(true);
});

test.skipIf(canSkip)('whoever sounds is shown as speaking, whatever the codec', async () => {
  const speaks = page.locator('.speakers li.speaks .who');
  await expect
    .poll(async () => (await speaks.allTextContents()).toSorted())
    .toEqual(['Ada', 'Ben', 'Cleo']);
  expect(opened.complaints).toEqual([]);
});

const CREDENTIALS = {
  clientId: 'client',
  clientSecret: 'secret',
  webhookSecretTokens: ['token'],
};

/** From the simulator's speech to the loudspeaker, as Zoom sends it by default and as `npm start` asks for it. */
test.skipIf(canSkip).each([
  ['OPUS', { codec: 'OPUS', sampleRate: 'SR_48K', channel: 'STEREO' }],
  ['L16', { codec: 'L16', sampleRate: 'SR_16K', channel: 'MONO' }],
])(
  'the speech of a simulated meeting in %s is heard',
  async (codec, format) => {
    const audio = { ...format, dataOpt: 'AUDIO_MULTI_STREAMS', sendRateMs: 20 };
    await using stack = await startLocalStack('--live', {
      RTMS_MEDIA: JSON.stringify({ audio }),
      ZM_RTMS_CLIENT: CREDENTIALS.clientId,
      ZM_RTMS_SECRET: CREDENTIALS.clientSecret,
      ZM_RTMS_WEBHOOK_SECRET: CREDENTIALS.webhookSecretTokens[0] ?? '',
      ZM_RTMS_ALLOWED_HOSTS: '127.0.0.1',
      ZM_RTMS_PORT: '0',
    });
    const { webhookUrl, consoleUrl } = stack.ready;
    const meeting = await startSimulatedMeeting(webhookUrl, CREDENTIALS, '1', () => undefined, {
      rounds: 10,
    });
    const context = await browser.newContext();
    try {
      await tapSound(context);
      const { page: live, complaints } = await openPage(
        context,
        `${consoleUrl}&meeting=${encodeURIComponent(meeting.rtmsStreamId)}`,
      );
      const everybody = live.getByRole('button', { name: 'Listen to everybody' });
      await everybody.click({ timeout: 30_000 });
      const audioRow = live.locator('tr', { has: live.getByText('audio', { exact: true }) });
      await expect
        .poll(() => audioRow.first().textContent(), { timeout: 15_000 })
        .toContain(`audio${codec}`);
      // Speech has pauses, and nobody speaks in the first second.
      const isLoud = async () => (await hear(live, 5)).some((each) => powerOf(each) > 1e-4);
      await expect.poll(isLoud, { timeout: 30_000 }).toBe(true);
      await everybody.click();
      await expect.poll(async () => quiet(await hear(live, 2)), { timeout: 10_000 }).toBe(true);
      expect(complaints).toEqual([]);
    } finally {
      await context.close();
      await meeting.close();
    }
  },
  150_000,
);
