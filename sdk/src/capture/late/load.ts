import { sharedOf } from '../shared.js';
import type { Capture } from '../context.js';

type Late = typeof import('./index.js');

let loading: Promise<Late | undefined> | undefined;

/** The chunk of what need not be there from the first moment; undefined when the page does not let it in. */
export function loadLate(): Promise<Late | undefined> {
  loading ??= import('./index.js').catch(() => {
    loading = undefined;
    return undefined;
  });
  return loading;
}

/** Installs the late captures as soon as their chunk is there. */
export const captureLate: Capture = (context) => {
  let undo: (() => void) | undefined;
  let over = false;
  const install = context.guard((late: Late | undefined) => {
    if (late && !over) undo = late.installLate(context, sharedOf(context));
  });
  void loadLate().then(install);
  return () => {
    over = true;
    undo?.();
  };
};
