import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { LIST_MAX, type Firing } from '../api/alerts';
import { formatCountOf } from '../format/number';
import { Button, Chip, ChoiceMenu, EmptyState, ErrorState, Icon } from '../ui';
import { AlertsFrame, LoadingRows } from './AlertsFrame';
import { DeliveriesDialog } from './DeliveriesDialog';
import { FIRING_STATES, readFiringFilters, type FiringFilters } from './filters';
import { FiringTable } from './FiringTable';
import { NothingFired } from './NothingFired';
import { firingsQuery, rulesQuery } from './queries';

/** What fires now, and what did. */
export function FiringsPage() {
  const { project } = useParams({ from: '/p/$project/alerts' });
  const filters = readFiringFilters({ ...useSearch({ from: '/p/$project/alerts' }) });
  const navigate = useNavigate({ from: '/p/$project/alerts' });
  const list = useQuery(firingsQuery(project, filters.state));
  const rules = useQuery(rulesQuery(project));
  const [asked, setAsked] = useState<Firing | null>(null);
  const set = (next: FiringFilters) => {
    void navigate({ to: '.', search: readFiringFilters({ ...next }) });
  };
  const firings = list.data?.items.filter(({ rule }) => filters.rule === undefined || rule === filters.rule);
  const open = firings?.filter(({ status }) => status === 'open').length ?? 0;
  const dropped = rules.data?.dropped ?? 0;
  return (
    <AlertsFrame
      project={project}
      refreshError={list.data ? list.error : null}
      facts={
        <>
          {open > 0 && <Chip tone="error">{formatCountOf(open, 'open alert')}</Chip>}
          {dropped > 0 && (
            <Chip tone="warn" title="The project has as many alerts as are kept; further issues do not trigger">
              {formatCountOf(dropped, 'issue')} could not trigger
            </Chip>
          )}
        </>
      }
      controls={
        <>
          <ChoiceMenu
            label="State"
            icon="filter"
            value={filters.state ?? 'any'}
            choices={FIRING_STATES}
            onChange={(state) => {
              set(readFiringFilters({ ...filters, state }));
            }}
          />
          {filters.rule !== undefined && <RuleFilter {...{ project, filters, set }} />}
        </>
      }
    >
      <Body {...{ project, filters, set, firings, list, showTold: setAsked }} />
      <DeliveriesDialog
        project={project}
        firing={asked}
        onClose={() => {
          setAsked(null);
        }}
      />
    </AlertsFrame>
  );
}

interface ChangeProps {
  project: string;
  filters: FiringFilters;
  set: (filters: FiringFilters) => void;
}

/** Which rule is looked at, the way to it, and the way back to all. */
function RuleFilter({ project, filters, set }: ChangeProps) {
  const rules = useQuery(rulesQuery(project)).data?.items;
  const id = filters.rule ?? '';
  const rule = rules?.find((each) => each.id === id);
  const name = rule?.name ?? (rules ? 'a deleted rule' : '…');
  return (
    <>
      <button
        type="button"
        className="filter-token"
        aria-label={`Remove filter rule: ${name}`}
        onClick={() => {
          set({ state: filters.state });
        }}
      >
        <span className="ell">rule: {name}</span>
        <Icon name="close" small />
      </button>
      {rule && (
        <Link to="/p/$project/alerts/rules/$rule" params={{ project, rule: id }} className="link">
          Open the rule
        </Link>
      )}
    </>
  );
}

interface BodyProps extends ChangeProps {
  firings: readonly Firing[] | undefined;
  list: {
    error: Error | null;
    isPlaceholderData: boolean;
    refetch: () => Promise<unknown>;
    data: { more: boolean } | undefined;
  };
  showTold: (firing: Firing) => void;
}

function Body({ project, filters, set, firings, list, showTold }: BodyProps) {
  if (firings === undefined) {
    if (list.error === null) return <LoadingRows label="Loading alerts" />;
    return <ErrorState title="Alerts could not be loaded" error={list.error} retry={() => void list.refetch()} />;
  }
  if (firings.length === 0 && (filters.state ?? filters.rule) === undefined) return <NothingFired project={project} />;
  if (firings.length === 0) {
    return (
      <EmptyState
        icon="filter"
        title="No alert matches"
        actions={
          <Button
            kind="primary"
            onClick={() => {
              set({});
            }}
          >
            Show all alerts
          </Button>
        }
      >
        <p>New ones that match show up by themselves.</p>
      </EmptyState>
    );
  }
  return (
    <FiringTable
      project={project}
      firings={firings}
      isStale={list.isPlaceholderData}
      showTold={showTold}
      footer={
        list.data?.more
          ? `The ${String(LIST_MAX)} newest are shown; there are more`
          : `${formatCountOf(firings.length, 'alert')} of the last 30 days · that is all`
      }
    />
  );
}
