import { expect, test } from 'vitest';
import { generateSignature } from '../index.ts';
import { parseJoin } from './join-params.ts';

const BASE = { rtms_stream_id: 's', server_urls: 'wss://a.zoom.us', signature: 'made elsewhere' };
const IDS = {
  meeting_uuid: 'm',
  webinar_uuid: 'w',
  session_id: 'v',
  engagement_id: 'e',
  call_id: '7481203947561029384',
};

test.for([
  ['meeting', 'm', ['meeting_uuid', 'webinar_uuid', 'session_id', 'engagement_id', 'call_id']],
  ['webinar', 'w', ['webinar_uuid', 'session_id', 'engagement_id', 'call_id']],
  ['session', 'v', ['session_id', 'engagement_id', 'call_id']],
  ['contact_center', 'e', ['engagement_id', 'call_id']],
  ['phone', '7481203947561029384', ['call_id']],
] as const)(
  'join reads the id of a %s before those that follow in the list',
  ([product, entityId, fields]) => {
    const ids = Object.fromEntries(fields.map((field) => [field, IDS[field]]));
    expect(parseJoin({ ...BASE, ...ids }).join).toMatchObject({ product, entityId });
  },
);

test('join finds the fields where Zoom nests them', () => {
  const { signature, ...object } = { ...BASE, meeting_uuid: 'm' };
  expect(parseJoin({ object, signature }).join).toEqual({
    product: 'meeting',
    entityId: 'm',
    rtmsStreamId: 's',
    serverUrls: ['wss://a.zoom.us'],
    signature,
  });
});

test('join takes one address, several with commas, or a list', () => {
  for (const urls of ['wss://a, wss://b', ['wss://a', 'wss://b'], ['wss://a,wss://b']]) {
    const { join } = parseJoin({ ...BASE, meeting_uuid: 'm', server_urls: urls });
    expect(join.serverUrls).toEqual(['wss://a', 'wss://b']);
  }
});

test('join signs a Video SDK session with the SDK key of the environment', () => {
  process.env['ZM_RTMS_VIDEO_SDK_KEY'] = 'key';
  process.env['ZM_RTMS_VIDEO_SDK_SECRET'] = 'sdk secret';
  const { signature: _, ...base } = BASE;
  const sign = (client: string, secret: string) =>
    generateSignature({ client, secret, uuid: 'v', streamId: 's' });
  const join = (own: object) => parseJoin({ ...base, session_id: 'v', ...own }).join;
  expect(join({})).toMatchObject({ signature: sign('key', 'sdk secret') });
  const own = { client: 'mine', secret: 'own' };
  expect(join(own)).toMatchObject({ signature: sign('mine', 'own') });
  delete process.env['ZM_RTMS_VIDEO_SDK_KEY'];
  delete process.env['ZM_RTMS_VIDEO_SDK_SECRET'];
});

test('join takes a timeout in milliseconds, and -1 for the default', () => {
  const join = { ...BASE, meeting_uuid: 'm' };
  expect(parseJoin({ ...join, timeout: 500 }).timeoutMs).toBe(500);
  expect(parseJoin({ ...join, timeout: -1 }).timeoutMs).toBeUndefined();
});
