import type { HistoryEvent, Problem } from './history.ts';
import { judgeBlindTimes, mayLastUntil } from './judge/blind-times.ts';
import { judgeDials } from './judge/dials.ts';
import { judgeDrains } from './judge/drains.ts';
import { judgeFrames } from './judge/frames.ts';
import { judgeLanes } from './judge/lanes.ts';
import { judgeLastEvents } from './judge/last-events.ts';
import { judgeLeaks } from './judge/leaks.ts';
import { judgeRows } from './judge/linearizability.ts';
import { judgeLiveness } from './judge/liveness.ts';
import { judgeReclaims } from './judge/reclaims.ts';
import { judgeRest } from './judge/rest.ts';
import { judgeRestarts } from './judge/restarts.ts';
import { judgeVerdicts } from './judge/verdicts.ts';
import type { Recorder } from './recorder.ts';

/** A stream is judged this long after its end: nothing of it is written or read any more. Outages may follow each other. */
const OVER_AFTER_MS = 30 * 60_000;
const OF_A_STREAM = [
  judgeRows,
  judgeLanes,
  judgeFrames,
  judgeBlindTimes,
  judgeDials,
  judgeLastEvents,
];
const OF_ALL = [judgeLiveness, judgeDrains, judgeRestarts, judgeLeaks, judgeRest];

/** A problem with the events that it was found in. */
export interface FoundProblem extends Problem {
  readonly events: readonly HistoryEvent[];
}

/** Judges the streams that are over and lets their events go, so that a long run fits into memory. */
export class StreamJudge {
  readonly problems: FoundProblem[] = [];
  readonly #recorder: Recorder;
  readonly #isCalm: boolean;

  /** @param isCalm as `judgeVerdicts` has it */
  constructor(recorder: Recorder, isCalm: boolean) {
    this.#recorder = recorder;
    this.#isCalm = isCalm;
  }

  judgeEnded(nowMs: number): void {
    for (const [rtmsStreamId, { stoppedAtMs }] of this.#recorder.streams) {
      if (stoppedAtMs !== undefined && nowMs - stoppedAtMs > OVER_AFTER_MS)
        this.#judge(rtmsStreamId);
    }
  }

  /** Judges what is left. */
  end(): void {
    const { streams, common, late } = this.#recorder;
    for (const rtmsStreamId of [...streams.keys()]) this.#judge(rtmsStreamId);
    const tasks = common.filter((event) => event.kind === 'row' && event.row.startsWith('TASK#'));
    this.#add(judgeRows(tasks), tasks);
    for (const judge of OF_ALL) this.#add(judge(common), common);
    const written = late.filter(({ kind }) => kind === 'record' || kind === 'frame');
    this.#add(
      written.map(({ step }) => ({ judge: 'late', step, words: 'of a stream long after its end' })),
      written,
    );
    this.problems.sort((a, b) => a.step - b.step);
  }

  #judge(rtmsStreamId: string): void {
    const { streams, around, heartbeats, judged } = this.#recorder;
    judged.add(rtmsStreamId);
    const stream = streams.get(rtmsStreamId);
    if (stream === undefined) return;
    const own = merged(stream.events, stream.frames.events(rtmsStreamId));
    streams.delete(rtmsStreamId);
    const [first, last] = [own[0]?.step ?? 0, own.at(-1)?.step ?? 0];
    const beginMs = own[0]?.atMs ?? 0;
    const before = around.slice(0, at(around, first)).filter((one) => mayLastUntil(one, beginMs));
    const during = around.slice(at(around, first), at(around, last + 1));
    const events = merged(own, [...before, ...during]);
    for (const judge of OF_A_STREAM) this.#add(judge(events), events);
    const heartbeatsOf = (process: string) => heartbeats.get(process) ?? [];
    this.#add(judgeReclaims(events, heartbeatsOf), events);
    this.#add(judgeVerdicts(events, this.#isCalm), events);
  }

  #add(problems: readonly Problem[], events: readonly HistoryEvent[]): void {
    this.problems.push(...problems.map((problem) => ({ ...problem, events })));
  }
}

/** @returns the index of the first event of that step or a later one */
function at(events: readonly HistoryEvent[], step: number): number {
  let [from, to] = [0, events.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((events[middle] as HistoryEvent).step < step) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Two histories in one, by step. */
function merged(a: readonly HistoryEvent[], b: readonly HistoryEvent[]): HistoryEvent[] {
  const all: HistoryEvent[] = [];
  let next = 0;
  for (const event of a) {
    for (let other = b[next]; other !== undefined && other.step < event.step; other = b[++next]) {
      all.push(other);
    }
    all.push(event);
  }
  all.push(...b.slice(next));
  return all;
}
