import type { ScenarioInput } from './scenario.ts';

export interface SyntheticMeetingOptions {
  /** @default 2 */
  readonly participants?: number;
  readonly durationMs: number;
  /** The share of time that each participant talks; 1: always. @default 1 */
  readonly talkShare?: number;
  /** @default false: no cameras */
  readonly video?: boolean;
  /** @default false */
  readonly share?: boolean;
  /** A transcript line every this many milliseconds. @default none */
  readonly transcriptEveryMs?: number;
  /** @default none */
  readonly chatEveryMs?: number;
  /**
   * Speech and cameras that any player can play, instead of frames that can be checked (synthetic-frame.ts) and not
   * decoded.
   *
   * @default false
   */
  readonly playable?: boolean;
  readonly name?: string;
  readonly product?: ScenarioInput['product'];
}

const FIRST_USER_ID = 16_778_240;
const USER_ID_STEP = 1_024;
/** Everybody talks once in this time. */
const PERIOD_MS = 2_000;
/** HD at 25 fps. */
const VIDEO = {
  kind: 'synthetic',
  fps: 25,
  frameBytes: 7_000,
  keyFrameBytes: 60_000,
  keyEvery: 50,
} as const;
const CAMERAS = (['ada', 'ben'] as const).map((name) => ({
  kind: 'h264' as const,
  file: `camera/${name}.h264`,
  fps: 15,
  pictures: [1, 2, 3, 4].map((number) => `camera/${name}-${number}.jpg`),
}));
const UTTERANCES = 8;
/** The longest of the recorded sentences. */
const UTTERANCE_MS = 4_000;
const SHARE = { kind: 'synthetic', frameBytes: 120_000 } as const;

/**
 * A meeting for load and chaos tests: every frame can be checked (synthetic-frame.ts), and every line of text has
 * a number. Of more than three talkers at once only three are heard, as at Zoom.
 */
export function syntheticMeeting(options: SyntheticMeetingOptions): ScenarioInput {
  const { participants: count = 2, durationMs, talkShare = 1, product = 'meeting' } = options;
  const hasChannels = product === 'contact_center' || product === 'phone';
  const { playable = false } = options;
  const userIds = Array.from({ length: count }, (_, i) => FIRST_USER_ID + i * USER_ID_STEP);
  const talkMs = Math.max(20, Math.round((PERIOD_MS * talkShare) / 20) * 20);
  const personAt = (number: number) => userIds[number % count] ?? FIRST_USER_ID;
  return {
    name: options.name ?? 'synthetic',
    product,
    durationMs,
    participants: userIds.map((userId, i) => ({
      userId,
      userName: `Participant ${i + 1}`,
      ...(hasChannels && { channelId: `channel-${i + 1}` }),
      audio: playable
        ? { kind: 'clips', clips: sentences(i, durationMs, talkShare) }
        : {
            kind: 'synthetic',
            talkMs,
            pauseMs: PERIOD_MS - talkMs,
            phaseMs: Math.round((i * PERIOD_MS) / count / 20) * 20,
          },
      ...(options.video && { video: playable ? CAMERAS[i % CAMERAS.length] : VIDEO }),
    })),
    actions: [
      ...(options.share
        ? [{ atMs: 0, action: { do: 'share_start' as const, userId: personAt(0), track: SHARE } }]
        : []),
      ...every(options.transcriptEveryMs, durationMs).map((atMs, number) => ({
        atMs,
        action: {
          do: 'transcript' as const,
          userId: personAt(number),
          text: `Line ${number + 1}.`,
        },
      })),
      ...every(options.chatEveryMs, durationMs).map((atMs, number) => ({
        atMs,
        action: { do: 'chat' as const, userId: personAt(number), text: `Message ${number + 1}` },
      })),
    ],
  };
}

/** One recorded sentence after another. Each participant begins with another one. */
function sentences(participant: number, durationMs: number, talkShare: number) {
  const everyMs = Math.round(UTTERANCE_MS / Math.max(talkShare, 0.01) / 20) * 20;
  return Array.from({ length: Math.ceil(durationMs / everyMs) }, (_, index) => ({
    startMs: index * everyMs,
    file: `speech/0${((participant + index) % UTTERANCES) + 1}`,
  }));
}

function every(intervalMs: number | undefined, durationMs: number): number[] {
  if (intervalMs === undefined) return [];
  return Array.from(
    { length: Math.ceil(durationMs / intervalMs) - 1 },
    (_, i) => (i + 1) * intervalMs,
  );
}
