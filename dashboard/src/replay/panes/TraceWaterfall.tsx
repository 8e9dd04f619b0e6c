import { type CSSProperties, useMemo } from 'react';
import { formatDuration } from '../../format/duration';
import { pathOf } from '../../format/text';
import { type Moment, number, text } from '../moments';
import { type Backend, type PlacedSpan, shortly } from './spans';
import { type Split, wholeTime } from './timing';

interface Props {
  moment: Moment;
  parts: readonly Split[];
  /** Null when no spans of it are there. */
  backend: Backend | null;
  loading: boolean;
}

/** One request from the click to the database: the browser's part and the backend's spans on one scale. */
export function TraceWaterfall({ moment, parts, backend, loading }: Props) {
  const { data } = moment;
  const whole = wholeTime(data);
  const scale = useMemo(() => {
    const ends = (backend?.spans ?? []).map(({ span, from }) => from + span.duration);
    return Math.max(whole, ...ends, 1);
  }, [backend, whole]);
  if (text(data['trace_id']) === null) return null;
  if (backend === null) {
    return loading ? null : <p className="muted">Backend: unknown. No spans of this request’s trace have come.</p>;
  }
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
    </section>
  );
}

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
      <span className="waterfall">
        <span
          className={`waterfall-bar ${span.failed ? 'failed' : 'backend'}`}
          style={placed(from, span.duration, scale)}
        />
      </span>
      <span className="num muted">{formatDuration(span.duration)}</span>
    </li>
  );
}

function Notes({ backend: { skewMs, more } }: { backend: Backend }) {
  return (
    <>
      {skewMs > 0 ? (
        <p className="muted">
          The clocks of browser and backend disagree by {formatDuration(skewMs)} or so: spans are shown inside of what
          led to them, their lengths as told.
        </p>
      ) : null}
      {more > 0 ? <p className="muted">{more} more spans of this trace are not shown.</p> : null}
    </>
  );
}
