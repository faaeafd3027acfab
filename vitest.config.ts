import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    // Minutes of real processes and clocks: `npm run test:long`.
    exclude: ['node_modules/**', 'out/**', 'cdk.out/**', 'dist/**', '**/*.long.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Most tests wait for sockets and timers of real processes, not for a core.
    maxWorkers: 3,
    // The report and nothing else; what a failed test wrote is shown with it.
    silent: 'passed-only',
    coverage: { include: ['shared/**/*.ts', 'rtms/protocol/**/*.ts'], exclude: ['**/*.test.ts'] },
  },
});
