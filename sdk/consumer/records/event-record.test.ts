import { describe, expect, test } from 'vitest';
import type { ServiceError } from '../../../shared/errors.ts';
import { encodeAggregate } from '../../../shared/record/kpl.ts';
import { event, eventBytes, kinesisRecord, START_MS } from '../../../test/support/test-records.ts';
import { EventDecoder } from './event-record.ts';

const joined = { participants: [{ userId: 7, userName: 'Ada' }], timestampMs: START_MS };

describe('events', () => {
  test('have a name, typed data, a date and the entity they belong to', () => {
    expect(event('participant_joined', joined, 4)).toMatchObject({
      id: 'stream-1/1/4',
      name: 'participant_joined',
      rtmsStreamId: 'stream-1',
      product: 'meeting',
      entityId: 'a/b==',
      epoch: 1,
      sequence: 4,
      time: new Date(START_MS),
      data: joined,
      partitionKey: 'stream-1',
    });
  });

  test('are read from several lines in one record, and from aggregates', () => {
    const lines = [1, 2].map((sequence) => eventBytes('participant_joined', joined, sequence));
    const third = eventBytes('participant_joined', joined, 3);
    const decoder = new EventDecoder();
    const records = [Buffer.concat(lines), encodeAggregate('stream-1', [third])];
    const found = records.flatMap((data) => [...decoder.decode(kinesisRecord(data))]);
    expect(found.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  });

  test('of later versions are handed on as they are', () => {
    const later = eventBytes('other', { raw: 1 })
      .toString()
      .replace('rtms.other.v1', 'rtms.mood.v1');
    const [found] = new EventDecoder().decode(kinesisRecord(Buffer.from(later)));
    expect(found).toMatchObject({ name: 'newer', type: 'rtms.mood.v1', data: { raw: 1 } });
    const v2 = later.replace('mood.v1', 'other.v2');
    const [second] = new EventDecoder().decode(kinesisRecord(Buffer.from(v2)));
    expect(second).toMatchObject({ name: 'newer', type: 'rtms.other.v2' });
  });

  test('are handed out once, and not from a writer that lost the ownership', () => {
    const decoder = new EventDecoder();
    const bytes = (epoch: number, sequence: number) =>
      kinesisRecord(eventBytes('participant_joined', joined, sequence, { epoch }));
    const records = [bytes(1, 1), bytes(1, 1), bytes(2, 1), bytes(1, 2), bytes(2, 2)];
    const found = records.flatMap((record) => [...decoder.decode(record)]);
    expect(found.map(({ id }) => id)).toEqual(['stream-1/1/1', 'stream-1/2/1', 'stream-1/2/2']);
    expect(decoder.counts).toEqual({ delivered: 3, repeated: 1, fenced: 1, bad: 0 });
  });
});

describe('bad events', () => {
  const good = eventBytes('participant_joined', joined).toString();

  test.each([
    ['cut short', good.slice(0, 80)],
    ['not an object', '[1,2]'],
    ['null', 'null'],
    ['another CloudEvent', good.replace('rtms.participant_joined.v1', 'com.example.order')],
    ['of an unknown product', good.replace('/zoom/meeting/', '/zoom/fax/')],
    ['with a broken source', good.replace('a%2Fb%3D%3D', '%E0%A4%A')],
    ['without an epoch', good.replace('"epoch":1,', '')],
    ['with a sequence of 0', good.replace('"sequence":1', '"sequence":0')],
    ['with a time that is no date', good.replace('2027', 'abcd')],
    ['without data', good.replace(/"data":.*}/, '"data":null}')],
  ])('%s are reported and skipped', (_what, line) => {
    expect(line).not.toBe(good);
    const errors: ServiceError[] = [];
    const decoder = new EventDecoder({ onBadRecord: (error) => void errors.push(error) });
    const record = kinesisRecord(Buffer.from(`${line}\n${good}`));
    expect([...decoder.decode(record)]).toHaveLength(1);
    const { sequenceNumber } = record;
    expect(errors).toMatchObject([{ code: 'record/malformed', detail: { sequenceNumber } }]);
  });

  test('are thrown when there is no onBadRecord', () => {
    const read = () => [...new EventDecoder().decode(kinesisRecord(Buffer.from('{')))];
    expect(read).toThrow('[record/malformed]');
  });
});
