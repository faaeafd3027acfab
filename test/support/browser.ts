import { spawnSync } from 'node:child_process';
import axe from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'];
const FLAGS = [
  // In a container the tests run as root, for whom Chromium has no sandbox.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
  '--autoplay-policy=no-user-gesture-required',
  '--js-flags=--expose-gc',
];

/** `RTMS_REQUIRE_BROWSER=1`: a run in which skipping would go unseen. */
export const isBrowserRequired = process.env['RTMS_REQUIRE_BROWSER'] === '1';

const command = NAMES.find((name) => spawnSync(name, ['--version']).status === 0);
const path = command && spawnSync('which', [command], { encoding: 'utf8' }).stdout.trim();

/** Why the tests of a page are skipped; undefined where there is a Chromium. */
export const missingBrowser =
  path === undefined ? `no ${NAMES.join(', ')} on this machine: the page is not opened` : undefined;

/** A browser without a window, with a profile of its own that is deleted at the end. */
export async function startBrowser(): Promise<Browser> {
  if (path === undefined) throw new Error(missingBrowser);
  return chromium.launch({ executablePath: path, args: FLAGS });
}

/** A page, and what went wrong or to another host in it. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors of the page, refusals of its policy, and requests to another host. Stays empty. */
  readonly complaints: string[];
}

export async function openPage(
  browser: Browser | BrowserContext,
  url: string,
  options: Parameters<Browser['newPage']>[0] = {},
): Promise<WatchedPage> {
  const page = 'contexts' in browser ? await browser.newPage(options) : await browser.newPage();
  const complaints: string[] = [];
  const { origin } = new URL(url);
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('request', (request) => {
    const { origin: asked, protocol } = new URL(request.url());
    if (asked !== origin && protocol !== 'blob:') complaints.push(`asked ${asked}`);
  });
  await page.goto(url);
  return { page, complaints };
}

/** Serious findings of axe-core on the page as it is now, one line each. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // Evaluated by the debugger, which the page's policy does not bind.
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    // biome-ignore lint/suspicious/noExplicitAny: a global of the page
    const { violations } = await (globalThis as any).axe.run();
    return violations
      .filter(({ impact }: { impact: string }) => impact === 'serious' || impact === 'critical')
      .map(
        ({ id, nodes }: { id: string; nodes: { html: string; failureSummary: string }[] }) =>
          `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`,
      );
  });
}
