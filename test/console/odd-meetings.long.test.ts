import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import {
  isBrowserRequired,
  missingBrowser,
  openPage,
  seriousFindings,
  startBrowser,
} from '../support/browser.ts';
import {
  type ConsoleWorld,
  followConsole,
  startConsoleWorld,
  started,
} from '../support/console-world.ts';

/** What strangers may send, and how much of it, in a real Chromium. */

const canSkip = missingBrowser !== undefined && !isBrowserRequired;
let world: ConsoleWorld;
let browser: Browser;
beforeAll(async () => {
  if (canSkip) return;
  world = await startConsoleWorld();
  browser = await startBrowser();
});
afterAll(async () => {
  if (canSkip) return;
  await browser?.close();
  await world?.[Symbol.asyncDispose]();
});

const open = (id?: string) =>
  openPage(
    browser,
    world.console.url + (id === undefined ? '' : `&meeting=${encodeURIComponent(id)}`),
  );

const ATTACKS = [
  '<img src=x onerror="document.title=\'owned\'">',
  '<script>document.title="owned"</script>',
  '"><svg onload=document.title="owned">',
  'javascript:document.title="owned"',
  '\u202eright to left\u0000\u001b[31m',
  '{{constructor.constructor("document.title=1")()}}',
];

test.skipIf(canSkip)('names and words with markup are shown as text', async () => {
  const id = 'markup';
  await world.event(id, 'session_started', started(Date.now(), ATTACKS[0]));
  for (const [index, text] of ATTACKS.entries()) {
    const person = { userId: index + 1, userName: text };
    await world.event(id, 'participant_joined', { participants: [person], timestampMs: 1 });
    await world.event(id, 'transcript', {
      userId: index + 1,
      userName: text,
      text,
      timestampMs: 1,
    });
    await world.event(id, 'chat', { text, sender: person, timestampMs: 1, operation: text });
  }
  const { page, complaints } = await open(id);
  await expect.poll(() => page.locator('.line').count()).toBe(2 * ATTACKS.length);
  const shown = await page.locator('#transcript .line-text').allTextContents();
  expect(shown).toEqual(ATTACKS);
  expect(await page.title()).not.toBe('owned');
  expect(await page.locator('img, main script, [onload], [onerror]').count()).toBe(0);
  expect(complaints).toEqual([]);
  await page.close();
});

test.skipIf(canSkip)(
  'the policy of the page refuses markup, foreign scripts and foreign hosts',
  async () => {
    const { page, complaints } = await open();
    const refused = await page.evaluate(async () => {
      const tries: Record<string, () => unknown> = {
        markup: () => {
          document.body.innerHTML = '<b>x</b>';
        },
        script: () => {
          document.createElement('script').textContent = 'document.title = "owned"';
        },
        host: () => fetch('http://127.0.0.1:9/'),
      };
      const names: string[] = [];
      for (const [name, attempt] of Object.entries(tries)) {
        try {
          await attempt();
        } catch {
          names.push(name);
        }
      }
      return names;
    });
    expect(refused).toEqual(['markup', 'script', 'host']);
    expect(complaints.length).toBeGreaterThan(0);
    await page.close();
  },
);

test.skipIf(canSkip)('a page without the token of this run says what to do', async () => {
  const { page } = await openPage(browser, `${world.origin}/#token=wrong`);
  await page
    .getByRole('alert')
    .filter({ hasText: 'Open the address that the terminal printed' })
    .waitFor();
  expect(await page.locator('table').count()).toBe(0);
  await page.close();
});

test.skipIf(canSkip)('10,000 participants are counted, and the first of them listed', async () => {
  const id = 'crowd';
  await world.event(id, 'session_started', started(Date.now()));
  for (let first = 0; first < 10_000; first += 1_000) {
    const participants = Array.from({ length: 1_000 }, (_, index) => ({
      userId: first + index + 1,
      userName: `Participant ${first + index + 1}`,
    }));
    await world.event(id, 'participant_joined', { participants, timestampMs: 1 });
  }
  const { page, complaints } = await open(id);
  await page.getByText('and 9,800 more').waitFor({ timeout: 20_000 });
  expect(await page.locator('.people li').count()).toBe(201);
  expect(await seriousFindings(page)).toEqual([]);
  expect(complaints).toEqual([]);
  await page.close();
});

test.skipIf(canSkip)('200 meetings are on the overview, and it stays usable', async () => {
  const nowMs = Date.now();
  const sessions = Array.from({ length: 200 }, (_, index) => ({
    pk: `SESSION#many-${index}`,
    rtmsStreamId: `many-${index}`,
    startEventTsMs: nowMs,
    requestedAtMs: nowMs - index * 1_000,
    serverUrls: ['wss://a.zoom.us'],
    product: 'meeting',
    entityId: 'a/b==',
    topic: `Meeting ${index} of a topic that is rather long, as topics are`,
    owner: 'runner-1',
    epoch: 1,
  })) as unknown as SessionRow[];
  world.rows = { sessions, tasks: [], unreadable: [] };
  const { page, complaints } = await open();
  await expect.poll(() => page.getByText('of a topic that is rather long').count()).toBe(200);
  await page.setViewportSize({ width: 400, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(400);
  expect(await seriousFindings(page)).toEqual([]);
  // Every state of the page is drawn while somebody presses keys: the next frame must not take long.
  const slowestMs = await page.evaluate(async () => {
    let slowest = 0;
    for (let frame = 0, last = performance.now(); frame < 120; frame++) {
      await new Promise(requestAnimationFrame);
      slowest = Math.max(slowest, performance.now() - last);
      last = performance.now();
    }
    return slowest;
  });
  expect(slowestMs).toBeLessThan(2_000);
  expect(complaints).toEqual([]);
  world.rows = { sessions: [], tasks: [], unreadable: [] };
  await page.close();
});

test.skipIf(canSkip)(
  'a meeting of a stream without records says so, and one that ended is shown',
  async () => {
    const { page } = await open('nobody-knows');
    await page.getByText('Nothing is read of this meeting yet').waitFor();
    await page.close();
    const id = 'over';
    await world.event(id, 'session_started', started(Date.now() - 60_000, 'Over'));
    await world.event(id, 'transcript', { userId: 1, text: 'Good bye.', timestampMs: 1 });
    const rows = [{ mediaType: 'audio', userId: 1, received: 10, written: 9, lost: 1 }] as const;
    await world.event(id, 'session_ended', { restartable: false, ledger: rows });
    const { page: over } = await open(id);
    await over.getByText('Good bye.').waitFor();
    await over.getByText('10 received, 9 written, 1 lost').waitFor();
    expect(await over.locator('.facts .state').textContent()).toBe('ended');
    await over.close();
  },
);

test.skipIf(canSkip)(
  'a meeting whose consent is taken back disappears from an open page',
  async () => {
    const id = 'revoked';
    await world.event(id, 'session_started', started(Date.now(), 'Secret plans'));
    await world.event(id, 'transcript', { userId: 1, text: 'Between us', timestampMs: 1 });
    const { page } = await open(id);
    await page.getByText('Between us').waitFor();
    await world.event(id, 'session_revoked', { timestampMs: Date.now() });
    await page.getByRole('alert').filter({ hasText: 'took the consent back' }).waitFor();
    expect(await page.getByText('Between us').count()).toBe(0);
    await page.close();
  },
);

test('a tab that stops reading costs a bounded memory, and gets every line when it goes on', {
  timeout: 90_000,
}, async () => {
  await using own = await startConsoleWorld();
  const id = 'sleeper';
  await own.event(id, 'session_started', started(Date.now()));
  const stop = new AbortController();
  const tab = followConsole(own, `meeting=${id}`, stop.signal);
  await tab.next();
  // 40 MB of audio while the tab takes nothing.
  const payload = Buffer.alloc(200_000, 1);
  for (let sequence = 1; sequence <= 200; sequence++) {
    await own.frame({ rtmsStreamId: id, sequence, codec: 1, payload }).catch(async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await own.frame({ rtmsStreamId: id, sequence, codec: 1, payload }).catch(() => undefined);
    });
    if (sequence % 2 === 0)
      await own.event(id, 'transcript', { text: `line ${sequence / 2}`, timestampMs: 1 });
  }
  const lines: string[] = [];
  let frameBytes = 0;
  for await (const { name, data } of tab) {
    if (name === 'frames') frameBytes += JSON.stringify(data).length;
    if (name === 'again') lines.length = 0;
    if (name === 'lines') lines.push(...data.map(({ text }: { text: string }) => text));
    if (lines.at(-1) === 'line 100') break;
  }
  stop.abort();
  expect(lines).toEqual(Array.from({ length: 100 }, (_, index) => `line ${index + 1}`));
  // What stood in sockets when the tab stopped, and what the queue holds: far less than was sent.
  expect(frameBytes).toBeLessThan(30_000_000);
});
