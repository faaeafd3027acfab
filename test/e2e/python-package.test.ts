import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { EventDecoder, FrameDecoder } from '../../sdk/consumer/index.ts';
import type { KinesisRecord } from '../../sdk/consumer/records/records.ts';
import type { ServiceError } from '../../shared/errors.ts';
import { encodeMediaRecord, splitIntoChunks } from '../../shared/record/encode-media-record.ts';
import { encodeAggregate } from '../../shared/record/kpl.ts';
import vectors from '../fixtures/kpl/vectors.json' with { type: 'json' };
import { inPython } from '../support/python-frames.ts';
import { eventBytes, mediaRecord } from '../support/test-records.ts';

/**
 * The Python package of docs/examples/python. Its own tests hold it against `tests/recorded.json`, which is made here of what our code
 * writes and reads today. The package installed, with boto3 and a Kinesis server, is what `npm run test:peers -- python-package` runs.
 */
const FOLDER = 'docs/examples/python';
const RECORDED = `${FOLDER}/tests/recorded.json`;
const KEY = 'stream-1';

interface Written {
  readonly stream: 'media' | 'events';
  readonly data: Uint8Array;
  readonly partitionKey: string;
}

/** One of everything that a reader must understand: aggregates, bare records, chunks, repeats, a late writer, losses, damage. */
function written(): Written[] {
  const media = (data: Uint8Array, partitionKey = KEY) =>
    ({ stream: 'media', data, partitionKey }) as const;
  const events = (...lines: Buffer[]) =>
    ({ stream: 'events', data: Buffer.concat(lines), partitionKey: KEY }) as const;
  const small = { payload: Buffer.from('0123456789') };
  const audio = [1, 2, 3, 6, 9].map((sequence) => mediaRecord({ sequence, ...small }));
  const aggregate = encodeAggregate(KEY, audio.map(encodeMediaRecord));
  const phone = mediaRecord({ channelId: 'ch 7 é', codec: 4, recovered: true, ...small });
  const slide = mediaRecord({ mediaType: 4, codec: 5, payload: Buffer.alloc(700, 'jpg') });
  const chunks = splitIntoChunks({ ...slide, width: 1920, height: 1080 }, 300);
  const cut = splitIntoChunks({ ...slide, sequence: 2 }, 300)[0] as Buffer;
  const damaged = encodeMediaRecord(mediaRecord({ sequence: 10, ...small }));
  damaged[damaged.length - 1] = 0xff;
  const name = mediaRecord({ epoch: 2, userId: 4_294_967_295, userName: 'Zoë ✓', ...small });
  const gap = { mediaType: 'audio', userId: 7, cause: 'buffer_full', bytes: 20 } as const;
  const times = { fromMs: 1, toMs: 2 };
  const ledger = [{ mediaType: 'audio', userId: 7, received: 11, written: 6, lost: 5 }] as const;
  return [
    media(aggregate),
    media(aggregate),
    ...chunks.map((chunk) => media(chunk, `${KEY}#v#7`)),
    media(cut, `${KEY}#v#7`),
    media(encodeMediaRecord(phone), 'phone'),
    media(damaged),
    media(encodeMediaRecord(name)),
    media(encodeMediaRecord(mediaRecord({ sequence: 11, ...small }))),
    media(Buffer.from('{"not":"ours"}')),
    events(
      eventBytes('transcript', { text: 'déjà vu', userId: 7, userName: 'Ada', timestampMs: 5 }),
      eventBytes('gap', { ...gap, fromSequence: 4, toSequence: 5, count: 2, ...times }, 2),
    ),
    events(eventBytes('transcript', { text: 'déjà vu', userId: 7, timestampMs: 5 })),
    events(Buffer.from('{"specversion":"1.0"}\n')),
    events(
      eventBytes('gap', { ...gap, fromSequence: 7, toSequence: 7, count: 1, ...times }, 3),
      eventBytes(
        'session_ended',
        { stopReason: 6, stopReasonName: 'MEETING_ENDED', restartable: false, ledger: [...ledger] },
        5,
      ),
    ),
  ];
}

function recorded(): Record<string, unknown> {
  const errors: ServiceError[] = [];
  const options = { onBadRecord: (error: ServiceError) => void errors.push(error) };
  const records = written().map(({ stream, data, partitionKey }, index) => ({
    stream,
    record: { data, partitionKey, sequenceNumber: String(index + 1) } satisfies KinesisRecord,
  }));
  const of = (wanted: string) => records.filter(({ stream }) => stream === wanted);
  const decoder = new FrameDecoder(options);
  const frames = of('media').flatMap(({ record }) => [...decoder.decode(record)]);
  const lines = new EventDecoder(options);
  const ids = of('events').flatMap(({ record }) => [...lines.decode(record)].map(({ id }) => id));
  decoder.finish();
  const documents = of('events')
    .flatMap(({ record }) => Buffer.from(record.data).toString().trim().split('\n'))
    .map((line) => JSON.parse(line));
  return {
    about: 'Written by test/e2e/python-package.test.ts',
    records: records.map(({ stream, record }) => ({
      stream,
      Data: Buffer.from(record.data).toString('base64'),
      PartitionKey: record.partitionKey,
      SequenceNumber: record.sequenceNumber,
    })),
    frames: frames.map(inPython),
    events: ids.map((id) => documents.find((document) => document.id === id)),
    bad: errors.map(({ code, detail }) => [code, detail['sequenceNumber']]),
    gaps: [
      ['audio', 1, 4, 5, 'buffer_full'],
      ['audio', 1, 7, 7, 'buffer_full'],
      ['audio', 1, 8, 8, null],
      ['audio', 1, 10, 11, null],
      ['lines', 1, 4, 4, null],
    ],
    aggregates: vectors.vectors,
  };
}

test('the records of its tests are what is written and read today', () => {
  const made = recorded();
  if (process.env['UPDATE_SAMPLE']) writeFileSync(RECORDED, JSON.stringify(made, null, 2));
  expect(JSON.parse(readFileSync(RECORDED, 'utf8'))).toEqual(made);
});

const hasPython =
  spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))']).status === 0;

describe.skipIf(!hasPython)('its own tests (skipped: no python3 of 3.10 or newer here)', () => {
  test('pass, without a package installed', async () => {
    const args = ['-B', '-m', 'unittest', 'discover', '-t', '.', '-s', 'tests'];
    const { stderr } = await promisify(execFile)('python3', args, { cwd: FOLDER });
    expect(stderr).toMatch(/Ran [3-9]\d tests[\s\S]*OK/);
  });
});
