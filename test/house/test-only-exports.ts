import { dirname, join, normalize } from 'node:path';
import { isProduct, type SourceFile } from './source-files.ts';

/** Values only: a type is exported so that others can name what they are given. */
const EXPORT = /^export (?:abstract )?(?:async )?(?:function\*?|class|const|enum) (\w+)/gm;
/** `import { a, type B as C } from './file.ts'`, and the same with `export`. */
const NAMED = /^(?:import|export)(?: type)? \{([^}]*)\} from '(\.[^']+)'/gm;
/** `import * as all`, `export *` and `await import()`: whoever does that uses every name. */
const WHOLE = /(?:(?:import|export)(?: type)? \*(?: as \w+)? from|import\() ?'(\.[^']+)'/g;

/** What others than our own imports use, or tests alone on purpose: a file or folder, or `file: name`, and why. */
const DELIBERATE: Readonly<Record<string, string>> = {
  'functions/session-catcher/handler.ts: handler': 'Lambda calls it.',
  'functions/webhook-authorizer/handler.ts: handler': 'Lambda calls it.',
  'functions/webhook-canary/handler.ts: handler': 'Lambda calls it.',
  'functions/zoom-webhook/lambda-credentials.ts: defaultProvider':
    'The bundler puts this file in the place of a package of the SDK.',
  'sdk/client/callbacks/executor-worker.ts: runTask': 'Piscina calls it by its name.',
  'infra/validation/excused-findings.ts: findingsTable':
    'A test compares the table of docs/deploy.md with it.',
  'local/kinesis/contract/': 'The cases run against two servers, in a test of each.',
  'shared/record/encode-media-record.ts: encodeMediaRecord':
    'A whole record in one call: tests and benches of readers write with it.',
  'simulator/clock.ts: manualClock': 'Part of the simulator: how a test steers its time.',
  'simulator/media/synthetic-frame.ts: readSyntheticFrame':
    'Part of the simulator: how a test proves that a frame is the one that was sent.',
};

/** Exported values that neither their own file nor another product file uses, as `file: name`. */
export function testOnlyExports(files: readonly SourceFile[]): string[] {
  const product = files.filter(isProduct);
  const used = new Set(product.flatMap(namesUsed));
  return product.flatMap(({ path, text }) =>
    [...text.matchAll(EXPORT)]
      .map(([, name = '']) => name)
      .filter((name) => timesSaid(name, text) === 1 && !used.has(`${path}: *`))
      .map((name) => `${path}: ${name}`)
      .filter((line) => !used.has(line) && !isDeliberate(line)),
  );
}

function isDeliberate(line: string): boolean {
  return Object.keys(DELIBERATE).some((place) =>
    place.endsWith('/') ? line.startsWith(place) : line === place,
  );
}

function timesSaid(name: string, text: string): number {
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  return [...code.matchAll(new RegExp(`\\b${name}\\b`, 'g'))].length;
}

function namesUsed({ path, text }: SourceFile): string[] {
  const from = (specifier: string) => normalize(join(dirname(path), specifier));
  const named = [...text.matchAll(NAMED)].flatMap(([, names = '', specifier = '']) =>
    names
      .split(',')
      .map((name) =>
        name
          .trim()
          .replace(/^type /, '')
          .replace(/ as \w+$/, ''),
      )
      .filter((name) => name !== '')
      .map((name) => `${from(specifier)}: ${name}`),
  );
  const whole = [...text.matchAll(WHOLE)].map(([, specifier = '']) => `${from(specifier)}: *`);
  return [...named, ...whole];
}
