import { expect } from 'vitest';
import {
  type ReceivedEvent,
  type SpeakerLane,
  type SpeakersOptions,
  type SpeechBlock,
  type SpeechNotice,
  speakers,
} from '../../sdk/consumer/index.ts';
import type { Frame } from '../../sdk/consumer/records/frame.ts';
import { FrameDecoder } from '../../sdk/consumer/records/records.ts';
import type { MediaRecord } from '../../shared/record/media-record.ts';
import { CountingListener, type Said } from './counting-speaker.ts';
import { packed } from './test-records.ts';

/** What a reader makes of these records: repeats and former owners are dropped. */
export async function* framesOf(
  records: Iterable<MediaRecord>,
): AsyncGenerator<Frame, void, undefined> {
  const decoder = new FrameDecoder();
  for (const record of records) yield* decoder.decode(packed([record]));
}

/** Readers of both streams. Each event comes when all records before it are read, and the next record when it was taken. */
export function stepByStep(steps: Iterable<MediaRecord | ReceivedEvent>): {
  readonly reader: AsyncIterable<Frame>;
  readonly events: AsyncIterable<ReceivedEvent>;
} {
  let asked = Promise.withResolvers<void>();
  let give: (event: ReceivedEvent) => void = () => undefined;
  async function* events(): AsyncGenerator<ReceivedEvent, void, undefined> {
    for (;;) {
      const next = Promise.withResolvers<ReceivedEvent>();
      give = next.resolve;
      asked.resolve();
      yield await next.promise;
    }
  }
  async function* reader(): AsyncGenerator<Frame, void, undefined> {
    const decoder = new FrameDecoder();
    for (const step of steps) {
      if (!('name' in step)) {
        yield* decoder.decode(packed([step]));
        continue;
      }
      await asked.promise;
      asked = Promise.withResolvers();
      give(step);
      await asked.promise;
    }
  }
  return { reader: reader(), events: events() };
}

export interface Heard {
  readonly lane: SpeakerLane;
  readonly blocks: SpeechBlock[];
}

/** Reads all lanes to their end. */
export async function hear(
  reader: AsyncIterable<Frame>,
  options: Partial<SpeakersOptions> = {},
): Promise<{ lanes: Heard[]; notices: SpeechNotice[] }> {
  const lanes: Heard[] = [];
  const notices: SpeechNotice[] = [];
  const tasks: Promise<void>[] = [];
  const onNotice = (notice: SpeechNotice) => void notices.push(notice);
  for await (const lane of speakers({ reader, onNotice, whenFull: 'wait', ...options })) {
    const heard: Heard = { lane, blocks: [] };
    lanes.push(heard);
    tasks.push(
      (async () => {
        for await (const block of lane) heard.blocks.push(block);
      })(),
    );
  }
  await Promise.all(tasks);
  return { lanes, notices };
}

/** The numbers that a lane says. */
export function numbers(blocks: readonly SpeechBlock[], rateHz = 16_000): Said[] {
  const listener = new CountingListener(rateHz);
  for (const { samples, atMs, isSilence } of blocks) listener.hear(samples, atMs, isSilence);
  listener.end();
  return listener.heard;
}

export function expectSaid(heard: readonly Said[], said: readonly Said[]): void {
  expect(heard.map(({ number }) => number)).toEqual(said.map(({ number }) => number));
  for (const [index, { atMs }] of heard.entries())
    expect(Math.abs(atMs - (said[index] as Said).atMs)).toBeLessThanOrEqual(20);
}

export function expectContinuous(blocks: readonly SpeechBlock[]): void {
  for (const [index, block] of blocks.entries()) {
    if (index > 0) expect(block.atMs).toBe(blocks[index - 1]?.endMs);
  }
}

/** @returns the numbers from 1 on, one each time that so much has passed */
export const count = (to: number, everyMs: number): Said[] =>
  Array.from({ length: to }, (_, index) => ({ number: index + 1, atMs: 110 + index * everyMs }));
