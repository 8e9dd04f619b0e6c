/**
 * Captures that may come a moment after the start, in a chunk of their own so that the core stays small. In the script form the
 * chunk has copies of the modules it shares with the core: state goes through `Shared`, never through modules.
 */
import type { CaptureContext, CaptureOptions } from '../context.js';
import type { Shared } from '../shared.js';
import { Accounts } from './accounts.js';
import { captureClicks } from './clicks.js';
import { captureInputs } from './inputs.js';
import { captureLongTasks } from './long-tasks.js';
import { captureVitals } from './vitals.js';

export { readBody, requestBodyOf, tellBody } from './body.js';
export { operationOf } from './graphql.js';

function installAccounts(context: CaptureContext, shared: Shared): () => void {
  return shared.flights ? new Accounts(context, shared.flights).stop : () => undefined;
}

const LATE: [keyof CaptureOptions, (context: CaptureContext, shared: Shared) => () => void][] = [
  ['network', installAccounts],
  ['clicks', captureClicks],
  ['clicks', captureInputs],
  ['longTasks', captureLongTasks],
  ['vitals', captureVitals],
];

/** Installs what the options do not switch off; one that fails does not keep the others away. */
export function installLate(context: CaptureContext, shared: Shared): () => void {
  const undos = LATE.filter(([option]) => context.options[option] !== false).map(([, capture]) =>
    context.guard(capture)(context, shared),
  );
  return () => {
    for (const undo of undos.reverse()) context.guard(undo)();
  };
}
