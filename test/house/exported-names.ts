import { isProduct, type SourceFile } from './source-files.ts';

const EXPORT =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|class|interface|type|const|enum) (\w+)/gm;

/** Names that others fix, so that several files must export them. */
const GIVEN: Readonly<Record<string, string>> = {
  handler: 'Lambda calls the exported `handler` of each function.',
};

/** Exported names that stand in more than one file, as `name: file, file`. */
export function doubledNames(files: readonly SourceFile[]): string[] {
  const places = new Map<string, Set<string>>();
  for (const file of files.filter(isProduct)) {
    for (const [, name = ''] of file.text.matchAll(EXPORT)) {
      if (name in GIVEN) continue;
      places.set(name, (places.get(name) ?? new Set()).add(file.path));
    }
  }
  return [...places]
    .filter(([, paths]) => paths.size > 1)
    .map(([name, paths]) => `${name}: ${[...paths].join(', ')}`);
}
