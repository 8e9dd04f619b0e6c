import { createBudget } from '../budget.js';
import type { Capture } from '../context.js';
import { epochOf, roundMs } from '../known.js';
import { observeEntries } from './observe.js';

const TASKS_PER_SECOND = 20;

/** Tasks that held the main thread for more than 50 ms, those before the recording included. */
export const captureLongTasks: Capture = (context) => {
  const budget = createBudget(context, TASKS_PER_SECOND);
  const stop = observeEntries(context, 'longtask', (entry) => {
    if (!budget.take()) return;
    const t = epochOf(context.now(), entry.startTime);
    context.emit({ k: 'long_task', t, duration_ms: roundMs(entry.duration) });
  });
  return () => {
    stop();
    budget.close();
  };
};
