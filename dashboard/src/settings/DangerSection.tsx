import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { deleteUser, updateProject } from '../api/endpoints';
import type { Project } from '../api/model';
import { projectsQuery } from '../api/queries';
import { formatCountOf } from '../format/number';
import { Button, Dialog, toast, toastFailure } from '../ui';
import { Panel } from './Panel';

/** What cannot be undone, or stops recording. */
export function DangerSection({ project }: { project: Project }) {
  return (
    <Panel id="danger" title="Danger zone" tone="danger">
      <DeleteUser projectId={project.id} />
      <DisableProject project={project} />
    </Panel>
  );
}

function DeleteUser({ projectId }: { projectId: string }) {
  const id = useId();
  const queries = useQueryClient();
  const [user, setUser] = useState('');
  const [isAsking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => deleteUser(projectId, user.trim()),
    onSuccess: ({ sessions }) => {
      toast(`${formatCountOf(sessions, 'session')} of ${user.trim()} deleted`, 'ok');
      setUser('');
      setAsking(false);
      void queries.invalidateQueries({ queryKey: ['sessions', projectId] });
      void queries.invalidateQueries({ queryKey: ['sessions-first', projectId] });
    },
    onError: toastFailure('The data could not be deleted'),
  });
  const close = () => {
    setAsking(false);
  };
  return (
    <form
      className="danger-row"
      onSubmit={(event) => {
        event.preventDefault();
        if (user.trim() !== '') setAsking(true);
      }}
    >
      <div className="grow">
        <label htmlFor={id} className="strong">
          Delete a user’s data
        </label>
        <p className="muted-text">Every session of a user, by id or e-mail address, recordings included.</p>
      </div>
      <input
        id={id}
        className="text-field"
        value={user}
        placeholder="ana@shop.example"
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => {
          setUser(event.target.value);
        }}
      />
      <Button kind="danger" type="submit" disabled={user.trim() === ''}>
        Delete…
      </Button>
      <Dialog
        open={isAsking}
        title={`Delete everything about ${user.trim()}?`}
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
              {remove.isPending ? 'Deleting…' : 'Delete for good'}
            </Button>
          </>
        }
      >
        <p>
          Sessions and recordings of this user are erased at once, and what still arrives from their open sessions is
          dropped. This cannot be undone.
        </p>
      </Dialog>
    </form>
  );
}

function DisableProject({ project }: { project: Project }) {
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: () => updateProject(project.id, { disabled: !project.disabled }),
    onSuccess: (updated) => {
      queries.setQueryData(projectsQuery.queryKey, (known) =>
        known?.map((candidate) => (candidate.id === updated.id ? updated : candidate)),
      );
      toast(updated.disabled ? 'The project no longer takes recordings' : 'The project takes recordings again', 'ok');
    },
    onError: toastFailure('The project could not be changed'),
  });
  return (
    <div className="danger-row">
      <div className="grow">
        <span className="strong">{project.disabled ? 'This project is disabled' : 'Disable the project'}</span>
        <p className="muted-text">
          {project.disabled
            ? 'Pages that send to it are refused. What was recorded can still be seen.'
            : 'Pages that send to it are refused within 10 seconds. What was recorded can still be seen.'}
        </p>
      </div>
      <Button
        kind={project.disabled ? 'plain' : 'danger'}
        disabled={change.isPending}
        onClick={() => {
          change.mutate();
        }}
      >
        {project.disabled ? 'Enable' : 'Disable'}
      </Button>
    </div>
  );
}
