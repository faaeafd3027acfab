import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TranscribeStreamingClient } from '@aws-sdk/client-transcribe-streaming';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectDeepgram } from '../../docs/examples/consumers/speech/deepgram.ts';
import { Positions } from '../../docs/examples/consumers/speech/positions.ts';
import { recognise } from '../../docs/examples/consumers/speech/recognise.ts';
import {
  type Heard,
  resultEvent,
  writeResults,
} from '../../docs/examples/consumers/speech/results.ts';
import { connectTranscribe } from '../../docs/examples/consumers/speech/transcribe.ts';
import { recogniseWithWhisper } from '../../docs/examples/consumers/speech/whisper.ts';
import {
  type Frame,
  type ReceivedEvent,
  type SpeakerLane,
  speakers,
} from '../../sdk/consumer/index.ts';
import { FrameDecoder } from '../../sdk/consumer/records/records.ts';
import { countingRecords, type Said } from '../support/counting-speaker.ts';
import { type LocalStreams, startLocalStreams } from '../support/local-streams.ts';
import { startFakeDeepgram } from '../support/recognisers/fake-deepgram.ts';
import type { FakeRecogniser } from '../support/recognisers/fake-recogniser.ts';
import { startFakeTranscribe } from '../support/recognisers/fake-transcribe.ts';
import { startFakeWhisper } from '../support/recognisers/fake-whisper.ts';
import { resultsOf } from '../support/speech-program.ts';
import { event, packed, START_MS } from '../support/test-records.ts';
import { waitUntil } from '../support/wait.ts';

/** The recipes of docs/examples/consumers/speech against recognisers on this machine, over real sockets. */

const SAID: readonly Said[] = Array.from({ length: 24 }, (_, index) => ({
  number: index + 1,
  atMs: 110 + index * 900,
}));
/** The session is silent here, between two numbers, until the test lets it go on. */
const PAUSE_AT_MS = 12 * 900;
const records = countingRecords(SAID, SAID.length * 900 + 400);

let streams: LocalStreams;
let folder: string;
beforeAll(async () => {
  streams = await startLocalStreams();
  folder = mkdtempSync(join(tmpdir(), 'rtms-speech-'));
});
afterAll(async () => {
  await streams?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function* spoken(pause: () => Promise<void>): AsyncGenerator<Frame, void, undefined> {
  const decoder = new FrameDecoder();
  for (const record of records) {
    if (record.capturedAtMs === START_MS + PAUSE_AT_MS) await pause();
    yield* decoder.decode(packed([record]));
  }
}

interface Run {
  readonly streamName: string;
  readonly positions: Positions;
  readonly pause?: () => Promise<void>;
  /** The consumer is killed when it has written so many results. */
  readonly dieAfter?: number;
  readonly listen: (
    lane: SpeakerLane,
    onHeard: (heard: Heard) => Promise<void>,
    onDone: (atMs: number) => Promise<void>,
  ) => Promise<void>;
}

class Killed extends Error {}

/** One life of a consumer. */
async function run({ streamName, positions, pause, dieAfter, listen }: Run): Promise<void> {
  let written = 0;
  const die = () => {
    if (written === dieAfter) throw new Killed();
  };
  const onHeard = (lane: SpeakerLane) => async (heard: Heard) => {
    die();
    await writeResults(streams.client, streamName, [resultEvent(lane, 'fake', heard)]);
    written += 1;
  };
  const reader = spoken(pause ?? (() => Promise.resolve()));
  for await (const lane of speakers({ reader, resume: positions.all, whenFull: 'wait' })) {
    const onDone = async (atMs: number) => {
      die();
      await positions.done(lane, atMs);
    };
    await listen(lane, onHeard(lane), onDone);
    break;
  }
}

async function expectAllHeard(streamName: string): Promise<void> {
  const events = await resultsOf(streams.client, streamName);
  expect(events.map(({ data }) => data.text)).toEqual(SAID.map(({ number }) => String(number)));
  for (const [index, { type, data }] of events.entries()) {
    expect(type).toBe('speech.result.v1');
    const offsetMs = data.fromMs - START_MS - (SAID[index]?.atMs ?? 0);
    expect(Math.abs(offsetMs)).toBeLessThanOrEqual(20);
  }
}

const STREAMING = [
  {
    name: 'Amazon Transcribe',
    start: startFakeTranscribe,
    connector: ({ url }: FakeRecogniser) => {
      const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
      const client = new TranscribeStreamingClient({
        region: 'us-east-1',
        endpoint: url,
        credentials,
      });
      return { connect: () => connectTranscribe(client), close: () => client.destroy() };
    },
  },
  {
    name: 'Deepgram',
    start: startFakeDeepgram,
    connector: ({ url }: FakeRecogniser) => ({
      connect: () => connectDeepgram(url, 'secret'),
      close: () => undefined,
    }),
  },
];

describe.each(STREAMING)('$name', ({ start, connector }) => {
  test('a pause, lost connections and a killed consumer lose no word and double none', async () => {
    await using fake = await start(2_000);
    const { connect, close } = connector(fake);
    const streamName = await streams.create();
    const path = join(folder, `${streamName}.json`);
    const options = { connect, keepAliveMs: 20, retryMs: 10 };
    let heard = 0;
    const listen: Run['listen'] = (lane, onHeard, onDone) =>
      recognise(lane, {
        ...options,
        onDone,
        onHeard: async (each) => {
          await onHeard(each);
          heard += 1;
          if (heard === 5) fake.breakAll();
        },
      });
    const pause = async () => {
      const { keptAlive, opened } = fake;
      await waitUntil(() => fake.keptAlive >= keptAlive + 5);
      fake.breakAll();
      await waitUntil(() => fake.opened > opened);
    };
    const first = run({
      streamName,
      positions: await Positions.open(path),
      pause,
      dieAfter: 15,
      listen,
    });
    await expect(first).rejects.toThrow(Killed);
    await run({ streamName, positions: await Positions.open(path), pause, listen });
    close();
    await expectAllHeard(streamName);
    expect(fake.opened).toBeGreaterThanOrEqual(4);
  });

  test('a stream that was ended in a pause is opened again', async () => {
    await using fake = await start(150);
    const { connect, close } = connector(fake);
    const streamName = await streams.create();
    const positions = await Positions.open(join(folder, `${streamName}.json`));
    const pause = async () => void (await waitUntil(() => fake.timedOut > 0));
    const listen: Run['listen'] = (lane, onHeard, onDone) =>
      recognise(lane, { connect, keepAliveMs: 60_000, retryMs: 10, onHeard, onDone });
    await run({ streamName, positions, pause, listen });
    close();
    await expectAllHeard(streamName);
  });
});

describe('a consent that is taken back', () => {
  /** Says all but the last numbers, then the consent is revoked while the connection waits for results. */
  const revokedSpeech = () => {
    const revoked = Promise.withResolvers<ReceivedEvent>();
    const revoke = () => revoked.resolve(event('session_revoked', { timestampMs: START_MS }));
    async function* events() {
      yield await revoked.promise;
    }
    // The session goes on, and nobody says anything.
    async function* reader() {
      yield* spoken(() => Promise.resolve());
      await new Promise(() => undefined);
    }
    return { revoke, lanes: speakers({ reader: reader(), events: events(), whenFull: 'wait' }) };
  };

  test.each(STREAMING)('$name: ends it, and no result comes any more', async (each) => {
    await using fake = await each.start(2_000);
    const { connect, close } = each.connector(fake);
    const { lanes, revoke } = revokedSpeech();
    let heard = 0;
    for await (const lane of lanes) {
      const onHeard = async () => {
        heard += 1;
        if (heard === 5) revoke();
        if (heard === 5) await waitUntil(() => lane.ended === 'revoked');
      };
      await recognise(lane, { connect, onHeard, onDone: async () => undefined, keepAliveMs: 20 });
      expect(lane.ended).toBe('revoked');
      break;
    }
    close();
    expect([heard, fake.opened]).toEqual([5, 1]);
  });

  test('Whisper: the utterance that is asked for gets no result', async () => {
    await using fake = await startFakeWhisper();
    const { lanes, revoke } = revokedSpeech();
    let heard = 0;
    for await (const lane of lanes) {
      const onHeard = async () => {
        heard += 1;
      };
      const onRetry = revoke;
      const onDone = async () => {
        if (heard === 5) fake.breakAll();
      };
      await recogniseWithWhisper(lane, { url: fake.url, retryMs: 20, onHeard, onDone, onRetry });
      expect(lane.ended).toBe('revoked');
      break;
    }
    expect(heard).toBe(5);
  });
});

test('Whisper: a server that is away and a killed consumer lose no word and double none', async () => {
  await using fake = await startFakeWhisper();
  const streamName = await streams.create();
  const path = join(folder, `${streamName}.json`);
  const listen: Run['listen'] = (lane, onHeard, onDone) =>
    recogniseWithWhisper(lane, { url: fake.url, retryMs: 5, onHeard, onDone });
  const pause = async () => fake.breakAll();
  const first = run({
    streamName,
    positions: await Positions.open(path),
    pause,
    dieAfter: 15,
    listen,
  });
  await expect(first).rejects.toThrow(Killed);
  await run({ streamName, positions: await Positions.open(path), listen });
  await expectAllHeard(streamName);
  expect(fake.opened).toBeGreaterThan(SAID.length);
});
