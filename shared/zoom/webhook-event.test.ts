import { readdirSync, readFileSync } from 'node:fs';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { ServiceError } from '../errors.ts';
import { parseWebhookEvent } from './webhook-event.ts';

const FIXTURES = new URL('../../test/fixtures/zoom/', import.meta.url);
/** Files that hold something other than one event, each with a test of its own. */
const OTHERS = [
  'delivery-headers.example.json',
  'endpoint.url_validation.response.json',
  'event-websocket-envelope.json',
  'signature-vectors.json',
];

const parse = (value: unknown) => parseWebhookEvent(Buffer.from(JSON.stringify(value)));
const read = (name: string) => readFileSync(new URL(name, FIXTURES));

function fieldAtFault(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    expect(error).toMatchObject({ code: 'webhook/malformed' });
    expect((error as ServiceError).cause).toBeUndefined();
    return (error as ServiceError).detail['field'];
  }
}

const started = {
  event: 'meeting.rtms_started',
  event_ts: 1_626_230_691_572,
  payload: { meeting_uuid: 'abc==', rtms_stream_id: 's1', server_urls: 'wss://a.zoom.us' },
};
const withPayload = (change: object) => ({
  ...started,
  payload: { ...started.payload, ...change },
});

const STREAM = '609340fb2a7946909659956c8aa9250c';
const MEETING = '4444AAAiAAAAAiAiAiiAii==';
const WEBINAR = '5555BBBjBBBBBjBjBjjBjj==';
const SESSION = '4567UVWxYZABCdEfGhiJkl==';
const ENGAGEMENT = '9t-Ab3xKQnGmXr0aTq5s2A';
const CALL = '7481203947561029384';
const OPERATOR_ID = '30R7kT7bTIKSNUFEuH_Qlg';
const OPERATOR = { operatorId: OPERATOR_ID };
const ACCOUNT = { accountId: 'AAAAAABBBB' };
const ORIGINAL = { ...ACCOUNT, isOriginalHost: true };

const start = (product: string, entityId: string, url: string, more: object = {}) => ({
  kind: 'started',
  product,
  entityId,
  rtmsStreamId: STREAM,
  serverUrls: [url],
  ...more,
});
const stop = (product: string, stopReason: number) => ({
  kind: 'stopped',
  product,
  rtmsStreamId: STREAM,
  stopReason,
});
const interruption = (product: string) => ({ kind: 'interrupted', product, rtmsStreamId: STREAM });
const LOOPBACK = 'wss://127.0.0.1:443';
const SJC = 'wss://rtms-sjc1.zoom.us:443';

const EXPECTED: Readonly<Record<string, object>> = {
  'endpoint.url_validation': { kind: 'url_validation', plainToken: 'qgg8vlvZRS6UYooatFL8Aw' },
  'meeting.rtms_started': start('meeting', MEETING, LOOPBACK, OPERATOR),
  'meeting.rtms_started.extended': start('meeting', MEETING, SJC, {
    ...OPERATOR,
    ...ORIGINAL,
    meetingId: '91234567890',
  }),
  'meeting.rtms_started.failover': start(
    'meeting',
    MEETING,
    'wss://rtms-iad2.zoom.us:443',
    OPERATOR,
  ),
  'meeting.rtms_started.nested-object': start('meeting', MEETING, SJC, {
    ...ORIGINAL,
    meetingId: '91234567890',
    hostId: OPERATOR.operatorId,
  }),
  'meeting.rtms_stopped': stop('meeting', 6),
  'meeting.rtms_stopped.keep_alive_timeout': stop('meeting', 24),
  'meeting.rtms_stopped.revoked': stop('meeting', 8),
  'meeting.rtms_interrupted': interruption('meeting'),
  'webinar.rtms_started': start('webinar', WEBINAR, LOOPBACK, OPERATOR),
  'webinar.rtms_started.extended': start('webinar', WEBINAR, SJC, {
    ...OPERATOR,
    ...ORIGINAL,
    meetingId: '91234567891',
    webinarId: '91234567891',
  }),
  'webinar.rtms_started.meeting_uuid-variant': start('webinar', WEBINAR, LOOPBACK, OPERATOR),
  'webinar.rtms_stopped': stop('webinar', 6),
  'webinar.rtms_interrupted': interruption('webinar'),
  'session.rtms_started': start('session', SESSION, LOOPBACK, {
    ...ACCOUNT,
    sessionKey: 'ABC36jaBI145',
  }),
  'session.rtms_stopped': stop('session', 6),
  'session.rtms_interrupted': interruption('session'),
  'contact_center.voice_rtms_started': start('contact_center', ENGAGEMENT, LOOPBACK),
  'contact_center.voice_rtms_stopped': stop('contact_center', 21),
  'contact_center.voice_rtms_interrupted': interruption('contact_center'),
  'phone.rtms_started': start('phone', CALL, LOOPBACK),
  'phone.call_rtms_started.alias': start('phone', CALL, LOOPBACK),
  'phone.rtms_stopped': stop('phone', 6),
  'phone.rtms_interrupted': interruption('phone'),
  'rtms.concurrency_near_limit': {
    kind: 'account',
    numbers: { concurrency_limit: 2000, concurrency_number: 1601, percentage: 80 },
    raw: '{"concurrency_limit":2000,"concurrency_number":1601,"percentage":80}',
  },
  'rtms.concurrency_limited': {
    kind: 'account',
    numbers: { concurrency_number: 2001 },
    entityId: MEETING,
    product: 'meeting',
    operatorId: OPERATOR_ID,
    raw: `{"operator_id":"${OPERATOR_ID}","concurrency_number":2001,"id_field":{"meeting_uuid":"${MEETING}"}}`,
  },
  'rtms.start_failed': {
    kind: 'account',
    numbers: { reason: 10 },
    entityId: MEETING,
    product: 'meeting',
    operatorId: OPERATOR_ID,
    raw: `{"meeting_uuid":"${MEETING}","operator_id":"${OPERATOR_ID}","reason":10}`,
  },
};

describe('fixtures', () => {
  const files = readdirSync(FIXTURES).filter((name) => !OTHERS.includes(name));

  test.each(files)('%s', (name) => {
    const { event, event_ts } = JSON.parse(read(name).toString('utf8'));
    const expected = EXPECTED[name.replace('.json', '')];
    expect(expected).toBeDefined();
    expect(parseWebhookEvent(read(name))).toEqual({
      ...(event === 'endpoint.url_validation' ? {} : { event, eventTsMs: event_ts }),
      ...expected,
    });
  });

  test('the event inside an event WebSocket frame', () => {
    const { content } = JSON.parse(read('event-websocket-envelope.json').toString('utf8'));
    expect(parseWebhookEvent(Buffer.from(content))).toEqual(
      parseWebhookEvent(read('meeting.rtms_started.json')),
    );
  });
});

describe('names', () => {
  test.each([
    ['meeting.rtms_stopped', 'meeting'],
    ['webinar.rtms_stopped', 'webinar'],
    ['session.rtms_stopped', 'session'],
    ['contact_center.voice_rtms_stopped', 'contact_center'],
    ['contactcenter.rtms_stopped', 'contact_center'],
    ['phone.rtms_stopped', 'phone'],
    ['phone.call_rtms_stopped', 'phone'],
  ])('%s is about a %s', (event, product) => {
    expect(parse({ event, event_ts: 1, payload: { rtms_stream_id: 's' } })).toMatchObject({
      kind: 'stopped',
      product,
      event,
      stopReason: 0,
    });
  });

  test.each([
    'meeting.started',
    'meeting.call_rtms_started',
    'toString.rtms_started',
    'rtms_started',
    '.rtms_stopped',
    'x',
  ])('%s is unknown, whatever it carries', (event) => {
    expect(parse({ event })).toEqual({ kind: 'unknown', event });
  });
});

describe('server_urls', () => {
  test.each([
    ['one address', 'wss://a.zoom.us', ['wss://a.zoom.us']],
    [
      'a comma list',
      'wss://a.zoom.us:443, wss://b.zoom.us',
      ['wss://a.zoom.us:443', 'wss://b.zoom.us'],
    ],
    ['a comma inside an address', 'wss://a.zoom.us/x,y', ['wss://a.zoom.us/x,y']],
    ['an array', ['wss://a.zoom.us', 'wss://b.zoom.us'], ['wss://a.zoom.us', 'wss://b.zoom.us']],
    [
      'an object',
      { a: 'wss://a.zoom.us', b: 'wss://b.zoom.us' },
      ['wss://a.zoom.us', 'wss://b.zoom.us'],
    ],
  ])('may be %s', (_what, server_urls, serverUrls) => {
    expect(parse(withPayload({ server_urls }))).toMatchObject({ serverUrls });
  });

  test.each([
    undefined,
    null,
    '',
    ' ',
    [],
    {},
    7,
    [[['wss://a.zoom.us']]],
    'wss://a\u0000.zoom.us',
    `wss://a.zoom.us/${'x'.repeat(2_048)}`,
    Array(33).fill('wss://a.zoom.us'),
  ])('may not be %j', (server_urls) => {
    expect(fieldAtFault(() => parse(withPayload({ server_urls })))).toBe('payload.server_urls');
  });
});

describe('an interruption', () => {
  const interrupted = (fields: object) =>
    parse({ ...withPayload(fields), event: 'meeting.rtms_interrupted' });

  test.each([
    ['wss://b.zoom.us', ['wss://b.zoom.us']],
    [{ all: ['wss://b.zoom.us', 'wss://c.zoom.us'] }, ['wss://b.zoom.us', 'wss://c.zoom.us']],
  ])('brings the addresses %j', (server_urls, serverUrls) => {
    expect(interrupted({ server_urls })).toMatchObject({ kind: 'interrupted', serverUrls });
  });

  test.each([undefined, null, '', 7, [], 'wss://a\u0000.zoom.us', Array(33).fill('wss://b')])(
    'is one without addresses, too: %j',
    (server_urls) => {
      const event = interrupted({ server_urls });
      expect(event).toMatchObject({ kind: 'interrupted' });
      expect(event).not.toHaveProperty('serverUrls');
    },
  );
});

test.each([
  [6, 6],
  ['6', 6],
  ['STOP_BC_MEETING_ENDED', 6],
  [99, 99],
  [2 ** 31 - 1, 2 ** 31 - 1],
  [2 ** 31, 0],
  [1e300, 0],
  ['99999999999999999999', 0],
  [-1, 0],
  [1.5, 0],
  ['because', 0],
  [null, 0],
  [undefined, 0],
  [{}, 0],
])('a stop is a stop, whatever its reason looks like: %j', (stop_reason, stopReason) => {
  const event = { ...withPayload({ stop_reason }), event: 'meeting.rtms_stopped' };
  expect(parse(event)).toMatchObject({ kind: 'stopped', stopReason });
});

test.each([
  [1626230691572, 1626230691572],
  ['1626230691572', 1626230691572],
  [1626230691, 1626230691000],
  [1626230691572000, 1626230691572],
  ['1626230691572000000', 1626230691572],
  ['2021-07-14T02:44:51.572Z', 1626230691572],
])('events are put in order by Unix ms, whatever unit event_ts has: %j', (event_ts, eventTsMs) => {
  expect(parse({ ...started, event_ts })).toMatchObject({ eventTsMs });
});

test.each([0, -1, 1.5, 9e15, 1e300, 'soon', '', null, undefined, {}, true])(
  'an event at %j is none',
  (event_ts) => {
    expect(fieldAtFault(() => parse({ ...started, event_ts }))).toBe('event_ts');
  },
);

test('a stream id takes what a Kinesis partition key has room for', () => {
  const longest = 'x'.repeat(240);
  expect(parse(withPayload({ rtms_stream_id: longest }))).toMatchObject({ rtmsStreamId: longest });
  for (const rtms_stream_id of ['x'.repeat(241), 'é'.repeat(121), 'x'.repeat(512)]) {
    expect(fieldAtFault(() => parse(withPayload({ rtms_stream_id })))).toBe(
      'payload.rtms_stream_id',
    );
  }
});

describe('ids', () => {
  test.each(['/abc/+==', ' x ', '%2Fabc%3D', 'José', '私'])('"%s" stays verbatim', (text) => {
    expect(parse(withPayload({ meeting_uuid: text, rtms_stream_id: text }))).toMatchObject({
      entityId: text,
      rtmsStreamId: text,
    });
  });

  test('a number becomes its decimal text, however long', () => {
    const body =
      '{"event":"phone.rtms_started","event_ts":1,"payload":{"call_id":7481203947561029384,"rtms_stream_id":12,"server_urls":"wss://a.zoom.us"}}';
    expect(parseWebhookEvent(Buffer.from(body))).toMatchObject({
      entityId: '7481203947561029384',
      rtmsStreamId: '12',
    });
  });

  test.each(['', '\u0000', 'a\nb', '\ud800', '\uffff', 'x'.repeat(241), true, {}, null])(
    '%j is none',
    (rtms_stream_id) => {
      expect(fieldAtFault(() => parse(withPayload({ rtms_stream_id })))).toBe(
        'payload.rtms_stream_id',
      );
    },
  );

  test('an unusable operator or account counts as absent', () => {
    const event = parse(withPayload({ operator_id: '', account_id: { x: 1 } }));
    expect(event).not.toHaveProperty('operatorId');
    expect(event).not.toHaveProperty('accountId');
  });
});

describe('a malformed event names the field', () => {
  test.each([
    ['event', { ...started, event: 7 }],
    ['event', {}],
    ['event_ts', { ...started, event_ts: 'yesterday' }],
    ['event_ts', { ...started, event_ts: 0 }],
    ['event_ts', { ...started, event_ts: 1.5 }],
    ['payload.rtms_stream_id', { ...started, payload: 'x' }],
    ['payload.meeting_uuid', withPayload({ meeting_uuid: undefined })],
    [
      'payload.webinar_uuid',
      {
        ...started,
        event: 'webinar.rtms_started',
        payload: { ...started.payload, meeting_uuid: undefined },
      },
    ],
    ['payload.plainToken', { event: 'endpoint.url_validation', payload: {} }],
    ['event', []],
    ['body', null],
    ['body', 'x'],
  ])('%s', (field, value) => {
    expect(fieldAtFault(() => parse(value))).toBe(field);
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['half a document', Buffer.from('{"event":')],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['very deep nesting', Buffer.from('['.repeat(200_000))],
    ['very deep nesting that is closed', Buffer.from('['.repeat(120_000) + ']'.repeat(120_000))],
  ])('body, when it is %s', (_what, bytes) => {
    expect(fieldAtFault(() => parseWebhookEvent(bytes))).toBe('body');
  });
});

test.each([-1, 0.5, 2 ** 31, 2 ** 53, 1e300, '99999999999', 'x', null, [], {}])(
  'a number of the account that is %j is absent',
  (percentage) => {
    const payload = { percentage, concurrency_number: '1601' };
    expect(parse({ event: 'rtms.concurrency_near_limit', event_ts: 1, payload })).toEqual({
      kind: 'account',
      event: 'rtms.concurrency_near_limit',
      numbers: { concurrency_number: 1601 },
      eventTsMs: 1,
      // A number that JavaScript cannot hold exactly is kept as a text.
      raw: JSON.stringify({
        ...payload,
        percentage: percentage === 2 ** 53 ? String(percentage) : percentage,
      }),
    });
  },
);

const EVENTS = [
  'meeting.rtms_started',
  'webinar.rtms_stopped',
  'phone.call_rtms_interrupted',
  'rtms.concurrency_limited',
  'endpoint.url_validation',
];
const field = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }), fc.bigInt().map(Number));

property.prop([
  fc.record(
    {
      event: fc.oneof(fc.constantFrom(...EVENTS), fc.string()),
      event_ts: fc.oneof(fc.integer(), field),
      payload: fc.oneof(
        field,
        fc.record(
          {
            rtms_stream_id: field,
            meeting_uuid: field,
            webinar_uuid: field,
            server_urls: field,
            stop_reason: field,
            plainToken: field,
            id_field: field,
            object: field,
          },
          { requiredKeys: [] },
        ),
      ),
    },
    { requiredKeys: [] },
  ),
])('any document is an event or names what is wrong with it', (value) => {
  try {
    expect(parse(value)).toHaveProperty('kind');
  } catch (error) {
    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({ code: 'webhook/malformed' });
  }
});
