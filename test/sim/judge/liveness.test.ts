import { describe, expect, test } from 'vitest';
import { judgeLiveness } from './liveness.ts';
import { PlantedHistory } from './planted-history.ts';

const START = {
  rtmsStreamId: 's',
  startEventTsMs: 5,
  serverUrls: ['wss://x.zoom.us'],
  product: 'meeting',
  entityId: 'e',
  requestedAtMs: 5,
};
const TASK = (process: string) => `TASK#${process}`;

function beat(history: PlantedHistory, process: string, used = 0): void {
  const update = 'SET costUsed = :used, costTotal = :total ADD heartbeat :one';
  const values = { ':used': used, ':total': 10, ':one': 1 };
  history.write(process, TASK(process), { update, values }).apply().answer();
}

/** Every process beats every 3 s for so long. */
function live(history: PlantedHistory, seconds: number, processes: readonly string[], used = 0) {
  for (let at = 0; at < seconds; at += 3) {
    for (const process of processes) beat(history, process, used);
    history.wait(3_000);
  }
  return history;
}

/** Runner 1 serves stream `s`; its row belongs to the task of the same name. */
function served(): PlantedHistory {
  const history = new PlantedHistory();
  for (const process of ['runner-1/1', 'runner-2/1']) {
    history.add('process', { process, what: 'ready' });
    beat(history, process);
  }
  return history.claim('runner-1/1', 's', START);
}

/** Runner 1 is killed, 21 s later runner 2, and then runner 3 starts. */
function followedBy(seconds: number): PlantedHistory {
  const history = served().add('process', { process: 'runner-1/1', what: 'killed' });
  live(history, 21, ['runner-2/1']).add('process', { process: 'runner-2/1', what: 'killed' });
  history.add('process', { process: 'runner-3/1', what: 'ready' });
  return live(history, seconds, ['runner-3/1']);
}

/** Runner 1 is killed; runner 2 sends a claim ten seconds later, and freezes before that is in the table. Runner 3 lives. */
function claimedByAFrozen(): PlantedHistory {
  const history = served().add('process', { process: 'runner-1/1', what: 'killed' });
  history.add('process', { process: 'runner-3/1', what: 'ready' });
  live(history, 10, ['runner-2/1', 'runner-3/1']);
  const values = { ':me': 'runner-2/1', ':next': 2 };
  const claim = { update: 'SET owner = :me, epoch = :next', values };
  const call = history.write('runner-2/1', 'SESSION#s', claim);
  history.add('process', { process: 'runner-2/1', what: 'frozen' });
  call.apply();
  return history;
}

const found = (history: PlantedHistory) => judgeLiveness(history.events);

describe('the judge of liveness finds', () => {
  test('a wanted stream whose owner is dead while another runner has room', () => {
    const history = served().add('process', { process: 'runner-1/1', what: 'killed' });
    const problems = found(live(history, 60, ['runner-2/1']));
    expect(problems).toHaveLength(1);
    expect(problems[0]?.words).toMatch(/^s is wanted, and for 3\d{4} ms nobody/);
  });

  test('a stream that a runner claimed right before it froze, and that nobody takes from it', () => {
    const problems = found(live(claimedByAFrozen(), 60, ['runner-3/1']));
    expect(problems).toHaveLength(1);
    expect(problems[0]?.words).toMatch(/for 3\d{4} ms nobody/);
  });

  test('a stream that one of two runners could have taken alone, though they followed each other', () => {
    expect(found(followedBy(60))).toHaveLength(1);
  });

  test('a start that nobody claims', () => {
    const history = served().claim('webhook-1/1', 't', {
      ...START,
      rtmsStreamId: 't',
      owner: 'UNOWNED',
    });
    expect(found(live(history, 60, ['runner-1/1', 'runner-2/1']))).toHaveLength(1);
  });
});

describe('the judge of liveness allows', () => {
  test('two runners after each other, of whom neither had the time', () => {
    expect(found(followedBy(27).claim('runner-3/1', 's'))).toEqual([]);
  });

  test('two lost owners, each of whom is followed in time, though the second froze before its claim was in the table', () => {
    const history = live(claimedByAFrozen(), 24, ['runner-3/1']).claim('runner-3/1', 's');
    expect(found(live(history, 60, ['runner-3/1']))).toEqual([]);
  });

  test('an owner that lives, and one that is followed in time', () => {
    const history = live(served(), 60, ['runner-1/1', 'runner-2/1']);
    history.add('process', { process: 'runner-1/1', what: 'killed' });
    live(history, 15, ['runner-2/1']).claim('runner-2/1', 's');
    expect(found(live(history, 60, ['runner-2/1']))).toEqual([]);
  });

  test.each<[string, (history: PlantedHistory) => PlantedHistory]>([
    ['no runner that reaches the table', (h) => h.wait(90_000)],
    ['no runner with room', (h) => live(h, 60, ['runner-2/1'], 10)],
    [
      'a runner that drains',
      (h) =>
        live(h.add('process', { process: 'runner-2/1', what: 'draining' }), 60, ['runner-2/1']),
    ],
    [
      'a stream that Zoom has stopped',
      (h) => {
        h.add('stream', { rtmsStreamId: 's', entityId: 'e', what: 'stopped' });
        return live(h, 60, ['runner-2/1']);
      },
    ],
  ])('a stream without an owner, and %s', (_what, then) => {
    const history = served().add('process', { process: 'runner-1/1', what: 'killed' });
    expect(found(then(history))).toEqual([]);
  });
});
