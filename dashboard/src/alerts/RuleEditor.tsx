import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { createRule, replaceRule, type AlertRule } from '../api/alerts';
import { asProblem } from '../api/problem';
import { LeaveGuard } from '../settings/LeaveGuard';
import { Panel } from '../settings/Panel';
import { Button, toast, toastFailure } from '../ui';
import { DeleteRule } from './DeleteRule';
import { Preview } from './Preview';
import { rememberRule, ruleQuery } from './queries';
import { draftOf, endsFirings, faultsOf, formOf, isSameForm, NEW_RULE, type RuleForm } from './rule-draft';
import { RuleFields } from './RuleFields';

/** The form of a rule beside what it would have fired. `rule` is null for a new one. */
export function RuleEditor({ project, rule }: { project: string; rule: AlertRule | null }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  // What was read when the form was filled: a refresh of the page in the background does not change what is edited.
  const [known, setKnown] = useState(rule);
  const [form, setForm] = useState<RuleForm>(known ? formOf(known) : NEW_RULE);
  const [wasSent, setSent] = useState(false);
  const faults = faultsOf(form);
  const isChanged = !isSameForm(form, known ? formOf(known) : NEW_RULE);
  const save = useMutation({
    mutationFn: (version: number | null) =>
      known ? replaceRule(project, known.id, draftOf(form, version)) : createRule(project, draftOf(form, null)),
    onSuccess: (saved) => {
      rememberRule(queries, project, saved);
      toast(known ? 'Rule saved' : 'Rule created: it looks from now on', 'ok');
    },
    onError: (error) => {
      const problem = asProblem(error);
      if (problem.field === null && problem.code !== 'conflict') toastFailure('The rule was not saved')(error);
    },
  });
  const [isDeleted, setDeleted] = useState(false);
  const isDone = save.isSuccess || isDeleted;
  useEffect(() => {
    // Once the guard below knows that nothing is lost.
    if (isDone) void navigate({ to: '/p/$project/alerts/rules', params: { project } });
  }, [isDone, navigate, project]);
  const refused = save.error ? asProblem(save.error) : null;
  const readTheirs = useMutation({
    mutationFn: () => queries.fetchQuery({ ...ruleQuery(project, known?.id ?? ''), staleTime: 0 }),
    onError: toastFailure('The rule could not be read'),
  });
  const takeTheirs = () => {
    readTheirs.mutate(undefined, {
      onSuccess: (theirs) => {
        setKnown(theirs);
        setForm(formOf(theirs));
        save.reset();
      },
    });
  };
  const overwrite = () => {
    readTheirs.mutate(undefined, {
      onSuccess: (theirs) => {
        setKnown(theirs);
        save.mutate(theirs.version);
      },
    });
  };
  return (
    <div className="rule-columns">
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setSent(true);
          if (Object.keys(faults).length === 0) save.mutate(known?.version ?? null);
        }}
      >
        <Panel
          id="rule"
          title={known ? 'Rule' : 'New rule'}
          aside={
            known && (
              <DeleteRule
                project={project}
                rule={known}
                onDeleted={() => {
                  setDeleted(true);
                }}
              />
            )
          }
        >
          <RuleFields
            project={project}
            form={form}
            faults={wasSent || form.name !== '' ? faults : { ...faults, name: undefined }}
            refused={refused?.field ? refused : null}
            set={(change) => {
              if (save.isError) save.reset();
              setForm({ ...form, ...change });
            }}
          />
          {refused?.code === 'conflict' && (
            <Conflict isBusy={readTheirs.isPending || save.isPending} takeTheirs={takeTheirs} overwrite={overwrite} />
          )}
          {known && isChanged && endsFirings(form, known) && (
            <p className="rule-note">
              Saving this ends what the rule has fired: it asks something else than before, and looks from now on.
            </p>
          )}
          <div className="panel-actions">
            <Button kind="primary" type="submit" disabled={save.isPending || (known !== null && !isChanged)}>
              {save.isPending ? 'Saving…' : known ? 'Save' : 'Create rule'}
            </Button>
            <Button
              kind="ghost"
              onClick={() => {
                void navigate({ to: '/p/$project/alerts/rules', params: { project } });
              }}
            >
              Cancel
            </Button>
          </div>
        </Panel>
      </form>
      <Preview project={project} form={form} />
      <LeaveGuard isChanged={isChanged && !isDone} what="the rule" />
    </div>
  );
}

interface ConflictProps {
  isBusy: boolean;
  takeTheirs: () => void;
  overwrite: () => void;
}

/** Somebody else was faster. */
function Conflict({ isBusy, takeTheirs, overwrite }: ConflictProps) {
  return (
    <div className="rule-conflict" role="alert">
      <p>
        <strong>Somebody changed this rule while you were editing.</strong> Nothing of yours was saved.
      </p>
      <div className="rule-actions">
        <Button disabled={isBusy} onClick={takeTheirs}>
          Drop mine, show theirs
        </Button>
        <Button kind="danger" disabled={isBusy} onClick={overwrite}>
          Save mine over theirs
        </Button>
      </div>
    </div>
  );
}
