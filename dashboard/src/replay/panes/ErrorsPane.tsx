import { formatPosition } from '../../format/duration';
import { type Moment, text } from '../moments';
import { MomentDetail } from './MomentDetail';
import { usePaneSearch } from './PaneSearch';
import type { PaneProps } from './Panes';
import { SyncedList } from './SyncedList';

const isError = ({ kind }: Moment) => kind === 'error';

export function ErrorsPane(props: PaneProps) {
  const { items, bar, empty } = usePaneSearch(props, {
    belongs: isError,
    placeholder: 'Search errors and stacks',
    emptyTitle: 'No errors',
    emptyText: 'Uncaught errors, rejected promises and errors that the page reports show here.',
  });
  return (
    <>
      {bar}
      {empty ?? (
        <SyncedList
          engine={props.player.engine}
          items={items}
          label="Errors"
          picked={props.picked}
          onPick={props.seekTo}
          rowClass="error-row"
          row={(moment) => (
            <>
              <span className="muted num">{formatPosition(moment.at)}</span>
              <span className="strong ell">{moment.label}</span>
              <span className="ell" title={moment.title}>
                {moment.title}
              </span>
              <span className="muted">{mechanismOf(moment)}</span>
            </>
          )}
        />
      )}
      <MomentDetail {...props} only={isError} />
    </>
  );
}

const MECHANISMS: Record<string, string> = {
  unhandledrejection: 'rejection',
  captured: 'captured',
  uncaught: 'uncaught',
};

function mechanismOf({ data }: Moment): string {
  const mechanism = text(data['mechanism']) ?? '';
  return MECHANISMS[mechanism] ?? mechanism;
}
