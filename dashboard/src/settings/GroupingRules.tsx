import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { tryGroupingRules } from '../api/issues';
import type { DryRun, GroupingRule } from '../api/model';
import { asProblem } from '../api/problem';
import { formatCountOf } from '../format/number';
import { Button, Icon } from '../ui';
import { EMPTY_RULE, RULES_MAX } from './issue-draft';

type Rule = Required<GroupingRule>;

interface GroupingRulesProps {
  projectId: string;
  rules: readonly Rule[];
  /** What the server said of them. */
  fault: string | null;
  onChange: (rules: readonly Rule[]) => void;
}

const FIELDS: readonly { key: keyof Rule; label: string; placeholder: string }[] = [
  { key: 'path', label: 'Path', placeholder: '^/checkout/' },
  { key: 'type', label: 'Type', placeholder: '^PaymentError$' },
  { key: 'message', label: 'Message', placeholder: 'card \\d+ was refused' },
  { key: 'fingerprint', label: 'Fingerprint', placeholder: 'payments' },
];

/** Rules that make errors one issue, and what they would have done last week. */
export function GroupingRules({ projectId, rules, fault, onChange }: GroupingRulesProps) {
  const dryRun = useMutation({ mutationFn: () => tryGroupingRules(projectId, rules) });
  const change = (next: readonly Rule[]) => {
    dryRun.reset();
    onChange(next);
  };
  const problem = fault ?? (dryRun.error ? asProblem(dryRun.error).message : null);
  return (
    <div className="rules">
      <h3 className="panel-sub">Grouping rules</h3>
      <p className="muted-text">
        Regular expressions; an empty one matches all. Errors that match every pattern of a rule get its fingerprint:
        those with the same one are one issue. The first rule that matches decides.
      </p>
      <ol className="rule-list">
        {rules.map((rule, index) => (
          <li key={index} className="rule">
            {FIELDS.map(({ key, label, placeholder }) => (
              <label key={key} className="rule-field">
                <span>{label}</span>
                <input
                  className="text-field mono"
                  aria-label={`${label} of rule ${String(index + 1)}`}
                  value={rule[key]}
                  placeholder={placeholder}
                  spellCheck={false}
                  autoComplete="off"
                  onChange={(event) => {
                    change(rules.map((each, at) => (at === index ? { ...rule, [key]: event.target.value } : each)));
                  }}
                />
              </label>
            ))}
            <Button
              kind="ghost"
              className="icon-only"
              aria-label={`Remove rule ${String(index + 1)}`}
              onClick={() => {
                change(rules.filter((_, at) => at !== index));
              }}
            >
              <Icon name="close" small />
            </Button>
          </li>
        ))}
      </ol>
      {problem !== null && (
        <p className="form-fault" role="alert">
          {problem}
        </p>
      )}
      <div className="rule-actions">
        <Button
          disabled={rules.length >= RULES_MAX}
          onClick={() => {
            change([...rules, EMPTY_RULE]);
          }}
        >
          Add a rule
        </Button>
        {rules.length > 0 && (
          <Button
            disabled={dryRun.isPending}
            onClick={() => {
              dryRun.mutate();
            }}
          >
            {dryRun.isPending ? 'Trying…' : 'Try on the last week'}
          </Button>
        )}
      </div>
      {dryRun.data && <DryRunResult projectId={projectId} result={dryRun.data} />}
    </div>
  );
}

function DryRunResult({ projectId, result }: { projectId: string; result: DryRun }) {
  const looked = formatCountOf(result.issues, 'issue');
  return (
    <div className="dry-run" role="status">
      <p className="muted-text">
        {result.groups.length === 0 ? `No rule matches any of the ${looked} of the last week` : `Of ${looked}`}
        {result.not_kept > 0 && `; of ${formatCountOf(result.not_kept, 'other')} no occurrence is kept`}
        {result.partial && '; there are more, which were not looked at'}. Each was judged by its newest occurrence.
      </p>
      {result.groups.map((group) => (
        <section key={group.rule} aria-label={`Rule ${String(group.rule)}`}>
          <h4>
            Rule {group.rule} → <code className="mono">{group.fingerprint}</code>:{' '}
            {formatCountOf(group.issues.length, 'issue')} would be one
          </h4>
          <ul>
            {group.issues.map((issue) => (
              <li key={issue.id} className="dry-run-issue">
                <Link
                  to="/p/$project/issues/$issue"
                  params={{ project: projectId, issue: issue.id }}
                  className="link ell"
                  title={issue.title}
                >
                  {issue.title}
                </Link>
                <span className="muted-text num">{formatCountOf(issue.events, 'event')}</span>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
