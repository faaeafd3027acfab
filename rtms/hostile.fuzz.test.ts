import { fc, test } from '@fast-check/vitest';
import { afterAll, beforeAll, expect } from 'vitest';
import {
  accept,
  type ScriptedZoom,
  startScriptedZoom,
} from '../test/support/rtms/scripted-zoom.ts';
import { EventLog, QUICK } from '../test/support/rtms/simulated-client.ts';
import { RtmsClient } from './client.ts';

/**
 * Whatever arrives, a session either says what was wrong with a message or goes on; only messages that Zoom
 * ends a stream with end it.
 */
let zoom: ScriptedZoom;
let client: RtmsClient;
let log: EventLog;

beforeAll(async () => {
  zoom = await startScriptedZoom(accept(['audio']));
  client = new RtmsClient({ ...QUICK, backoff: () => 0 });
  log = new EventLog(client);
  client.join({
    product: 'meeting',
    entityId: 'x',
    rtmsStreamId: 'y',
    clientId: 'z',
    clientSecret: 's',
    serverUrls: [`${zoom.url}/signaling`],
  });
  await log.next('joined');
});

afterAll(async () => {
  await client.leave();
  await zoom[Symbol.asyncDispose]();
});

const path = fc.constantFrom('signaling', 'audio');
const json = fc.jsonValue({ maxDepth: 4 });
const message = fc.record({
  msg_type: fc.integer({ min: -1, max: 40 }),
  content: json,
  event: fc.oneof(json, fc.record({ event_type: fc.integer({ min: 0, max: 40 }), x: json })),
  status_code: fc.integer({ min: -1, max: 50 }),
  state: fc.constantFrom(0, 1, 2, 5, 6, 7, 'x', null),
  rtms_session_id: json,
  user_id: json,
  timestamp: json,
});
const hostile = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  message.map((fields) => JSON.stringify(fields)),
  message.map((fields) => JSON.stringify(fields).slice(0, -3)),
);

let marker = 1_000;

test.prop([path, fc.array(hostile, { minLength: 1, maxLength: 8 })], { numRuns: 60 })(
  'hostile messages never end or stop a session',
  async (at, messages) => {
    await log.until(() => client.state === 'streaming' || client.state === 'paused');
    for (const socket of zoom.sockets(at)) for (const each of messages) socket.send(each);
    marker += 1;
    const mine = marker;
    zoom.send(at, { msg_type: mine });
    await log.until(() =>
      log.of('other').some((raw) => (raw as { msg_type: number }).msg_type === mine),
    );
    expect(client.state).not.toBe('ended');
    for (const { error } of log.of('malformed')) {
      expect(error).toMatchObject({ code: 'rtms/malformed-message' });
    }
  },
);
