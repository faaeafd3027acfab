import { loadAsset } from '../media/assets.ts';
import type { ScenarioInput } from './scenario.ts';

interface Utterance {
  readonly userId: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly file: string;
  readonly text: string;
}

const ADA = 16_778_240;
const BEN = 33_556_610;
const CHIOMA = 50_334_980;

/** A transcript line is final this long after the words. */
const TRANSCRIPT_DELAY_MS = 120;
const AFTERMATH_MS = 1_200;
const PAUSE_MS = 800;

export interface ScriptOptions {
  /** How often the words are said, one time after another; everybody stays to the end. @default 1 */
  readonly rounds?: number;
}

/**
 * The meeting of `npm start`: three people, a late joiner, cameras, slides, chat and a transcript that
 * matches the speech word for word. About 22 s.
 */
export function scriptedMeeting({ rounds = 1 }: ScriptOptions = {}): ScenarioInput {
  const script = JSON.parse(loadAsset('script.json').toString()) as {
    utterances: Utterance[];
  };
  const at = (index: number) => script.utterances[index]?.startMs ?? 0;
  const roundMs = Math.max(...script.utterances.map((utterance) => utterance.endMs)) + PAUSE_MS;
  const utterances = Array.from({ length: rounds }, (_, round) =>
    script.utterances.map((utterance) => ({
      ...utterance,
      startMs: utterance.startMs + round * roundMs,
      endMs: utterance.endMs + round * roundMs,
    })),
  ).flat();
  const endMs = Math.max(...utterances.map((utterance) => utterance.endMs));
  const speech = (userId: number) => ({
    kind: 'clips' as const,
    clips: utterances
      .filter((utterance) => utterance.userId === userId)
      .map(({ startMs, file }) => ({ startMs, file })),
  });
  const camera = (name: string) => ({
    kind: 'h264' as const,
    file: `camera/${name}.h264`,
    fps: 15,
    pictures: [1, 2, 3, 4].map((number) => `camera/${name}-${number}.jpg`),
  });
  return {
    name: 'scripted',
    durationMs: endMs + AFTERMATH_MS,
    participants: [
      { userId: ADA, userName: 'Ada Park', audio: speech(ADA), video: camera('ada') },
      { userId: BEN, userName: 'Ben Ortiz', audio: speech(BEN), video: camera('ben') },
      { userId: CHIOMA, userName: 'Chioma Obi', audio: speech(CHIOMA), joinMs: at(2) - 200 },
    ],
    actions: [
      ...utterances.flatMap(({ userId, startMs, endMs, text }) => [
        { atMs: startMs, action: { do: 'active_speaker' as const, userId } },
        {
          atMs: endMs + TRANSCRIPT_DELAY_MS,
          action: { do: 'transcript' as const, userId, text, startMs, endMs },
        },
      ]),
      { atMs: at(2) + 400, action: { do: 'chat', userId: BEN, text: 'Welcome, Chioma!' } },
      {
        atMs: at(3) + 800,
        action: {
          do: 'share_start',
          userId: ADA,
          track: {
            kind: 'slides',
            slides: Array.from({ length: rounds }, (_, round) =>
              [1, 2, 3, 4].map((number) => ({
                atMs: round * roundMs + (number - 1) * 2_500,
                file: `slides/${number}.jpg`,
              })),
            ).flat(),
          },
        },
      },
      { atMs: at(4) + 500, action: { do: 'video_off', userId: BEN } },
      { atMs: at(5) - 100, action: { do: 'video_on', userId: BEN } },
      { atMs: at(6), action: { do: 'chat', userId: CHIOMA, text: 'Zero is my favourite number.' } },
      { atMs: endMs + 200, action: { do: 'share_stop' } },
      { atMs: endMs + 500, action: { do: 'leave', userId: CHIOMA } },
      { atMs: endMs + 800, action: { do: 'leave', userId: BEN } },
    ],
  };
}
