import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ServiceError } from '../../shared/errors.ts';
import {
  type ConsoleWorld,
  followConsole,
  startConsoleWorld,
  started,
} from '../../test/support/console-world.ts';
import { taskRow } from '../../test/support/session/task-row.ts';

const done: string[] = [];
let world: ConsoleWorld;
beforeAll(async () => {
  const action = { name: 'poke', label: 'Poke', target: 'runner', hint: '' } as const;
  const run = async (target: string) => {
    if (target === 'nobody') throw new ServiceError('cli/refused', 'there is no runner nobody');
    done.push(target);
    return `poked ${target}`;
  };
  world = await startConsoleWorld({ actions: [{ ...action, run }] });
});
afterAll(() => world[Symbol.asyncDispose]());

const ask = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(world.origin + path, { headers: world.headers, ...init });
  return { status: response.status, headers: response.headers, text: await response.text() };
};
const act = (body: unknown, headers = world.headers) =>
  ask('/api/act', { method: 'POST', headers, body: JSON.stringify(body) });

/** `fetch` sets the Host itself. */
const askAs = (host: string, path: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    const headers = { ...world.headers, host };
    request({ host: '127.0.0.1', port: world.console.port, path, headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });

test('the page and its files need no token, and every answer has a strict policy', async () => {
  for (const path of ['/', '/page.js', '/page.css', '/icon.svg']) {
    const { status, headers } = await ask(path, { headers: {} });
    expect([path, status]).toEqual([path, 200]);
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).not.toContain('unsafe');
    expect(headers.get('cache-control')).toBe('no-store');
  }
});

test.each(['/api/facts', '/api/live', '/api/nothing'])('%s needs the token', async (path) => {
  expect((await ask(path, { headers: {} })).status).toBe(401);
  expect((await act({ action: 'poke', target: 'a' }, {})).status).toBe(401);
  expect(done).toEqual([]);
});

test('a name that was rebound to loopback gets nothing, not even the page', async () => {
  expect(await askAs(`evil.example:${world.console.port}`, '/')).toBe(421);
  expect(await askAs(`evil.example:${world.console.port}`, '/api/facts')).toBe(421);
  expect(await askAs(`127.0.0.1:${world.console.port}`, '/api/facts')).toBe(200);
});

test('nothing outside the page files is served', async () => {
  for (const path of ['/../package.json', '/assets/page.js', '/page.js/', '/download/guess']) {
    expect((await ask(path)).status).toBe(404);
  }
  expect((await ask('/page.js', { method: 'POST' })).status).toBe(404);
});

test('an action is run, and what it says or why it is refused is told', async () => {
  expect(await act({ action: 'poke', target: 'runner-1' })).toMatchObject({
    status: 200,
    text: '{"said":"poked runner-1"}',
  });
  expect(done).toEqual(['runner-1']);
  expect(await act({ action: 'poke', target: 'nobody' })).toMatchObject({
    status: 409,
    text: '{"error":"there is no runner nobody"}',
  });
  expect((await act({ action: 'other', target: '' })).status).toBe(409);
  expect((await act({ action: 'poke' })).status).toBe(400);
  expect((await act({ action: 'poke', target: 'x'.repeat(5_000) })).status).toBe(400);
});

test('a console without --act refuses every action', async () => {
  await using plain = await startConsoleWorld();
  const body = JSON.stringify({ action: 'stop', target: 'x' });
  const { headers } = plain;
  const response = await fetch(`${plain.origin}/api/act`, { method: 'POST', headers, body });
  expect([response.status, await response.text()]).toEqual([
    409,
    '{"error":"this console only reads; --act lets it act"}',
  ]);
});

test('two tabs see the same meeting from one reader of each stream', async () => {
  const id = 'two-tabs';
  const calls = () => world.live.overview(Date.now()).streams.map(({ shards }) => shards);
  await world.event(id, 'session_started', started(Date.now(), 'Budget'));
  const stop = new AbortController();
  const texts = (data: { text: string }[]) => data.map(({ text }) => text);
  const lines = await Promise.all(
    ['first', 'second'].map(async (tab) => {
      let seen: string[] = [];
      let hasSaid = false;
      for await (const { name, data } of followConsole(world, `meeting=${id}`, stop.signal)) {
        // The meeting was read anew from its beginning: all lines come again.
        if (name === 'again') seen = [];
        if (name === 'lines') seen.push(...texts(data));
        if (name === 'moments' && !hasSaid) {
          hasSaid = true;
          await world.event(id, 'transcript', { text: tab, timestampMs: 1, userId: 7 });
        }
        if (seen.length === 2) return seen;
      }
      return seen;
    }),
  );
  expect(lines[0]?.toSorted()).toEqual(['first', 'second']);
  expect(lines[1]).toEqual(lines[0]);
  expect(calls()).toEqual([2, 1]);
  stop.abort();
});

test('a right that is missing is named, and the rest goes on', async () => {
  const denied = new Error('User: me is not authorized to perform: dynamodb:Scan on resource: x');
  denied.name = 'AccessDeniedException';
  world.rows = denied;
  const stop = new AbortController();
  const problemsWith = async (text: string) => {
    for await (const { name, data } of followConsole(world, '', stop.signal)) {
      if (name === 'overview' && data.problems.join().includes(text)) return data;
    }
  };
  expect((await problemsWith('dynamodb:Scan')).problems).toEqual([
    'session table: access denied; these credentials lack dynamodb:Scan',
  ]);
  world.rows = { sessions: [], tasks: [taskRow('runner-9', 3)], unreadable: [] };
  for await (const { name, data } of followConsole(world, '', stop.signal)) {
    if (name !== 'overview' || data.owners.length === 0) continue;
    expect(data.owners[0]).toMatchObject({ taskId: 'runner-9', kind: 'runner', slotsUsed: 3 });
    expect(data.problems).toEqual([]);
    break;
  }
  stop.abort();
});

test('malformed records are counted, and what stands beside them is read', async () => {
  const before = world.live.overview(Date.now()).streams[1]?.badRecords ?? 0;
  await world.put(world.streams.events, Buffer.from('{"not":"ours"}'), 'x');
  await world.put(world.streams.events, Buffer.from([0xf3, 0x89, 0x9a, 0xc2, 1, 2, 3]), 'x');
  await world.event('after-bad', 'session_started', started(Date.now(), 'After'));
  const stop = new AbortController();
  for await (const { name, data } of followConsole(world, '', stop.signal)) {
    const found =
      name === 'overview' && data.meetings.find((each: { name: string }) => each.name === 'After');
    if (!found) continue;
    expect(data.streams[1].badRecords - before).toBe(2);
    break;
  }
  stop.abort();
});
