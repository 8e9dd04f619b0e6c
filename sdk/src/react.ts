/**
 * For React: root handlers (React 19) and an error boundary. Both tell Playhead about an error and leave everything else as React
 * does it by itself.
 */
import { Component, type ErrorInfo, type ReactNode } from 'react';
import { reportReactError } from './capture/errors.js';
import { attempt } from './guard.js';

/** What React passes beside the error. */
interface RootErrorInfo {
  componentStack?: string | undefined;
}

type RootErrorHandler = (error: unknown, info: RootErrorInfo) => void;

/** The options of `createRoot` and `hydrateRoot` that hear of errors. */
export interface ReactErrorHandlers {
  onUncaughtError: RootErrorHandler;
  onCaughtError: RootErrorHandler;
  onRecoverableError: RootErrorHandler;
}

/** The script tag's API, when this package is bundled with the app but Playhead is loaded by its tag. */
interface ScriptApi {
  captureError?: (error: unknown, context?: Record<string, unknown>) => unknown;
}

function tell(error: unknown, handled: boolean, componentStack: string | null | undefined): void {
  attempt(() => {
    const stack = componentStack ?? undefined;
    if (reportReactError(error, handled, stack)) return;
    const script = (globalThis as { playhead?: ScriptApi }).playhead;
    script?.captureError?.(error, stack ? { component_stack: stack } : undefined);
  });
}

/** What React does with an error when nobody else handles it. */
function reportGlobally(error: unknown): void {
  if (typeof reportError === 'function') reportError(error);
  // eslint-disable-next-line no-console -- what React itself does where reportError is missing
  else console.error(error);
}

function writeToConsole(error: unknown): void {
  // eslint-disable-next-line no-console -- what React itself does with an error that a boundary caught
  console.error(error);
}

/**
 * Handlers for React's roots: `createRoot(element, reactErrorHandlers())`. An own handler given here is called in place of what
 * React would do, which is to report the error to the window (uncaught, recoverable) or to the console (caught).
 */
export function reactErrorHandlers(own: Partial<ReactErrorHandlers> = {}): ReactErrorHandlers {
  const handler = (handled: boolean, next: RootErrorHandler): RootErrorHandler => {
    return (error, info) => {
      tell(error, handled, info.componentStack);
      next(error, info);
    };
  };
  return {
    onUncaughtError: handler(false, own.onUncaughtError ?? reportGlobally),
    onCaughtError: handler(true, own.onCaughtError ?? writeToConsole),
    onRecoverableError: handler(true, own.onRecoverableError ?? reportGlobally),
  };
}

export interface ErrorBoundaryProps {
  children?: ReactNode;
  /** What is shown in place of the children after an error. Nothing by default. */
  fallback?: ReactNode | ((failure: { error: unknown; reset: () => void }) => ReactNode);
  onError?: (error: unknown, info: ErrorInfo) => void;
}

interface ErrorBoundaryState {
  failure: { error: unknown } | undefined;
}

/** Catches what its children throw while they render, tells Playhead, and shows the fallback. Works from React 18 on. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, ErrorBoundaryState> {
  override state: ErrorBoundaryState = { failure: undefined };

  static getDerivedStateFromError(error: unknown): ErrorBoundaryState {
    return { failure: { error } };
  }

  override componentDidCatch(error: unknown, info: ErrorInfo): void {
    tell(error, true, info.componentStack);
    this.props.onError?.(error, info);
  }

  override render(): ReactNode {
    const { failure } = this.state;
    const { children, fallback } = this.props;
    if (!failure) return children;
    if (typeof fallback !== 'function') return fallback ?? null;
    return fallback({ error: failure.error, reset: () => this.setState({ failure: undefined }) });
  }
}
