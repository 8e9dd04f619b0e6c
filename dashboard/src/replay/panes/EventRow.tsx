import { formatPosition } from '../../format/duration';
import { pathOf } from '../../format/text';
import { Icon, type IconName } from '../../ui';
import { type Moment, text } from '../moments';
import { PathText } from './PathText';

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

const WITH_PATH = new Set(['page', 'navigation', 'request', 'websocket']);
const PATH_TAIL = 20;

/** What happened in one line: when, what, to what. */
export function EventRow({ moment }: { moment: Moment }) {
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
