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
const USER_ID_STEP = 1_024;

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

/** People say something that becomes a line of the transcript this often, for some minutes, and nothing for some minutes. */
const LINE_EVERY_MS = 10_000;
const TALK_MS = 3 * MINUTE_MS;
/** Not at the moments of frames, so that a line is not always in one batch with one. */
const LINE_AFTER_MS = 370;

/**
 * Two people who talk in turns, a second each, so that there is one frame a second. A transcript comes for three minutes in six: in
 * the other three nothing tells whether lines are written.
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
  const lines = Math.floor(durationMs / LINE_EVERY_MS);
  return {
    name: entityId,
    entityId,
    durationMs,
    participants: [0, 1].map((index) => ({
      userId: FIRST_USER_ID + index * USER_ID_STEP,
      userName: `Participant ${index + 1}`,
      audio: {
        kind: 'synthetic' as const,
        talkMs: 1_000,
        pauseMs: 1_000,
        phaseMs: index * 1_000,
        frameBytes,
      },
    })),
    actions: Array.from({ length: lines }, (_, index) => index)
      .filter((index) => Math.floor((index * LINE_EVERY_MS) / TALK_MS) % 2 === 0)
      .map((index) => ({
        atMs: index * LINE_EVERY_MS + LINE_AFTER_MS,
        action: {
          do: 'transcript' as const,
          userId: FIRST_USER_ID + (index % 2) * USER_ID_STEP,
          text: `Line ${index + 1}.`,
        },
      })),
  };
}
