import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EventDecoder } from '../../sdk/consumer/index.ts';
import { streamPages } from '../../sdk/consumer/reading/stream-pages.ts';
import {
  isBrowserRequired,
  missingBrowser,
  openPage,
  seriousFindings,
  startBrowser,
  type WatchedPage,
} from '../support/browser.ts';
import { connect } from '../support/kinesis-client.ts';
import { type LocalStack, startLocalStack } from '../support/local-stack.ts';

/** The page of `npm start -- --demo` in a real Chromium, from the webhook to the pixels. */

const canSkip = missingBrowser !== undefined && !isBrowserRequired;
let stack: LocalStack;
let browser: Browser;
let opened: WatchedPage;

beforeAll(async () => {
  if (canSkip) return;
  stack = await startLocalStack('--demo');
  browser = await startBrowser();
  const viewport = { width: 1280, height: 900 };
  opened = await openPage(browser, stack.ready.consoleUrl, { viewport });
}, 120_000);

afterAll(async () => {
  if (canSkip) return;
  await browser?.close();
  await stack?.[Symbol.asyncDispose]();
});

/** When each line of the events stream could be read, Unix ms. */
async function arrivalsOfLines(): Promise<number[]> {
  const client = connect(stack.ready.endpoints.kinesis);
  const decoder = new EventDecoder();
  const arrivals: number[] = [];
  const reader = {
    client,
    streamName: stack.ready.streams.events,
    stopAtTip: true,
    maxCallsPerSecond: 1,
  };
  for await (const { records } of streamPages(reader, async () => undefined)) {
    for (const record of records) {
      for (const { name } of decoder.decode(record)) {
        if (name === 'transcript' || name === 'chat')
          arrivals.push(record.arrivedAt?.getTime() ?? 0);
      }
    }
  }
  client.destroy();
  return arrivals;
}

test.skipIf(canSkip)(
  `the scripted meeting appears by itself${canSkip ? ` (${missingBrowser})` : ''}`,
  async () => {
    const { page } = opened;
    const link = page.locator('a[href*="meeting="]');
    await link.waitFor({ timeout: 30_000 });
    expect(await page.locator('.state.tone-good').first().textContent()).toBe('serving');
    await expect.poll(() => page.locator('.tile').first().textContent()).toContain('1');
    await link.click();
    await page.locator('.line').first().waitFor({ timeout: 30_000 });
  },
);

test.skipIf(canSkip)('lines stand on the page within a second of being readable', async () => {
  const { page } = opened;
  const seenAt = await page.evaluate(async () => {
    const seen: Record<string, number> = {};
    const box = document.querySelector('#transcript') as Element;
    const before = box.querySelectorAll('.line').length;
    await new Promise<void>((resolve) => {
      const look = () => {
        const lines = [...box.querySelectorAll('.line')].slice(before);
        for (const line of lines)
          seen[(line as HTMLElement).dataset['number'] ?? ''] ??= Date.now();
        if (lines.length >= 5) resolve();
      };
      new MutationObserver(look).observe(box, { childList: true });
    });
    return seen;
  });
  // The records tell when they arrived; the page numbers lines of both kinds in the order of the stream.
  const readable = await arrivalsOfLines();
  const waits = Object.entries(seenAt).map(
    ([number, atMs]) => atMs - (readable[Number(number) - 1] ?? 0),
  );
  expect(waits).toHaveLength(5);
  expect(Math.max(...waits)).toBeLessThan(1_000);
});

test.skipIf(canSkip)('video moves, and the share is a picture', async () => {
  const { page } = opened;
  const pixels = (selector: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((canvas: HTMLCanvasElement) => {
        const { width, height } = canvas;
        const copy = new OffscreenCanvas(width, height).getContext('2d', {
          willReadFrequently: true,
        });
        copy?.drawImage(canvas, 0, 0);
        const data = Array.from(copy?.getImageData(0, 0, width, height).data ?? []);
        return data.reduce((sum, value, index) => (sum * 31 + value * (index % 97)) % 1e9, 0);
      });
  const first = await pixels('.picture-video canvas');
  await expect.poll(() => pixels('.picture-video canvas'), { timeout: 10_000 }).not.toBe(first);
  await page.locator('.picture-deskshare canvas').waitFor({ timeout: 30_000 });
  await expect.poll(() => pixels('.picture-deskshare canvas')).toBeGreaterThan(0);
});

test.skipIf(canSkip)('whoever speaks is named, and can be listened to', async () => {
  const { page } = opened;
  await page.locator('.speaks .who').first().waitFor({ timeout: 20_000 });
  const everybody = page.getByRole('button', { name: 'Listen to everybody' });
  await everybody.click();
  expect(await everybody.getAttribute('aria-pressed')).toBe('true');
  await everybody.click();
});

test.skipIf(canSkip)(
  'killing the runner from the page is seen as a take-over, and the transcript goes on',
  async () => {
    const { page } = opened;
    const owner = await page.locator('.owner').textContent();
    const lines = await page.locator('#transcript .line').count();
    await page.getByRole('button', { name: 'Kill' }).click();
    await page.locator('.said', { hasText: 'killed' }).waitFor();
    await page.locator('.moment.tone-takeover').first().waitFor({ timeout: 45_000 });
    await expect.poll(() => page.locator('.owner').textContent()).not.toBe(owner);
    await expect.poll(() => page.locator('.epoch').textContent()).toBe('2');
    await expect
      .poll(() => page.locator('#transcript .line').count(), { timeout: 30_000 })
      .toBeGreaterThan(lines);
    expect(await page.locator('.bar .span-takeover').count()).toBeGreaterThan(0);
  },
  120_000,
);

test.skipIf(canSkip)(
  'explain and verify come as files, with what the commands say',
  async () => {
    const { page } = opened;
    for (const [kind, words] of [
      ['explain', 'What happened'],
      ['verify', 'incomplete'],
    ] as const) {
      const [download] = await Promise.all([
        page.waitForEvent('download', { timeout: 60_000 }),
        page.getByRole('button', { name: kind, exact: true }).click(),
      ]);
      expect(await readFile(await download.path(), 'utf8')).toContain(words);
    }
  },
  150_000,
);

test.skipIf(canSkip)(
  'the export is a zip file',
  async () => {
    const { page } = opened;
    const [download] = await Promise.all([
      page.waitForEvent('download', { timeout: 100_000 }),
      page.getByRole('button', { name: 'export', exact: true }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^export-.*\.zip$/);
    const zip = await readFile(await download.path());
    expect(zip.subarray(0, 2).toString()).toBe('PK');
    for (const name of ['transcript.vtt', 'meeting.wav', 'gaps.json']) {
      expect(zip.includes(name), name).toBe(true);
    }
  },
  150_000,
);

test.skipIf(canSkip)('everything can be reached with the keyboard, in order', async () => {
  const { page } = opened;
  const { page: other } = await openPage(browser, page.url());
  await other.locator('.line').first().waitFor({ timeout: 30_000 });
  const stops: string[] = [];
  for (let press = 0; press < 60; press++) {
    await other.keyboard.press('Tab');
    const name = await other.evaluate(() => {
      const { activeElement: at } = document;
      return at?.getAttribute('aria-label') ?? (at?.id || at?.textContent || '');
    });
    if (name === '' && press > 5) break;
    stops.push(name);
  }
  const wanted = [
    'To the content',
    'rtms console',
    '← all meetings',
    'Kill',
    'Fail over',
    'explain',
    'transcript',
  ];
  const found = wanted.map((name) => stops.findIndex((stop) => stop.startsWith(name)));
  expect(found, stops.join(' | ')).toEqual([...found].sort((a, b) => a - b));
  expect(found).not.toContain(-1);
  await other.close();
});

test.skipIf(canSkip)(
  'axe-core finds nothing serious: both pages, light and dark, wide and narrow',
  async () => {
    const { page } = opened;
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [1280, 400]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 900 });
        expect(await seriousFindings(page), `meeting ${colorScheme} ${width}`).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      }
    }
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.getByRole('link', { name: '← all meetings' }).click();
    await page.locator('.tile').first().waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await seriousFindings(page), `overview ${colorScheme}`).toEqual([]);
    }
  },
  90_000,
);

test.skipIf(canSkip)(
  'nothing went wrong in the page, and nothing was asked of another host',
  () => {
    expect(opened.complaints).toEqual([]);
  },
);
