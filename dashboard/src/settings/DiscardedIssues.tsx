import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { fetchDiscardedIssues, restoreIssue } from '../api/issues';
import { asProblem } from '../api/problem';
import { Button, Skeleton, Time, toast, toastFailure } from '../ui';

/** The issues that people discarded; each can be taken again. */
export function DiscardedIssues({ projectId }: { projectId: string }) {
  const queries = useQueryClient();
  const queryKey = ['discarded-issues', projectId];
  const list = useQuery({ queryKey, queryFn: ({ signal }) => fetchDiscardedIssues(projectId, signal) });
  const restore = useMutation({
    mutationFn: (issue: string) => restoreIssue(projectId, issue),
    onSuccess: (items) => {
      queries.setQueryData(queryKey, items);
      toast('Such errors make a new issue from a minute on.', 'ok');
    },
    onError: toastFailure('The issue is still discarded'),
  });
  return (
    <div className="discarded">
      <h3 className="panel-sub">Discarded issues</h3>
      {list.isPending && <Skeleton width="60%" />}
      {list.isError && !list.data && <p className="form-fault">{asProblem(list.error).message}</p>}
      {list.data?.length === 0 && <p className="muted-text">None.</p>}
      <ul>
        {list.data?.map((issue) => (
          <li className="key-row" key={issue.id}>
            <span className="grow ell" title={issue.title}>
              {issue.title || issue.id}
            </span>
            <span className="muted-text">
              {issue.to_ms === null ? (
                <>
                  since <Time at={issue.from_ms} /> by {issue.discarded_by}
                </>
              ) : (
                <>
                  until <Time at={issue.to_ms} />
                </>
              )}
            </span>
            {issue.to_ms === null && (
              <Button
                kind="ghost"
                aria-label={`Take ${issue.title} again`}
                disabled={restore.isPending}
                onClick={() => {
                  restore.mutate(issue.id);
                }}
              >
                Take again
              </Button>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
