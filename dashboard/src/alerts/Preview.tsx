import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { previewRule, type AlertPreview, type AlertRuleDraft, type PreviewedFiring } from '../api/alerts';
import { asProblem } from '../api/problem';
import { formatDuration } from '../format/duration';
import { formatCount, formatCountOf } from '../format/number';
import { Panel } from '../settings/Panel';
import { Button, Chip, Skeleton, Time } from '../ui';
import { draftOf, faultsOf, type RuleForm } from './rule-draft';
import { ruleInWords } from './words';

const TYPING_PAUSE_MS = 500;

/** What the form asks, once nobody typed for a moment; null while it cannot be read. */
function useAsked(form: RuleForm): AlertRuleDraft | null {
  // A rule is tried before it has a name, and whether it is on or tells anybody makes no difference.
  const asked = { ...form, name: 'preview', disabled: false, channels: [], mutedUntil: null };
  const text = Object.keys(faultsOf(asked)).length > 0 ? '' : JSON.stringify(draftOf(asked, null));
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => {
      setSettled(text);
    }, TYPING_PAUSE_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [text]);
  return settled === '' ? null : (JSON.parse(settled) as AlertRuleDraft);
}

/** What the rule of a form would have fired over the last seven days, before it is saved. */
export function Preview({ project, form }: { project: string; form: RuleForm }) {
  const asked = useAsked(form);
  const preview = useQuery({
    queryKey: ['alert-preview', project, asked],
    queryFn: ({ signal }) => {
      if (asked === null) throw new Error('nothing to ask');
      return previewRule(project, asked, signal);
    },
    enabled: asked !== null,
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
  return (
    <Panel id="preview" title="Preview" about="What this rule would have fired over the last seven days.">
      {asked && <p className="preview-words">When {ruleInWords(asked)}.</p>}
      <div className="preview" data-stale={preview.isPlaceholderData || undefined} aria-live="polite">
        {asked === null ? (
          <p className="muted-text">Shown as soon as the fields can be read.</p>
        ) : preview.isError ? (
          <Failed error={preview.error} retry={() => void preview.refetch()} />
        ) : preview.data ? (
          <Result project={project} preview={preview.data} isKnown={asked.condition.kind !== 'silent'} />
        ) : (
          <div role="status" aria-label="Loading the preview">
            <Skeleton width="40%" />
          </div>
        )}
      </div>
    </Panel>
  );
}

function Failed({ error, retry }: { error: Error; retry: () => void }) {
  const problem = asProblem(error);
  return (
    <div role="alert">
      <p className="form-fault">{problem.message}</p>
      {problem.isRetryable && <Button onClick={retry}>Try again</Button>}
    </div>
  );
}

interface ResultProps {
  project: string;
  preview: AlertPreview;
  /** Whether anything of the past is kept for such a rule. */
  isKnown: boolean;
}

function Result({ project, preview: { items, total, notes, partial }, isKnown }: ResultProps) {
  return (
    <>
      {isKnown && (
        <p className="preview-total">
          {total === 0 ? 'It would not have fired.' : `It would have fired ${formatCountOf(total, 'time')}.`}
        </p>
      )}
      {partial && <p className="muted-text">Not all could be looked at: it may have been more.</p>}
      {(notes.length > 0 || !isKnown) && (
        <ul className="preview-notes">
          {notes.map((note) => (
            <li key={note}>{note[0]?.toUpperCase() + note.slice(1)}.</li>
          ))}
        </ul>
      )}
      {items.length > 0 && (
        <ol className="preview-list" aria-label="What it would have fired">
          {items.map((firing) => (
            <Item
              key={`${firing.issue ?? ''}-${String(firing.from_ms)}-${String(firing.grain_ms)}`}
              project={project}
              firing={firing}
            />
          ))}
        </ol>
      )}
      {total > items.length && <p className="muted-text">The newest {formatCount(items.length)} are shown.</p>}
    </>
  );
}

function Item({ project, firing }: { project: string; firing: PreviewedFiring }) {
  const { issue, title, why, from_ms, to_ms, grain_ms, certain } = firing;
  const grain = `Its times are known to ${formatDuration(grain_ms)}`;
  return (
    <li>
      <span className="preview-item-head">
        {issue === null ? (
          <span className="ell" title={title}>
            {title}
          </span>
        ) : (
          <Link to="/p/$project/issues/$issue" params={{ project, issue }} className="plain-link ell" title={title}>
            {title}
          </Link>
        )}
        {!certain && (
          <Chip tone="warn" title="What is kept of that time is too coarse to be sure">
            may have
          </Chip>
        )}
      </span>
      <span className="sub">{why}</span>
      <span className="sub" title={grain_ms > 0 ? grain : undefined}>
        <Time at={from_ms} />
        {to_ms === null ? '' : ' – '}
        {to_ms !== null && <Time at={to_ms} />}
      </span>
    </li>
  );
}
