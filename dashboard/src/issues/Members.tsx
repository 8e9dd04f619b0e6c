import type { IssueDetail, IssueMember } from '../api/issues';
import { formatCountOf } from '../format/number';
import { Panel } from '../settings/Panel';
import { Button, Time } from '../ui';
import { useSplitIssue } from './queries';

/** The issues that people merged into this one, each of which can be taken out again. */
export function Members({ issue, project }: { issue: IssueDetail; project: string }) {
  const { split, isPending } = useSplitIssue(project);
  if (issue.members.length === 0) return null;
  return (
    <Panel
      id="members"
      title={`Merged with ${formatCountOf(issue.members.length, 'issue')}`}
      about="Everything on this page is of all of them together. Users count once; split one off and it keeps its own counts."
    >
      <ul className="members">
        {issue.members.map((member) => (
          <li key={member.id}>
            <Member member={member} />
            <Button
              disabled={isPending}
              aria-label={`Split off ${member.title ?? member.id}`}
              onClick={() => {
                split(member.id);
              }}
            >
              Split
            </Button>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Member({ member }: { member: IssueMember }) {
  return (
    <div className="grow">
      <span className="member-title" title={member.title ?? member.id}>
        {member.title ?? <span className="muted">Nothing of it is kept any more</span>}
      </span>
      <span className="sub">
        {member.culprit && <span className="mono">{member.culprit} · </span>}
        {member.title !== null && (
          <>
            {formatCountOf(member.events, 'event')} in {formatCountOf(member.sessions, 'session')} ·{' '}
          </>
        )}
        merged <Time at={member.merged_at_ms} relative /> by {member.merged_by}
      </span>
    </div>
  );
}
