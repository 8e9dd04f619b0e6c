import { act, type ReactNode } from 'react';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { captureErrors } from '../../src/capture/errors.js';
import type { CaptureContext } from '../../src/capture/context.js';
import { createPrivacy } from '../../src/privacy/index.js';
import { ErrorBoundary, reactErrorHandlers } from '../../src/react.js';
import type { ErrorSignal, Signal } from '../../src/signal.js';

let signals: Signal[] = [];
let undo: (() => void) | undefined;

function record(): void {
  const context: CaptureContext = {
    emit: (signal) => signals.push(signal),
    urgent: () => undefined,
    privacy: createPrivacy({}),
    now: () => Date.now(),
    options: {},
    guard: (callback) => callback,
    endpoint: 'https://playhead.invalid',
    session: () => undefined,
    lastClick: () => undefined,
    noteClick: () => undefined,
    onDomMutation: () => () => undefined,
    earlyErrors: () => [],
  };
  undo = captureErrors(context);
}

function errors(): ErrorSignal[] {
  return signals.filter((signal): signal is ErrorSignal => signal.k === 'error');
}

function Broken({ message }: { message: string }): ReactNode {
  throw new RangeError(message);
}

beforeEach(() => {
  Reflect.set(globalThis, 'IS_REACT_ACT_ENVIRONMENT', true);
  signals = [];
  record();
});

afterEach(() => {
  undo?.();
  Reflect.deleteProperty(globalThis, 'playhead');
  vi.restoreAllMocks();
});

test('a boundary tells the error with its component stack and shows the fallback, which can reset', async () => {
  const quiet = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const onError = vi.fn();
  let broken = true;
  let again = (): void => undefined;
  const Child = (): ReactNode => (broken ? <Broken message="inside a boundary" /> : <p>Well</p>);
  const element = document.createElement('div');
  const root = createRoot(element, reactErrorHandlers());
  await act(async () =>
    root.render(
      <ErrorBoundary
        onError={onError}
        fallback={({ error, reset }) => {
          again = reset;
          return <p>{String(error)}</p>;
        }}
      >
        <Child />
      </ErrorBoundary>,
    ),
  );
  expect(element.textContent).toBe('RangeError: inside a boundary');
  expect(onError).toHaveBeenCalledTimes(1);
  expect(quiet).toHaveBeenCalledTimes(1);
  expect(errors()).toMatchObject([{ type: 'RangeError', mechanism: 'react', handled: true }]);
  expect(errors()[0]?.component_stack).toMatch(/Broken[\s\S]*Child/);
  broken = false;
  await act(async () => again());
  expect(element.textContent).toBe('Well');
});

test('an error that no boundary catches is told once and still reaches the window', async () => {
  const reported: unknown[] = [];
  const original = globalThis.reportError;
  globalThis.reportError = (error) => void reported.push(error);
  const root = createRoot(document.createElement('div'), reactErrorHandlers());
  // Outside of act(), which keeps such errors to itself.
  Reflect.set(globalThis, 'IS_REACT_ACT_ENVIRONMENT', false);
  flushSync(() => root.render(<Broken message="nobody caught it" />));
  globalThis.reportError = original;
  expect(errors()).toMatchObject([{ message: 'nobody caught it', mechanism: 'react', handled: false }]);
  expect(reported).toHaveLength(1);
  window.dispatchEvent(new ErrorEvent('error', { error: reported[0] as Error, message: 'nobody caught it' }));
  expect(errors()).toHaveLength(1);
});

test('handlers of the page’s own are called in place of the default', () => {
  const own = vi.fn();
  const error = new Error('recovered');
  reactErrorHandlers({ onRecoverableError: own }).onRecoverableError(error, { componentStack: '\n    at App' });
  expect(own).toHaveBeenCalledWith(error, { componentStack: '\n    at App' });
  expect(errors()).toMatchObject([{ message: 'recovered', handled: true, component_stack: '\n    at App' }]);
});

test('without a recording in this package the script tag’s API is told', () => {
  undo?.();
  const captureError = vi.fn();
  Reflect.set(globalThis, 'playhead', { captureError });
  const error = new Error('by the tag');
  reactErrorHandlers({ onCaughtError: () => undefined }).onCaughtError(error, { componentStack: 'at App' });
  expect(captureError).toHaveBeenCalledWith(error, { component_stack: 'at App' });
  expect(errors()).toEqual([]);
});
