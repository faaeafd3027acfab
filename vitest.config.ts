import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', 'out/**', 'cdk.out/**', 'dist/**'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    coverage: { include: ['shared/**/*.ts'], exclude: ['**/*.test.ts'] },
  },
});
