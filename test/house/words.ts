import type { SourceFile } from './source-files.ts';

export interface BannedWord {
  readonly pattern: RegExp;
  /** The word of docs/glossary.md that is said instead. */
  readonly say: string;
  /** A line that matches this is about something else. */
  readonly unless?: RegExp;
  /** Files where it may stand. */
  readonly allowedIn?: readonly string[];
}

/** Words that had a second meaning, or were a second word for one thing. Reasons stand in docs/glossary.md. */
export const BANNED: readonly BannedWord[] = [
  { pattern: /cost.?units?\b/i, say: 'slots' },
  {
    pattern: /\bholes?\b|[a-z]Holes?\b|\bholes?[A-Z]/,
    say: 'gap',
    // `LedgerReport.holes`, `BoundaryHole` and the loss kind `hole` are names of the published package.
    unless: /BoundaryHole|['`]hole\b|\bholes\b(?=[:,)]| })|\.holes\b|\bholes\.length/,
  },
  { pattern: /\bshed(s|ding|dable|Order)?\b|[a-z]Shed|\bSHED/, say: 'drop, or lost' },
  { pattern: /condemn/i, say: 'drop' },
  { pattern: /abandon/i, say: 'drop, or lost' },
  {
    pattern: /discard/i,
    say: 'drop, or lost',
    // The flag `--discard` and the action `discarded` are a contract of `rtms redrive`.
    unless: /--discard\b|'discarded'/,
    allowedIn: ['cli/commands/redrive.ts'],
  },
  {
    pattern:
      /\b(giv(e|es|en|ing)|gave)( (the|that|this|a|its|one)( [a-z]+){0,2})? up\b|giveUp|givenUp/i,
    say: 'drop, or lost; stop trying',
    // A metric and its alarm: renaming them would break the dashboards and filters of others.
    unless: /RowsGivenUp|Session rows given up/,
  },
  { pattern: /\bforg[eo]t/i, say: 'drop, or delete' },
  { pattern: /\bknock|[a-z]Knock/i, say: 'probe, or notify' },
  { pattern: /\bbells?\b|\brings?\b|\bringing\b/i, say: 'notify', unless: /ring buffer/i },
  { pattern: /doorbell/i, say: 'job', allowedIn: ['docs/architecture.md'] },
  {
    pattern: /wish/i,
    say: 'operator request',
    // Names of fields that the row and the JSON output of `rtms` have.
    unless: /\boperatorWish\b|\bwish: request\b/,
  },
  { pattern: /\bpatien|[a-z]Patien|PATIEN|hurry/i, say: 'flush deadline, or time-out' },
  {
    pattern: /settl/i,
    say: 'done, ready, flushed or recorded',
    unless: /allSettled|'settle_failed'/,
  },
  // The SDK exports the type under its first name.
  {
    pattern: /effective.?media/i,
    say: 'agreed media',
    allowedIn: ['sdk/client/index.ts', 'sdk/client/index.test.ts'],
  },
  { pattern: /\bMediaSet/, say: 'media connections' },
  { pattern: /\bvictim/i, say: 'drop' },
  {
    pattern:
      /\b(a|the|each|own|its|their|one|every|next|last|same|fixed|this) turns?\b|[a-z]Turns?\b|\bturns?[A-Z]|\bTurns?\b/,
    say: 'phase, slice, window or beat',
    unless: /\bTurn (on|off)\b|^\s*(\*|\/\/) Turns\b|toTurn/,
  },
  { pattern: /\b(a|no|any|each|one|every|the) lacks?\b/i, say: 'gap' },
  { pattern: /\bdesign §/i, say: 'what stands in the repository' },
];

/** Everything read as language: code, comments, texts and documents. The glossary and the history name old words. */
export function bannedWords(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, lines }) => {
    if (isExempt(path)) return [];
    return lines.flatMap((line, index) =>
      BANNED.filter((word) => isSaid(word, path, line)).map(
        (word) => `${path}:${index + 1}: say "${word.say}": ${line.trim().slice(0, 120)}`,
      ),
    );
  });
}

function isExempt(path: string): boolean {
  return path.startsWith('test/house/') || path === 'docs/glossary.md' || path === 'CHANGELOG.md';
}

function isSaid({ pattern, unless, allowedIn }: BannedWord, path: string, line: string): boolean {
  if (allowedIn?.includes(path)) return false;
  return pattern.test(line) && !(unless?.test(line) ?? false);
}
