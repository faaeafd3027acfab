import { describe, expect, test } from 'vitest';
import { judgeDrains } from './drains.ts';
import { judgeLeaks } from './leaks.ts';
import { PlantedHistory } from './planted-history.ts';
import { judgeRestarts } from './restarts.ts';

const process = 'runner-1/1';
const planted = () => new PlantedHistory();
const draining = () => planted().add('process', { process, what: 'draining' });

describe('a drain', () => {
  test.each<[string, PlantedHistory, number]>([
    ['in time', draining().wait(100_000).add('process', { process, what: 'exited' }), 0],
    ['too late', draining().wait(120_000).add('process', { process, what: 'exited' }), 1],
    ['that never ends', draining().wait(120_000).add('end', { seed: 1 }), 1],
    ['that is cut short', draining().wait(1).add('process', { process, what: 'killed' }), 0],
    [
      'of a process that is frozen meanwhile',
      draining()
        .add('process', { process, what: 'frozen' })
        .wait(60_000)
        .add('process', { process, what: 'thawed' })
        .wait(100_000)
        .add('process', { process, what: 'exited' }),
      0,
    ],
  ])('%s', (_what, history, problems) => {
    expect(judgeDrains(history.events)).toHaveLength(problems);
  });
});

describe('a restart', () => {
  const ask = (history: PlantedHistory, status: number, by = process) =>
    history.add('restart', { process: by, entityId: 'e', status });
  const stream = (history: PlantedHistory, id: string, what: 'started' | 'stopped') =>
    history.add('stream', { rtmsStreamId: id, entityId: 'e', what });
  const told = (history: PlantedHistory, id: string, status: number | undefined = 200) =>
    history.add('webhook', { rtmsStreamId: id, event: 'meeting.rtms_started', status });
  const ended = () => stream(stream(planted(), 'a', 'started'), 'a', 'stopped').wait(1_000);

  test('is asked twice when two tasks ask', () => {
    const found = judgeRestarts(ask(ask(ended(), 204).wait(9_000), 204, 'runner-2/1').events);
    expect(found.map(({ words }) => words)).toEqual([
      'runner-2/1 asked Zoom for another stream of e, to which Zoom had agreed 9000 ms before',
    ]);
  });

  test('is asked for a meeting that has a stream', () => {
    const running = told(stream(ended(), 'b', 'started'), 'b').wait(10_000);
    expect(judgeRestarts(ask(running, 204).events)).toHaveLength(1);
  });

  test('is asked for a meeting whose stream no webhook has named yet', () => {
    const running = told(stream(ended(), 'b', 'started').wait(10_000), 'b', 500);
    expect(judgeRestarts(ask(running.wait(10_000), 400).events)).toEqual([]);
    expect(judgeRestarts(ask(told(running, 'b').wait(4_000), 400).events)).toEqual([]);
  });

  test.each([
    ['its owner has lost, while Zoom still waits for it', ['lost'], 0],
    ['its owner never came to receive, while Zoom still waits for it', ['missed'], 0],
    ['its owner has lost, and another one has claimed since', ['lost', undefined], 1],
    ['its owner has left for a reason of Zoom’s', [6], 1],
  ])('is asked for a stream that %s', (_what, reasons, problems) => {
    const running = told(stream(ended(), 'b', 'started'), 'b').wait(10_000);
    const write = { call: 1, row: 'SESSION#b', op: 'write', phase: 'applied', met: true } as const;
    for (const endedReason of reasons) {
      running.add('row', { process, ...write, after: { pk: 'SESSION#b', endedReason } });
    }
    expect(judgeRestarts(ask(running, 400).events)).toHaveLength(problems);
  });

  test('is asked again after a refusal, after a stream that ended, and when none came for a minute', () => {
    const history = ask(ask(ended(), 429).wait(9_000), 204);
    stream(told(stream(history, 'b', 'started'), 'b').wait(9_000), 'b', 'stopped');
    ask(ask(history, 204).wait(65_000), 204);
    expect(judgeRestarts(history.events)).toEqual([]);
  });
});

describe('what is held when all meetings have ended', () => {
  const idle = { sessions: 0, timers: 5, sockets: 1, calls: 0, bufferedBytes: 0, spoolBytes: 0 };
  const held = (after: Partial<typeof idle>, name = process) =>
    planted()
      .add('held', { process, when: 'before', ...idle })
      .add('held', { process: name, when: 'after', ...idle, ...after });

  test.each<[string, PlantedHistory, string[]]>([
    ['as before', held({}), []],
    ['one timer less', held({ timers: 4 }), []],
    ['a session', held({ sessions: 1 }), ['1 sessions']],
    ['a timer more', held({ timers: 6 }), ['6 timers']],
    ['a socket more, of a later process', held({ sockets: 2 }, 'runner-9/4'), ['2 sockets']],
    ['bytes', held({ bufferedBytes: 1, spoolBytes: 2 }), ['1 bufferedBytes', '2 spoolBytes']],
    ['a call', held({ calls: 1 }), ['1 calls']],
  ])('%s', (_what, history, named) => {
    const found = judgeLeaks(history.events).map(({ words }) => words.split(' holds ')[1]);
    expect(found.map((words) => words?.split(' when ')[0])).toEqual(named);
  });
});
