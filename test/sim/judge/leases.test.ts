import { expect, test } from 'vitest';
import { hasLapsed, isHeartbeat } from './leases.ts';
import { PlantedHistory } from './planted-history.ts';

const A = 'runner-1/1';
const START_MS = new PlantedHistory().nowMs;

interface Renewal {
  /** Seconds after the beginning. */
  readonly sent: number;
  readonly answered?: number;
  readonly failed?: number;
  /** Of two tries of one call the same. */
  readonly says?: number;
}

/** The heartbeats of a process, in the order in which they happened. */
function heartbeats(renewals: readonly Renewal[]) {
  const history = new PlantedHistory();
  const moments = renewals.flatMap(({ sent, answered, failed, says = sent }) => {
    let call: ReturnType<typeof history.write>;
    const update = 'SET aliveAtMs = :now';
    const leaves = () => {
      call = history.write(A, 'TASK#1', { update, values: { ':now': says } });
    };
    return [
      { at: sent, act: leaves },
      ...(answered === undefined ? [] : [{ at: answered, act: () => call.apply().answer() }]),
      ...(failed === undefined ? [] : [{ at: failed, act: () => call.fail() }]),
    ];
  });
  for (const { at, act } of moments.toSorted((a, b) => a.at - b.at)) {
    history.wait(START_MS + at * 1_000 - history.nowMs);
    act();
  }
  return history.events.filter(isHeartbeat);
}

test.each<[string, boolean, readonly Renewal[]]>([
  ['nothing is known of renewals, and 8 s have passed', true, []],
  ['every renewal is answered', false, [1, 4, 7].map((at) => ({ sent: at, answered: at + 0.01 }))],
  [
    'a renewal is lost, and the next comes in time',
    false,
    [{ sent: -1, answered: -0.9 }, { sent: 2 }, { sent: 4, answered: 4.1 }],
  ],
  ['two are lost', true, [{ sent: -1, answered: -0.9 }, { sent: 2 }, { sent: 4 }]],
  [
    'the answer comes when the lease is over',
    true,
    [
      { sent: -3, answered: -2.9 },
      { sent: 0, answered: 4.1 },
      { sent: 4.5, answered: 4.6 },
    ],
  ],
  [
    'the answer comes just before the lease is over',
    false,
    [
      { sent: -3, answered: -2.9 },
      { sent: 1.5, answered: 3.9 },
    ],
  ],
  [
    'the second try is answered, and the lease counts from the first',
    true,
    [
      { sent: -1, answered: -0.9 },
      { sent: 0.5, failed: 0.6, says: 1 },
      { sent: 3, answered: 3.1, says: 1 },
    ],
  ],
  [
    'another call is answered after one that failed',
    false,
    [
      { sent: -1, answered: -0.9 },
      { sent: 0.5, failed: 0.6 },
      { sent: 3, answered: 3.1 },
    ],
  ],
  [
    'answers come in another order than the renewals left',
    false,
    [
      { sent: 0, answered: 4 },
      { sent: 2, answered: 3 },
    ],
  ],
  [
    'the lease was over before, and is there again',
    false,
    [
      { sent: -12, answered: -11.9 },
      { sent: -1, answered: -0.9 },
      { sent: 2, answered: 2.1 },
    ],
  ],
  ['the lease lapses later', false, [{ sent: 2, answered: 2.1 }]],
])('within 8 s, where %s, the lease has lapsed: %s', (_what, lapsed, renewals) => {
  expect(hasLapsed(heartbeats(renewals), START_MS, START_MS + 8_000)).toBe(lapsed);
});
