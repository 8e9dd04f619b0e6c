import type { Session } from '../../src/api/model';

const USERS = ['ana@shop.example', 'rui@shop.example', null, 'support@a-company-with-a-very-long-name.example', null];
const BROWSERS = [
  ['Chrome', '131.0.0.0', 'Windows'],
  ['Safari', '18.1', 'iOS'],
  ['Firefox', '133.0', 'Linux'],
  ['Edge', '131.0', 'Windows'],
] as const;
const COUNTRIES = ['PT', 'DE', 'BR', null, 'US'];
const STATES: Session['replay'][] = ['complete', 'complete', 'partial', 'not_sampled', 'complete', 'recorder_failed'];
const PAGES = ['/', '/products', '/products/7', '/cart', '/checkout', '/orders/8812/thanks-for-your-purchase'];

/** A session that is like a real one: `index` counts back from the newest, `now` is when the newest began. */
export function makeSession(index: number, now: number, change: Partial<Session> = {}): Session {
  const [browser, version, os] = BROWSERS[index % BROWSERS.length] ?? BROWSERS[0];
  const email = USERS[index % USERS.length] ?? null;
  const replay = STATES[index % STATES.length] ?? 'complete';
  const started_at = now - index * 97_000;
  const duration_ms = 20_000 + ((index * 7919) % 900) * 1000;
  const errors = index % 3 === 1 ? (index % 5) + 1 : 0;
  const failed = index % 4 === 1 ? 2 : 0;
  const pages = PAGES.slice(0, 1 + (index % PAGES.length)).map((path) => `https://shop.example${path}`);
  return {
    id: index.toString(16).padStart(8, '0').padEnd(32, 'a1b2c3'),
    project_id: '0123456789abc',
    started_at,
    ended_at: started_at + duration_ms,
    duration_ms,
    state: 'ended',
    replay,
    replay_reasons: replay === 'partial' ? ['4.2 s are missing: the browser was offline.'] : [],
    user: email === null ? null : { id: `u-${String(index)}`, email, traits: {} },
    browser: { name: browser, version },
    os: { name: os, version: null },
    device: os === 'iOS' ? 'mobile' : 'desktop',
    screen: { width: 1440, height: 900 },
    language: 'en-GB',
    time_zone: 'Europe/Lisbon',
    country: COUNTRIES[index % COUNTRIES.length] ?? null,
    ip: null,
    user_agent: 'Mozilla/5.0 (made for a test)',
    sdk: '0.1.0',
    release: index % 6 === 5 ? null : `2.4.${String(index % 3)}`,
    environment: 'production',
    entry_page: pages[0] ?? null,
    exit_page: pages.at(-1) ?? null,
    pages,
    page_count: pages.length,
    custom_events: index % 2 ? ['coupon applied'] : [],
    tabs: 1,
    streams: pages.length,
    counts: {
      events: 120 + index,
      errors,
      requests: 40,
      failed_requests: failed,
      slow_requests: index % 5 === 2 ? 1 : 0,
      clicks: 12,
      rage_clicks: index % 7 === 1 ? 1 : 0,
      dead_clicks: index % 6 === 1 ? 2 : 0,
      console_errors: errors,
      navigations: pages.length,
      custom_events: index % 2,
      dropped_signals: 0,
    },
    activity: {
      bucket_ms: Math.ceil(duration_ms / 48),
      values: Array.from({ length: 48 }, (_, bucket) => Math.round(12 * Math.abs(Math.sin(bucket * 1.7 + index)) ** 3)),
    },
    clock_skewed: false,
    sampling: { dom: 1, dom_on_error: 1, signals: 1 },
    stored_bytes: 182_000 + index * 311,
    expires_at: started_at + 30 * 86_400_000,
    ...change,
  };
}
