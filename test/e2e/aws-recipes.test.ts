import type { Context, FirehoseTransformationResult } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { handler as envelopes } from '../../docs/examples/event-bus/envelopes.ts';
import { COLUMNS } from '../../docs/examples/firehose/columns.ts';
import { handler as transform } from '../../docs/examples/firehose/transform.ts';
import { encodeMediaRecord } from '../../shared/record/encode-media-record.ts';
import { encodeAggregate } from '../../shared/record/kpl.ts';
import { firehoseEvent } from '../support/firehose-event.ts';
import { eventBytes, mediaRecord } from '../support/test-records.ts';

/**
 * The functions of docs/examples/firehose and docs/examples/event-bus. The tables, the stacks and the rules' patterns are held against
 * software of others by `npm run test:peers -- firehose event-bus`.
 */
const KEY = 'stream-1';
const ADA = { userId: 16_778_240, userName: 'Ada' };
const said = (sequence: number, text = 'The budget, déjà vu.') =>
  eventBytes('transcript', { ...ADA, text, languageName: 'ENGLISH', timestampMs: 5 }, sequence);
const wrote = (sequence: number) =>
  eventBytes(
    'chat',
    { messageId: 'm1', operation: 'NEW', text: 'link', sender: ADA, timestampMs: 5 },
    sequence,
  );
const lost = (sequence: number) =>
  eventBytes(
    'gap',
    {
      mediaType: 'audio',
      userId: 7,
      cause: 'buffer_full',
      fromSequence: 4,
      toSequence: 5,
      count: 2,
      bytes: 20,
      fromMs: 1,
      toMs: 2,
    },
    sequence,
  );
const revoked = (sequence: number) => eventBytes('session_revoked', { timestampMs: 5 }, sequence);
const half = said(9).subarray(0, 90);

const transformed = async (...data: readonly Uint8Array[]) => {
  const event = firehoseEvent(data.map((one) => ({ data: one, partitionKey: KEY })));
  const { records } = (await transform(
    event,
    {} as Context,
    () => {},
  )) as FirehoseTransformationResult;
  expect(records.map(({ recordId }) => recordId)).toEqual(
    event.records.map(({ recordId }) => recordId),
  );
  return records.map(({ result, data: text = '' }) => ({
    result,
    text: Buffer.from(text, 'base64').toString(),
  }));
};

const rowsOf = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('the transformation of Firehose', () => {
  test('makes a row of a line of a transcript', async () => {
    const [{ result, text } = { result: '', text: '' }] = await transformed(said(1));
    expect(result).toBe('Ok');
    expect(rowsOf(text)).toEqual([
      {
        event_id: 'stream-1/1/1',
        rtms_stream_id: 'stream-1',
        epoch: 1,
        sequence: 1,
        kind: 'transcript',
        product: 'meeting',
        entity_id: 'a/b==',
        said_at: '2027-01-15T08:00:00.000Z',
        user_id: 16_778_240,
        user_name: 'Ada',
        said: 'The budget, déjà vu.',
        spoken_language: 'ENGLISH',
        arrived_at: '2026-11-22T10:00:05.000Z',
      },
    ]);
  });

  test.each([
    ['several lines', Buffer.concat([said(1), lost(2), wrote(3)]), ['transcript', 'chat']],
    ['an aggregate', encodeAggregate(KEY, [said(1), wrote(2)]), ['transcript', 'chat']],
    ['a revocation', revoked(1), ['session_revoked']],
    ['a line twice', Buffer.concat([said(1), said(1)]), ['transcript', 'transcript']],
  ])('makes a row of each wanted line: %s', async (_, data, kinds) => {
    const [{ result, text } = { result: '', text: '' }] = await transformed(data);
    expect(result).toBe('Ok');
    expect(rowsOf(text).map(({ kind }) => kind)).toEqual(kinds);
  });

  test('drops what is not said, and fails what it cannot read, as it came', async () => {
    const bad = [
      half,
      Buffer.concat([said(1), half]),
      encodeMediaRecord(mediaRecord()),
      encodeAggregate(KEY, [said(1), wrote(2)]).subarray(0, -1),
      Buffer.from('{"specversion":"1.0"}\n'),
      Buffer.from([0xff, 0xfe]),
    ];
    const results = await transformed(lost(1), ...bad, said(2));
    expect(results.map(({ result }) => result)).toEqual([
      'Dropped',
      ...bad.map(() => 'ProcessingFailed'),
      'Ok',
    ]);
    const kept = results.slice(1, -1).map(({ text }) => text);
    expect(kept).toEqual(bad.map((data) => Buffer.from(data).toString()));
  });

  test('writes only columns of the table, each with its type', async () => {
    const results = await transformed(said(1), wrote(2), revoked(3));
    for (const [name, value] of results.flatMap(({ text }) =>
      rowsOf(text).flatMap((row) => Object.entries(row)),
    )) {
      const type = COLUMNS[name as keyof typeof COLUMNS];
      const forms = { string: /^.*$/, bigint: /^\d+$/, timestamp: /^\d{4}-\d\d-\d\dT.*Z$/ };
      expect(`${typeof value} ${name}`).toBe(`${type === 'bigint' ? 'number' : 'string'} ${name}`);
      expect(String(value)).toMatch(forms[type]);
    }
  });

  test('answers a full batch with less than the 6 MB of Lambda', async () => {
    const lines = Buffer.concat(Array.from({ length: 3_500 }, (_, index) => said(index + 1, '')));
    expect(lines.length).toBeGreaterThan(2 ** 20);
    const event = firehoseEvent([{ data: lines, partitionKey: KEY }]);
    const answer = await transform(event, {} as Context, () => {});
    expect(JSON.stringify(answer).length).toBeLessThan(6_000_000);
  });
});

const piped = (...data: readonly Uint8Array[]) =>
  envelopes(
    data.map((one, index) => ({
      kinesisSchemaVersion: '1.0',
      partitionKey: KEY,
      sequenceNumber: String(index),
      data: Buffer.from(one).toString('base64'),
      eventSource: 'aws:kinesis',
    })),
  );

describe('the enrichment of the pipe', () => {
  test('makes an envelope of each record that holds a wanted line', async () => {
    const found = await piped(
      Buffer.concat([said(1), lost(2), revoked(3)]),
      said(4),
      encodeAggregate(KEY, [lost(5)]),
    );
    expect(found.map(({ events }) => events.map(({ id }) => id))).toEqual([
      ['stream-1/1/2', 'stream-1/1/3'],
      ['stream-1/1/5'],
    ]);
    expect(found[0]?.events[0]).toEqual(JSON.parse(lost(2).toString()));
    expect(found.map(({ sequenceNumber }) => sequenceNumber)).toEqual(['0', '2']);
  });

  test('sends nothing when there is nothing wanted', async () => {
    expect(await piped(said(1), wrote(2))).toEqual([]);
  });

  test('counts the lines that it cannot read, and passes on the others', async () => {
    const found = await piped(Buffer.concat([lost(1), half]), encodeMediaRecord(mediaRecord()));
    expect(found.map(({ events, unreadable }) => [events.length, unreadable > 0])).toEqual([
      [1, true],
      [0, true],
    ]);
  });

  test('keeps a batch within what PutEvents takes, largest data first', async () => {
    const row = { mediaType: 'audio', userId: 7, received: 1, written: 1, lost: 0 } as const;
    const ended = (sequence: number, rows: number) =>
      eventBytes(
        'session_ended',
        { stopReason: 6, restartable: false, ledger: Array.from({ length: rows }, () => row) },
        sequence,
      );
    const found = await piped(ended(1, 2_000), ended(2, 3_000), lost(3));
    expect(JSON.stringify(found).length).toBeLessThan(256_000);
    const lines = found.flatMap(({ events }) => events);
    expect(lines.map(({ dataLeftOut }) => dataLeftOut)).toEqual([undefined, true, undefined]);
    expect(lines[1]).toMatchObject({ type: 'rtms.session_ended.v1', data: {} });
  });
});
