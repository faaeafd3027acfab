import { existsSync } from 'node:fs';
import type { SourceFile } from './source-files.ts';

const ROOT_FOLDERS = 'cli|docs|functions|infra|local|rtms|runner|sdk|shared|simulator|test';
const PATH = new RegExp(
  `(?<![\\w/.-])(?:${ROOT_FOLDERS})/[\\w./-]+\\.(?:ts|mjs|md|py|proto|json|yaml)(?!\\w)`,
  'g',
);
const COMMENT = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/[^\n]*/g;

/** Files that a document or a comment names and that are not there, as `where: path`. */
export function missingFiles(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const prose = path.endsWith('.md') ? [text] : (text.match(COMMENT) ?? []);
    return prose
      .flatMap((part) => part.match(PATH) ?? [])
      .filter((named) => !existsSync(named))
      .map((named) => `${path}: ${named}`);
  });
}
