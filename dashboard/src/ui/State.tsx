import type { ReactNode } from 'react';
import { asProblem } from '../api/problem';
import { Button } from './Button';
import { Chip } from './Chip';
import { Icon, type IconName } from './Icon';
import { Tooltip } from './Tooltip';

interface StateProps {
  icon?: IconName;
  title: string;
  /** The state is all there is on the page, and its title the page's heading. */
  wholePage?: boolean;
  children?: ReactNode;
  actions?: ReactNode;
}

/** Nothing to show yet: says why and what to do next. */
export function EmptyState({ icon = 'sessions', title, wholePage = false, children, actions }: StateProps) {
  const Heading = wholePage ? 'h1' : 'h2';
  return (
    <div className="state">
      <Icon name={icon} />
      <Heading>{title}</Heading>
      {children}
      {actions && <div className="state-actions">{actions}</div>}
    </div>
  );
}

interface ErrorStateProps {
  /** What could not be done: `Sessions could not be loaded`. */
  title: string;
  error: unknown;
  retry?: () => void;
  wholePage?: boolean;
  actions?: ReactNode;
}

/** Something failed: says what, why, and offers to try again. */
export function ErrorState({ title, error, retry, wholePage = false, actions }: ErrorStateProps) {
  const Heading = wholePage ? 'h1' : 'h2';
  const problem = asProblem(error);
  return (
    <div className="state" role="alert">
      <Icon name="alert" />
      <Heading>{title}</Heading>
      <p>{problem.detail || problem.title}</p>
      {problem.status > 0 && (
        <p className="mono muted">
          {problem.status} {problem.code}
        </p>
      )}
      <div className="state-actions">
        {retry && (
          <Button kind="primary" onClick={retry}>
            Try again
          </Button>
        )}
        {actions}
      </div>
    </div>
  );
}

/** What is shown is older than it should be, because the newest refresh failed. */
export function NotRefreshed({ error }: { error: Error | null }) {
  if (!error) return null;
  return (
    <Tooltip text={error.message}>
      <Chip tone="warn" tabIndex={0}>
        not refreshed: trying again
      </Chip>
    </Tooltip>
  );
}
