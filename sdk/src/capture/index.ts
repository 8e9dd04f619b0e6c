import { captureConsole } from './console.js';
import type { Capture, CaptureOptions } from './context.js';
import { captureErrors } from './errors.js';
import { captureLate } from './late/load.js';
import { captureNavigation } from './navigation.js';
import { captureNetwork } from './network/index.js';
import { capturePage } from './page.js';
import { captureVisibility } from './visibility.js';

/** On unless the page's options switch it off. */
function unlessOff(name: keyof CaptureOptions, capture: Capture): Capture {
  return (context) => (context.options[name] === false ? () => undefined : capture(context));
}

/**
 * All captures in the order they are installed. `page` comes first, as the stream's first signal; errors come before the
 * patches, so that what breaks from then on is told; clicks, inputs, vitals and long tasks come with their own chunk.
 */
export const captures: readonly Capture[] = [
  capturePage,
  unlessOff('errors', captureErrors),
  unlessOff('navigation', captureNavigation),
  captureVisibility,
  unlessOff('console', captureConsole),
  unlessOff('network', captureNetwork),
  captureLate,
];
