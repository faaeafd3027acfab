import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { commandOptions, wholeNumber } from './support/command-options.ts';

/**
 * `npm run test:forms [-- --seed N] [--seeds K] [--long] [paths...]`: the whole-system tests with Zoom's messages in
 * forms drawn at random, for K seeds from N on; with `--long` those that `npm run test:long` plays. Whatever form Zoom
 * chooses, the outcome of a test has to be the same. A failure is had again with the same seed; `npm test` runs the
 * same tests in the documented forms.
 */
const WHOLE_SYSTEM = ['test/e2e', 'test/sessions'];

const { values, positionals } = commandOptions('npm run test:forms -- [path …]', {
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    seeds: { type: 'string', default: '1' },
    long: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const first = wholeNumber('seed', values.seed);
const count = wholeNumber('seeds', values.seeds);
const paths = positionals.length > 0 ? positionals : WHOLE_SYSTEM;
const failed: number[] = [];
for (let seed = first; seed < first + count; seed++) {
  process.stdout.write(`\n# SIMULATOR_FORMS=${seed}\n`);
  // One file at a time: each is several processes, and a test that fails here should fail for its forms.
  const config = values.long ? ['--config', 'vitest.long.config.ts'] : [];
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...config, '--maxWorkers=1', ...paths];
  const child = spawn(process.execPath, vitest, {
    stdio: 'inherit',
    env: { ...process.env, SIMULATOR_FORMS: String(seed) },
  });
  const [code] = await once(child, 'close');
  if (code !== 0) failed.push(seed);
}
const outcome = failed.length === 0 ? 'none failed' : `failed: ${failed.join(', ')}`;
process.stdout.write(`\nseeds ${first} to ${first + count - 1}: ${outcome}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
