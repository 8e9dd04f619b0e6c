import { EventRow } from './EventRow';
import { MomentDetail } from './MomentDetail';
import { type Filter, usePaneSearch } from './PaneSearch';
import type { PaneProps } from './Panes';
import { SyncedList } from './SyncedList';

const all = () => true;

const FILTERS: readonly Filter[] = [
  {
    name: 'Actions',
    test: ({ kind }) => ['click', 'input', 'navigation', 'page', 'rage_click', 'dead_click'].includes(kind),
  },
  { name: 'Problems', test: ({ tone }) => tone === 'error' || tone === 'warn' || tone === 'frustration' },
];

/** Everything that happened, in order. */
export function EventsPane(props: PaneProps) {
  const { items, bar, empty } = usePaneSearch(props, {
    belongs: all,
    placeholder: 'Search events',
    filters: FILTERS,
    emptyTitle: 'No events yet',
    emptyText: 'Clicks, navigations, requests, errors and custom events show here as they arrive.',
  });
  return (
    <>
      {bar}
      {empty ?? (
        <SyncedList
          engine={props.player.engine}
          items={items}
          label="Events"
          picked={props.picked}
          onPick={props.seekTo}
          rowClass="event-row"
          row={(moment) => <EventRow moment={moment} />}
        />
      )}
      <MomentDetail {...props} />
    </>
  );
}
