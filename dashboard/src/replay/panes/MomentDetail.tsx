import type { ReactNode } from 'react';
import { formatPosition } from '../../format/duration';
import { formatClock } from '../../format/time';
import { Button, CopyButton, Icon, IconButton, useZoneMode } from '../../ui';
import type { Moment } from '../moments';
import { linkAt } from '../use-replay-keys';
import { ErrorDetail } from './ErrorDetail';
import type { PaneProps } from './Panes';
import { RequestDetail } from './RequestDetail';
import { consoleText } from '../moments';

/** What is known of the moment that was picked, under the list. */
export function MomentDetail(props: PaneProps & { only?: (moment: Moment) => boolean }) {
  const { picked, pick, only } = props;
  if (picked === null || only?.(picked) === false) return null;
  return (
    <section className="detail" aria-label={`${picked.label} at ${formatPosition(picked.at)}`}>
      <DetailHead
        {...props}
        moment={picked}
        close={() => {
          pick(null);
        }}
      />
      <DetailBody {...props} moment={picked} />
    </section>
  );
}

function DetailHead({ moment, manifest, watchBefore, close }: PaneProps & { moment: Moment; close: () => void }) {
  const [zone] = useZoneMode();
  return (
    <div className="detail-head">
      <span className="num muted">
        {formatPosition(moment.at, true)} · {formatClock(manifest.started_at + moment.at, zone, true)}
      </span>
      <span className="grow" />
      <Button
        kind="ghost"
        onClick={() => {
          watchBefore(moment);
        }}
        title="Play from 2.5 s before this"
      >
        <Icon name="play" small />
        What led here
      </Button>
      <CopyButton text={linkAt(moment.at)} label="Copy link to this moment" compact />
      <IconButton icon="close" label="Close" onClick={close} />
    </div>
  );
}

function DetailBody(props: PaneProps & { moment: Moment }): ReactNode {
  const { moment } = props;
  switch (moment.kind) {
    case 'request':
      return <RequestDetail {...props} />;
    case 'error':
      return <ErrorDetail {...props} />;
    case 'console':
      return <pre className="code-block">{consoleText(moment.data)}</pre>;
    default:
      return <Fields moment={moment} />;
  }
}

/** Any other signal as its fields. */
function Fields({ moment }: { moment: Moment }) {
  const fields = Object.entries(moment.data).filter(
    ([, value]) => value !== null && value !== undefined && value !== '',
  );
  return (
    <>
      <strong className="detail-title">
        {moment.label} {moment.title}
      </strong>
      <dl className="fields">
        {fields.map(([name, value]) => (
          <div key={name}>
            <dt>{name.replaceAll('_', ' ')}</dt>
            <dd className="mono">{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
