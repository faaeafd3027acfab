import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { listen } from './sockets/listen.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

let child: ChildProcess;
afterEach(async () => {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
});

// biome-ignore lint/suspicious/noExplicitAny: lines are compared with literals
type Line = any;

function run(...args: string[]): { lines: Interface; next(kind: string): Promise<Line> } {
  child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const iterator = lines[Symbol.asyncIterator]();
  return {
    lines,
    async next(kind) {
      for (;;) {
        const { value, done } = await iterator.next();
        if (done) throw new Error(`ended before ${kind}`);
        const line = JSON.parse(value);
        if (line.kind === kind) return line;
      }
    },
  };
}

async function post(url: string, body: unknown): Promise<{ status: number; json: Line }> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
}

test('the simulator plays meetings from the command line and reports them in JSON lines', async () => {
  const options = JSON.stringify({ durationMs: 500, participants: 1 });
  const { next } = run(
    ...['--scenario', 'synthetic', '--scenario-options', options],
    ...['--meetings', '3', '--speed', '50', '--exit'],
  );
  expect(await next('listening')).toMatchObject({ signalingUrl: expect.stringMatching(/^ws:/) });
  expect(await next('stream_stopped')).toMatchObject({ transcriptLines: 0 });
  expect(await next('finished')).toEqual({ kind: 'finished', meetings: 3 });
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('the simulator says in one line what is wrong with its flags or ports', async () => {
  const taken = createServer();
  const port = await listen(taken, 0);
  for (const args of [['--scenario', 'none'], ['--port', String(port)], ['--bad']]) {
    child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    child.stderr?.on('data', (chunk) => {
      text += chunk;
    });
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(text.trim().split('\n')).toHaveLength(1);
  }
  taken.close();
});

test('the simulator is driven over HTTP', async () => {
  const { next } = run('--seed', 'test');
  const { controlUrl } = await next('listening');
  const scenario = { name: 'posted', durationMs: 60_000, participants: [] };
  const created = await post(`${controlUrl}/scenarios`, scenario);
  expect(created.status).toBe(201);
  const { rtmsStreamId } = created.json;
  const named = await post(`${controlUrl}/scenarios`, { scenario: 'scripted' });
  expect(named.status).toBe(201);

  const streams = await (await fetch(`${controlUrl}/streams`)).json();
  expect(streams).toMatchObject([{ rtmsStreamId, state: 'INACTIVE' }, { scenario: 'scripted' }]);
  const actions = `${controlUrl}/streams/${rtmsStreamId}/actions`;
  expect(await post(actions, { action: 'stop', reason: 6 })).toMatchObject({ status: 204 });
  const sent = await (await fetch(`${controlUrl}/sent?stream=${rtmsStreamId}`)).json();
  expect(sent).toMatchObject({ rtmsStreamId, sources: [] });
  expect(await (await fetch(`${controlUrl}/webhooks`)).json()).toEqual([]);

  expect(await post(actions, { action: 'dance' })).toMatchObject({ status: 400 });
  expect(await post(`${controlUrl}/scenarios`, { scenario: 'none' })).toMatchObject({
    status: 400,
  });
  expect(await post(`${controlUrl}/streams/x/actions`, { action: 'pause' })).toMatchObject({
    status: 404,
  });
  expect((await fetch(`${controlUrl}/nothing`)).status).toBe(404);
  const url = `${controlUrl}/nothing`;
  expect((await post(`${controlUrl}/webhooks/validate`, { url })).json).toEqual({ valid: false });

  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});
