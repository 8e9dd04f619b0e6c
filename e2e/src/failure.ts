// A test that fails says what its pages showed: the machine that it failed on may be gone.
import { beforeEach, onTestFailed } from 'vitest';
import { openPages } from './chromium.ts';

beforeEach(() => {
  onTestFailed(async () => {
    console.error(`What the pages showed:\n${await openPages()}`);
  });
});
