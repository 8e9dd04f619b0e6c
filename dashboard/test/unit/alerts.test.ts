// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import {
  channelFaults,
  channelFormOf,
  NEW_CHANNEL,
  replacesSettings,
  settingsOf,
} from '../../src/alerts/channel-draft';
import { readFiringFilters } from '../../src/alerts/filters';
import { fieldOf, messagesFault, spanFault, stateOf, timeOf } from '../../src/alerts/maintenance-draft';
import {
  conditionOf,
  draftOf,
  endsFirings,
  faultsOf,
  formOf,
  NEW_RULE,
  officeHours,
  type RuleForm,
  withKind,
} from '../../src/alerts/rule-draft';
import { toldOf } from '../../src/alerts/told';
import { conditionInWords, DAYS, hoursInWords, ruleInWords, spanInWords } from '../../src/alerts/words';
import { LIST_MAX, type AlertLimit } from '../../src/api/alerts';
import { issueId } from '../server/issues';
import { channelId, makeChannel, makeDelivery, makeFiring, makeRule } from '../server/alerts';

const named = { ...NEW_RULE, name: 'Checkout breaks' };

describe('the form of a rule', () => {
  it('gives back what was read, and so changes nothing that was not changed', () => {
    const hours = { zone: 'Europe/Lisbon', days: ['monday' as const, 'sunday' as const], from: '22:00', to: '06:00' };
    const escalation = { after_minutes: 30, channels: [channelId(1)] };
    for (const rule of [
      makeRule(0),
      makeRule(1, { hours, escalation }),
      makeRule(2, { muted_until_ms: 99, disabled: true }),
    ]) {
      const draft = draftOf(formOf(rule), rule.version);
      expect(draft).toEqual({
        name: rule.name,
        disabled: rule.disabled,
        // What is the same as the threshold is the default.
        condition: { ...rule.condition, resolve_below: null },
        filter: rule.filter,
        priority: rule.priority,
        throttle_minutes: rule.throttle_minutes,
        channels: rule.channels,
        muted_until_ms: rule.muted_until_ms,
        hours: rule.hours,
        escalation: rule.escalation,
        version: rule.version,
      });
      expect(endsFirings(formOf(rule), rule)).toBe(false);
    }
  });

  it('gives back a limit as it was read', () => {
    const limit: AlertLimit = {
      measure: 'apdex',
      name: 'POST /api/pay',
      trigger_at: 0.7,
      resolve_at: 0.8,
      below: false,
      last_week: false,
      minimum: 50,
      apdex_ms: 300,
      environment: 'production',
      release: null,
    };
    const none = { measure: null, at_least: null, resolve_below: null, minimum_sessions: null };
    const rule = makeRule(0, {
      priority: null,
      condition: { ...none, kind: 'endpoint', window_minutes: 30, limit },
    });
    expect(draftOf(formOf(rule), 3).condition).toEqual(rule.condition);
    expect(faultsOf(formOf(rule))).toEqual({});
    expect(endsFirings(formOf(rule), rule)).toBe(false);
    expect(ruleInWords(rule)).toBe('Apdex of POST /api/pay in production is at most 0.7 within 30 minutes');
  });

  it('begins anew with the measures of another kind', () => {
    const form = { ...named, kind: 'endpoint' as const, limit: { ...NEW_RULE.limit, name: 'GET /a' } };
    expect(withKind(form, 'seen')).toEqual({ kind: 'seen' });
    const page = { ...form, ...withKind(form, 'page') };
    expect(page.limit).toMatchObject({ measure: 'lcp', name: '', triggerAt: '4000' });
    expect(faultsOf(page)).toEqual({});
    expect(conditionInWords(conditionOf(page))).toBe('LCP (p75) of all pages is at least 4,000 ms within 15 minutes');
  });

  it.each([
    [{}, []],
    [{ triggerAt: '101' }, ['triggerAt']],
    [{ resolveAt: '11' }, ['resolveAt']],
    [{ resolveAt: '0' }, ['resolveAt']],
    [{ resolveAt: '' }, []],
    [{ minimum: '0' }, ['minimum']],
    [{ measure: 'apdex', triggerAt: '0.7', resolveAt: '0.6' }, ['resolveAt']],
    [{ measure: 'apdex', triggerAt: '0.7', resolveAt: '0.8', apdexMs: 'x' }, ['apdexMs']],
    [{ measure: 'p95', lastWeek: true, triggerAt: '50', resolveAt: '60' }, ['resolveAt']],
    [{ measure: 'throughput', below: true, triggerAt: '5', resolveAt: '9' }, []],
  ] as const)('says which limits cannot be: %j', (change, fields) => {
    const limit = { ...NEW_RULE.limit, ...change };
    expect(Object.keys(faultsOf({ ...named, kind: 'endpoint', limit }))).toEqual(fields);
  });

  it('sends only what the kind uses', () => {
    expect(draftOf({ ...named, kind: 'silent', filter: 'page:/a', priority: 'high' }, null)).toMatchObject({
      condition: { kind: 'silent', window_minutes: 30, measure: null, at_least: null, minimum_sessions: null },
      filter: '',
      priority: null,
    });
    expect(draftOf({ ...named, kind: 'regressed' }, null).condition).toMatchObject({
      at_least: null,
      window_minutes: null,
    });
    const share = draftOf({ ...named, measure: 'share', atLeast: '2,5', resolveBelow: '1' }, null).condition;
    expect(share).toMatchObject({ measure: 'share', at_least: 2.5, resolve_below: 1, minimum_sessions: 20 });
  });

  it.each([
    [{}, []],
    [{ name: ' ' }, ['name']],
    [{ atLeast: '0' }, ['atLeast']],
    [{ atLeast: 'many' }, ['atLeast']],
    [{ resolveBelow: '21' }, ['resolveBelow']],
    [{ resolveBelow: '20' }, []],
    [{ measure: 'share', atLeast: '101' }, ['atLeast']],
    [{ measure: 'share', atLeast: '0.5', minimumSessions: '' }, ['minimumSessions']],
    [{ kind: 'silent', silentMinutes: '4' }, ['silentMinutes']],
    // Fields that the kind does not use are not looked at.
    [{ kind: 'new_issue', atLeast: '', silentMinutes: '' }, []],
    [{ throttleMinutes: '10081' }, ['throttleMinutes']],
    [{ hours: { ...officeHours(), days: [] } }, ['hours']],
    [{ hours: { ...officeHours(), to: '' } }, ['hours']],
    [{ escalateMinutes: '4' }, []],
    [{ escalationChannels: ['a'], escalateMinutes: '4' }, ['escalateMinutes']],
    [{ throttleMinutes: '0' }, []],
  ] as [Partial<RuleForm>, string[]][])('with %j faults %j', (change, faults) => {
    expect(Object.keys(faultsOf({ ...named, ...change }))).toEqual(faults);
  });

  it('knows what ends what has fired: another question, and being turned on', () => {
    const rule = makeRule(1);
    const form = formOf(rule);
    expect(endsFirings({ ...form, name: 'other', channels: [], throttleMinutes: '5', mutedUntil: 7 }, rule)).toBe(
      false,
    );
    expect(endsFirings({ ...form, disabled: true }, rule)).toBe(false);
    expect(endsFirings({ ...form, atLeast: '30' }, rule)).toBe(true);
    expect(endsFirings({ ...form, filter: '' }, rule)).toBe(true);
    expect(endsFirings({ ...form, priority: 'high' }, rule)).toBe(true);
    expect(endsFirings({ ...form, disabled: false }, { ...rule, disabled: true })).toBe(true);
  });
});

describe('rules in words', () => {
  it('says spans', () => {
    expect([5, 60, 180, 1440, 10_080, 125, 61].map(spanInWords)).toEqual([
      '5 minutes',
      'an hour',
      '3 hours',
      'a day',
      '7 days',
      '2 hours 5 minutes',
      '1 hour 1 minute',
    ]);
  });

  it('says what a rule waits for', () => {
    expect(ruleInWords(makeRule(1))).toBe(
      'an issue has at least 20 users within 15 minutes, that matches page:/checkout',
    );
    expect(ruleInWords(makeRule(0))).toBe('an issue is seen for the first time, of high priority');
    const share = draftOf({ ...named, measure: 'share', atLeast: '2.5' }, null).condition;
    expect(conditionInWords(share)).toBe('an issue has at least 2.5 % of sessions within 15 minutes');
    const once = draftOf({ ...named, measure: 'events', atLeast: '1' }, null).condition;
    expect(conditionInWords(once)).toBe('an issue has at least 1 event within 15 minutes');
  });
});

describe('who was told', () => {
  const rule = makeRule(1);
  const firing = makeFiring(rule, issueId(0));

  it('is the newest try of each channel for this firing', () => {
    const newest = makeDelivery(firing, { transition: 'resolved', time_ms: firing.opened_at + 9000 });
    const other = makeDelivery(firing, { channel: 'other', outcome: 'failed' });
    const deliveries = [
      newest,
      makeDelivery({ ...firing, subject: issueId(1) }),
      other,
      makeDelivery(firing),
      // Of a firing before this one.
      makeDelivery(firing, { channel: 'third', time_ms: firing.opened_at - 1 }),
    ];
    expect(toldOf(firing, deliveries, rule)).toEqual({ kind: 'tries', tries: [newest, other] });
  });

  it('is said where there is no try', () => {
    expect(toldOf({ ...firing, pending: 1 }, [], rule).kind).toBe('waiting');
    expect(toldOf({ ...firing, muted: true }, [], rule).kind).toBe('muted');
    expect(toldOf(firing, [], { ...rule, channels: [] }).kind).toBe('no-channels');
    expect(toldOf(firing, [], rule).kind).toBe('nobody');
    const later = { ...firing, opened_at: firing.opened_at + 60_000, subject: issueId(5) };
    const full = Array.from({ length: LIST_MAX }, () => makeDelivery(later));
    expect(toldOf(firing, full, rule).kind).toBe('unknown');
  });
});

describe('the form of a channel', () => {
  it('changes the name alone where nothing else was given', () => {
    for (const index of [0, 1, 2, 3]) {
      const channel = makeChannel(index);
      const form = { ...channelFormOf(channel), name: 'other' };
      expect(replacesSettings(form, channel)).toBe(false);
      expect(channelFaults(form, channel)).toEqual({});
    }
  });

  it('asks for the address again where the rest changes: it is not read back', () => {
    const channel = makeChannel(2);
    const form = { ...channelFormOf(channel), secret: 'x'.repeat(16) };
    expect(replacesSettings(form, channel)).toBe(true);
    expect(Object.keys(channelFaults(form, channel))).toEqual(['url']);
    expect(channelFaults({ ...form, url: 'https://hooks.shop.example/a' }, channel)).toEqual({});
  });

  it('sends what the kind needs and nothing else', () => {
    const all = {
      ...NEW_CHANNEL,
      url: ' https://a.example/b ',
      secret: ' ',
      routingKey: 'R1',
      recipients: 'a@b.c\n\n d@e.f',
    };
    expect(settingsOf({ ...all, kind: 'slack' })).toEqual({ kind: 'slack', url: 'https://a.example/b' });
    expect(settingsOf({ ...all, kind: 'webhook' })).toEqual({ kind: 'webhook', url: 'https://a.example/b' });
    expect(settingsOf({ ...all, kind: 'email' })).toEqual({ kind: 'email', recipients: ['a@b.c', 'd@e.f'] });
    expect(settingsOf({ ...all, kind: 'pagerduty' })).toEqual({ kind: 'pagerduty', routing_key: 'R1' });
    expect(settingsOf({ ...all, kind: 'pagerduty', isEuropean: true })).toEqual({
      kind: 'pagerduty',
      routing_key: 'R1',
      url: 'https://events.eu.pagerduty.com/v2/enqueue',
    });
  });
});

it('reads filters out of the address, and leaves out what makes no sense', () => {
  expect(readFiringFilters({ state: 'open', rule: '00000000a1e70001' })).toEqual({
    state: 'open',
    rule: '00000000a1e70001',
  });
  expect(readFiringFilters({ state: 'any', rule: '../x' })).toEqual({});
});

describe('hours', () => {
  it('are said in a few words', () => {
    const all = DAYS.map(({ key }) => key);
    const at = (...indexes: number[]) => indexes.flatMap((index) => all[index] ?? []);
    const said = (days: typeof all) => hoursInWords({ zone: 'UTC', days, from: '09:00', to: '18:00' });
    expect(said(at(0, 1, 2, 3, 4))).toBe('Mon–Fri 09:00–18:00');
    expect(said(at(0, 2, 6))).toBe('Mon, Wed, Sun 09:00–18:00');
    expect(said(at(5, 6))).toBe('Sat, Sun 09:00–18:00');
    expect(said(all)).toBe('every day 09:00–18:00');
  });
});

describe('maintenance', () => {
  const noon = Date.UTC(2026, 6, 1, 12);

  it('is now, to come or over', () => {
    const span = { from_ms: noon, to_ms: noon + 60 };
    expect([noon - 1, noon, noon + 60].map((now) => stateOf(span, now))).toEqual(['to come', 'now', 'over']);
  });

  it.each(['utc', 'local'] as const)('reads and writes fields in the zone that is shown (%s)', (zone) => {
    expect(timeOf(fieldOf(noon, zone), zone)).toBe(noon);
    expect(timeOf('', zone)).toBeNull();
  });

  it('tells what is wrong with a span, and with a number', () => {
    expect(fieldOf(noon, 'utc')).toBe('2026-07-01T12:00');
    expect(spanFault(null, noon, noon)).toMatch('begin');
    expect(spanFault(noon + 2, noon + 1, noon)).toMatch('after');
    expect(spanFault(noon - 2, noon - 1, noon)).toMatch('over');
    expect(spanFault(noon, noon + 1, noon)).toBeUndefined();
    expect(['', '0', '1001', '1.5', 'x'].map(messagesFault)).toEqual(Array(5).fill('must be 1 to 1,000'));
    expect(messagesFault('1000')).toBeUndefined();
  });
});
