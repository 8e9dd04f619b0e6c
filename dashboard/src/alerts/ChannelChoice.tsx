import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { asProblem } from '../api/problem';
import { Skeleton } from '../ui';
import { channelsQuery } from './queries';
import { channelKindName } from './words';

interface ChannelChoiceProps {
  project: string;
  legend: string;
  /** What it means that none is chosen. */
  none: string;
  chosen: readonly string[];
  onChange: (channels: readonly string[]) => void;
}

const CHANNELS_MAX = 10;

/** Whom a rule tells. */
export function ChannelChoice({ project, legend, none, chosen, onChange }: ChannelChoiceProps) {
  const channels = useQuery(channelsQuery(project));
  const known = channels.data ?? [];
  // What a rule names and is not there any more can only be taken out.
  const gone = channels.data ? chosen.filter((id) => !known.some((channel) => channel.id === id)) : [];
  const toggle = (id: string) => {
    onChange(chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id]);
  };
  const option = (id: string, name: string, about: string) => (
    <label key={id} className="rule-kind">
      <input
        type="checkbox"
        checked={chosen.includes(id)}
        disabled={!chosen.includes(id) && chosen.length >= CHANNELS_MAX}
        onChange={() => {
          toggle(id);
        }}
      />
      <span>
        {name}
        <span className="sub">{about}</span>
      </span>
    </label>
  );
  return (
    <fieldset className="rule-kinds">
      <legend>{legend}</legend>
      <div>
        {channels.isPending && <Skeleton width="60%" />}
        {channels.isError && !channels.data && <p className="form-fault">{asProblem(channels.error).message}</p>}
        {known.map(({ id, name, kind, target }) => option(id, name, `${channelKindName(kind)} · ${target}`))}
        {gone.map((id) => option(id, 'A deleted channel', 'Nobody is told there any more: take it out.'))}
        {channels.data && (
          <p className="muted-text">
            {known.length === 0 ? 'There is no channel yet. ' : chosen.length === 0 ? `${none} ` : ''}
            <Link to="/p/$project/alerts/channels" params={{ project }} className="link">
              {known.length === 0 ? 'Set up a channel' : 'All channels'}
            </Link>
          </p>
        )}
      </div>
    </fieldset>
  );
}
