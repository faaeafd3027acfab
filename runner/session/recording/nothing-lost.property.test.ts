import { EventEmitter } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import type { MediaConnection } from '../../../rtms/connection/media-connection.ts';
import type { RtmsClientEvents } from '../../../rtms/events.ts';
import { Incoming, type MessageOutcome } from '../../../rtms/incoming.ts';
import {
  decodeMessage,
  encodeKeepAliveResp,
  type RtmsMessage,
} from '../../../rtms/protocol/codec.ts';
import { PRODUCTS } from '../../../rtms/protocol/product.ts';
import { ServiceError } from '../../../shared/errors.ts';
import { SILENT_LOGGER } from '../../../shared/logger.ts';
import { MemoryPool } from '../../../shared/memory-pool.ts';
import { NO_METRICS } from '../../../shared/metrics.ts';
import type { Sink, Unit } from '../../kinesis/unit.ts';
import { relay } from '../relay.ts';
import { SessionWriter } from './session-writer.ts';
import { FrameUnits } from './source-writer.ts';

/*
 * Nothing that came in goes nowhere: any bytes as any message become exactly one frame, line, event, `other`, answered
 * keep-alive, handled control message, or malformed message; and each but the last two that are for the connections
 * is one more frame or line that the ledger has received.
 */
type Fate = MessageOutcome | 'malformed' | 'keep-alive';

/** What each fate is told as, by events of the client. */
const TOLD: Readonly<Record<Fate, readonly (keyof RtmsClientEvents)[]>> = {
  frame: ['frame'],
  line: ['transcript', 'chat'],
  event: ['event', 'sessionState'],
  other: ['other'],
  malformed: ['malformed'],
  control: [],
  'keep-alive': [],
};

/** One session from its sockets to its ledger, without either. */
class Path {
  readonly #told: (keyof RtmsClientEvents)[] = [];
  readonly #events = new EventEmitter<RtmsClientEvents>();
  readonly #incoming: Incoming;
  readonly #writer: SessionWriter;
  readonly units: Unit[] = [];
  ownerCalls = 0;

  constructor(product: (typeof PRODUCTS)[number]) {
    const handled = () => {
      this.ownerCalls += 1;
    };
    const owner = {
      streamState: handled,
      mediaConnectionInterrupted: () => {},
      videoAnswered: () => false,
      streamCloseAnswered: handled,
    };
    this.#incoming = new Incoming(product, this.#events, () => 0, owner, {});
    const sink: Sink = { put: (unit) => this.units.push(unit), flush: async () => {}, drop() {} };
    this.#writer = new SessionWriter({
      origin: { rtmsStreamId: 's', epoch: 1, product, entityId: 'e' },
      media: sink,
      events: sink,
      maxRecordBytes: 1024 * 1024,
      maxLineBytes: 1024 * 1024,
      metrics: NO_METRICS,
      rest: { heldMs: 0 },
      units: new FrameUnits(new MemoryPool()),
      mayWrite: () => true,
    });
    for (const name of Object.values(TOLD).flat()) {
      this.#events.on(name, () => this.#told.push(name));
    }
    relay(
      Object.assign(this.#events, { media: {} }) as never,
      this.#writer,
      { joined() {}, firstFrame() {}, rejoined() {}, became() {}, ended() {} } as never,
      // A defect fails the test.
      {
        logger: SILENT_LOGGER,
        metrics: NO_METRICS,
        guard: { listener: (handle) => handle },
        audioKeptSinceMs: () => Date.now(),
      },
    );
  }

  /** Takes one message, and checks that it went to one place and was counted there. */
  take(data: Buffer): { fate: Fate; message: RtmsMessage | undefined } {
    const before = this.#received();
    const owner = this.ownerCalls;
    this.#told.length = 0;
    let fate: Fate;
    let message: RtmsMessage | undefined;
    try {
      message = decodeMessage(data);
    } catch (error) {
      expect(error).toBeInstanceOf(ServiceError);
      expect(error).toMatchObject({ code: 'rtms/malformed-message' });
      this.#incoming.mediaMalformed(CONNECTION, error as ServiceError);
    }
    if (message === undefined) fate = 'malformed';
    else if (message.msgType === 12) {
      const answer = encodeKeepAliveResp(message.timestampJson);
      expect(JSON.parse(answer)).toMatchObject({ msg_type: 13 });
      expect(answer.length).toBeLessThanOrEqual(64);
      fate = 'keep-alive';
    } else fate = this.#incoming.mediaMessage(CONNECTION, message, 1_738_392_033_699);
    const isTold = TOLD[fate].length > 0;
    expect(this.#told).toHaveLength(isTold ? 1 : 0);
    if (isTold) expect(TOLD[fate]).toContain(this.#told[0]);
    if (fate === 'control') {
      const isHandshake = message?.msgType === 2 || message?.msgType === 4;
      expect(this.ownerCalls - owner).toBe(isHandshake || this.#isStale(message) ? 0 : 1);
    }
    const isForConnections = message?.msgType === 6 && message.eventType === 7 && fate === 'event';
    const received = this.#received() - before;
    if (!isTold) expect(received).toBe(0);
    else if (!isForConnections) expect(received).toBeGreaterThanOrEqual(1);
    return { fate, message };
  }

  /** An answer that repeats what was known before. */
  #isStale(message: RtmsMessage | undefined): boolean {
    return message?.msgType === 11;
  }

  /** Every frame and line so far; those that wait in no sink are lost by now, and told as a gap later. */
  #received(): number {
    return this.#writer.ledger.rows().reduce((sum, { received }) => sum + received, 0);
  }
}

const CONNECTION = {
  mediaTypes: ['audio', 'transcript'],
  agreed: {},
} as unknown as MediaConnection;

const path = fc.constantFrom(...PRODUCTS).map((product) => new Path(product));

const KEYS = [
  'msg_type',
  'event',
  'events',
  'event_type',
  'event_ts',
  'content',
  'data',
  'length',
  'timestamp',
  'user_id',
  'userId',
  'user_name',
  'channel_id',
  'participants',
  'participant_info',
  'media_server',
  'server_urls',
  'audio',
  'status_code',
  'state',
  'reason',
  'stop_reason',
  'rtms_session_id',
  'sender',
  'receiver',
  'files',
  'file_id',
  'file_size',
  'delete_file_id_list',
  'chat_session',
  'message_id',
  'operation_type',
  'language',
  'start_time',
  'signature',
  '__proto__',
  'constructor',
] as const;

const { value: hostile } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.jsonValue(),
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.constantFrom<unknown>(
      null,
      true,
      '',
      '7',
      '-1',
      '4294967296',
      'TERMINATED',
      'STOP_BC_USER_LEFT',
      'AAAA',
      'AA A=\n',
      '{"message_id":1}',
      '{"data":"x","user_id":{}}',
      '[{}]',
      '[[[',
      1234234567890,
      2 ** 53,
      1e300,
      -0,
      'x'.repeat(600),
      '\u0000',
      '\ud800',
      '#',
      '2026-11-27T10:00:00Z',
      1727384349000123,
      1.7e18,
    ),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie('value'), { maxKeys: 5, noNullPrototype: false }),
  ),
}));

const msgType = fc.oneof(
  fc.integer({ min: -1, max: 40 }),
  fc.integer({ min: 0, max: 30 }).map(String),
  fc.constantFrom('SIGNALING_HAND_SHAKE_RESP', null, 1.5, 2 ** 40, [12]),
);

const folder = new URL('../../../test/fixtures/rtms/', import.meta.url);
const samples = ['signaling', 'media']
  .flatMap((name) => readdirSync(new URL(name, folder)).map((file) => `${name}/${file}`))
  .filter((file) => !file.endsWith('signature-vectors.json'))
  .map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as object);
const shapes = readFileSync(new URL('zoom-shapes.jsonl', folder), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(JSON.parse(line).message) as object);

type Change = 'replace' | 'remove' | 'wrap' | 'text' | 'camel';

/** Changes one place of a document, the `at`-th in the order of writing. */
function mutate(value: unknown, at: number, change: Change, by: unknown): unknown {
  let place = at;
  const visit = (node: unknown): unknown => {
    if (place-- === 0) {
      if (change === 'wrap') return [node];
      if (change === 'text') return typeof node === 'string' ? node : JSON.stringify(node);
      if (change === 'remove') return undefined;
      if (change === 'replace') return by;
    }
    if (Array.isArray(node)) return node.map(visit);
    if (typeof node !== 'object' || node === null) return node;
    return Object.fromEntries(
      Object.entries(node).map(([key, inner]) => {
        const camel = key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
        return [change === 'camel' && place === 0 ? camel : key, visit(inner)];
      }),
    );
  };
  return visit(value);
}

const mutated = fc
  .tuple(
    fc.constantFrom(...samples, ...shapes),
    fc.array(
      fc.tuple(
        fc.nat(14),
        fc.constantFrom<Change>('replace', 'remove', 'wrap', 'text', 'camel'),
        hostile,
      ),
      { maxLength: 3 },
    ),
  )
  .map(([sample, changes]) =>
    changes.reduce<unknown>((value, [at, change, by]) => mutate(value, at, change, by), sample),
  );

const text = (value: unknown) => Buffer.from(JSON.stringify(value) ?? '');

test.prop([path, fc.array(fc.jsonValue(), { minLength: 1, maxLength: 4 })], { numRuns: 100 })(
  'any JSON as a message has one fate',
  (session, values) => {
    for (const value of values) session.take(text(value));
  },
);

test.prop(
  [
    path,
    fc.array(fc.tuple(msgType, fc.dictionary(fc.constantFrom(...KEYS), hostile)), { maxLength: 6 }),
  ],
  { numRuns: 150 },
)('any content of any message has one fate', (session, messages) => {
  for (const [msg_type, fields] of messages) session.take(text({ ...fields, msg_type }));
});

test.prop([path, fc.array(mutated, { minLength: 1, maxLength: 6 })], { numRuns: 200 })(
  'any valid message with something else in it has one fate',
  (session, messages) => {
    for (const message of messages) session.take(text(message));
  },
);

const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 });

test.prop([path, mutated, damage, fc.option(fc.nat(400)), fc.boolean()], { numRuns: 150 })(
  'any damaged bytes have one fate',
  (session, message, damages, cut, hasMark) => {
    const bytes = text(message).subarray(0, cut ?? undefined);
    for (const [at, byte] of damages) if (bytes.length > 0) bytes[at % bytes.length] = byte;
    session.take(hasMark ? Buffer.concat([Buffer.from('\ufeff'), bytes]) : bytes);
  },
);

const payload = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const around = fc.dictionary(
  fc.constantFrom('user_id', 'user_name', 'channel_id', 'timestamp', 'x', 'language'),
  hostile,
);
const written = fc.constantFrom<(data: Buffer) => string>(
  (data) => data.toString('base64'),
  (data) => data.toString('base64url'),
  (data) => data.toString('base64').replaceAll('=', ''),
  (data) => data.toString('base64').replaceAll(/(.{20})/g, '$1\r\n'),
  (data) => ` ${data.toString('base64')}\n`,
  (data) => `data:audio/x;base64,${data.toString('base64')}`,
);
const typed = fc.constantFrom<unknown>(14, 15, 16, '14', ' 16 ');

test.prop([path, typed, payload, written, around, around, fc.boolean()], { numRuns: 150 })(
  'nothing around a payload costs it',
  (session, msg_type, bytes, write, inner, outer, isFlat) => {
    const data = write(bytes);
    const content = isFlat ? data : { ...inner, data };
    if (isFlat && data === '') return;
    const { fate, message } = session.take(text({ ...outer, msg_type, content }));
    expect(fate).toBe('frame');
    expect(message).toMatchObject({ payload: bytes });
    expect(session.units).toHaveLength(1);
  },
);

test.prop([path, fc.string(), around, around], { numRuns: 100 })(
  'nothing around a spoken text costs it',
  (session, spoken, inner, outer) => {
    const content = { ...inner, data: spoken };
    const { fate, message } = session.take(text({ ...outer, msg_type: 17, content }));
    expect(fate).toBe('line');
    expect(message).toMatchObject({ text: spoken });
  },
);
