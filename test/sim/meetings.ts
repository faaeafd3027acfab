import type { ScenarioInput } from '../../simulator/scenario/scenario.ts';
import { LARGE_FRAME_BYTES, SMALL_FRAME_BYTES } from './shims/synthetic-frame.ts';

/** One meeting of the plan. */
export interface PlannedMeeting {
  readonly entityId: string;
  /** After the beginning of the run, ms. */
  readonly startMs: number;
  readonly durationMs: number;
}

const MINUTE_MS = 60_000;
const LEAST_MS = 5 * MINUTE_MS;
const MOST_MS = 90 * MINUTE_MS;
/** Meetings begin at full hours and not one after the other: all rooms fill within this time. */
const FILL_MS = 3 * MINUTE_MS;
const FIRST_USER_ID = 16_778_240;

/** Rooms in which one meeting follows the other, `rooms` of them at once from beginning to end. */
export function planMeetings(random: () => number, rooms: number, hours: number): PlannedMeeting[] {
  const planned: PlannedMeeting[] = [];
  const endMs = hours * 60 * MINUTE_MS;
  for (let room = 0; room < rooms; room++) {
    let atMs = Math.floor(random() * Math.min(FILL_MS, endMs / 4));
    for (let number = 1; atMs < endMs - MINUTE_MS; number++) {
      const drawnMs = LEAST_MS + random() * random() * (MOST_MS - LEAST_MS);
      const durationMs = Math.floor(Math.min(drawnMs, endMs - atMs));
      planned.push({ entityId: `room-${room + 1}/${number}`, startMs: atMs, durationMs });
      atMs += durationMs + Math.floor(random() * 2 * MINUTE_MS);
    }
  }
  return planned.sort((a, b) => a.startMs - b.startMs);
}

/**
 * Two people who talk in turns, a second each, so that there is one frame a second.
 *
 * @param hasOutages whether Kinesis may be away: three rooms have frames then that fill a producer's memory within a minute, so
 *   that its disk is used
 */
export function scenarioOf(
  { entityId, durationMs }: PlannedMeeting,
  hasOutages: boolean,
): ScenarioInput {
  const frameBytes =
    hasOutages && /^room-[12]?3\//.test(entityId) ? LARGE_FRAME_BYTES : SMALL_FRAME_BYTES;
  return {
    name: entityId,
    entityId,
    durationMs,
    participants: [0, 1].map((index) => ({
      userId: FIRST_USER_ID + index * 1_024,
      userName: `Participant ${index + 1}`,
      audio: {
        kind: 'synthetic' as const,
        talkMs: 1_000,
        pauseMs: 1_000,
        phaseMs: index * 1_000,
        frameBytes,
      },
    })),
  };
}
