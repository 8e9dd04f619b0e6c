import type { GroupingPart } from '../api/issues';
import { Panel } from '../settings/Panel';
import { Icon } from '../ui';

/** Why these errors are one issue: the parts that counted first. */
export function Grouping({ parts }: { parts: readonly GroupingPart[] }) {
  const ordered = [...parts].sort((one, other) => Number(other.counted) - Number(one.counted));
  return (
    <Panel
      id="grouping"
      title="Why these are one issue"
      about="Errors whose counted parts are equal belong together, in every browser and after the next build."
    >
      {ordered.length === 0 && <p className="muted">The parts of this group were not kept.</p>}
      <ul className="grouping">
        {ordered.map((part, index) => (
          <li key={index} className={part.counted ? 'counted' : ''}>
            <Icon name={part.counted ? 'check' : 'close'} small />
            <div>
              <span className="strong">{part.name.replaceAll('_', ' ')}</span>{' '}
              <span className="muted">{part.counted ? 'counted' : 'did not count'}</span>
              {part.values.map((value, position) => (
                <code className="mono part-value" key={position}>
                  {value}
                </code>
              ))}
              {part.why !== '' && <p className="muted">{part.why}</p>}
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
