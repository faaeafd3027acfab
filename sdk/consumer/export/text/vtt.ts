import { type Cue, clock, textLines } from './transcript.ts';

/** WebVTT, the speaker as a voice span. @see https://www.w3.org/TR/webvtt1/ */
export function vtt(cues: readonly Cue[]): string {
  return ['WEBVTT\n', ...cues.map(cueBlock)].join('\n');
}

function cueBlock({ fromMs, toMs, speaker, text }: Cue): string {
  const words = textLines(text).map(escapeText).join('\n');
  const voice = textLines(escapeText(speaker)).join(' ');
  const payload = voice ? `<v ${voice}>${words}` : words;
  return `${clock(fromMs, '.')} --> ${clock(toMs, '.')}\n${payload}\n`;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
