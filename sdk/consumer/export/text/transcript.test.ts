import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventData } from '../../../../shared/record/event-data.ts';
import { event, START_MS } from '../../../../test/support/test-records.ts';
import { plainText, srt, TranscriptExporter, type TranscriptFormat, vtt } from './transcript.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rtms-transcript-'));
});
afterAll(() => rm(directory, { recursive: true }));

let sequence = 0;
const line = (fromMs: number, text: string, changes: Partial<EventData['transcript']> = {}) =>
  event(
    'transcript',
    {
      text,
      userId: 7,
      userName: 'Ada',
      startMs: START_MS + fromMs,
      endMs: START_MS + fromMs + 1_500,
      timestampMs: START_MS + fromMs,
      ...changes,
    },
    ++sequence,
  );

async function written(format: TranscriptFormat, lines: ReturnType<typeof line>[]) {
  const path = join(directory, `${++sequence}.txt`);
  const exporter = new TranscriptExporter(path, format, START_MS);
  for (const each of lines) await exporter.write(each);
  await exporter.close();
  return readFile(path, 'utf8');
}

const meeting = [
  line(65_250, 'Then let us <ship> it & go.', { userId: 8, userName: 'Ben' }),
  line(1_000, 'Good morning.\n\nShall we --> start?'),
  line(3_700_000, 'Bye.', { userName: '' }),
];

describe('transcripts', () => {
  test('are sorted, escaped and voiced in WebVTT', async () => {
    expect(await written(vtt, meeting)).toBe(`WEBVTT

00:00:01.000 --> 00:00:02.500
<v Ada>Good morning.
Shall we --&gt; start?

00:01:05.250 --> 00:01:06.750
<v Ben>Then let us &lt;ship&gt; it &amp; go.

01:01:40.000 --> 01:01:41.500
Bye.
`);
  });

  test('are numbered in SubRip', async () => {
    expect(await written(srt, meeting)).toBe(`1
00:00:01,000 --> 00:00:02,500
Ada: Good morning.
Shall we -> start?

2
00:01:05,250 --> 00:01:06,750
Ben: Then let us <ship> it & go.

3
01:01:40,000 --> 01:01:41,500
Bye.
`);
  });

  test('have one line each as plain text', async () => {
    expect(await written(plainText, meeting)).toBe(
      `[00:00:01] Ada: Good morning. Shall we --> start?
[00:01:05] Ben: Then let us <ship> it & go.
[01:01:40] Bye.
`,
    );
  });

  test('have corrections and deletions in the place of the line', async () => {
    const lines = [
      line(1_000, 'Helo', { attribute: 1 }),
      line(2_000, 'Wrong', { attribute: 1 }),
      line(1_000, 'Hello', { attribute: 2 }),
      line(2_000, '', { attribute: 3 }),
    ];
    expect(await written(plainText, lines)).toBe('[00:00:01] Ada: Hello\n');
  });

  test('keep lines of one speaker and instant that correct nothing', async () => {
    const lines = [line(1_000, 'One'), line(1_000, 'Two')];
    expect(await written(plainText, lines)).toContain('One\n[00:00:01] Ada: Two');
  });

  test('get an end where Zoom gave none, and a start from the timestamp', async () => {
    const { startMs: _start, endMs: _end, ...data } = line(5_000, 'x'.repeat(50)).data;
    expect(await written(vtt, [event('transcript', data, ++sequence)])).toContain(
      '00:00:05.000 --> 00:00:08.000',
    );
  });

  test('leave no file without lines', async () => {
    const path = join(directory, 'none.vtt');
    await new TranscriptExporter(path, vtt, START_MS).close();
    expect(await readdir(directory)).not.toContain('none.vtt');
  });
});
