import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ErrorStack as Stacks } from '../../api/model';
import { asProblem } from '../../api/problem';
import { stackQuery } from '../../api/queries';
import { Button, Chip, CopyButton, Icon } from '../../ui';
import { issueOf, type Moment, number, text } from '../moments';
import { Frames } from './Frames';
import { type Frame, framesAsText, readFrames } from './frames';
import { MissingMap } from './MissingMap';
import type { PaneProps } from './Panes';
import { readStack } from './stack';
import { asRecord } from './timing';

const MOST_CAUSES = 8;

/** One error: what it says, where it came from, and what caused it. */
export function ErrorDetail({ moment, watchBefore, session }: PaneProps & { moment: Moment }) {
  const { data } = moment;
  const asked = useQuery(stackQuery(session.project_id, session.id, moment.id));
  const stacks = asked.data;
  return (
    <>
      <div className="request-title">
        <strong className="error-title grow">
          {moment.label}: {moment.title}
        </strong>
        <CopyButton
          text={`${moment.label}: ${moment.title}\n${stackAsText(data, stacks)}`}
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
      <IssueLinks project={session.project_id} data={data} />
      <ErrorStacks project={session.project_id} moment={moment} asked={asked} />
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

const FILTERS: Record<string, string> = {
  script_error: 'the browser hides what another origin’s script threw',
  browser_extension: 'a browser extension threw it',
  bot: 'a bot visited the page',
  localhost: 'the page was on localhost',
  discarded: 'its issue was discarded',
};

/** The issue that the error belongs to and its other sessions, or why it belongs to none. */
function IssueLinks({ project, data }: { project: string; data: Record<string, unknown> }) {
  const issue = issueOf(data);
  const filtered = text(data['filtered']);
  if (filtered !== null) {
    return <p className="muted">Part of no issue: {FILTERS[filtered] ?? filtered.replaceAll('_', ' ')}.</p>;
  }
  if (issue === null) return null;
  return (
    <div className="chips">
      <Link to="/p/$project/issues/$issue" params={{ project, issue }} className="btn">
        <Icon name="alert" small />
        Open the issue
      </Link>
      <Link to="/p/$project/sessions" params={{ project }} search={{ issue }} className="btn">
        <Icon name="sessions" small />
        Other sessions with this issue
      </Link>
    </div>
  );
}

interface StacksProps {
  project: string;
  moment: Moment;
  /** The stacks as source maps make them readable; without data until that is known. */
  asked: Pick<UseQueryResult<Stacks>, 'data' | 'error' | 'refetch'>;
}

/** The stack of an error with those of its causes, and what to do so that they can be read. */
export function ErrorStacks({ project, moment: { data, title }, asked }: StacksProps) {
  const stacks = asked.data;
  const all = stacks ? [stacks.frames, ...stacks.causes, ...stacks.errors].flatMap(readFrames) : [];
  return (
    <>
      <ErrorStack data={data} message={title} frames={stacks?.frames} />
      {asked.error !== null && stacks === undefined && (
        <div className="missing-map">
          <p className="muted">
            The sources could not be asked for, so this is the stack as the browser told it:{' '}
            {asProblem(asked.error).message}
          </p>
          <div>
            <Button onClick={() => void asked.refetch()}>Try again</Button>
          </div>
        </div>
      )}
      <MissingMap project={project} release={stacks?.release ?? null} frames={all} />
      <Causes value={data['causes']} name="Caused by" stacks={stacks?.causes} />
      <Causes value={data['errors']} name="One of its errors" stacks={stacks?.errors} />
    </>
  );
}

/** The stack as text, to copy. */
export function stackAsText(data: Record<string, unknown>, stacks: Stacks | undefined): string {
  const frames = framesOf(stacks?.frames, data);
  return frames.length > 0 ? framesAsText(frames) : (text(data['stack']) ?? '');
}

function framesOf(written: unknown, data: Record<string, unknown>): Frame[] {
  const frames = readFrames(written);
  return frames.length > 0 ? frames : readFrames(data['frames']);
}

interface StackProps {
  data: Record<string, unknown>;
  message: string;
  frames: unknown;
}

/** The frames as they were written, else as the server read them; the raw stack where it did not. */
function ErrorStack({ data, message, frames: written }: StackProps) {
  const frames = framesOf(written, data);
  if (frames.length === 0) return <Stack stack={text(data['stack'])} message={message} />;
  return <Frames frames={frames} leftOut={number(data['frames_left_out']) ?? 0} />;
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

interface CausesProps {
  value: unknown;
  name: string;
  stacks: readonly unknown[] | undefined;
}

function Causes({ value, name, stacks }: CausesProps) {
  const causes = Array.isArray(value) ? value.slice(0, MOST_CAUSES).map(asRecord) : [];
  return causes.map((cause, index) => (
    <div key={index} className="cause">
      <span className="muted">{name}</span>
      <strong className="error-title">
        {text(cause['type']) ?? 'Error'}: {text(cause['message']) ?? ''}
      </strong>
      {(text(cause['stack']) !== null || Array.isArray(cause['frames'])) && (
        <ErrorStack data={cause} message={text(cause['message']) ?? ''} frames={stacks?.[index]} />
      )}
    </div>
  ));
}
