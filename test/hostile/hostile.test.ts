import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RtmsClient } from '../../rtms/client.ts';
import {
  encodeFileHeader,
  frameBytes,
  writeFrame,
} from '../../runner/kinesis/spool/segment-format.ts';
import { openSpool } from '../../runner/kinesis/spool/spool.ts';
import { EventDecoder } from '../../sdk/consumer/records/event-record.ts';
import { FrameDecoder } from '../../sdk/consumer/records/records.ts';
import { LedgerChecker } from '../../sdk/consumer/verdict/ledger.ts';
import { isReadable, parseSessionRow } from '../../shared/session-table/parse-row.ts';
import { makeUnit, Tally } from '../support/model-kinesis.ts';
import { EventLog, QUICK } from '../support/rtms/simulated-client.ts';
import { RECORD_ATTACKS, ROW_ATTACKS } from './corrupt-attacks.ts';
import { mutateBytes, mutateJson } from './mutate.ts';
import { randomFrom } from './random.ts';
import { RawPeer } from './raw-peer.ts';
import { fillWithJunk } from './spool-junk.ts';

/** The short form of `npm run test:hostile`: the same attacks and mutations, held against the parts one by one. */

const SEED = 20_261_127;
const ROW = {
  pk: 'SESSION#s',
  rtmsStreamId: 's',
  startEventTsMs: 1,
  serverUrls: ['wss://zoom.us/x'],
  product: 'meeting',
  entityId: 'e',
  app: 'default',
  requestedAtMs: 1,
  epoch: 3,
};

test('a row is read whole or named as unreadable, whatever stands in it', () => {
  const random = randomFrom(SEED);
  const isRead = (row: unknown) => isReadable(parseSessionRow(row as Record<string, unknown>));
  expect(isRead(ROW)).toBe(true);
  for (const { name, fields } of ROW_ATTACKS) {
    expect(isRead({ ...ROW, ...fields }), name).toBe(false);
  }
  for (let round = 0; round < 3_000; round += 1) isRead(mutateJson(ROW, random));
});

test('records are decoded or told, and a checker adds up whatever they say', () => {
  const random = randomFrom(SEED);
  const bad: string[] = [];
  const onBadRecord = ({ code }: { code: string }) => void bad.push(code);
  const frames = new FrameDecoder({ onBadRecord });
  const events = new EventDecoder({ onBadRecord });
  const ledger = new LedgerChecker();
  const feed = (stream: string, data: Uint8Array) => {
    const record = { data, partitionKey: 'k', sequenceNumber: '1' };
    if (stream === 'media') for (const frame of frames.decode(record)) ledger.frame(frame);
    else for (const event of events.decode(record)) ledger.event(event);
  };
  for (const { stream, data } of RECORD_ATTACKS) for (const each of data) feed(stream, each);
  expect(bad.length).toBeGreaterThan(5);
  for (let round = 0; round < 3_000; round += 1) {
    const { stream, data } = random.pick(RECORD_ATTACKS);
    feed(stream, mutateBytes(random.pick(data), random));
  }
  expect(Array.isArray(ledger.report().problems)).toBe(true);
  for (const code of bad) expect(code).toMatch(/^record\//);
});

test('a spool opens among junk and mutated segments, and works', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'hostile-'));
  try {
    await fillWithJunk(directory);
    const random = randomFrom(SEED);
    const unit = makeUnit(1, new Tally());
    const frame = Buffer.alloc(frameBytes(unit));
    writeFrame(frame, 0, unit, 0);
    const segment = Buffer.concat([encodeFileHeader('stream'), frame, frame, frame]);
    for (let ordinal = 100; ordinal < 300; ordinal += 1) {
      const name = `${String(ordinal).padStart(12, '0')}.seg`;
      await writeFile(join(directory, 'media', name), mutateBytes(segment, random));
    }
    const spool = await openSpool({ directory: join(directory, 'media'), maxBytes: 1e9 });
    spool.attach(() => {});
    expect(spool.recovered().size).toBeGreaterThan(0);
    expect(await readdir(join(directory, 'media'))).toContain('core.4711');
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('a client outlives a peer that sends mutated messages and wrong frames', async () => {
  const peer = new RawPeer();
  const port = await peer.listen();
  const client = new RtmsClient({ ...QUICK, backoff: () => 20 });
  const log = new EventLog(client);
  client.join({
    product: 'meeting',
    entityId: 'x',
    rtmsStreamId: 'y',
    clientId: 'z',
    clientSecret: 's',
    serverUrls: [`ws://127.0.0.1:${port}/signaling`],
  });
  await log.next('joined');
  const random = randomFrom(SEED);
  const message = { msg_type: 6, event: { event_type: 3, participants: [{ user_id: 1 }] } };
  for (let round = 0; round < 1_000; round += 1) {
    const text = JSON.stringify(mutateJson(message, random));
    await peer.send('/', mutateBytes(Buffer.from(text), random));
  }
  await peer.bytes('/', Buffer.from('817f4000000000000000', 'hex'));
  await peer.send('/', { msg_type: 8, state: 4, stop_reason: 6 });
  await Promise.race([log.next('ended'), client.leave()]);
  peer.close();
});
