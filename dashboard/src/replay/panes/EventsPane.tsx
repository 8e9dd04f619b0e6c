import { formatPosition } from '../../format/duration';
import { Icon, type IconName } from '../../ui';
import { pathOf } from '../../format/text';
import { type Moment, text } from '../moments';
import { MomentDetail } from './MomentDetail';
import { type Filter, usePaneSearch } from './PaneSearch';
import type { PaneProps } from './Panes';
import { PathText } from './PathText';
import { SyncedList } from './SyncedList';

const all = () => true;

const FILTERS: readonly Filter[] = [
  {
    name: 'Actions',
    test: ({ kind }) => ['click', 'input', 'navigation', 'page', 'rage_click', 'dead_click'].includes(kind),
  },
  { name: 'Problems', test: ({ tone }) => tone === 'error' || tone === 'warn' || tone === 'frustration' },
];

const ICONS: Partial<Record<string, IconName>> = {
  page: 'link',
  navigation: 'link',
  error: 'alert',
  request: 'refresh',
  websocket: 'refresh',
  console: 'right',
  click: 'plus',
  input: 'key',
  rage_click: 'alert',
  dead_click: 'close',
  vital: 'clock',
  long_task: 'clock',
  visibility: 'sessions',
  custom: 'check',
  identify: 'user',
  gap: 'filter',
  degraded: 'filter',
  end: 'close',
};

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

const WITH_PATH = new Set(['page', 'navigation', 'request', 'websocket']);
const PATH_TAIL = 20;

function EventRow({ moment }: { moment: Moment }) {
  const path = WITH_PATH.has(moment.kind) ? pathOf(moment.title) : null;
  return (
    <>
      <span className="muted num">{formatPosition(moment.at)}</span>
      <span className="event-icon">
        <Icon name={ICONS[moment.kind] ?? 'right'} small />
      </span>
      <span className="event-label">{moment.label}</span>
      {path === null ? (
        <span className="ell" title={moment.title}>
          {moment.title}
        </span>
      ) : (
        <PathText path={path} title={text(moment.data['url']) ?? ''} tail={PATH_TAIL} />
      )}
    </>
  );
}
