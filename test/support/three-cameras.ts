import type { ScenarioInput } from '../../simulator/scenario/scenario.ts';

/** A meeting of three people whose cameras are on from the start. */
export const ADA = 16_778_240;
export const BEN = 16_779_264;
export const CY = 16_780_288;
export const NAMES: ReadonlyMap<number, string> = new Map([
  [ADA, 'Ada'],
  [BEN, 'Ben'],
  [CY, 'Cy'],
]);
/** Pictures a second. */
export const FPS = 25;
const CAMERA = {
  kind: 'synthetic',
  fps: FPS,
  frameBytes: 400,
  keyFrameBytes: 900,
  keyEvery: FPS,
} as const;
export const THREE_CAMERAS: ScenarioInput = {
  name: 'three cameras',
  durationMs: 600_000,
  participants: [...NAMES].map(([userId, userName]) => ({ userId, userName, video: CAMERA })),
};
