import { useMemo } from 'react';
import { formatDuration, formatPosition } from '../../format/duration';
import { formatBytes } from '../../format/number';
import { pathOf } from '../../format/text';
import type { FindingKind } from '../findings';
import { type Moment, number, text } from '../moments';
import { useSpans } from '../use-spans';
import { MomentDetail } from './MomentDetail';
import { type Filter, usePaneSearch } from './PaneSearch';
import type { PaneProps } from './Panes';
import { PathText } from './PathText';
import { SyncedList } from './SyncedList';
import { type Backend, backendOf, requestsBySpan } from './spans';
import { splitTime, wholeTime } from './timing';
import { groupsOf, SHORTEST_SCALE_MS, type Span } from './waterfall';

const isNetwork = ({ kind }: Moment) => kind === 'request' || kind === 'websocket';

const found = (moment: Moment, ...kinds: FindingKind[]) =>
  moment.findings?.some(({ kind }) => kinds.includes(kind)) === true;

const FILTERS: readonly Filter[] = [
  { name: 'Failed', test: ({ tone }) => tone === 'error' },
  { name: 'Slow', test: (moment) => moment.data['slow'] === true || found(moment, 'slow') },
  { name: 'Repeated', test: (moment) => found(moment, 'n_plus_one', 'retries') },
  { name: 'Cancelled', test: (moment) => found(moment, 'cancelled') },
  { name: 'WS', test: ({ kind }) => kind === 'websocket' },
];

export function NetworkPane(props: PaneProps) {
  const { items, bar, empty } = usePaneSearch(props, {
    belongs: isNetwork,
    placeholder: 'Search requests, bodies, headers',
    filters: FILTERS,
    emptyTitle: 'No requests',
    emptyText: 'Requests by fetch, XHR, beacon and WebSocket show here with their timing.',
  });
  const { session, manifest, moments } = props;
  const asked = { projectId: session.project_id, sessionId: session.id, isLive: manifest.state === 'live' };
  const spans = useSpans(asked);
  const requests = useMemo(() => requestsBySpan(moments), [moments]);
  const groups = useMemo(() => groupsOf(items), [items]);
  return (
    <>
      {bar}
      {empty ?? (
        <SyncedList
          engine={props.player.engine}
          items={items}
          label="Requests"
          picked={props.picked}
          onPick={props.seekTo}
          rowClass="request-row"
          row={(moment) => (
            <RequestRow
              moment={moment}
              span={groups.get(moment.id)}
              backend={spans ? backendOf(moment, spans.traces, requests) : null}
            />
          )}
        />
      )}
      <MomentDetail {...props} only={isNetwork} />
    </>
  );
}

interface RowProps {
  moment: Moment;
  span: Span | undefined;
  /** What the backend's spans tell of it. */
  backend: Backend | null;
}

function RequestRow({ moment, span, backend }: RowProps) {
  const { data } = moment;
  const path = pathOf(text(data['url']) ?? '');
  return (
    <>
      <span className="muted num">{formatPosition(moment.at)}</span>
      <span className="mono">{moment.kind === 'websocket' ? 'WS' : (text(data['method']) ?? 'GET')}</span>
      <span className="request-what">
        <PathText path={path} title={text(data['url']) ?? ''} />
        <Marks moment={moment} />
      </span>
      <span className="num">{statusOf(moment)}</span>
      <Bar moment={moment} span={span} backend={backend} />
      <span className="num muted">{lengthOf(moment)}</span>
    </>
  );
}

/** What its status and its bar do not say already. */
const MARKED: readonly FindingKind[] = ['slow', 'n_plus_one', 'retries'];

function Marks({ moment: { findings } }: { moment: Moment }) {
  const marks = findings?.filter(({ kind }) => MARKED.includes(kind)) ?? [];
  return marks.map(({ kind, label, words }) => (
    <span key={kind} className="request-mark" title={words}>
      {label}
    </span>
  ));
}

const OUTCOMES: Record<string, string> = { network_error: 'failed', aborted: 'aborted', timeout: 'timeout' };

export function statusOf({ kind, data }: Moment): string {
  if (kind === 'websocket') return text(data['direction']) ?? text(data['op']) ?? '';
  const status = number(data['status']);
  return status !== null && status > 0 ? String(status) : (OUTCOMES[text(data['outcome']) ?? ''] ?? '–');
}

function lengthOf({ kind, data }: Moment): string {
  const duration = number(data['duration_ms']);
  if (duration !== null) return formatDuration(duration);
  const bytes = number(data['bytes']);
  if (bytes !== null) return formatBytes(bytes);
  return kind === 'websocket' ? '' : 'open';
}

function Bar({ moment, span, backend }: RowProps) {
  const duration = wholeTime(moment.data);
  // A WebSocket's end says how long it was open: that is no span from here on.
  const isOver = moment.data['op'] === 'close';
  if (span === undefined || duration === 0 || isOver) return <span className="waterfall" />;
  const width = Math.max(SHORTEST_SCALE_MS, span.to - span.from);
  const parts = splitTime(moment.data, backend?.durationMs);
  const offset = moment.at - span.from;
  const title = [
    offset === 0 ? null : `starts ${formatDuration(offset)} after the first request of its group`,
    ...parts.map(({ part, duration_ms }) => `${part} ${formatDuration(duration_ms)}`),
    backend === null ? null : `${String(backend.spans.length)} spans of the backend, shown when it is picked`,
    `the lane is ${formatDuration(width)} long`,
  ];
  const place = {
    left: `${String((offset / width) * 100)}%`,
    width: `${String((duration / width) * 100)}%`,
  };
  return (
    <span className="waterfall" title={title.filter((line) => line !== null).join('\n')}>
      <span className="waterfall-bar" style={place}>
        {parts.map(({ part, duration_ms }) => (
          <i key={part} className={part} style={{ flexGrow: duration_ms }} />
        ))}
      </span>
    </span>
  );
}
