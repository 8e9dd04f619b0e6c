import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { deleteRule, type AlertRule } from '../api/alerts';
import { Button, Dialog, toast, toastFailure } from '../ui';

interface DeleteRuleProps {
  project: string;
  rule: AlertRule;
  onDeleted: () => void;
}

/** Deletes a rule after it has asked. */
export function DeleteRule({ project, rule, onDeleted }: DeleteRuleProps) {
  const queries = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const close = () => {
    setAsking(false);
  };
  const remove = useMutation({
    mutationFn: () => deleteRule(project, rule.id),
    onSuccess: () => {
      toast(`“${rule.name}” is deleted`, 'ok');
      close();
      for (const key of ['alert-rules', 'alert-firings']) {
        void queries.invalidateQueries({ queryKey: [key, project] });
      }
      onDeleted();
    },
    onError: toastFailure('The rule was not deleted'),
  });
  return (
    <>
      <Button
        kind="ghost"
        onClick={() => {
          setAsking(true);
        }}
      >
        Delete…
      </Button>
      <Dialog
        open={isAsking}
        title={`Delete “${rule.name}”?`}
        onClose={close}
        actions={
          <>
            <Button onClick={close}>Keep it</Button>
            <Button
              kind="danger"
              disabled={remove.isPending}
              onClick={() => {
                remove.mutate();
              }}
            >
              {remove.isPending ? 'Deleting…' : 'Delete'}
            </Button>
          </>
        }
      >
        <p>
          What it fired goes with it, and so do messages that are still to be sent. To pause it, turn it off or mute it.
        </p>
      </Dialog>
    </>
  );
}
