import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useId, useState, type KeyboardEvent } from 'react';
import { projectsQuery } from '../api/queries';
import { Dialog, Icon, type IconName } from '../ui';
import { openShortcutsDialog } from './ShortcutsDialog';
import { findCommands, readIssueReference, readSessionReference, type Command } from './commands';

interface PaletteProps {
  open: boolean;
  onClose: () => void;
  projectId: string;
}

/** `⌘K`: type a page, a project or a session's id, then Enter. */
export function CommandPalette({ open, onClose, projectId }: PaletteProps) {
  return (
    <Dialog open={open} onClose={onClose} title="Go to" bare>
      <PaletteBody onClose={onClose} projectId={projectId} />
    </Dialog>
  );
}

function PaletteBody({ onClose, projectId }: Omit<PaletteProps, 'open'>) {
  const [text, setText] = useState('');
  const [index, setIndex] = useState(0);
  const listId = useId();
  const commands = findCommands(useCommands(projectId, text), text);
  const selected = Math.min(index, commands.length - 1);

  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && commands.length > 0) {
      event.preventDefault();
      setIndex((selected + step + commands.length) % commands.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(commands[selected]);
    }
  };
  return (
    <div className="palette">
      <div className="palette-input">
        <Icon name="search" />
        <input
          role="combobox"
          aria-label="Go to a page, a project or a session"
          aria-expanded="true"
          aria-controls={listId}
          aria-activedescendant={commands[selected] ? `${listId}-${String(selected)}` : undefined}
          placeholder="Page, project, session id or link…"
          autoComplete="off"
          spellCheck={false}
          data-initial-focus
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setIndex(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <div role="listbox" id={listId} aria-label="Where to go" className="palette-list">
        {commands.map((command, position) => (
          <div
            key={command.id}
            id={`${listId}-${String(position)}`}
            role="option"
            aria-selected={position === selected}
            className="menu-item"
            onMouseMove={() => {
              setIndex(position);
            }}
            onClick={() => {
              run(command);
            }}
          >
            <Icon name={command.icon} />
            <span className="grow ell">{command.label}</span>
            {command.hint && <span className="muted ell">{command.hint}</span>}
          </div>
        ))}
      </div>
      {commands.length === 0 && <p className="palette-none">Nothing goes by that name.</p>}
    </div>
  );
}

function useCommands(projectId: string, text: string): Command[] {
  const navigate = useNavigate();
  const projects = useQuery(projectsQuery).data ?? [];
  type Page =
    'sessions' | 'issues' | 'endpoints' | 'pages' | 'alerts' | 'alerts/rules' | 'alerts/channels' | 'settings';
  const go = (to: `/p/$project/${Page}`, project: string) => () => {
    void navigate({ to, params: { project } });
  };
  const page = (id: string, icon: IconName, label: string, run: () => void): Command => ({ id, icon, label, run });
  const commands = [
    page('sessions', 'sessions', 'Sessions', go('/p/$project/sessions', projectId)),
    page('issues', 'alert', 'Issues', go('/p/$project/issues', projectId)),
    page('endpoints', 'gauge', 'API: endpoints', go('/p/$project/endpoints', projectId)),
    page('pages', 'gauge', 'API: pages and web vitals', go('/p/$project/pages', projectId)),
    page('alerts', 'bell', 'Alerts', go('/p/$project/alerts', projectId)),
    page('alert-rules', 'bell', 'Alerts: rules', go('/p/$project/alerts/rules', projectId)),
    page('alert-channels', 'bell', 'Alerts: channels', go('/p/$project/alerts/channels', projectId)),
    page('settings', 'settings', 'Settings', go('/p/$project/settings', projectId)),
    page('errors', 'alert', 'Sessions with errors', () => {
      void navigate({ to: '/p/$project/sessions', params: { project: projectId }, search: { errors: true } });
    }),
    page('shortcuts', 'command', 'Keyboard shortcuts', openShortcutsDialog),
    ...projects
      .filter((project) => project.id !== projectId)
      .map((project) => ({
        ...page(`project-${project.id}`, 'sessions', project.name, go('/p/$project/sessions', project.id)),
        hint: 'project',
      })),
  ];
  const issue = readIssueReference(text);
  if (issue) {
    const open = () => {
      void navigate({ to: '/p/$project/issues/$issue', params: issue });
    };
    return [{ id: 'open', icon: 'alert', label: `Open issue ${issue.issue}`, run: open, always: true }, ...commands];
  }
  const reference = readSessionReference(text, projectId);
  if (!reference) return commands;
  const { project, session, at_ms } = reference;
  const open = () => {
    const search = at_ms === null ? {} : { t: String(at_ms) };
    void navigate({ to: '/p/$project/sessions/$session', params: { project, session }, search });
  };
  return [{ id: 'open', icon: 'play', label: `Open session ${session}`, run: open, always: true }, ...commands];
}
