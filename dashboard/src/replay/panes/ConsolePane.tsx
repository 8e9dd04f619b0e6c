import { formatPosition } from '../../format/duration';
import { Chip } from '../../ui';
import { consoleText, type Moment, number } from '../moments';
import { MomentDetail } from './MomentDetail';
import { type Filter, usePaneSearch } from './PaneSearch';
import type { PaneProps } from './Panes';
import { SyncedList } from './SyncedList';

const isConsole = ({ kind }: Moment) => kind === 'console';

const FILTERS: readonly Filter[] = [
  { name: 'Errors', test: ({ data }) => data['level'] === 'error' },
  { name: 'Warnings', test: ({ data }) => data['level'] === 'warn' },
];

export function ConsolePane(props: PaneProps) {
  const { items, bar, empty } = usePaneSearch(props, {
    belongs: isConsole,
    placeholder: 'Search the console',
    filters: FILTERS,
    emptyTitle: 'The console stayed empty',
    emptyText: 'What the page writes to the console shows here, with its arguments.',
  });
  return (
    <>
      {bar}
      {empty ?? (
        <SyncedList
          engine={props.player.engine}
          items={items}
          label="Console"
          picked={props.picked}
          onPick={props.seekTo}
          rowClass="console-row"
          row={(moment) => <ConsoleRow moment={moment} />}
        />
      )}
      <MomentDetail {...props} />
    </>
  );
}

function ConsoleRow({ moment }: { moment: Moment }) {
  const count = number(moment.data['count']) ?? 1;
  return (
    <>
      <span className="muted num">{formatPosition(moment.at)}</span>
      <span className="level">{String(moment.data['level'] ?? 'log')}</span>
      <span className="mono ell">{consoleText(moment.data)}</span>
      {count > 1 && <Chip>×{count}</Chip>}
    </>
  );
}
