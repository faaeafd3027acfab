import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis';
import { expect } from 'vitest';
import { countingRecords, type Said } from './counting-speaker.ts';
import type { LocalStreams } from './local-streams.ts';
import type { FakeRecogniser } from './recognisers/fake-recogniser.ts';
import { bareEnvironment } from './rtms-command.ts';
import { eventBytes, packed, START_MS } from './test-records.ts';
import { waitUntil } from './wait.ts';

/** In silence before it the test waits for the program to be there. */
const BEGINS_MS = 10_000;
const SAID: readonly Said[] = Array.from({ length: 8 }, (_, index) => ({
  number: index + 1,
  atMs: BEGINS_MS + index * 900,
}));
const LENGTH_MS = BEGINS_MS + SAID.length * 900 + 400;
const FRAMES_A_RECORD = 50;

interface Recogniser {
  /** The third argument of the program. */
  readonly name: 'transcribe' | 'deepgram' | 'whisper';
  readonly fake: FakeRecogniser;
  readonly env: Readonly<Record<string, string>>;
}

/** All results in a stream, each id once. */
export async function resultsOf(client: KinesisClient, StreamName: string) {
  const at = {
    StreamName,
    ShardId: 'shardId-000000000000',
    ShardIteratorType: 'TRIM_HORIZON',
  } as const;
  const { ShardIterator } = await client.send(new GetShardIteratorCommand(at));
  const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator }));
  const events = Records.map(({ Data }) => JSON.parse(Buffer.from(Data ?? []).toString()));
  return [...new Map(events.map((event) => [event.id, event])).values()];
}

/**
 * Runs docs/examples/consumers/speech/main.ts as whoever copies it would. It hears a speaker who counts, is killed in the middle and
 * started again, loses its connection, sees the speaker leave, and is interrupted. Every number has to be in the results, once,
 * at its time.
 */
export async function expectSpeechProgram(
  { server, client, create }: LocalStreams,
  folder: string,
  { name, fake, env }: Recogniser,
): Promise<void> {
  const [media, told, results] = [await create(), await create(), await create()];
  const positions = join(folder, `${name}.json`);
  // Everything is over by now, so that a lane ends as soon as its end is read.
  const shiftMs = Date.now() - 60_000 - START_MS;
  const records = countingRecords(SAID, LENGTH_MS).map((record) => ({
    ...record,
    capturedAtMs: record.capturedAtMs + shiftMs,
    receivedAtMs: record.receivedAtMs + shiftMs,
  }));
  let [put, exits] = [0, ''];
  const say = async (count: number) => {
    const Records = [];
    while (put < count) {
      const until = Math.min(put + FRAMES_A_RECORD, count);
      Records.push({ PartitionKey: 'stream-1', Data: packed(records.slice(put, until)).data });
      put = until;
    }
    if (Records.length > 0)
      await client.send(new PutRecordsCommand({ StreamName: media, Records }));
  };
  const start = () => {
    const program = spawn(
      process.execPath,
      ['docs/examples/consumers/speech/main.ts', media, results, name],
      {
        env: {
          ...bareEnvironment(),
          AWS_ENDPOINT_URL_KINESIS: server.url,
          AWS_REGION: 'us-east-1',
          AWS_ACCESS_KEY_ID: 'local',
          AWS_SECRET_ACCESS_KEY: 'local',
          EVENTS: told,
          POSITIONS: positions,
          ...env,
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    program.stderr?.on('data', (data) => {
      exits += data;
    });
    return program;
  };
  const kill = async (program: ChildProcess, signal: NodeJS.Signals) => {
    const exit = once(program, 'exit');
    program.kill(signal);
    return exit;
  };
  const heard = async (count: number) =>
    waitUntil(async () => (await resultsOf(client, results)).length >= count, {
      // A shard answers five times a second.
      interval: 300,
    });

  let program = start();
  try {
    // Without positions it begins with what is said from now on: one frame of silence after the other until it is there.
    await waitUntil(
      async () => {
        if (put * 20 < BEGINS_MS - 2_000) await say(put + 1);
        return fake.opened > 0 || existsSync(positions);
      },
      // The process begins in a second; on a busy machine it took more than fifteen.
      { timeout: 40_000, interval: 100 },
    );
    await say((BEGINS_MS + 3.4 * 900) / 20);
    // The last word has no pause behind it yet.
    await heard(3);
    fake.breakAll();
    await say((BEGINS_MS + 5.4 * 900) / 20);
    await heard(5);
    await kill(program, 'SIGKILL');
    program = start();
    await say(records.length);
    const timestampMs = START_MS + shiftMs + LENGTH_MS;
    const Data = eventBytes('participant_left', { participants: [{ userId: 7 }], timestampMs });
    const Records = [{ PartitionKey: 'stream-1', Data }];
    await client.send(new PutRecordsCommand({ StreamName: told, Records }));
    // Who has left needs no position.
    await waitUntil(() => readFileSync(positions, 'utf8') === '[]');
    expect(await kill(program, 'SIGINT')).toEqual([0, null]);
  } finally {
    program.kill('SIGKILL');
  }
  expect(exits).toBe('');
  const events = await resultsOf(client, results);
  expect(events.map(({ data }) => data.text)).toEqual(SAID.map(({ number }) => String(number)));
  for (const [index, { type, source, data }] of events.entries()) {
    expect([type, source]).toEqual(['speech.result.v1', `/speech/${name}`]);
    const offsetMs = data.fromMs - START_MS - shiftMs - (SAID[index]?.atMs ?? 0);
    expect(Math.abs(offsetMs)).toBeLessThanOrEqual(20);
  }
}
