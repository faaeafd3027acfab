import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sourceFiles } from '../../house/source-files.ts';

/**
 * Modules of the runner, the catcher and the webhook function that are evaluated once for all processes of a run. What they keep
 * in variables would outlive a process that is killed.
 */
const SHARED = /^(?:rtms|runner|shared)\/|^functions\/(?:session-catcher|zoom-webhook)\//;
const NONE = /\.test\.ts$|^functions\/[\w-]+\/handler\.ts$|^runner\/main\.ts$/;
/** Top level of a module: a variable, or a constant that holds something made by `new`, a call, or an empty collection. */
const KEPT =
  /^(?:export )?(?:let|var) (\w+)|^(?:export )?const (\w+)[^=\n]*= (?:new (?!Set\(|Map\(\[|Map\($|RegExp|URL|TextEncoder|TextDecoder|Uint8Array\(\))|Buffer\.alloc|\[\]|\{\}|new Map\(\))/gm;

/** Each with the reason for which no process notices what another one has left in it. */
const HARMLESS: Readonly<Record<string, string>> = {
  'rtms/protocol/scan-frame.ts scan': 'filled and read within one call',
  'rtms/protocol/fields.ts camelCases': 'the same for everybody: names of fields',
  'rtms/wire/shared-reading.ts sharedReading': 'of the sockets that net/memory-wire.ts replaces',
  'runner/session/guard.ts current': 'a storage of the async context, which is each task’s own',
  'shared/memory-pool.ts processMemory': 'replaced by shims/memory-pool.ts',
};

test('no shared module of the simulation keeps what belongs to one process', () => {
  const kept = sourceFiles(['.ts'])
    .map(({ path }) => path)
    .filter((path) => SHARED.test(path) && !NONE.test(path))
    .flatMap((path) => {
      const text = readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
      return [...text.matchAll(KEPT)].map(
        ([, variable, constant]) => `${path} ${variable ?? constant}`,
      );
    });
  const isConstant = (name: string) => /^[A-Z\d_]+$/.test(name.split(' ')[1] ?? '');
  expect(kept.filter((name) => !(name in HARMLESS) && !isConstant(name))).toEqual([]);
  expect(Object.keys(HARMLESS).filter((name) => !kept.includes(name))).toEqual([]);
});
