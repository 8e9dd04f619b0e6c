import { DropdownMenu } from 'radix-ui';
import { useState } from 'react';
import type { Issue, IssueChange } from '../api/issues';
import { Button, Icon, Kbd, useShortcuts } from '../ui';
import { AssignDialog } from './AssignDialog';
import { MergeDialog } from './MergeDialog';

interface IssueActionsProps {
  /** The issues that a button changes. */
  issues: readonly Issue[];
  /** What a key changes: it may also be the row that is looked at. */
  issuesOfKeys?: () => readonly Issue[];
  onChange: (issues: readonly Issue[], change: IssueChange) => void;
  /** Where several can be made one. */
  onMerge?: (issues: readonly Issue[], into: Issue) => void;
  disabled?: boolean;
  /** Of the list of shortcuts. */
  group: string;
}

/** Resolve, archive, assign and reopen, by button and by key. */
export function IssueActions(props: IssueActionsProps) {
  const { issues, issuesOfKeys = () => issues, onChange, onMerge, disabled = false, group } = props;
  const [assigning, setAssigning] = useState<readonly Issue[]>([]);
  const [merging, setMerging] = useState<readonly Issue[]>([]);
  const canMerge = onMerge !== undefined && issues.length > 1 && !disabled;
  const change = (wanted: IssueChange) => () => {
    onChange(issues, wanted);
  };
  const byKey = (wanted: IssueChange) => () => {
    if (!disabled) onChange(issuesOfKeys(), wanted);
  };
  useShortcuts(group, [
    { keys: 'e', label: 'Resolve', run: byKey({ state: 'resolved', resolved_in: 'now' }) },
    { keys: 'n', label: 'Resolve in the next release', run: byKey({ state: 'resolved', resolved_in: 'next_release' }) },
    { keys: 'h', label: 'Archive', run: byKey({ state: 'archived' }) },
    { keys: 'o', label: 'Reopen', run: byKey({ state: 'ongoing' }) },
    {
      keys: 'a',
      label: 'Assign',
      run: () => {
        if (!disabled) setAssigning(issuesOfKeys());
      },
    },
    ...(onMerge === undefined
      ? []
      : [
          {
            keys: 'm',
            label: 'Merge the selected issues',
            run: () => {
              if (canMerge) setMerging(issues);
            },
          },
        ]),
  ]);
  const isOpen = issues.some(({ state }) => state !== 'resolved' && state !== 'archived');
  const isClosed = issues.some(({ state }) => state === 'resolved' || state === 'archived');
  const [first] = assigning;
  return (
    <>
      {isOpen && <ResolveButtons disabled={disabled} change={change} />}
      {isOpen && (
        <Button disabled={disabled} onClick={change({ state: 'archived' })}>
          Archive <Kbd keys="h" />
        </Button>
      )}
      {isClosed && (
        <Button disabled={disabled} onClick={change({ state: 'ongoing' })}>
          Reopen <Kbd keys="o" />
        </Button>
      )}
      {issues.length > 0 && (
        <Button
          disabled={disabled}
          onClick={() => {
            setAssigning(issues);
          }}
        >
          Assign <Kbd keys="a" />
        </Button>
      )}
      {onMerge !== undefined && issues.length > 1 && (
        <Button
          disabled={disabled}
          onClick={() => {
            setMerging(issues);
          }}
        >
          Merge <Kbd keys="m" />
        </Button>
      )}
      <MergeDialog
        issues={merging}
        onClose={() => {
          setMerging([]);
        }}
        onMerge={(into) => onMerge?.(merging, into)}
      />
      <AssignDialog
        open={assigning.length > 0}
        current={assigning.length === 1 ? (first?.assignee ?? null) : null}
        onClose={() => {
          setAssigning([]);
        }}
        onAssign={(assignee) => {
          onChange(assigning, { assignee });
        }}
      />
    </>
  );
}

function ResolveButtons({ disabled, change }: { disabled: boolean; change: (wanted: IssueChange) => () => void }) {
  return (
    <span className="split-button">
      <Button disabled={disabled} onClick={change({ state: 'resolved', resolved_in: 'now' })}>
        Resolve <Kbd keys="e" />
      </Button>
      <DropdownMenu.Root modal={false}>
        <DropdownMenu.Trigger asChild>
          <Button className="icon-only" aria-label="Other ways to resolve" disabled={disabled}>
            <Icon name="down" small />
          </Button>
        </DropdownMenu.Trigger>
        <DropdownMenu.Content className="menu" align="end" sideOffset={6} collisionPadding={8}>
          <DropdownMenu.Item className="menu-item" onSelect={change({ state: 'resolved', resolved_in: 'now' })}>
            <span className="grow">Resolve now</span>
            <Kbd keys="e" />
          </DropdownMenu.Item>
          <DropdownMenu.Item
            className="menu-item"
            onSelect={change({ state: 'resolved', resolved_in: 'next_release' })}
          >
            <span className="grow">Resolve in the next release</span>
            <Kbd keys="n" />
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Root>
    </span>
  );
}
