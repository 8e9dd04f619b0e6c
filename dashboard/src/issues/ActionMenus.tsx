/** Buttons that decide at once, each with a menu of other ways to decide the same. */
import { DropdownMenu } from 'radix-ui';
import { useState, type ReactNode } from 'react';
import type { Issue, IssueChange } from '../api/issues';
import { Button, Icon, Kbd } from '../ui';
import { ArchiveDialog } from './ArchiveDialog';

interface MenuProps {
  issues: readonly Issue[];
  disabled: boolean;
  change: (wanted: IssueChange) => () => void;
}

/** What a release is called in the menu: the newest of one issue, else any. */
const releaseOf = (issues: readonly Issue[]): string | null =>
  issues.length === 1 ? (issues[0]?.last_release ?? null) : null;

export function ResolveButtons({ issues, disabled, change }: MenuProps) {
  const release = releaseOf(issues);
  const hasRelease = issues.every((issue) => issue.last_release !== null);
  return (
    <span className="split-button">
      <Button disabled={disabled} onClick={change({ state: 'resolved', resolved_in: 'now' })}>
        Resolve <Kbd keys="e" />
      </Button>
      <Menu label="Other ways to resolve" disabled={disabled}>
        <Item onSelect={change({ state: 'resolved', resolved_in: 'now' })} keys="e">
          Resolve now
        </Item>
        <Item onSelect={change({ state: 'resolved', resolved_in: 'next_release' })} keys="n">
          Resolve in the next release
        </Item>
        {hasRelease && (
          <Item onSelect={change({ state: 'resolved', resolved_in: 'this_release' })}>
            {release === null ? 'Resolve in its newest release' : 'Resolve in the newest release that has it'}
          </Item>
        )}
      </Menu>
    </span>
  );
}

export function ArchiveButtons({ disabled, change }: MenuProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <span className="split-button">
        <Button disabled={disabled} onClick={change({ state: 'archived' })}>
          Archive <Kbd keys="h" />
        </Button>
        <Menu label="Other ways to archive" disabled={disabled}>
          <Item onSelect={change({ state: 'archived' })} keys="h">
            Archive for good
          </Item>
          <Item onSelect={change({ state: 'archived', archived_until: { escalating: true } })}>
            Archive until it escalates
          </Item>
          <Item
            onSelect={() => {
              setOpen(true);
            }}
          >
            Archive until so many events or users…
          </Item>
        </Menu>
      </span>
      <ArchiveDialog
        open={isOpen}
        onClose={() => {
          setOpen(false);
        }}
        onArchive={(until) => {
          change({ state: 'archived', archived_until: { escalating: false, ...until } })();
        }}
      />
    </>
  );
}

const PRIORITIES = ['high', 'medium', 'low'] as const;

/** Pins the priority, or leaves it to the counts again. */
export function PriorityMenu({ issues, disabled, change }: MenuProps) {
  const isPinned = issues.some(({ priority }) => priority.pinned);
  return (
    <Menu label="Pin the priority" disabled={disabled} text="Priority">
      {PRIORITIES.map((priority) => (
        <Item key={priority} onSelect={change({ priority })}>
          Pin as {priority}
        </Item>
      ))}
      {isPinned && <Item onSelect={change({ priority: 'none' })}>Leave it to the counts</Item>}
    </Menu>
  );
}

interface DropdownProps {
  label: string;
  disabled: boolean;
  /** Absent: an arrow alone. */
  text?: string;
  children: ReactNode;
}

function Menu({ label, disabled, text, children }: DropdownProps) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>
        {text === undefined ? (
          <Button className="icon-only" aria-label={label} disabled={disabled}>
            <Icon name="down" small />
          </Button>
        ) : (
          <Button title={label} disabled={disabled}>
            {text} <Icon name="down" small />
          </Button>
        )}
      </DropdownMenu.Trigger>
      <DropdownMenu.Content className="menu" align="end" sideOffset={6} collisionPadding={8}>
        {children}
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}

interface ItemProps {
  onSelect: () => void;
  keys?: string;
  children: ReactNode;
}

function Item({ onSelect, keys, children }: ItemProps) {
  return (
    <DropdownMenu.Item className="menu-item" onSelect={onSelect}>
      <span className="grow">{children}</span>
      {keys !== undefined && <Kbd keys={keys} />}
    </DropdownMenu.Item>
  );
}
