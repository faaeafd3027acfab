import { cbor } from '@smithy/core/cbor';
import { expect, test } from 'vitest';
import { encodeCborBody } from '../../../runner/kinesis/http/cbor-format.ts';
import { readCborBody, writeCborAnswer } from '../aws/put-body.ts';
import { readRequest } from './put-exchange.ts';

const LENGTHS = [0, 1, 23, 24, 255, 256, 70_000];
const entries = LENGTHS.map((length) => ({
  partitionKey: `schlüssel${'k'.repeat(Math.min(length, 200))}`,
  data: Buffer.alloc(length, length + 1),
}));

test('a body in CBOR is read as the SDK reads it, of any length and in both forms of lists', () => {
  const body = encodeCborBody('media', entries, 0, (size) => Buffer.alloc(size));
  const plain = entries.map(({ partitionKey, data }) => ({
    Data: data,
    PartitionKey: partitionKey,
  }));
  expect(readCborBody(body)).toEqual({ Records: plain, StreamName: 'media' });
  const counted = Buffer.from(cbor.serialize({ StreamName: 'media', Records: plain }));
  expect(readCborBody(counted)).toEqual({ Records: plain, StreamName: 'media' });
});

test.each([
  [Buffer.from([0xbf]), 'breaks off'],
  [Buffer.from([0xa0, 0xa0]), 'one map'],
  [Buffer.from([0xa1, 0x61]), 'breaks off'],
  [Buffer.from([0xa1, 0x61, 0x61, 0x01]), 'type 0'],
  [Buffer.from([0x5b, 0, 0, 0, 0, 0, 0, 0, 1, 0]), 'length'],
])('a body that is none is refused: %o', (body, words) => {
  expect(() => readCborBody(body)).toThrow(words);
});

test('an answer in CBOR is what the SDK reads', () => {
  const SequenceNumber = '4'.repeat(56);
  const Records = Array.from({ length: 300 }, () => ({ SequenceNumber, ShardId: 'shard-ü' }));
  const answer = { FailedRecordCount: 70_000, Records, ErrorCode: undefined };
  const { ErrorCode: _, ...told } = answer;
  expect(cbor.deserialize(writeCborAnswer(answer))).toEqual(told);
});

test('a request whose body has another length than it says is none', () => {
  const head =
    'POST / HTTP/1.1\r\nx-amz-target: Kinesis_20131202.PutRecords\r\ncontent-length: 3\r\n\r\n';
  expect(() => readRequest(Buffer.from(`${head}{}`))).toThrow('another length');
  expect(() => readRequest(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toThrow('no request');
});
