import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startLocalStreams } from '../support/local-streams.ts';
import { startFakeDeepgram } from '../support/recognisers/fake-deepgram.ts';
import { expectSpeechProgram } from '../support/speech-program.ts';

/** The program of docs/examples/consumers/speech as a process of its own. With the other recognisers: speech-programs.long.test.ts */

test('main.ts with Deepgram: killed, cut off and interrupted, it writes each word once', async () => {
  await using streams = await startLocalStreams();
  await using fake = await startFakeDeepgram(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'rtms-speech-program-'));
  try {
    const env = { DEEPGRAM_URL: fake.url, DEEPGRAM_API_KEY: 'secret' };
    await expectSpeechProgram(streams, folder, { name: 'deepgram', fake, env });
    expect(fake.opened).toBe(3);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
