import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { PRODUCTS, type Product } from '../rtms/protocol/product.ts';
import { joinUnified } from '../test/support/raw-client.ts';
import { manualClock } from './clock.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from './simulator.ts';

const NOBODY = ['http://127.0.0.1:9/'];
const meeting = { name: 'test', durationMs: 10_000, participants: [] };

let simulator: Simulator;
afterEach(() => simulator.close());

async function start(options: SimulatorOptions = {}) {
  simulator = await startSimulator({ webhookUrls: NOBODY, clock: manualClock(1e12), ...options });
}

function events() {
  return simulator.deliveries.map(({ event }) => event);
}

function webhookFixture(name: string) {
  return JSON.parse(
    readFileSync(new URL(`../test/fixtures/zoom/${name}.json`, import.meta.url), 'utf8'),
  );
}

const EVENT_NAME: Record<Product, string> = {
  meeting: 'meeting.rtms',
  webinar: 'webinar.rtms',
  session: 'session.rtms',
  contact_center: 'contact_center.voice_rtms',
  phone: 'phone.rtms',
};

describe('addresses', () => {
  test('are those of the tunnels, if there are tunnels', async () => {
    const publicUrls = { signaling: 'wss://a.example.com', media: 'wss://b.example.com' };
    await start({ publicUrls });
    const id = simulator.start(meeting) as string;
    expect(events()[0]?.payload['server_urls']).toBe(`wss://a.example.com/${id}/1`);
    expect(simulator.serverUrl(id)).toBe(`wss://a.example.com/${id}/1`);
  });
});

describe('webhooks', () => {
  test.each(PRODUCTS)('of a %s have the documented names and fields', async (product) => {
    await start();
    const id = simulator.start({ ...meeting, product }) as string;
    const { signaling } = await joinUnified(simulator, id);
    simulator.act(id, { do: 'cut_signaling' });
    await signaling.closed;
    simulator.act(id, { do: 'revoke' });
    await simulator.finished(id);
    const kinds = ['started', 'interrupted', 'stopped'];
    for (const [i, kind] of kinds.entries()) {
      const expected = webhookFixture(`${EVENT_NAME[product]}_${kind}`);
      const event = events()[i];
      expect(event?.event).toBe(expected.event);
      expect(Object.keys(event?.payload ?? {}).sort()).toEqual(
        Object.keys(expected.payload).sort(),
      );
    }
    expect(events()[2]?.payload['stop_reason']).toBe(8);
  });

  test.each(['meeting', 'webinar'] as const)(
    'of a %s can have the fields of May 2026',
    async (product) => {
      await start({ behaviour: { webhookExtended: true } });
      simulator.start({ ...meeting, product });
      const expected = webhookFixture(`${product}.rtms_started.extended`);
      expect(Object.keys(events()[0]?.payload ?? {}).sort()).toEqual(
        Object.keys(expected.payload).sort(),
      );
    },
  );

  test('can be nested under object', async () => {
    await start({ behaviour: { webhookShape: 'nested' } });
    const id = simulator.start(meeting);
    expect(events()[0]?.payload['object']).toMatchObject({ rtms_stream_id: id });
  });

  test('are replayed, held back and made up by the script', async () => {
    await start();
    const id = simulator.start(meeting) as string;
    simulator.act(id, { do: 'replay_webhook', kind: 'started' });
    expect(events()[1]).toEqual(events()[0]);
    simulator.act(id, { do: 'hold_webhooks' });
    simulator.act(id, { do: 'webhook', event: 'rtms.start_failed', payload: { reason: 10 } });
    simulator.act(id, { do: 'stop', reason: 6 });
    simulator.act(id, { do: 'release_webhooks', reversed: true });
    expect(events().map(({ event }) => event)).toEqual([
      'meeting.rtms_started',
      'meeting.rtms_started',
      'rtms.start_failed',
      'meeting.rtms_stopped',
    ]);
  });
});

describe('concurrency', () => {
  test('is warned of above 80 percent and refused at the limit, until a stream ends', async () => {
    await start({ concurrencyLimit: 5 });
    const ids = Array.from({ length: 5 }, () => simulator.start(meeting) as string);
    expect(events().filter(({ event }) => event === 'rtms.concurrency_near_limit')).toEqual([
      {
        event: 'rtms.concurrency_near_limit',
        event_ts: 1e12,
        payload: { concurrency_limit: 5, concurrency_number: 5, percentage: 100 },
      },
    ]);
    expect(simulator.start({ ...meeting, entityId: 'E==' })).toBeUndefined();
    expect(events().at(-1)).toMatchObject({
      event: 'rtms.concurrency_limited',
      payload: { concurrency_number: 6, id_field: { meeting_uuid: 'E==' } },
    });
    simulator.act(ids[0] as string, { do: 'stop', reason: 1 });
    expect(simulator.start(meeting)).toBeDefined();
  });
});

test('the same seed gives the same ids', async () => {
  await start({ seed: 'one' });
  const first = simulator.start(meeting);
  const other = simulator.start(meeting);
  await simulator.close();
  await start({ seed: 'one' });
  expect(simulator.start(meeting)).toBe(first);
  expect(other).not.toBe(first);
  expect(first).toMatch(/^[0-9a-f]{32}$/);
});

test('a scenario or action that makes no sense is refused with the name of the field', async () => {
  await start();
  expect(() => simulator.start({ ...meeting, durationMs: -1 })).toThrow('scenario: durationMs');
  const id = simulator.start(meeting) as string;
  expect(() => simulator.act(id, { do: 'dance' } as never)).toThrow('[config/invalid] action: do');
  expect(() => simulator.act('unknown', { do: 'pause' })).toThrow('no RTMS stream unknown');
});

test('an action on a stream that is over does nothing', async () => {
  await start();
  const id = simulator.start(meeting) as string;
  simulator.act(id, { do: 'stop', reason: 1 });
  simulator.act(id, { do: 'stop', reason: 2 });
  expect(events().map(({ payload }) => payload['stop_reason'])).toEqual([undefined, 1]);
});

test('closing in the middle of a stream writes its ledger', async () => {
  await start();
  const id = simulator.start(meeting) as string;
  const { signaling } = await joinUnified(simulator, id);
  const finished = simulator.finished(id);
  await simulator.close();
  expect(await signaling.closed).toBe(1006);
  expect(await finished).toMatchObject({ rtmsStreamId: id });
  expect(events().map(({ event }) => event)).toEqual(['meeting.rtms_started']);
});
