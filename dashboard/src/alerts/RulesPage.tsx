import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { replaceRule, type AlertChannel, type AlertRule, type Firing } from '../api/alerts';
import { asProblem } from '../api/problem';
import { formatCount, formatCountOf } from '../format/number';
import { Chip, EmptyState, ErrorState, Icon, Switch, Time, toast, toastFailure, useNow } from '../ui';
import { AlertsFrame, LoadingRows } from './AlertsFrame';
import { channelsQuery, firingsQuery, rememberRule, rulesQuery } from './queries';
import { draftOf, formOf } from './rule-draft';
import { isMuted } from './told';
import { hoursInWords, ruleInWords, spanInWords } from './words';

/** The rules of a project: what they wait for, whom they tell, and when they last fired. */
export function RulesPage() {
  const { project } = useParams({ from: '/p/$project/alerts/rules' });
  const rules = useQuery(rulesQuery(project));
  const evaluated = rules.data?.evaluated_to ?? null;
  return (
    <AlertsFrame
      project={project}
      refreshError={rules.data ? rules.error : null}
      facts={
        evaluated !== null && (
          <Chip title="Up to then all that was received has been looked at">
            looked at up to <Time at={evaluated} relative />
          </Chip>
        )
      }
      controls={
        <>
          <span className="grow" />
          <Link to="/p/$project/alerts/rules/$rule" params={{ project, rule: 'new' }} className="btn primary">
            <Icon name="plus" small />
            New rule
          </Link>
        </>
      }
    >
      <Body project={project} />
    </AlertsFrame>
  );
}

function Body({ project }: { project: string }) {
  const rules = useQuery(rulesQuery(project));
  const channels = useQuery(channelsQuery(project)).data;
  const firings = useQuery(firingsQuery(project)).data;
  const items = rules.data?.items;
  if (items === undefined) {
    if (rules.error === null) return <LoadingRows label="Loading rules" />;
    return <ErrorState title="Rules could not be loaded" error={rules.error} retry={() => void rules.refetch()} />;
  }
  if (items.length === 0) {
    return (
      <EmptyState
        icon="bell"
        title="No rules"
        actions={
          <Link to="/p/$project/alerts/rules/$rule" params={{ project, rule: 'new' }} className="btn primary">
            Write a rule
          </Link>
        }
      >
        <p>Nothing is watched. A rule says what is worth waking somebody for, and whom.</p>
      </EmptyState>
    );
  }
  return (
    <div className="sessions-scroll" tabIndex={-1}>
      <table className="alerts-table rules-table" aria-label="Rules">
        <thead>
          <tr>
            <th scope="col">On</th>
            <th scope="col">Rule</th>
            <th scope="col">Tells</th>
            <th scope="col">Firing now</th>
            <th scope="col">Last fired</th>
          </tr>
        </thead>
        <tbody>
          {items.map((rule) => (
            <Row
              key={rule.id}
              project={project}
              rule={rule}
              channels={channels}
              firings={firings?.items.filter((firing) => firing.rule === rule.id)}
              areAllKnown={firings?.more === false}
            />
          ))}
        </tbody>
      </table>
      <div className="sessions-foot">{formatCountOf(items.length, 'rule')} · a project has at most 50</div>
    </div>
  );
}

interface RowProps {
  project: string;
  rule: AlertRule;
  channels: readonly AlertChannel[] | undefined;
  firings: readonly Firing[] | undefined;
  /** Whether there are no older ones than these. */
  areAllKnown: boolean;
}

function Row({ project, rule, channels, firings, areAllKnown }: RowProps) {
  const now = useNow();
  const firing = firings?.filter(({ status }) => status !== 'resolved').length ?? 0;
  const last = firings?.reduce((latest, { opened_at }) => Math.max(latest, opened_at), 0) ?? 0;
  return (
    <tr data-off={rule.disabled || undefined}>
      <td className="rule-on">
        <OnOff project={project} rule={rule} />
      </td>
      <th scope="row" className="rule-what">
        <span className="rule-name">
          <Link to="/p/$project/alerts/rules/$rule" params={{ project, rule: rule.id }} className="rule-link">
            {rule.name}
          </Link>
          {isMuted(rule, now) && (
            <Chip tone="warn">
              muted, <Time at={rule.muted_until_ms ?? 0} relative /> on again
            </Chip>
          )}
        </span>
        <span className="sub">
          When {ruleInWords(rule)}.
          {rule.hours && ` Told ${hoursInWords(rule.hours)} (${rule.hours.zone.replaceAll('_', ' ')}).`}
          {rule.escalation && ` Told to others after ${spanInWords(rule.escalation.after_minutes)}.`}
        </span>
      </th>
      <td data-label="Tells">
        <Tells rule={rule} channels={channels} />
      </td>
      <td data-label="Firing now">
        {firing === 0 ? (
          <span className="muted">–</span>
        ) : (
          <Link to="/p/$project/alerts" params={{ project }} search={{ rule: rule.id }} className="link">
            {formatCount(firing)}
          </Link>
        )}
      </td>
      <td data-label="Last fired">
        {last > 0 ? (
          <Link to="/p/$project/alerts" params={{ project }} search={{ rule: rule.id }} className="plain-link">
            <Time at={last} relative />
          </Link>
        ) : (
          <span className="muted" title={areAllKnown ? 'Not within the last 30 days' : undefined}>
            {areAllKnown ? 'never' : '–'}
          </span>
        )}
      </td>
    </tr>
  );
}

function Tells({ rule, channels }: Pick<RowProps, 'rule' | 'channels'>) {
  if (rule.channels.length === 0) {
    return <Chip tone="warn">{rule.escalation ? 'only others, later' : 'nobody: no channel'}</Chip>;
  }
  if (channels === undefined) return <span className="muted">{formatCountOf(rule.channels.length, 'channel')}</span>;
  return (
    <span className="chips">
      {rule.channels.map((id) => {
        const channel = channels.find((each) => each.id === id);
        return channel ? (
          <Chip key={id} title={channel.target}>
            <span className="ell">{channel.name}</span>
          </Chip>
        ) : (
          <Chip key={id} tone="warn">
            a deleted channel
          </Chip>
        );
      })}
    </span>
  );
}

/** Turns a rule on or off as it is shown; what others changed meanwhile is not overwritten. */
function OnOff({ project, rule }: { project: string; rule: AlertRule }) {
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: (disabled: boolean) =>
      replaceRule(project, rule.id, draftOf({ ...formOf(rule), disabled }, rule.version)),
    onSuccess: (saved) => {
      rememberRule(queries, project, saved);
      toast(saved.disabled ? `“${saved.name}” is off` : `“${saved.name}” is on, and looks from now on`, 'ok');
    },
    onError: (error) => {
      if (asProblem(error).code === 'conflict') {
        toast('Somebody changed this rule meanwhile: nothing was saved, and theirs is shown now.', 'error');
      } else toastFailure('The rule was not changed')(error);
      void queries.invalidateQueries({ queryKey: ['alert-rules', project] });
    },
  });
  return (
    <Switch
      checked={!rule.disabled}
      disabled={change.isPending}
      onChange={(on) => {
        change.mutate(!on);
      }}
    >
      <span className="hidden-text">{rule.name} is on</span>
    </Switch>
  );
}
