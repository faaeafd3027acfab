import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startLocalStreams } from '../support/local-streams.ts';
import { startFakeTranscribe } from '../support/recognisers/fake-transcribe.ts';
import { startFakeWhisper } from '../support/recognisers/fake-whisper.ts';
import { expectSpeechProgram } from '../support/speech-program.ts';

/** The rule of Amazon Transcribe: 15 s without sound end the stream. */
const IDLE_MS = 15_000;

const RECOGNISERS = [
  {
    name: 'transcribe' as const,
    start: () => startFakeTranscribe(IDLE_MS),
    env: (url: string) => ({ AWS_ENDPOINT_URL_TRANSCRIBE_STREAMING: url }),
  },
  {
    name: 'whisper' as const,
    start: startFakeWhisper,
    env: (WHISPER_URL: string) => ({ WHISPER_URL }),
  },
];

test.each(RECOGNISERS)(
  'main.ts with $name: killed, cut off and interrupted, it writes each word once',
  async ({ name, start, env }) => {
    await using streams = await startLocalStreams();
    await using fake = await start();
    const folder = mkdtempSync(join(tmpdir(), 'rtms-speech-program-'));
    try {
      await expectSpeechProgram(streams, folder, { name, fake, env: env(fake.url) });
      expect(fake.timedOut).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  120_000,
);
