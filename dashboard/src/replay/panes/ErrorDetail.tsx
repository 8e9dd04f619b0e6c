import { Button, Chip, CopyButton, Icon } from '../../ui';
import { type Moment, text } from '../moments';
import type { PaneProps } from './Panes';
import { readStack } from './stack';
import { asRecord } from './timing';

const MOST_CAUSES = 8;

/** One error: what it says, where it came from, and what caused it. */
export function ErrorDetail({ moment, watchBefore }: PaneProps & { moment: Moment }) {
  const { data } = moment;
  return (
    <>
      <div className="request-title">
        <strong className="error-title grow">
          {moment.label}: {moment.title}
        </strong>
        <CopyButton
          text={`${moment.label}: ${moment.title}\n${text(data['stack']) ?? ''}`}
          label="Copy error and stack"
          compact
        />
      </div>
      <div className="chips">
        <Chip>{text(data['mechanism']) ?? 'unknown mechanism'}</Chip>
        <Chip tone={data['handled'] === true ? 'neutral' : 'error'}>
          {data['handled'] === true ? 'handled' : 'not handled'}
        </Chip>
        <Button
          kind="primary"
          onClick={() => {
            watchBefore(moment);
          }}
        >
          <Icon name="play" small />
          Watch the seconds before
        </Button>
      </div>
      <Stack stack={text(data['stack'])} message={moment.title} />
      <Causes value={data['causes']} name="Caused by" />
      <Causes value={data['errors']} name="One of its errors" />
      {text(data['component_stack']) !== null && (
        <details>
          <summary>Component stack</summary>
          <pre className="code-block">{text(data['component_stack'])}</pre>
        </details>
      )}
      {Object.keys(asRecord(data['context'])).length > 0 && (
        <details>
          <summary>Context</summary>
          <pre className="code-block">{JSON.stringify(data['context'], null, 2)}</pre>
        </details>
      )}
    </>
  );
}

/** The frames; the message, with which some browsers begin a stack, stands above it already. */
function Stack({ stack, message }: { stack: string | null; message: string }) {
  if (stack === null) return <p className="muted">No stack came with it.</p>;
  const lines = readStack(stack);
  const [first] = lines;
  const repeats = message !== '' && first?.at === null && first.text.includes(message.split('\n', 1)[0] ?? message);
  return (
    <ol className="stack code-block" tabIndex={0} aria-label="Stack">
      {lines.slice(repeats ? 1 : 0).map((line, index) => (
        <li key={index}>
          {line.at === null ? (
            line.text
          ) : (
            <>
              <span>{line.text}</span>{' '}
              <span className="muted" title={line.at.url}>{`${line.at.file}:${line.at.position}`}</span>
            </>
          )}
        </li>
      ))}
    </ol>
  );
}

function Causes({ value, name }: { value: unknown; name: string }) {
  const causes = Array.isArray(value) ? value.slice(0, MOST_CAUSES).map(asRecord) : [];
  return causes.map((cause, index) => (
    <div key={index} className="cause">
      <span className="muted">{name}</span>
      <strong className="error-title">
        {text(cause['type']) ?? 'Error'}: {text(cause['message']) ?? ''}
      </strong>
      {text(cause['stack']) !== null && <Stack stack={text(cause['stack'])} message={text(cause['message']) ?? ''} />}
    </div>
  ));
}
