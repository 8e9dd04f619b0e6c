import { Tabs } from 'radix-ui';
import { Chip, ErrorState, type Tone } from '../../ui';
import type { Shared } from '../Recording';
import type { Events } from '../use-events';
import { type Pane, PANES } from '../use-replay-view';
import { ConsolePane } from './ConsolePane';
import { DetailsPane } from './DetailsPane';
import { ErrorsPane } from './ErrorsPane';
import { EventsPane } from './EventsPane';
import { NetworkPane } from './NetworkPane';

export interface PaneProps extends Shared {
  events: Events;
}

const NAMES: Record<Pane, string> = {
  events: 'Events',
  console: 'Console',
  network: 'Network',
  errors: 'Errors',
  details: 'Details',
};

/** Everything that was noticed, beside the picture and in step with it. */
export function Panes(props: PaneProps) {
  const { view, events } = props;
  return (
    <Tabs.Root
      className="panes"
      value={view.pane}
      onValueChange={(pane) => {
        view.setPane(pane as Pane);
      }}
    >
      <Tabs.List className="pane-tabs" aria-label="What was noticed">
        {PANES.map((pane) => (
          <Tabs.Trigger key={pane} value={pane} className="pane-tab">
            {NAMES[pane]}
            <Count {...props} pane={pane} />
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      {PANES.map((pane) => (
        <Tabs.Content key={pane} value={pane} className="pane" tabIndex={-1}>
          {events.error !== null && pane !== 'details' ? (
            <ErrorState title="Events could not be loaded" error={events.error} retry={events.retry} />
          ) : (
            <PaneContent {...props} pane={pane} />
          )}
        </Tabs.Content>
      ))}
    </Tabs.Root>
  );
}

function PaneContent(props: PaneProps & { pane: Pane }) {
  switch (props.pane) {
    case 'events':
      return <EventsPane {...props} />;
    case 'console':
      return <ConsolePane {...props} />;
    case 'network':
      return <NetworkPane {...props} />;
    case 'errors':
      return <ErrorsPane {...props} />;
    case 'details':
      return <DetailsPane {...props} />;
  }
}

function Count({ pane, moments }: PaneProps & { pane: Pane }) {
  const [count, tone] = countOf(pane, moments);
  return count === 0 ? null : <Chip tone={tone}>{count}</Chip>;
}

function countOf(pane: Pane, moments: Shared['moments']): [number, Tone] {
  switch (pane) {
    case 'console':
      return [moments.filter((moment) => moment.kind === 'console').length, 'neutral'];
    case 'network':
      return [moments.filter((moment) => moment.kind === 'request' && moment.tone === 'error').length, 'error'];
    case 'errors':
      return [moments.filter((moment) => moment.kind === 'error').length, 'error'];
    default:
      return [0, 'neutral'];
  }
}
