import { defineConfig } from 'vitest/config';

// One file at a time: each starts the real product and a real browser, and the machines that run this have two cores.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['src/failure.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    reporters: ['verbose'],
  },
});
