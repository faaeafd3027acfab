import { afterEach, expect, test } from 'vitest';
import { EXAMPLE_API, type SimulatedApi } from '../../simulator/api/api-server.ts';
import type { ScenarioInput } from '../../simulator/scenario/scenario.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { EXAMPLE_APP } from '../../simulator/sockets/handshake.ts';
import { PRODUCTS } from '../protocol/product.ts';
import { ZoomApi } from './zoom-api.ts';

const meeting: ScenarioInput = { name: 'test', durationMs: 60_000, participants: [] };
const { clientId } = EXAMPLE_APP;
let simulator: Simulator;
afterEach(() => simulator.close());

async function zoom(api: Partial<SimulatedApi> = {}) {
  simulator = await startSimulator({ api });
  const { apiUrl, oauthUrl } = simulator;
  return { apiUrl, oauthUrl };
}

test.each(PRODUCTS)('starts a stream of a %s', async (product) => {
  const api = new ZoomApi({ credentials: EXAMPLE_API, addresses: await zoom() });
  const entityId = simulator.openMeeting({ ...meeting, product });
  const answer = await api.setStream({ product, entityId, clientId }, 'start');
  expect(answer).toEqual({ kind: 'ok', status: 204 });
  expect(simulator.streams()).toMatchObject([{ entityId, product }]);
});

test.each(['/ab+c==', 'a//b==', 'a/b==', '100%', 'ü'])(
  'names a meeting whose UUID is %s',
  async (entityId) => {
    const api = new ZoomApi({ credentials: EXAMPLE_API, addresses: await zoom() });
    simulator.openMeeting({ ...meeting, entityId });
    await api.setStream({ product: 'meeting', entityId, clientId }, 'start');
    expect(simulator.streams()).toMatchObject([{ entityId }]);
  },
);

test('stops, and starts the stream again under another id', async () => {
  const api = new ZoomApi({ credentials: EXAMPLE_API, addresses: await zoom() });
  const first = simulator.start({ ...meeting, entityId: 'm' }) as string;
  const target = { product: 'meeting', entityId: 'm', clientId } as const;
  await api.setStream(target, 'stop');
  expect(await api.setStream(target, 'start')).toMatchObject({ kind: 'ok' });
  const [, second] = simulator.streams();
  expect(second?.entityId).toBe('m');
  expect(second?.rtmsStreamId).not.toBe(first);
});

test('keeps its token, and fetches one new token when Zoom refuses it', async () => {
  const api = new ZoomApi({ credentials: EXAMPLE_API, addresses: await zoom() });
  await Promise.all([api.liveMeetings(), api.liveMeetings(), api.liveMeetings()]);
  expect(simulator.api.tokens).toBe(1);
  simulator.api.expireTokens();
  expect(await api.liveMeetings()).toEqual({ meetings: [] });
  expect(simulator.api.tokens).toBe(2);
});

test('fetches a token anew a minute before it expires', async () => {
  let nowMs = Date.now();
  const addresses = await zoom({ tokenSeconds: 3_600 });
  const api = new ZoomApi({ credentials: EXAMPLE_API, addresses, now: () => nowMs });
  await api.liveMeetings();
  nowMs += 3_539_000;
  await api.liveMeetings();
  expect(simulator.api.tokens).toBe(1);
  nowMs += 2_000;
  await api.liveMeetings();
  expect(simulator.api.tokens).toBe(2);
});

test('checks its credentials without a request to the API', async () => {
  const addresses = await zoom();
  const good = new ZoomApi({ credentials: EXAMPLE_API, addresses });
  expect(await good.check()).toMatchObject({ kind: 'ok' });
  const bad = new ZoomApi({ credentials: { ...EXAMPLE_API, accountId: 'other' }, addresses });
  expect(await bad.check()).toMatchObject({ kind: 'refused', why: 'credentials_invalid' });
});

test('asks the API nothing with wrong credentials', async () => {
  const credentials = { ...EXAMPLE_API, clientSecret: 'hush' };
  const api = new ZoomApi({ credentials, addresses: await zoom() });
  const entityId = simulator.openMeeting(meeting);
  const answer = await api.setStream({ product: 'meeting', entityId, clientId }, 'start');
  expect(answer).toMatchObject({ kind: 'refused', why: 'credentials_invalid', status: 400 });
  expect(JSON.stringify(answer)).not.toContain('hush');
  expect(simulator.api).toMatchObject({ requests: [], refusedTokens: 1 });
});

test.each([
  ['a missing scope', { scopes: [] }, {}, { kind: 'refused', why: 'scope_missing' }],
  ['2308', {}, { status: 400, code: 2308 }, { kind: 'refused', why: 'not_allowed' }],
  [
    '429',
    {},
    { status: 429, retryAfter: '3' },
    { kind: 'later', why: 'rate_limited', afterMs: 3_000 },
  ],
  ['no answer', {}, { status: 0 }, { kind: 'later', why: 'unreachable', status: 0 }],
])('tells %s', async (_what, account, planned, expected) => {
  const addresses = await zoom(account as Partial<SimulatedApi>);
  const api = new ZoomApi({ credentials: EXAMPLE_API, addresses });
  const answers = 'status' in planned ? [planned] : [];
  const entityId = simulator.openMeeting({ ...meeting, api: { answers } });
  const target = { product: 'meeting', entityId, clientId } as const;
  expect(await api.setStream(target, 'start')).toMatchObject(expected);
  expect(simulator.streams()).toEqual([]);
});

test('a meeting that is over, and one that is streamed already', async () => {
  const api = new ZoomApi({ credentials: EXAMPLE_API, addresses: await zoom() });
  const id = simulator.start({ ...meeting, entityId: 'm' }) as string;
  const target = { product: 'meeting', entityId: 'm', clientId } as const;
  expect(await api.setStream(target, 'start')).toMatchObject({ why: 'operation_failed' });
  simulator.act(id, { do: 'stop', reason: 6 });
  expect(await api.setStream(target, 'start')).toMatchObject({ why: 'meeting_over' });
});

test('lists what is live', async () => {
  const api = new ZoomApi({ credentials: EXAMPLE_API, addresses: await zoom() });
  const uuid = simulator.openMeeting({ ...meeting, meetingId: '81234567890' });
  simulator.start({ ...meeting, entityId: 'ended' });
  simulator.endMeeting('ended');
  const found = await api.liveMeetings();
  expect(found).toMatchObject({ meetings: [{ uuid, meetingId: '81234567890', topic: 'test' }] });
  expect(await api.liveMeetings('webinars')).toEqual({ meetings: [] });
});

test('a server that does not answer in time is unreachable', async () => {
  await zoom();
  const { createServer } = await import('node:net');
  const mute = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => mute.once('listening', listening));
  const { port } = mute.address() as { port: number };
  const url = `http://127.0.0.1:${port}`;
  const addresses = { apiUrl: url, oauthUrl: url };
  const api = new ZoomApi({ credentials: EXAMPLE_API, addresses, timeoutMs: 50 });
  expect(await api.liveMeetings()).toEqual({
    answer: { kind: 'later', why: 'unreachable', status: 0 },
  });
  mute.close();
});
