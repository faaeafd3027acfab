import { type Cue, clock, textLines } from './transcript.ts';

/** SubRip, the speaker before the text. */
export function srt(cues: readonly Cue[]): string {
  return cues.map((cue, index) => cueBlock(cue, index + 1)).join('\n');
}

function cueBlock({ fromMs, toMs, speaker, text }: Cue, number: number): string {
  const words = textLines(text).join('\n').replaceAll('-->', '->');
  const payload = speaker ? `${textLines(speaker).join(' ')}: ${words}` : words;
  return `${number}\n${clock(fromMs, ',')} --> ${clock(toMs, ',')}\n${payload}\n`;
}
