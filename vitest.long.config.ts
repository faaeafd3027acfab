import { defineConfig } from 'vitest/config';

/** `npm run test:long`: tests whose subject takes minutes, one after another so that their clocks are true. */
export default defineConfig({
  test: {
    include: ['**/*.long.test.ts'],
    exclude: ['node_modules/**', 'out/**', 'cdk.out/**', 'dist/**', '.peers-cache/**'],
    testTimeout: 120_000,
    // As test/support/wait.ts.
    expect: { poll: { timeout: 15_000 } },
    hookTimeout: 60_000,
    maxWorkers: 1,
    silent: 'passed-only',
  },
});
