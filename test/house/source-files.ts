import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';

export interface SourceFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

/** What stands in a checkout without being its code. */
const NOT_OURS = ['node_modules', 'out', 'cdk.out', 'dist', '.git', 'fixtures'];

/** Every file under a folder whose name ends in one of these, in the order of their paths. */
export function sourceFiles(endings: readonly string[], folder = '.'): SourceFile[] {
  const paths = globSync(`${folder}/**/*`, {
    exclude: (path) => NOT_OURS.includes(basename(path)),
  });
  return paths
    .map((path) => normalize(path))
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .sort()
    .map((path) => {
      const text = readFileSync(path, 'utf8');
      return { path, text, lines: text.split('\n') };
    });
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
