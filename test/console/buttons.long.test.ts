import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  isBrowserRequired,
  missingBrowser,
  openPage,
  startBrowser,
  type WatchedPage,
} from '../support/browser.ts';
import { type LocalStack, startLocalStack } from '../support/local-stack.ts';

/**
 * The buttons of `npm start -- --demo`, pressed one after another in one meeting, and what the page then shows. Kill is
 * pressed in live-page.long.test.ts.
 */

const canSkip = missingBrowser !== undefined && !isBrowserRequired;
/** A frozen runner is silent for about 10 s before another one takes over. */
const TAKE_OVER_MS = 60_000;
let stack: LocalStack;
let browser: Browser;
let opened: WatchedPage;
let page: Page;

beforeAll(async () => {
  if (canSkip) return;
  stack = await startLocalStack('--demo');
  browser = await startBrowser();
  opened = await openPage(browser, stack.ready.consoleUrl, {
    viewport: { width: 1280, height: 900 },
  });
  page = opened.page;
  await openMeeting();
  await page.locator('.line').first().waitFor({ timeout: 60_000 });
}, 150_000);

afterAll(async () => {
  if (canSkip) return;
  await browser?.close();
  await stack?.[Symbol.asyncDispose]();
});

/** Also after a test that failed elsewhere. */
async function openMeeting(): Promise<void> {
  if ((await page.locator('.owner').count()) > 0) return;
  await page.locator('a[href*="meeting="]').first().click({ timeout: 60_000 });
  // Who serves it comes with the first state of the page.
  await page.locator('.owner', { hasText: /^runner-/ }).waitFor();
}

const toOverview = () => page.getByRole('link', { name: '← all meetings' }).click();
const press = (name: string) => page.getByRole('button', { name, exact: true }).first().click();
const said = (text: string) => page.locator('.said', { hasText: text }).waitFor();
const ownerNow = () => page.locator('.owner').textContent();
const epochNow = async () => Number(await page.locator('.epoch').textContent());
/** Frames of all sources that the page has counted. */
const framesRead = async () => {
  const texts = await page.locator('td[data-label="Read here"]').allTextContents();
  return texts.reduce((sum, text) => sum + Number(text.replaceAll(/\D/g, '')), 0);
};
const rowOf = (task: string) => page.locator('tr', { has: page.getByText(task, { exact: false }) });
const moments = (text: string) => page.locator('.moment', { hasText: text });

/** Waits until another runner serves the meeting. @returns the new one */
async function anotherOwner(before: string | null, epoch: number): Promise<string> {
  await expect.poll(ownerNow, { timeout: TAKE_OVER_MS }).not.toBe(before);
  await expect.poll(epochNow, { timeout: TAKE_OVER_MS }).toBe(epoch + 1);
  return String(await ownerNow());
}

async function mediaGoOn(timeout = 30_000): Promise<void> {
  const before = await framesRead();
  await expect.poll(framesRead, { timeout }).toBeGreaterThan(before + 50);
}

/** Waits until a number of the page is the same at two looks, some states of the page apart. */
async function standsStill(count: () => Promise<number>): Promise<void> {
  let last = -1;
  const isSame = async () => {
    const [earlier, now] = [last, await count()];
    last = now;
    return now === earlier;
  };
  await expect.poll(isSame, { interval: 2_500, timeout: 20_000 }).toBe(true);
}

test.skipIf(canSkip)(
  `fail over: another runner has the meeting, and it was handed over${canSkip ? ` (${missingBrowser})` : ''}`,
  async () => {
    await openMeeting();
    const [owner, epoch] = [await ownerNow(), await epochNow()];
    await press('Fail over');
    await said('Asked its runner to hand the meeting over');
    await anotherOwner(owner, epoch);
    await moments('handed over').first().waitFor();
    await mediaGoOn();
  },
  120_000,
);

test.skipIf(canSkip)(
  'throttle Kinesis: refused puts are counted, and mending ends it',
  async () => {
    await toOverview();
    const refused = async () => {
      // Of the media stream, which has most of the records.
      const text = (await page.locator('td[data-label="Throttles"]').first().textContent()) ?? '';
      return Number(/([\d,.]+) puts/.exec(text)?.[1]?.replaceAll(/\D/g, ''));
    };
    const before = await refused();
    await press('Throttle Kinesis');
    await said('Kinesis refuses 70 %');
    await expect.poll(refused, { timeout: 15_000 }).toBeGreaterThan(before);
    await press('Mend Kinesis');
    await said('Kinesis works as usual');
    // Tries that were under way are over; then the number stands still for some pictures of the page.
    await standsStill(refused);
    await openMeeting();
    await mediaGoOn();
  },
  120_000,
);

test.skipIf(canSkip)(
  'stop Kinesis: nothing more is read; when it is mended everything comes, and nothing is missing',
  async () => {
    await openMeeting();
    await press('Stop Kinesis');
    await said('Kinesis takes no records');
    await standsStill(framesRead);
    await press('Mend Kinesis');
    await said('Kinesis works as usual');
    await mediaGoOn();
    for (const label of ['Lost, explained', 'Skipped']) {
      const counts = await page.locator(`td[data-label="${label}"]`).allTextContents();
      expect(new Set(counts), label).toEqual(new Set(['0']));
    }
  },
  120_000,
);

test.skipIf(canSkip)(
  'freeze: the runner is shown as frozen, another one takes over; thaw: it is one of them again',
  async () => {
    await openMeeting();
    const [owner, epoch] = [String(await ownerNow()), await epochNow()];
    await press('Freeze');
    await said('frozen');
    await page.getByRole('button', { name: 'Thaw', exact: true }).waitFor();
    await toOverview();
    await rowOf(owner).locator('.state', { hasText: 'frozen' }).waitFor();
    await rowOf(owner).locator('.tone-bad', { hasText: 'ago' }).waitFor({ timeout: 30_000 });
    await openMeeting();
    const next = await anotherOwner(owner, epoch);
    expect(next).not.toBe(owner);
    await toOverview();
    await rowOf(owner).getByRole('button', { name: 'Thaw', exact: true }).click();
    await said('goes on');
    await expect
      .poll(() => rowOf(owner).locator('.state').textContent(), { timeout: 30_000 })
      .toBe('runner');
    await expect
      .poll(() => rowOf(owner).locator('td[data-label="Meetings"]').textContent())
      .toBe('0');
    await openMeeting();
    expect([await ownerNow(), await epochNow()]).toEqual([next, epoch + 1]);
    await page.locator('.moment.tone-takeover').first().waitFor({ timeout: 60_000 });
    // Zoom lets nobody else in while the frozen runner holds its connection. That one hangs up now.
    await mediaGoOn(60_000);
  },
  180_000,
);

test.skipIf(canSkip)(
  'drain: the meeting is handed over, the runner ends, and one of another name comes',
  async () => {
    await openMeeting();
    const [owner, epoch] = [String(await ownerNow()), await epochNow()];
    await press('Drain');
    await said('drains');
    const next = await anotherOwner(owner, epoch);
    expect(next).not.toBe(owner);
    await mediaGoOn();
    await toOverview();
    await expect.poll(() => rowOf(owner).count(), { timeout: 60_000 }).toBe(0);
    await rowOf('runner-3').locator('.state', { hasText: 'runner' }).waitFor({ timeout: 60_000 });
    await openMeeting();
  },
  180_000,
);

test.skipIf(canSkip)(
  'end meeting: asked first; then it is shown as ended, with its ledger, and counts as recorded',
  async () => {
    await openMeeting();
    const asked: string[] = [];
    page.once('dialog', async (dialog) => {
      asked.push(dialog.message());
      await dialog.dismiss();
    });
    await press('End meeting');
    expect(asked).toEqual(['End the recording of this meeting for good?']);
    expect(await page.locator('.facts .state').textContent()).toBe('serving');
    page.once('dialog', (dialog) => void dialog.accept());
    await press('End meeting');
    await said('Asked its runner to end the stream');
    await expect
      .poll(() => page.locator('.facts .state').textContent(), { timeout: 30_000 })
      .toBe('ended');
    await page
      .getByText(/\d received, [\d,]+ written/)
      .first()
      .waitFor({ timeout: 15_000 });
    expect(await page.getByRole('button', { name: 'End meeting' }).count()).toBe(0);
    await toOverview();
    const inPart = page.locator('.tile', { hasText: 'in part' }).locator('dd');
    const whole = page.locator('.tile', { hasText: 'whole' }).locator('dd');
    await expect
      .poll(async () => Number(await inPart.textContent()) + Number(await whole.textContent()))
      .toBe(1);
    expect(opened.complaints).toEqual([]);
  },
  120_000,
);
