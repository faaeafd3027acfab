import { expect, test, vi } from 'vitest';
import { ADA, simulateStream } from '../../../test/support/sdk/simulated-stream.ts';
import { waitFor } from '../../../test/support/wait.ts';
import { configureLogger, Executor, LogLevel } from '../index.ts';
import { run, stop } from '../run.ts';
import { Backlog } from './backlog.ts';

const TASKS = new URL('../../../test/support/sdk/executor-tasks.ts', import.meta.url);

test('the executor runs a task in a thread with the arguments of a callback', async () => {
  await using executor = new Executor(TASKS, { threads: 1 });
  const buffer = Buffer.from('0102', 'hex');
  expect(await executor.run('describe', [buffer, 2, 1_700])).toBe('Buffer 0102 2 1700 true');
  expect(buffer).toHaveLength(2);
});

test('the executor rejects with what a task throws, and for a task that does not exist', async () => {
  await using executor = new Executor(TASKS, { threads: 1 });
  await expect(executor.run('fail', [])).rejects.toThrow('task failed');
  await expect(executor.run('missing', [])).rejects.toThrow('exports no missing');
});

test('frames of each speaker stay in order on several executor threads', async () => {
  await using executor = new Executor(TASKS, { threads: 2 });
  const backlog = new Backlog(1_000_000, () => expect.fail('nothing is dropped'));
  const seen: Record<string, number[]> = { ada: [], ben: [] };
  for (let number = 0; number < 15; number++) {
    for (const source of ['ada', 'ben']) {
      backlog.push({
        kind: 'audio',
        source,
        sizeBytes: 1,
        timestampMs: number,
        run: async () => {
          const result = await executor.run('slower', [Buffer.from([number])]);
          seen[source]?.push(result as number);
        },
        failed: (error) => expect.fail(String(error)),
      });
    }
  }
  await backlog.drained(10_000);
  const inOrder = Array.from({ length: 15 }, (_, number) => number);
  expect(seen).toEqual({ ada: inOrder, ben: inOrder });
});

test('the executor refuses a module that a thread cannot find', () => {
  expect(() => new Executor('./tasks.ts')).toThrow('[config/invalid]');
});

test('the executor runs callbacks registered by name, and onResult gets their results', async () => {
  await using executor = new Executor(TASKS, { threads: 1 });
  await using stream = await simulateStream();
  const client = stream.client({ executor });
  const onResult = vi.fn();
  client.onAudioData('describe', onResult);
  await stream.join(client);
  stream.clock.advance(40);
  await waitFor(() => expect(onResult).toHaveBeenCalled());
  const [result, metadata, timestamp] = onResult.mock.calls[0] ?? [];
  expect(result).toMatch(new RegExp(`^Buffer [0-9a-f]+ \\d+ ${timestamp} true$`));
  expect(metadata).toMatchObject({ userName: 'John Smith' });
});

test('an executor given to run serves every client', async () => {
  await using executor = new Executor(TASKS, { threads: 1 });
  await using stream = await simulateStream();
  const client = stream.client();
  const onResult = vi.fn();
  client.onAudioData('describe', onResult);
  const running = run({ executor });
  await stream.join(client);
  stream.clock.advance(40);
  await waitFor(() => expect(onResult).toHaveBeenCalled());
  stop();
  await running;
});

test('a failing callback is reported to onError, in a thread and in the program, and frames go on', async () => {
  await using executor = new Executor(TASKS, { threads: 1 });
  await using stream = await simulateStream();
  const client = stream.client({ executor });
  const onError = vi.fn();
  client.onError(onError);
  client.onAudioData('fail');
  client.onSessionUpdate(() => {
    throw new Error('mine');
  });
  await stream.join(client);
  stream.clock.advance(100);
  await waitFor(() => expect(onError.mock.calls.length).toBeGreaterThan(2));
  expect(onError).toHaveBeenCalledWith(new Error('mine'), 'onSessionUpdate');
  expect(onError).toHaveBeenCalledWith(
    expect.objectContaining({ message: 'task failed' }),
    'onAudioData',
  );
});

test('a task without an executor is reported to onError', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const onError = vi.fn();
  client.onError(onError);
  client.onAudioData('describe');
  await stream.join(client);
  stream.clock.advance(20);
  await waitFor(() => expect(onError).toHaveBeenCalled());
  expect(String(onError.mock.calls[0]?.[0])).toContain('no executor');
});

test('frames that waited too long for their callback are reported to onDropped', async () => {
  await using stream = await simulateStream();
  // One socket, so that a line of text tells that the frames before it are here.
  const client = stream.client({ maxQueuedBytes: 10_000, layout: 'unified' });
  const onDropped = vi.fn();
  const onTranscript = vi.fn();
  client.onTranscriptData(onTranscript);
  const slow = Promise.withResolvers<void>();
  client.onDropped(onDropped);
  client.onAudioData(() => slow.promise);
  await stream.join(client);
  stream.clock.advance(2_000);
  stream.act({ do: 'transcript', userId: ADA.userId, text: 'Hi' });
  await waitFor(() => expect(onTranscript).toHaveBeenCalled());
  slow.resolve();
  await waitFor(() => expect(onDropped).toHaveBeenCalled());
  const [dropped] = onDropped.mock.calls[0] ?? [];
  expect(dropped).toMatchObject({ callback: 'onAudioData' });
  expect(dropped.frames).toBeGreaterThan(10);
  expect(dropped.toMs).toBeGreaterThan(dropped.fromMs);
});

const COUNT = new URL('../../../test/support/sdk/executor-count.ts', import.meta.url);

test('executor threads survive the pauses between words', async () => {
  await using executor = new Executor(COUNT, { threads: 2 });
  const threads = new Set<unknown>();
  for (let word = 0; word < 40; word += 1) {
    // Two speakers at once, then silence: without work a thread must not end.
    const ids = await Promise.all([executor.run('inThread', []), executor.run('inThread', [])]);
    for (const id of ids) threads.add(id);
    await new Promise(setImmediate);
  }
  expect(threads.size).toBeLessThanOrEqual(2);
});

test('close of an executor finishes what waits for a thread and refuses new tasks', async () => {
  const executor = new Executor(COUNT, { threads: 1 });
  const numbers = Array.from({ length: 10 }, (_, number) => number);
  const results = numbers.map((number) => executor.run('slow', [Buffer.of(number)]));
  await executor.close();
  expect(await Promise.all(results)).toEqual(numbers);
  await expect(executor.run('slow', [Buffer.of(1)])).rejects.toThrow('the executor is closed');
});

test('the executor runs an exported function, and rejects one that its module does not export', async () => {
  await using executor = new Executor(COUNT, { threads: 1 });
  const { inThread } = await import('../../../test/support/sdk/executor-count.ts');
  expect(await executor.run(inThread, [])).toBeGreaterThan(0);
  const closure = () => 1;
  await expect(executor.run(closure, [])).rejects.toThrow('closure is not exported');
  expect(await executor.taskOf(inThread)).toBe('inThread');
});

test('a callback that the executor module exports runs in a thread; another runs inline with a warning', async () => {
  await using stream = await simulateStream();
  await using executor = new Executor(TASKS, { threads: 1 });
  const { describe } = await import('../../../test/support/sdk/executor-tasks.ts');
  const client = stream.client({ executor });
  const results: unknown[] = [];
  const inline: unknown[][] = [];
  const lines: string[] = [];
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((line) => {
    return lines.push(String(line)) > 0;
  });
  configureLogger({ enabled: true, level: LogLevel.WARN });
  client.onAudioData(describe, (result) => results.push(result));
  client.onVideoData((...args) => {
    inline.push(args);
  });
  await stream.join(client);
  stream.clock.advance(200);
  await waitFor(() => expect(results.length).toBeGreaterThan(3));
  await waitFor(() => expect(inline.length).toBeGreaterThan(3));
  write.mockRestore();
  for (const result of results) expect(result).toMatch(/^Buffer [0-9a-f]+ \d+ \d+ true$/);
  const warnings = lines.filter((line) => line.includes('runs inline'));
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain('callback=onVideoData');
  await client.leave();
});
