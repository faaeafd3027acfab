import { type Cue, clock, textLines } from './transcript.ts';

/** One line each: `[00:01:05] Ada: Good morning.` */
export function plainText(cues: readonly Cue[]): string {
  return cues
    .map(({ fromMs, speaker, text }) => {
      const who = speaker ? `${textLines(speaker).join(' ')}: ` : '';
      return `[${clock(fromMs, '.').slice(0, -4)}] ${who}${textLines(text).join(' ')}\n`;
    })
    .join('');
}
