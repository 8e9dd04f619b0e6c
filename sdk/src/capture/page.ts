import type { PageSignal } from '../signal.js';
import { SDK_VERSION } from '../version.js';
import type { Capture, CaptureContext } from './context.js';
import { known } from './known.js';

/** Client hints and the network's kind, which not every browser has. */
interface NewerNavigator {
  userAgentData?: { brands?: { brand: string; version: string }[]; mobile?: boolean; platform?: string };
  connection?: { effectiveType?: string };
}

/** The document's title, unless the page masks its texts. */
export function titleOf(context: CaptureContext): string | undefined {
  const element = document.querySelector('title');
  return element ? context.privacy.textOf(element) : undefined;
}

function timeZone(): string {
  try {
    return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
  } catch {
    return 'UTC';
  }
}

function pageSignal(context: CaptureContext): PageSignal {
  const { userAgentData: hints, connection } = navigator as NewerNavigator;
  const { privacy, options } = context;
  return known<PageSignal>({
    k: 'page',
    t: context.now(),
    url: privacy.redactUrl(location.href),
    referrer: document.referrer ? privacy.redactUrl(document.referrer) : undefined,
    title: titleOf(context),
    screen: [screen.width, screen.height],
    viewport: [innerWidth, innerHeight],
    dpr: devicePixelRatio || 1,
    language: navigator.language,
    time_zone: timeZone(),
    user_agent: navigator.userAgent.slice(0, 1000),
    platform: hints?.platform || navigator.platform || undefined,
    brands: hints?.brands?.slice(0, 10).map(({ brand, version }) => [brand, version]),
    mobile: hints?.mobile,
    release: options.release,
    environment: options.environment,
    sdk: SDK_VERSION,
    connection: connection?.effectiveType,
    visibility: document.visibilityState === 'hidden' ? 'hidden' : 'visible',
  });
}

/** What the page and its browser are: the first signal of a stream. */
export const capturePage: Capture = (context) => {
  context.emit(pageSignal(context));
  return () => undefined;
};
