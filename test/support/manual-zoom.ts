import { readFileSync } from 'node:fs';
import { type ManualClock, manualClock } from '../../simulator/clock.ts';
import type { Behaviour } from '../../simulator/scenario/behaviour.ts';
import type { ScenarioInput } from '../../simulator/scenario/scenario.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';

/** When the clock of `startManualZoom` begins, Unix ms. */
export const ZOOM_STARTS_AT_MS = 1_738_392_033_699;

/** A simulator whose clock the test moves, with one meeting of an hour that has started. */
export async function startManualZoom(
  scenario: Partial<ScenarioInput>,
  behaviour: Partial<Behaviour> = {},
): Promise<{ clock: ManualClock; simulator: Simulator; rtmsStreamId: string }> {
  const clock = manualClock(ZOOM_STARTS_AT_MS);
  const simulator = await startSimulator({ clock, behaviour, seed: 'test' });
  const meeting = { name: 'test', durationMs: 3_600_000, participants: [], ...scenario };
  const rtmsStreamId = simulator.start(meeting);
  if (rtmsStreamId === undefined) throw new Error('the simulator refused the meeting');
  return { clock, simulator, rtmsStreamId };
}

/** A message of Zoom's documents. @param path below test/fixtures/rtms, without `.json` */
// biome-ignore lint/suspicious/noExplicitAny: tests read whatever the message has
export function zoomMessage(path: string): any {
  const url = new URL(`../fixtures/rtms/${path}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8'));
}
