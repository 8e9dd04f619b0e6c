import { useState } from 'react';
import type { Issue, IssueChange } from '../api/issues';
import { Button, Kbd, useShortcuts } from '../ui';
import { ArchiveButtons, PriorityMenu, ResolveButtons } from './ActionMenus';
import { AssignDialog } from './AssignDialog';
import { DiscardDialog } from './DiscardDialog';
import { MergeDialog } from './MergeDialog';

interface IssueActionsProps {
  /** The issues that a button changes. */
  issues: readonly Issue[];
  /** What a key changes: it may also be the row that is looked at. */
  issuesOfKeys?: () => readonly Issue[];
  onChange: (issues: readonly Issue[], change: IssueChange) => void;
  /** Where several can be made one. */
  onMerge?: (issues: readonly Issue[], into: Issue) => void;
  onDiscard: (issues: readonly Issue[]) => void;
  disabled?: boolean;
  /** Of the list of shortcuts. */
  group: string;
}

/** Resolve, archive, assign and reopen, by button and by key. */
export function IssueActions(props: IssueActionsProps) {
  const { issues, issuesOfKeys = () => issues, onChange, onMerge, onDiscard, disabled = false, group } = props;
  const [assigning, setAssigning] = useState<readonly Issue[]>([]);
  const [discarding, setDiscarding] = useState<readonly Issue[]>([]);
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
      {isOpen && <ResolveButtons {...{ issues, disabled, change }} />}
      {isOpen && <ArchiveButtons {...{ issues, disabled, change }} />}
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
      {isOpen && <PriorityMenu {...{ issues, disabled, change }} />}
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
      {issues.length > 0 && (
        <Button
          kind="ghost"
          disabled={disabled}
          onClick={() => {
            setDiscarding(issues);
          }}
        >
          Discard…
        </Button>
      )}
      <DiscardDialog
        count={discarding.length}
        onClose={() => {
          setDiscarding([]);
        }}
        onDiscard={() => {
          onDiscard(discarding);
        }}
      />
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
