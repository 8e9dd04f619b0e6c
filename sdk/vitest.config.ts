import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          environment: 'happy-dom',
          include: ['test/unit/**/*.test.{ts,tsx}', 'test/capture/**/*.test.{ts,tsx}'],
          exclude: ['**/*.browser.test.{ts,tsx}'],
        },
      },
      {
        test: {
          name: 'browser',
          environment: 'node',
          include: ['test/**/*.browser.test.{ts,tsx}'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // One browser at a time: the machine has few cores, and timers of a starved page run late.
          fileParallelism: false,
        },
      },
    ],
  },
});
