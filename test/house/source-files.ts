import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

export interface SourceFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

/** Every file that git knows (or would add) whose name ends in one of these, fixtures apart. */
export function sourceFiles(endings: readonly string[], folder = '.'): SourceFile[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '--', folder];
  return execFileSync('git', args, { encoding: 'utf8' })
    .split('\n')
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .filter((path) => !path.startsWith('test/fixtures/'))
    .flatMap((path) => {
      const text = readIfThere(path);
      return text === undefined ? [] : [{ path, text, lines: text.split('\n') }];
    });
}

/** A file that was removed and not yet committed is still listed. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Code that is shipped or run: no tests, no examples, nothing under `test/`. */
export function isProduct({ path }: SourceFile): boolean {
  return !path.endsWith('.test.ts') && !/^(test|docs)\//.test(path) && !path.endsWith('.d.ts');
}

const IMPORT = /(?:from|import)\s*\(?\s*'(\.[^']+)'/g;

/** Paths of the repository's own files that this one imports. */
export function importsOf({ path, text }: SourceFile): string[] {
  return [...text.matchAll(IMPORT)].map(([, specifier = '']) =>
    normalize(join(dirname(path), specifier)),
  );
}
