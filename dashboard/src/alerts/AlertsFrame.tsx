import '../sessions/sessions.css';
import '../settings/settings.css';
import '../performance/performance.css';
import './alerts.css';

import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { TopBar } from '../shell/TopBar';
import { NotRefreshed, Skeleton } from '../ui';

const TABS = [
  { to: '/p/$project/alerts', label: 'Fired' },
  { to: '/p/$project/alerts/rules', label: 'Rules' },
  { to: '/p/$project/alerts/channels', label: 'Channels' },
  { to: '/p/$project/alerts/settings', label: 'Settings' },
] as const;

interface FrameProps {
  project: string;
  facts?: ReactNode;
  refreshError: Error | null;
  /** Beside the tabs: filters, and what can be done. */
  controls?: ReactNode;
  children: ReactNode;
}

/** What all lists of the alerts stand in: top bar, tabs and controls. */
export function AlertsFrame({ project, facts, refreshError, controls, children }: FrameProps) {
  return (
    <div className="sessions">
      <TopBar
        crumbs={['Alerts']}
        facts={
          <span className="facts" aria-live="polite">
            {facts}
            <NotRefreshed error={refreshError} />
          </span>
        }
      />
      <div className="filters">
        <nav className="section-tabs" aria-label="Parts of the alerts">
          {TABS.map(({ to, label }) => (
            <Link
              key={to}
              to={to}
              params={{ project }}
              activeProps={{ className: 'on', 'aria-current': 'page' as const }}
              activeOptions={{ includeSearch: false, exact: true }}
            >
              {label}
            </Link>
          ))}
        </nav>
        {controls}
      </div>
      {children}
    </div>
  );
}

export function LoadingRows({ label }: { label: string }) {
  return (
    <div className="sessions-scroll performance-loading" aria-busy="true" aria-label={label} role="status">
      {Array.from({ length: 8 }, (_, index) => (
        <Skeleton key={index} width={`${String(50 + ((index * 17) % 45))}%`} />
      ))}
    </div>
  );
}
