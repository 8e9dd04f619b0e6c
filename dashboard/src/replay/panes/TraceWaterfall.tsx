import { type CSSProperties, useMemo } from 'react';
import { formatDuration } from '../../format/duration';
import { formatCount } from '../../format/number';
import { pathOf } from '../../format/text';
import { type Moment, number, text } from '../moments';
import { MOST_SPANS } from '../load-spans';
import { type PlacedSpan, scaleOf } from './placing';
import { type Backend, type BackendSpan, shortly, withoutSpans } from './spans';
import { type Split, wholeTime } from './timing';

interface Props {
  moment: Moment;
  parts: readonly Split[];
  /** Null when no spans of it are there; undefined until that is known. */
  backend: Backend | null | undefined;
  /** Whether all spans of its trace have been looked at. */
  areAll: boolean;
}

/** One request from the click to the database: the browser's part and the backend's spans on one scale. */
export function TraceWaterfall({ moment, parts, backend, areAll }: Props) {
  const { data } = moment;
  const whole = wholeTime(data);
  const scale = useMemo(() => scaleOf(whole, backend?.spans ?? []), [backend, whole]);
  if (text(data['trace_id']) === null || backend === undefined) return null;
  if (backend === null) return <p className="muted">{withoutSpans(data, areAll)}</p>;
  const duration = number(data['duration_ms']);
  return (
    <section aria-label="Waterfall of the trace">
      <h2>Trace</h2>
      <ol className="trace">
        <li className="trace-row">
          <span className="trace-name" title={text(data['url']) ?? ''}>
            {text(data['method']) ?? 'GET'} {pathOf(text(data['url']) ?? '')} <span className="muted">browser</span>
          </span>
          <span className="waterfall">
            <span className="waterfall-bar" style={placed(0, whole, scale)}>
              {parts.map(({ part, duration_ms }) => (
                <i key={part} className={part} style={{ flexGrow: duration_ms }} />
              ))}
            </span>
          </span>
          <span className="num muted">{duration === null ? 'unknown' : formatDuration(duration)}</span>
        </li>
        {backend.spans.map((each) => (
          <SpanRow key={each.span.id} placed={each} scale={scale} />
        ))}
      </ol>
      <Notes backend={backend} />
      {areAll ? null : <p className="muted">{FIRST_ONLY}</p>}
    </section>
  );
}

const FIRST_ONLY = `This trace has too many spans: only the first ${formatCount(MOST_SPANS)} were looked at.`;

function placed(from: number, length: number, scale: number): CSSProperties {
  const start = Math.min(Math.max(from, 0), scale);
  const end = Math.min(Math.max(from + length, start), scale);
  return { left: `${String((start / scale) * 100)}%`, width: `${String(((end - start) / scale) * 100)}%` };
}

const DEEPEST_INDENT = 8;

function SpanRow({ placed: { span, depth, from }, scale }: { placed: PlacedSpan; scale: number }) {
  const said = shortly(span);
  const about = [
    `${span.name}${span.service === '' ? '' : ` · ${span.service}`}${span.role === '' ? '' : ` · ${span.role}`}`,
    said,
    span.message,
    `${formatDuration(span.duration)}, starts ${formatDuration(from)} after the request`,
  ];
  return (
    <li className="trace-row" title={about.filter((line) => line !== '').join('\n')}>
      <span className="trace-name" style={{ paddingLeft: 10 * Math.min(depth + 1, DEEPEST_INDENT) }}>
        {span.failed ? <strong className="trace-failed">failed </strong> : null}
        {span.name} <span className="muted">{span.service}</span>
        {said === '' ? null : <span className="trace-said mono muted">{said}</span>}
        {span.message === '' ? null : <span className="trace-said muted">{span.message}</span>}
      </span>
      {from < scale ? (
        <span className="waterfall">
          <span
            className={`waterfall-bar ${span.failed ? 'failed' : 'backend'}`}
            style={placed(from, span.duration, scale)}
          />
        </span>
      ) : (
        <span className="muted trace-later">{formatDuration(from)} later</span>
      )}
      <span className="num muted">{formatDuration(span.duration)}</span>
    </li>
  );
}

function Notes({ backend: { shifts, more } }: { backend: Backend }) {
  return (
    <>
      {shifts.map(({ service, byMs }) => (
        <p className="muted" key={`${service} ${String(byMs)}`}>
          The clock of {service === '' ? 'the backend' : service} disagrees with the one before it: its spans are shown{' '}
          {formatDuration(Math.abs(byMs))} {byMs > 0 ? 'later' : 'earlier'} than it told, all alike, with their lengths
          and distances as told.
        </p>
      ))}
      {more > 0 ? <p className="muted">{more} more spans of this request are not shown.</p> : null}
    </>
  );
}

const MOST_STRAYS = 20;

/** Of the request's trace, but of no request that is known. */
export function Strays({ spans }: { spans: readonly BackendSpan[] }) {
  if (spans.length === 0) return null;
  return (
    <details>
      <summary>
        Spans of this trace that belong to no known request <span className="muted">{spans.length}</span>
      </summary>
      <ul className="trace">
        {spans.slice(0, MOST_STRAYS).map((span) => (
          <li key={span.id}>
            {span.failed ? <strong className="trace-failed">failed </strong> : null}
            {span.name} <span className="muted">{span.service}</span>{' '}
            <span className="num muted">{formatDuration(span.duration)}</span>
          </li>
        ))}
      </ul>
      {spans.length > MOST_STRAYS ? <p className="muted">{spans.length - MOST_STRAYS} more are not shown.</p> : null}
    </details>
  );
}
