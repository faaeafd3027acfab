/**
 * Names and words as somebody would choose them who wants to write on another's screen or into another's log: each brings a line
 * break, an escape sequence, or a mark that turns or hides what stands around it.
 */
export const HOSTILE_WORDS: readonly string[] = [
  'a\nFORGED line',
  'b\r\nFORGED line',
  'c\u001b[2J\u001b[1;1HFORGED\u001b]0;FORGED\u0007',
  'd\u009b31mFORGED',
  'e\u202eDEGROF',
  'f\u2066DEGROF\u2069',
  'g\u2028FORGED line',
  'h\u2029FORGED line',
  'i\u0085FORGED line',
  'j\u0000FORGED',
  'k\u200f\u061cFORGED',
  'l\u200b\ufeffhidden',
  'm\ud800',
];

/**
 * What a terminal acts on or hides; a list of its own, or a character that the product leaves out would be left out here, too.
 */
const ACTED_ON = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u;

/**
 * What is wrong with an output that tells of hostile words.
 *
 * @param output everything a process wrote to stdout or stderr
 */
export function forgeries(output: string): string[] {
  const raw = ACTED_ON.exec(output.replaceAll('\n', ''))?.[0];
  const isForged = output.split('\n').some((line) => line.startsWith('FORGED'));
  return [
    ...(raw === undefined ? [] : [`raw U+${raw.charCodeAt(0).toString(16)} in the output`]),
    ...(isForged ? ['a forged line in the output'] : []),
  ];
}
