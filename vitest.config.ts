import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', 'out/**', 'cdk.out/**', 'dist/**'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Most tests wait for sockets and timers of real processes, not for a core.
    maxWorkers: 3,
    coverage: { include: ['shared/**/*.ts'], exclude: ['**/*.test.ts'] },
  },
});
