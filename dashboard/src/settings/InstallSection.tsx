import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Tabs } from 'radix-ui';
import { meQuery, projectStatusQuery } from '../api/queries';
import type { Project } from '../api/model';
import { Chip, CopyButton, Icon, Time } from '../ui';
import { Panel } from './Panel';

const WAITING_INTERVAL_MS = 2000;
const RECEIVING_INTERVAL_MS = 10_000;

/** The tag to paste, and whether anything has come of it. */
export function InstallSection({ project }: { project: Project }) {
  return (
    <Panel
      id="install"
      title="Install"
      about="Paste one of these tags into the head of every page, as early as you can."
      aside={<FirstEvent projectId={project.id} />}
    >
      <Tabs.Root defaultValue="stub">
        <Tabs.List className="tab-list" aria-label="Form of the tag">
          <Tabs.Trigger className="tab" value="stub">
            With early errors
          </Tabs.Trigger>
          <Tabs.Trigger className="tab" value="plain">
            Plain
          </Tabs.Trigger>
        </Tabs.List>
        <Tabs.Content value="stub" className="tab-body" tabIndex={-1}>
          <Tag
            text={project.script_tag}
            about="A small inline stub queues calls and catches errors that happen before the script has loaded. With a content security policy, give the inline script your nonce."
          />
        </Tabs.Content>
        <Tabs.Content value="plain" className="tab-body" tabIndex={-1}>
          <Tag
            text={project.script_tag_plain}
            about="One deferred script and nothing inline. Errors before it has loaded are missed. Add data-manual to wait for consent: nothing is stored until playhead.start() is called."
          />
        </Tabs.Content>
      </Tabs.Root>
    </Panel>
  );
}

function Tag({ text, about }: { text: string; about: string }) {
  return (
    <>
      <p className="muted-text">{about}</p>
      <pre className="code-block" tabIndex={0} aria-label="Script tag">
        {text}
      </pre>
      <div className="panel-actions">
        <CopyButton kind="primary" text={text} label="Copy tag" />
      </div>
    </>
  );
}

function FirstEvent({ projectId }: { projectId: string }) {
  const status = useQuery({
    ...projectStatusQuery(projectId),
    refetchInterval: (query) =>
      (query.state.data?.first_event_at ?? null) === null ? WAITING_INTERVAL_MS : RECEIVING_INTERVAL_MS,
  });
  const demo = useQuery(meQuery).data?.installation.demo_url;
  if (!status.data) return null;
  const { first_event_at: first, last_event_at: last } = status.data;
  if (first === null) {
    return (
      <span className="first-event" role="status">
        <Chip tone="info" className="live">
          <span className="dot" />
          waiting for your first event
        </Chip>
        {demo && (
          <a className="link" href={demo} target="_blank" rel="noreferrer">
            try the demo shop
          </a>
        )}
      </span>
    );
  }
  return (
    <span className="first-event" role="status">
      <Chip tone="ok">
        <Icon name="check" small />
        We have received your first event
      </Chip>
      <span className="muted-text">
        {last !== null && (
          <>
            last <Time at={last} relative />
          </>
        )}
      </span>
      <Link className="link" to="/p/$project/sessions" params={{ project: projectId }}>
        see the sessions
      </Link>
    </span>
  );
}
