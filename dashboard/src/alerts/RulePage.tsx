import '../settings/settings.css';
import './alerts.css';

import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { asProblem } from '../api/problem';
import { TopBar } from '../shell/TopBar';
import { EmptyState, ErrorState, NotRefreshed, Skeleton } from '../ui';
import { ruleQuery } from './queries';
import { RuleEditor } from './RuleEditor';

const NEW = 'new';

/** One rule, to be written or changed. */
export function RulePage() {
  const { project, rule: id } = useParams({ from: '/p/$project/alerts/rules/$rule' });
  const isNew = id === NEW;
  const rule = useQuery({ ...ruleQuery(project, id), enabled: !isNew });
  return (
    <div className="settings">
      <TopBar
        crumbs={[
          <Link key="alerts" to="/p/$project/alerts" params={{ project }}>
            Alerts
          </Link>,
          <Link key="rules" to="/p/$project/alerts/rules" params={{ project }}>
            Rules
          </Link>,
          isNew ? 'New rule' : (rule.data?.name ?? '…'),
        ]}
        facts={<NotRefreshed error={rule.data ? rule.error : null} />}
      />
      <div className="rule-scroll">
        {isNew ? (
          <RuleEditor key={NEW} project={project} rule={null} />
        ) : // What a list remembered may be older than what is saved.
        rule.data && rule.isFetchedAfterMount ? (
          <RuleEditor key={rule.data.id} project={project} rule={rule.data} />
        ) : (
          <Missing project={project} error={rule.data ? null : rule.error} retry={() => void rule.refetch()} />
        )}
      </div>
    </div>
  );
}

function Missing({ project, error, retry }: { project: string; error: Error | null; retry: () => void }) {
  if (error === null) {
    return (
      <section className="panel" aria-busy="true" role="status" aria-label="Loading the rule">
        <Skeleton width="30%" />
        <Skeleton width="80%" />
        <Skeleton width="65%" />
      </section>
    );
  }
  if (asProblem(error).status !== 404) {
    return <ErrorState title="The rule could not be loaded" error={error} retry={retry} />;
  }
  return (
    <EmptyState
      icon="bell"
      title="There is no such rule"
      actions={
        <Link to="/p/$project/alerts/rules" params={{ project }} className="btn primary">
          All rules
        </Link>
      }
    >
      <p>It was deleted, with what it fired.</p>
    </EmptyState>
  );
}
