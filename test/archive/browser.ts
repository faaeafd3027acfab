import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { text } from 'node:stream/consumers';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'];
const FLAGS = [
  '--headless=new',
  // In a container the tests run as root, for whom Chromium has no sandbox.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--autoplay-policy=no-user-gesture-required',
];
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.mp4': 'video/mp4',
  '.wav': 'audio/wav',
  '.ogg': 'audio/ogg',
  '.vtt': 'text/vtt',
};

/** The Chromium of this machine, by its command; undefined where there is none. */
export function findBrowser(): string | undefined {
  return NAMES.find((name) => spawnSync(name, ['--version']).status === 0);
}

/**
 * Opens a page in a browser without a window, beside files that it may ask for parts of.
 *
 * @param script body of an async function in the page, whose JSON is the answer
 * @param files paths; the page finds each under its last name
 */
export async function askBrowser<Answer>(
  browser: string,
  script: string,
  files: readonly string[],
): Promise<Answer> {
  const profile = await mkdtemp(join(tmpdir(), 'rtms-browser-'));
  const answer = Promise.withResolvers<Answer>();
  const page = `<!doctype html><body><script type="module">
    const ask = async () => { ${script} };
    const answer = await ask().catch((error) => ({ error: String(error?.stack ?? error) }));
    await fetch('/answer', { method: 'POST', body: JSON.stringify(answer) });
  </script>`;
  const server = createServer(async (request, response) => {
    const name = decodeURIComponent(request.url ?? '').slice(1);
    if (name === 'answer') {
      const body = JSON.parse(await text(request)) as Answer & { error?: string };
      response.end();
      if (body.error === undefined) answer.resolve(body);
      else answer.reject(new Error(body.error));
    } else if (name === '') response.writeHead(200, { 'content-type': 'text/html' }).end(page);
    else await serve(response, files, name, request.headers.range);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const child = spawn(browser, [...FLAGS, `--user-data-dir=${profile}`, url], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  void ended.then(([code]) => answer.reject(new Error(`${browser} ended with ${code}`)));
  try {
    return await answer.promise;
  } finally {
    child.kill('SIGTERM');
    await ended;
    server.closeAllConnections();
    server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Serves the part of a file that the request names: a player that seeks in two hours of video asks for parts. */
async function serve(
  response: ServerResponse,
  files: readonly string[],
  name: string,
  range: string | undefined,
): Promise<void> {
  const path = files.find((each) => basename(each) === name);
  if (path === undefined) {
    response.writeHead(404).end();
    return;
  }
  const { size } = await stat(path);
  const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  const start = Number(from);
  const end = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  response.writeHead(range === undefined ? 200 : 206, {
    'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
    'content-length': end - start + 1,
    'accept-ranges': 'bytes',
    ...(range !== undefined && { 'content-range': `bytes ${start}-${end}/${size}` }),
  });
  const stream = createReadStream(path, { start, end });
  stream.on('error', () => response.destroy());
  // A browser closes the connection when it has enough.
  response.on('close', () => stream.destroy());
  stream.pipe(response);
}
