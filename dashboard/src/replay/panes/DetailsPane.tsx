import type { ReactNode } from 'react';
import type { Session } from '../../api/model';
import { formatDuration } from '../../format/duration';
import { formatBytes, formatCount, formatShare } from '../../format/number';
import { countryName, productName } from '../../format/text';
import { formatFullTime, formatIso } from '../../format/time';
import { CopyButton, useZoneMode } from '../../ui';
import type { PaneProps } from './Panes';

interface Fact {
  name: string;
  value: ReactNode;
  /** What the copy button puts on the clipboard. */
  copy?: string;
}

/** Who, with what, from where; and what of it was kept. Unknown facts say so. */
export function DetailsPane({ session, manifest }: PaneProps) {
  const [zone] = useZoneMode();
  const groups: [string, Fact[]][] = [
    ['Person', personFacts(session)],
    ['Client', clientFacts(session)],
    [
      'Session',
      [
        { name: 'Session id', value: session.id, copy: session.id },
        { name: 'Started', value: formatFullTime(session.started_at, zone), copy: formatIso(session.started_at) },
        {
          name: session.state === 'live' ? 'Last heard' : 'Ended',
          value: formatFullTime(session.ended_at, zone),
          copy: formatIso(session.ended_at),
        },
        { name: 'Length', value: formatDuration(session.duration_ms) },
        { name: 'Pages', value: <Pages session={session} /> },
        { name: 'Release', value: session.release, ...(session.release === null ? {} : { copy: session.release }) },
        { name: 'Environment', value: session.environment },
      ],
    ],
    [
      'Recording',
      [
        { name: 'State', value: [manifest.state.replaceAll('_', ' '), ...manifest.reasons].join('. ') },
        { name: 'Tabs, page loads', value: `${formatCount(session.tabs)}, ${formatCount(session.streams)}` },
        {
          name: 'Sampling',
          value: `recording ${formatShare(session.sampling.dom)}, on error ${formatShare(session.sampling.dom_on_error)}, events ${formatShare(session.sampling.signals)}`,
        },
        { name: 'Stored', value: formatBytes(session.stored_bytes) },
        { name: 'Kept until', value: formatFullTime(session.expires_at, zone) },
        {
          name: 'Clock',
          value: session.clock_skewed ? 'the browser’s clock was off; times are corrected' : 'in step with the server',
        },
        { name: 'SDK', value: session.sdk },
      ],
    ],
  ];
  return (
    <div className="details" tabIndex={0} role="region" aria-label="Details">
      {groups.map(([name, facts]) => (
        <section key={name}>
          <h2>{name}</h2>
          <dl className="fields">
            {facts.map((fact) => (
              <FactRow key={fact.name} {...fact} />
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}

function FactRow({ name, value, copy }: Fact) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="fact">
        <span className="grow">{value ?? <span className="muted">unknown</span>}</span>
        {copy !== undefined && <CopyButton text={copy} label={`Copy ${name.toLowerCase()}`} compact />}
      </dd>
    </div>
  );
}

function personFacts({ user, country, ip, language, time_zone }: Session): Fact[] {
  const traits = Object.entries(user?.traits ?? {}).map(([name, value]) => ({
    name,
    value: typeof value === 'string' ? value : JSON.stringify(value),
  }));
  return [
    { name: 'User id', value: user?.id ?? null, ...(user?.id ? { copy: user.id } : {}) },
    { name: 'E-mail', value: user?.email ?? null, ...(user?.email ? { copy: user.email } : {}) },
    ...traits,
    { name: 'Country', value: country === null ? null : countryName(country) },
    {
      name: 'IP',
      value: ip ?? <span className="muted">not stored (project setting)</span>,
      ...(ip === null ? {} : { copy: ip }),
    },
    { name: 'Language', value: language },
    { name: 'Time zone', value: time_zone },
  ];
}

function clientFacts({ browser, os, device, screen, user_agent }: Session): Fact[] {
  return [
    { name: 'Browser', value: productName(browser) },
    { name: 'System', value: [os.name, os.version].filter(Boolean).join(' ') || null },
    { name: 'Device', value: device },
    { name: 'Screen', value: screen === null ? null : `${String(screen.width)} × ${String(screen.height)} px` },
    { name: 'User agent', value: user_agent, ...(user_agent === null ? {} : { copy: user_agent }) },
  ];
}

function Pages({ session }: { session: Session }) {
  return (
    <ul>
      {session.pages.map((page) => (
        <li key={page} className="mono page-link" title={page}>
          {page}
        </li>
      ))}
      {session.page_count > session.pages.length && (
        <li className="muted">and {session.page_count - session.pages.length} more</li>
      )}
    </ul>
  );
}
