import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const NEVER = ['node_modules/**', 'out/**', 'cdk.out/**', 'dist/**', '.peers-cache/**'];
/** Minutes of real processes and clocks: `npm run test:long`. */
const LONG = '**/*.long.test.ts';
/** Rooms whose tests leave nothing behind: their files share worker threads, which saves a process for each. */
const SHARING = ['shared', 'rtms/protocol', 'runner/kinesis', 'sdk/consumer', 'infra', 'cli'].map(
  (room) => `${room}/**/*.test.ts`,
);
/**
 * Of those rooms, the files that put something in the place of a module. Each has a process: in a shared thread another file's tests may
 * have loaded the real one before.
 */
const MOCKING = globSync(SHARING, { cwd: import.meta.dirname }).filter((file) =>
  readFileSync(join(import.meta.dirname, file), 'utf8').includes('vi.mock('),
);

export default defineConfig({
  test: {
    // For what hangs: a healthy test may take ten times as long on a loaded machine as on an idle one.
    testTimeout: 60_000,
    // As test/support/wait.ts.
    expect: { poll: { timeout: 15_000 } },
    hookTimeout: 60_000,
    // Most tests wait for sockets and timers of real processes, not for a core.
    maxWorkers: 3,
    // The report and nothing else; what a failed test wrote is shown with it.
    silent: 'passed-only',
    coverage: {
      include: ['shared/**/*.ts', 'rtms/protocol/**/*.ts'],
      exclude: ['**/*.test.ts'],
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'processes',
          include: ['**/*.test.ts'],
          exclude: [...NEVER, LONG, ...SHARING],
        },
      },
      {
        extends: true,
        test: {
          name: 'threads',
          include: SHARING,
          exclude: [...NEVER, LONG, ...MOCKING],
          pool: 'threads',
          isolate: false,
        },
      },
      { extends: true, test: { name: 'mocking', include: MOCKING } },
    ],
  },
});
