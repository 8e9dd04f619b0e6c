import type { IssueChangeRecord } from '../api/issues';
import { Panel } from '../settings/Panel';
import { Time } from '../ui';

/** Who changed what and when, the newest first. */
export function History({ records }: { records: readonly IssueChangeRecord[] }) {
  const ordered = [...records].sort((one, other) => other.time_ms - one.time_ms);
  return (
    <Panel id="history" title="History">
      {ordered.length === 0 && <p className="muted">Nobody has changed anything yet.</p>}
      <ul className="history">
        {ordered.map(({ time_ms, actor, change }, index) => (
          <li key={index}>
            <span>
              <span className="strong">{actor || 'Playhead'}</span> {change}
            </span>
            <span className="muted">
              <Time at={time_ms} relative />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
