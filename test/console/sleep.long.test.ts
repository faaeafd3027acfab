import { createServer, request } from 'node:http';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeServer, listen } from '../../simulator/sockets/listen.ts';
import { isBrowserRequired, missingBrowser, openPage, startBrowser } from '../support/browser.ts';
import { startConsoleWorld, started } from '../support/console-world.ts';

/** Tabs that sleep, in a real Chromium. What a slow tab costs the server is in odd-meetings.long.test.ts. */

const canSkip = missingBrowser !== undefined && !isBrowserRequired;
let browser: Browser;
beforeAll(async () => {
  if (!canSkip) browser = await startBrowser();
});
afterAll(() => browser?.close());

/** What people say in an hour, a line every 1.2 s: more than the server and the page keep. */
const LINES = 3_000;
const SHOWN = 500;

test.skipIf(canSkip)(
  `a tab that sleeps for an hour of a meeting shows its newest lines when it wakes, and goes on${canSkip ? ` (${missingBrowser})` : ''}`,
  async () => {
    await using world = await startConsoleWorld();
    const id = 'slept';
    const spoken = (number: number) => ({ text: `line ${number}`, userId: 7, timestampMs: number });
    await world.event(id, 'session_started', started(Date.now()));
    await world.event(id, 'transcript', spoken(0));
    const { page, complaints } = await openPage(browser, `${world.console.url}&meeting=${id}`);
    await page.getByText('line 0', { exact: true }).waitFor();
    const devtools = await page.context().newCDPSession(page);
    // As Chromium does with a tab in the background: no timer, no task, and nothing of its sockets is read.
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
    for (let first = 1; first <= LINES; first += 250) {
      const lines = Array.from({ length: 250 }, (_, index) => spoken(first + index));
      await world.events(id, 'transcript', lines);
      const sound = { rtmsStreamId: id, sequence: first, payload: Buffer.alloc(60_000, 1) };
      await world.frame(sound);
    }
    const linesRead = () => world.live.overview(Date.now()).meetings[0]?.lines;
    await expect.poll(linesRead).toBe(LINES + 1);
    await devtools.send('Page.setWebLifecycleState', { state: 'active' });
    await page.getByText(`line ${LINES}`, { exact: true }).waitFor({ timeout: 30_000 });
    const shown = await page.locator('#transcript .line-text').allTextContents();
    const newest = Array.from({ length: SHOWN }, (_, index) => `line ${LINES - SHOWN + 1 + index}`);
    expect(shown).toEqual(newest);
    await page.getByText('2,501 earlier lines are in the export.').waitFor();
    await world.event(id, 'transcript', spoken(LINES + 1));
    await page.getByText(`line ${LINES + 1}`, { exact: true }).waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  },
  120_000,
);

/** What lies between a browser and the console, and can be away: as the network of a machine that sleeps. */
async function startNetwork() {
  let isAway = false;
  const server = createServer((incoming, outgoing) => {
    if (isAway) return void incoming.socket.destroy();
    const { method, url = '', headers } = incoming;
    const forward = request(url, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      outgoing.flushHeaders();
      answer.pipe(outgoing);
    });
    forward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forward.destroy());
    incoming.pipe(forward);
  });
  const port = await listen(server, 0);
  return {
    proxy: { server: `http://127.0.0.1:${port}`, bypass: '<-loopback>' },
    leave() {
      isAway = true;
      server.closeAllConnections();
    },
    comeBack() {
      isAway = false;
    },
    [Symbol.asyncDispose]: () => closeServer(server),
  };
}

test.skipIf(canSkip)(
  'a tab whose connection is gone when the machine wakes goes on where it was, and no line comes twice',
  async () => {
    await using world = await startConsoleWorld();
    await using network = await startNetwork();
    const id = 'lid';
    await world.event(id, 'session_started', started(Date.now()));
    await world.event(id, 'transcript', { text: 'before', timestampMs: 1 });
    const context = await browser.newContext({ proxy: network.proxy });
    const page = await context.newPage();
    await page.goto(`${world.console.url}&meeting=${id}`);
    await page.getByText('before', { exact: true }).waitFor();
    network.leave();
    await page.locator('.connection-lost').waitFor();
    await world.event(id, 'transcript', { text: 'meanwhile', timestampMs: 2 });
    network.comeBack();
    await page.locator('.connection-live').waitFor({ timeout: 20_000 });
    await page.getByText('meanwhile', { exact: true }).waitFor();
    const shown = await page.locator('#transcript .line-text').allTextContents();
    expect(shown).toEqual(['before', 'meanwhile']);
    await context.close();
  },
  60_000,
);
