/** Alerts for browser tests: rules, firings, channels and deliveries that a test sets, and what the API does to them. */
import type {
  AlertChannel,
  AlertPreview,
  AlertRule,
  AlertRuleDraft,
  AlertSettings,
  ChannelSettings,
  ChannelTest,
  Delivery,
  Firing,
} from '../../src/api/alerts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export interface AlertsWorld {
  rules: AlertRule[];
  firings: Firing[];
  deliveries: Delivery[];
  channels: AlertChannel[];
  preview: AlertPreview;
  test: ChannelTest;
  /** What was sent to be saved: rules and channels. */
  drafts: AlertRuleDraft[];
  channelChanges: { name?: string; settings?: ChannelSettings }[];
  previewed: AlertRuleDraft[];
  settings: AlertSettings;
}

export const ruleId = (index: number): string => (0xa1e7_0000 + index).toString(16).padStart(16, '0');
export const channelId = (index: number): string => `channel${String(index)}`;

export function makeRule(index: number, change: Partial<AlertRule> = {}): AlertRule {
  const none = {
    measure: null,
    at_least: null,
    resolve_below: null,
    window_minutes: null,
    minimum_sessions: null,
    limit: null,
  };
  return {
    id: ruleId(index),
    version: 3,
    name: ['New issue of high priority', 'Checkout breaks', 'Regressed issue'][index] ?? `Rule ${String(index)}`,
    disabled: false,
    condition:
      index === 1
        ? { ...none, kind: 'seen', measure: 'users', at_least: 20, resolve_below: 20, window_minutes: 15 }
        : { ...none, kind: index === 0 ? 'new_issue' : 'regressed' },
    filter: index === 1 ? 'page:/checkout' : '',
    priority: index === 0 ? 'high' : null,
    throttle_minutes: 60,
    channels: index === 2 ? [] : [channelId(0)],
    muted_until_ms: null,
    hours: null,
    escalation: null,
    created_at: Date.now() - 9 * DAY_MS,
    changed_at: Date.now() - 2 * DAY_MS,
    ...change,
  };
}

export function makeFiring(rule: AlertRule, subject: string, change: Partial<Firing> = {}): Firing {
  const opened = Date.now() - 4 * MINUTE_MS;
  return {
    rule: rule.id,
    rule_name: rule.name,
    subject,
    kind: rule.condition.kind,
    name: rule.condition.limit?.name ?? null,
    status: 'open',
    title: 'TypeError: order.receipt is undefined',
    culprit: 'checkout.ts in submitOrder',
    why: '25 users within 15 minutes, limit 20',
    priority: 'high',
    since_ms: opened - 3 * MINUTE_MS,
    opened_at: opened,
    changed_at: opened,
    by: null,
    muted: false,
    escalated: false,
    pending: 0,
    ...change,
  };
}

export function makeDelivery(firing: Firing, change: Partial<Delivery> = {}): Delivery {
  return {
    message: `${firing.rule}-3-${firing.subject}-1`,
    rule: firing.rule,
    subject: firing.subject,
    transition: 'triggered',
    channel: channelId(0),
    attempt: 1,
    outcome: 'sent',
    sentence: '200: ok',
    title: firing.title,
    time_ms: firing.opened_at + 900,
    ...change,
  };
}

export function makeChannel(index: number, change: Partial<AlertChannel> = {}): AlertChannel {
  return {
    id: channelId(index),
    name: ['On call', 'The team’s mail', 'Own receiver'][index] ?? `Channel ${String(index)}`,
    kind: (['slack', 'email', 'webhook'] as const)[index] ?? 'discord',
    target: ['hooks.slack.com/…x7Qa', 'ana@shop.example, rui@shop.example', 'hooks.shop.example/…hook'][index] ?? '…',
    recipients: index === 1 ? ['ana@shop.example', 'rui@shop.example'] : [],
    secret_hint: index === 2 ? '…9f3c' : null,
    version: 1,
    created_at: Date.now() - 8 * DAY_MS,
    changed_at: Date.now() - 8 * DAY_MS,
    ...change,
  };
}

export const makeAlerts = (): AlertsWorld => ({
  rules: [],
  firings: [],
  deliveries: [],
  channels: [],
  preview: { from_ms: Date.now() - 7 * DAY_MS, to_ms: Date.now(), total: 0, items: [], notes: [], partial: false },
  test: { delivered: true, detail: 'ok', status: 200, retryable: false },
  drafts: [],
  channelChanges: [],
  previewed: [],
  settings: { version: 1, maintenance: [], messages_per_hour: 60 },
});

type Answer = [status: number, body?: unknown];
const problem = (status: number, code: string, detail: string, field: string | null = null): Answer => [
  status,
  { type: `urn:playhead:problem:${code}`, title: code, status, detail, field },
];

const CONFLICT = problem(409, 'conflict', 'it was changed meanwhile: read it again');

function saveRule(world: AlertsWorld, id: string | undefined, draft: AlertRuleDraft): Answer {
  const known = world.rules.find((rule) => rule.id === id);
  if (id !== undefined && !known) return problem(404, 'not-found', 'there is no such rule');
  if (known && known.version !== draft.version) return CONFLICT;
  if (draft.filter.includes('nonsense:')) return problem(400, 'bad-request', '`nonsense` is no field', 'filter');
  world.drafts.push(draft);
  const saved = {
    ...makeRule(world.rules.length),
    ...known,
    ...draft,
    throttle_minutes: draft.throttle_minutes ?? 60,
    version: (known?.version ?? 0) + 1,
  };
  if (!known) world.rules.push(saved);
  else Object.assign(known, saved);
  return [known ? 200 : 201, saved];
}

function saveChannel(
  world: AlertsWorld,
  known: AlertChannel | undefined,
  change: AlertsWorld['channelChanges'][number],
): Answer {
  const { name, settings } = change;
  if (settings && 'url' in settings && settings.url?.includes('127.0.0.1')) {
    return problem(400, 'bad-request', 'leads to an address that is not public', 'settings.url');
  }
  world.channelChanges.push(change);
  const channel = known ?? makeChannel(world.channels.length, { kind: settings?.kind ?? 'slack' });
  if (name !== undefined) channel.name = name;
  if (!known) world.channels.push(channel);
  else channel.version += 1;
  const isSigned = settings?.kind === 'webhook' && settings.secret === undefined;
  return [known ? 200 : 201, { channel, signing_secret: isSigned ? `whsec_${'0a'.repeat(32)}` : null }];
}

function answerChannels(
  world: AlertsWorld,
  method: string,
  rest: string,
  body: unknown,
  version: string | undefined,
): Answer {
  if (rest === '' && method === 'GET') return [200, { items: world.channels }];
  const [, id, isTest] = /^\/([^/]+)(\/test)?$/.exec(rest) ?? [];
  const known = world.channels.find((channel) => channel.id === id);
  if (id !== undefined && !known) return problem(404, 'not-found', 'there is no such channel');
  if (isTest !== undefined) return [200, world.test];
  if (known && version !== undefined && version !== String(known.version)) return CONFLICT;
  if (method === 'DELETE') {
    world.channels = world.channels.filter((channel) => channel !== known);
    return [204];
  }
  return saveChannel(world, known, body as AlertsWorld['channelChanges'][number]);
}

/** Answers a request under `/alerts`. `version` is the one that it was made for. */
export function answerAlerts(
  world: AlertsWorld,
  method: string,
  rest: string,
  url: URL,
  body: unknown,
  version: string | undefined,
): Answer {
  if (rest === '/firings') {
    const status = url.searchParams.get('status');
    return [200, { items: world.firings.filter((firing) => status === null || firing.status === status), more: false }];
  }
  if (rest === '/deliveries') return [200, { items: world.deliveries }];
  if (rest === '/settings') {
    if (method === 'GET') return [200, world.settings];
    const given = body as AlertSettings;
    if (given.version !== world.settings.version) return CONFLICT;
    world.settings = { ...given, version: given.version + 1 };
    return [200, world.settings];
  }
  if (rest === '/preview') {
    world.previewed.push(body as AlertRuleDraft);
    return [200, world.preview];
  }
  if (rest.startsWith('/channels')) return answerChannels(world, method, rest.slice('/channels'.length), body, version);
  if (rest === '/rules' && method === 'GET') {
    return [200, { items: world.rules, dropped: 0, evaluated_to: Date.now() - 2000 }];
  }
  const [, rule, subject] = /^\/rules\/([0-9a-f]{16})(?:\/firings\/(\w+))?$/.exec(rest) ?? [];
  if (subject !== undefined) {
    const firing = world.firings.find((each) => each.rule === rule && each.subject === subject);
    if (!firing) return problem(404, 'not-found', 'there is no such firing');
    const { status } = body as Pick<Firing, 'status'>;
    Object.assign(firing, { status, by: 'Administrator', changed_at: Date.now() });
    return [200, firing];
  }
  if (method === 'POST' || method === 'PUT') return saveRule(world, rule, body as AlertRuleDraft);
  const known = world.rules.find(({ id }) => id === rule);
  if (!known) return problem(404, 'not-found', 'there is no such rule');
  if (method === 'DELETE') world.rules = world.rules.filter((each) => each !== known);
  return method === 'DELETE' ? [204] : [200, known];
}
