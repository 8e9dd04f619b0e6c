import { useQuery } from '@tanstack/react-query';
import { meQuery, useProject } from '../api/queries';
import { Chip, CopyButton, EmptyState, Icon } from '../ui';

/** The first thing a newcomer sees: what to paste, and that we are waiting for it. */
export function NoSessions({ projectId }: { projectId: string }) {
  const project = useProject(projectId);
  const demo = useQuery(meQuery).data?.installation.demo_url;
  return (
    <EmptyState
      title="No sessions yet"
      actions={
        <>
          {project && <CopyButton kind="primary" text={project.script_tag} label="Copy script tag" />}
          {demo && (
            <a className="btn" href={demo} target="_blank" rel="noreferrer">
              Try the demo shop
              <Icon name="external" small />
            </a>
          )}
        </>
      }
    >
      <p>Paste this tag into the head of your page. The first session shows here within seconds of its first event.</p>
      {project && (
        <pre className="code-block no-sessions-tag" tabIndex={0} aria-label="Script tag">
          {project.script_tag}
        </pre>
      )}
      <Chip tone="info" className="live">
        <span className="dot" />
        waiting for the first event
      </Chip>
    </EmptyState>
  );
}
