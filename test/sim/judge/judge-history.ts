import type { HistoryEvent, Problem } from '../history.ts';
import { judgeDrains } from './drains.ts';
import { judgeFrames } from './frames.ts';
import { judgeLanes } from './lanes.ts';
import { judgeLeaks } from './leaks.ts';
import { judgeRows } from './linearizability.ts';
import { judgeLiveness } from './liveness.ts';
import { judgeRestarts } from './restarts.ts';

/** Everything that a recorded run is judged by, in the order of the steps at which problems became visible. */
export function judgeHistory(history: readonly HistoryEvent[]): Problem[] {
  const judges = [
    judgeRows,
    judgeLanes,
    judgeFrames,
    judgeLiveness,
    judgeDrains,
    judgeRestarts,
    judgeLeaks,
  ];
  return judges.flatMap((judge) => judge(history)).sort((a, b) => a.step - b.step);
}
