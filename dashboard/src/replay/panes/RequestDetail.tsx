import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { formatDuration, formatPosition } from '../../format/duration';
import { formatBytes } from '../../format/number';
import { Button, Chip, CopyButton } from '../../ui';
import { type Moment, number, text } from '../moments';
import { useTrace } from '../use-spans';
import { statusOf } from './NetworkPane';
import type { PaneProps } from './Panes';
import { type Backend, backendOf, requestsBySpan, straysOf } from './spans';
import { asRecord, serverTime, type Split, splitTime } from './timing';
import { Strays, TraceWaterfall } from './TraceWaterfall';

/** One request: what was asked, what came back, where the time went, and the click that started it. */
export function RequestDetail(props: PaneProps & { moment: Moment }) {
  const { moment } = props;
  const { data } = moment;
  const url = text(data['url']) ?? '';
  const duration = number(data['duration_ms']);
  const asked = {
    projectId: props.session.project_id,
    sessionId: props.session.id,
    isLive: props.manifest.state === 'live',
  };
  const spans = useTrace(asked, text(data['trace_id']));
  const requests = useMemo(() => requestsBySpan(props.moments), [props.moments]);
  const backend = useMemo(() => spans && backendOf(moment, spans.traces, requests), [moment, spans, requests]);
  const strays = useMemo(() => (spans ? straysOf(moment, spans.traces, requests) : []), [moment, spans, requests]);
  const parts = splitTime(data, backend?.durationMs);
  return (
    <>
      <div className="request-title">
        <Chip tone={moment.tone === 'neutral' ? 'ok' : moment.tone}>{statusOf(moment)}</Chip>
        <strong className="mono grow request-url">
          {text(data['method']) ?? 'GET'} {url}
        </strong>
        <CopyButton text={url} label="Copy URL" compact />
        <span className="muted num">{duration === null ? 'open' : formatDuration(duration)}</span>
      </div>
      <Findings {...props} />
      <TimeSplit data={data} parts={parts} backend={backend ?? null} />
      <TraceWaterfall moment={moment} parts={parts} backend={backend} areAll={spans?.areAll !== false} />
      <Strays spans={strays} />
      <StartedBy {...props} />
      <Facts data={data} />
      <ServerTiming value={data['server_timing']} />
      <Headers name="Request headers" value={data['request_headers']} />
      <Headers name="Response headers" value={data['response_headers']} />
      <Body name="Request body" value={data['request_body']} />
      <Body name="Response body" value={data['response_body']} />
    </>
  );
}

/** What is wrong with it, with the way to the requests that belong to it and to its endpoint. */
function Findings({ moment, moments, seekTo, session }: PaneProps & { moment: Moment }) {
  const { findings } = moment;
  const endpoint = text(moment.data['endpoint']);
  if (findings === undefined) return null;
  return (
    <ul className="request-findings" aria-label="What is wrong">
      {findings.map(({ kind, words, requests }) => (
        <li key={kind}>
          {words[0]?.toUpperCase()}
          {words.slice(1)}. <Neighbours requests={requests} moment={moment} moments={moments} seekTo={seekTo} />
          {endpoint !== null && kind === 'slow' && (
            <Link
              to="/p/$project/endpoints/$endpoint"
              params={{ project: session.project_id, endpoint }}
              className="link"
            >
              Its endpoint
            </Link>
          )}
        </li>
      ))}
    </ul>
  );
}

/** The requests of a group before and after this one. */
function Neighbours({
  requests,
  moment,
  moments,
  seekTo,
}: Pick<PaneProps, 'moments' | 'seekTo'> & { requests: readonly string[]; moment: Moment }) {
  const at = requests.indexOf(moment.id);
  const step = (label: string, id: string | undefined) => {
    const other = moments.find((each) => each.id === id);
    return (
      other && (
        <Button
          kind="ghost"
          className="inline"
          onClick={() => {
            seekTo(other);
          }}
        >
          {label}
        </Button>
      )
    );
  };
  if (at < 0) return null;
  return (
    <>
      {step('The first', at === 0 ? undefined : requests[0])} {step('The next', requests[at + 1])}
    </>
  );
}

const MEANINGS: Record<Split['part'], string> = {
  network: 'Queueing in the browser, connecting, sending and receiving',
  backend: 'Waiting for the first byte of the answer',
  frontend: 'From the end of the answer to the frame that showed it, on top of the request itself',
  unknown: 'The browser told nothing about this part',
};

interface TimeSplitProps {
  data: Record<string, unknown>;
  parts: readonly Split[];
  backend: Backend | null;
}

function TimeSplit({ data, parts, backend }: TimeSplitProps) {
  const source =
    serverTime(data) !== null ? 'Server-Timing' : (backend?.durationMs ?? null) !== null ? 'its span' : null;
  if (parts.length === 0) return <p className="muted">How long it took is not known.</p>;
  return (
    <>
      <div className="split" aria-hidden="true">
        {parts.map(({ part, duration_ms }) => (
          <i key={part} className={part} style={{ flexGrow: duration_ms }} />
        ))}
      </div>
      <div className="legend">
        {parts.map(({ part, duration_ms }) => (
          <span
            key={part}
            title={
              part === 'backend' && source !== null ? `What the server says it took, by ${source}` : MEANINGS[part]
            }
          >
            <i className={part} />
            {part} {formatDuration(duration_ms)}
          </span>
        ))}
      </div>
    </>
  );
}

function StartedBy({ moment, moments, seekTo }: PaneProps & { moment: Moment }) {
  const id = text(moment.data['click']);
  const click = id === null ? undefined : moments.find((each) => each.kind === 'click' && each.data['id'] === id);
  if (click === undefined) return null;
  return (
    <p className="muted">
      Started by{' '}
      <Button
        kind="ghost"
        className="inline"
        onClick={() => {
          seekTo(click);
        }}
      >
        click on “{click.title}” at {formatPosition(click.at, true)}
      </Button>
    </p>
  );
}

function Facts({ data }: { data: Record<string, unknown> }) {
  const bytes = (name: string) => (number(data[name]) === null ? null : formatBytes(number(data[name]) ?? 0));
  const facts = [
    ['API', text(data['api'])],
    ['Outcome', text(data['outcome'])?.replaceAll('_', ' ') ?? null],
    ['Sent', bytes('request_bytes')],
    ['Received', bytes('response_bytes')],
    ['Trace', text(data['trace_id'])],
  ].filter((fact): fact is [string, string] => fact[1] !== null);
  return (
    <dl className="fields">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="mono">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function ServerTiming({ value }: { value: unknown }) {
  const entries = Array.isArray(value) ? value.map(asRecord) : [];
  if (entries.length === 0) return null;
  return (
    <>
      <h2>Server-Timing</h2>
      <dl className="fields">
        {entries.map((entry, index) => (
          <div key={index}>
            <dt>{text(entry['name']) ?? ''}</dt>
            <dd className="mono">
              {number(entry['duration_ms']) === null ? '' : formatDuration(number(entry['duration_ms']) ?? 0)}{' '}
              {text(entry['description']) ?? ''}
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Headers({ name, value }: { name: string; value: unknown }) {
  const headers = Object.entries(asRecord(value));
  if (headers.length === 0) return null;
  return (
    <details>
      <summary>
        {name} <span className="muted">{headers.length}</span>
      </summary>
      <dl className="fields">
        {headers.map(([header, content]) => (
          <div key={header}>
            <dt>{header}</dt>
            <dd className="mono">{String(content)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function Body({ name, value }: { name: string; value: unknown }) {
  const body = text(value);
  if (body === null) return null;
  return (
    <details>
      <summary>{name}</summary>
      <pre className="code-block">{body}</pre>
    </details>
  );
}
