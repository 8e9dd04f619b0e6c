import type { Issue, IssueDetail, IssueState } from '../../src/api/issues';
import type { ErrorStack, SessionEvent } from '../../src/api/model';

const HOUR_MS = 3_600_000;

export const issueId = (index: number): string => (0xa5_0000 + index).toString(16).padStart(32, '0');

const KINDS: readonly Pick<Issue, 'title' | 'culprit' | 'type' | 'mechanism' | 'handled' | 'priority'>[] = [
  {
    title: 'TypeError: order.receipt is undefined',
    culprit: 'checkout.ts in submitOrder',
    type: 'TypeError',
    mechanism: 'uncaught',
    handled: false,
    priority: {
      score: 91,
      pinned: false,
      level: 'high',
      reason: '37 % of sessions in the last hour, new in 2.4.1, not handled',
    },
  },
  {
    title: 'NetworkError when attempting to fetch resource',
    culprit: 'search.ts in suggest',
    type: 'NetworkError',
    mechanism: 'unhandledrejection',
    handled: false,
    priority: { score: 55, pinned: false, level: 'medium', reason: 'steady, 1.2 % of sessions, 1,140 users' },
  },
  {
    title:
      'ChunkLoadError: Loading chunk 714 failed while the page of a customer with a very long name was being opened',
    culprit: '',
    type: 'ChunkLoadError',
    mechanism: 'captured',
    handled: true,
    priority: { score: 12, pinned: false, level: 'low', reason: 'handled, 4 users, not seen for an hour' },
  },
];
const STATES: readonly IssueState[] = ['new', 'ongoing', 'regressed', 'ongoing', 'resolved', 'archived'];

/** An issue that is like a real one; they differ by `index`. */
export function makeIssue(index: number, change: Partial<IssueDetail> = {}): IssueDetail {
  const kind = KINDS[index % KINDS.length] ?? KINDS[0];
  const now = Date.now();
  return {
    ...(kind as (typeof KINDS)[number]),
    ...(index < KINDS.length ? {} : { title: `${kind?.title ?? ''} (${String(index)})` }),
    id: issueId(index),
    state: STATES[index % STATES.length] ?? 'new',
    resolved_in: null,
    resolved_release: null,
    archived_until: null,
    escalation: null,
    assignee: index % 3 === 1 ? 'rui@shop.example' : null,
    events: 1284 - index * 7,
    sessions: 640 - index * 3,
    sessions_exact: true,
    merged: 0,
    members: [],
    users: 612 - index * 3,
    users_exact: index % 4 !== 3,
    first_seen_ms: now - (index + 2) * 9 * HOUR_MS,
    last_seen_ms: now - index * 700_000 - 90_000,
    first_release: index % 2 === 0 ? '2.4.1' : '2.3.0',
    last_release: '2.4.1',
    hours_24: Array.from({ length: 24 }, (_, hour) =>
      Math.max(0, Math.round(hour * 3 - 40 + 9 * Math.sin(hour + index))),
    ),
    days_30: Array.from({ length: 30 }, (_, day) => Math.round(20 + 12 * Math.sin(day / 2 + index))),
    latest: null,
    basis: 'stack',
    grouping_version: 1,
    components: [
      { name: 'type', values: [kind?.type ?? ''], counted: true, why: 'the name of the error' },
      {
        name: 'function',
        values: ['submitOrder', 'src/checkout.ts'],
        counted: true,
        why: 'the page’s own code that threw',
      },
      {
        name: 'message',
        values: ['property of undefined: receipt'],
        counted: true,
        why: 'in one form for all engines',
      },
      { name: 'line', values: ['88'], counted: false, why: 'it changes with every build' },
    ],
    breakdowns: {
      release: [
        { value: '2.4.1', events: 900 },
        { value: '2.4.0', events: 300 },
      ],
      browser: ['Chrome', 'Safari', 'Firefox', 'Edge', 'Samsung Internet', 'Opera', 'Yandex'].map((value, place) => ({
        value,
        events: 600 >> place,
      })),
      os: [{ value: 'Windows', events: 1284 }],
      page: [{ value: '/checkout/{id}/thanks-for-your-purchase-of-many-things', events: 1200 }],
      country: [
        { value: 'PT', events: 700 },
        { value: '', events: 84 },
      ],
    },
    history: [
      { time_ms: now - 5 * HOUR_MS, actor: 'Administrator', change: 'resolved it in 2.4.0' },
      { time_ms: now - HOUR_MS, actor: '', change: 'regressed in 2.4.1' },
    ],
    ...change,
  };
}

const OWN = { file: 'https://shop.example/assets/checkout-3f2a.js', kind: 'script', in_app: true };
const LIBRARY = { file: 'https://shop.example/assets/vendor-77ab.js', kind: 'script', in_app: false };

/** What happened in a session until an error of the issue, which comes after twenty seconds. */
export function makeEvents(issue: Pick<Issue, 'id' | 'title' | 'culprit'>, startedAt: number): SessionEvent[] {
  const stream = '0123456789abcdef';
  const event = (at_ms: number, kind: string, data: Record<string, unknown>): SessionEvent => ({
    id: `${stream}-0-${String(at_ms)}`,
    at_ms,
    time: startedAt + at_ms,
    stream,
    kind,
    data,
  });
  return [
    event(100, 'page', { url: 'https://shop.example/checkout' }),
    event(900, 'vital', { name: 'LCP', value: 1200, rating: 'good' }),
    event(9_000, 'click', { text: 'Pay now', selector: 'button.pay' }),
    event(9_400, 'request', {
      method: 'POST',
      url: 'https://shop.example/api/orders/8812/pay',
      status: 502,
      failed: true,
    }),
    event(9_900, 'console', { level: 'warn', args: ['no receipt for order', '8812'] }),
    event(20_000, 'error', {
      type: 'TypeError',
      message: 'order.receipt is undefined',
      mechanism: 'uncaught',
      handled: false,
      issue: issue.id,
      title: issue.title,
      culprit: issue.culprit,
      stack:
        'TypeError: order.receipt is undefined\n    at submitOrder (https://shop.example/assets/checkout-3f2a.js:88:23)',
      frames: [
        { ...OWN, function: 'submitOrder', line: 88, column: 23 },
        { ...LIBRARY, function: 'invokeGuarded', line: 1, column: 40_211 },
        { ...OWN, function: 'pay', line: 61, column: 5, async: true },
        { ...LIBRARY, function: 'dispatch', line: 1, column: 9_120 },
      ],
      frames_left_out: 3,
      causes: [{ type: 'HttpError', message: '502', frames: [{ ...OWN, function: 'request', line: 12, column: 3 }] }],
    }),
    event(20_900, 'click', { text: 'Try again', selector: 'button.retry' }),
  ];
}

type StackFrame = ErrorStack['frames'][number];

/** A frame of a minified bundle; with a source map it has an original. */
export function makeStackFrame(change: Partial<StackFrame> = {}): StackFrame {
  return {
    function: 'a',
    file: 'https://shop.example/assets/index-BxY12abc.js?v=1',
    line: 1,
    column: 48_211,
    kind: 'script',
    in_app: true,
    async: false,
    original: null,
    missing: null,
    missing_detail: null,
    ...change,
  };
}

/** Where the frame was written, on line 8 of eleven. */
export const makeOriginal = (name: string): NonNullable<StackFrame['original']> => ({
  function: name,
  file: '../../src/checkout.ts',
  line: 8,
  column: 10,
  source: {
    first_line: 3,
    lines: [
      '',
      'export class Cart {',
      '  pay() {',
      '    // <b>first</b>',
      '',
      '    return this.order.receipt;',
      '  }',
      '}',
      '',
    ],
  },
});
