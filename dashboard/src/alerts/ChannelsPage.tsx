import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { AlertChannel, SavedChannel } from '../api/alerts';
import { formatCountOf } from '../format/number';
import { Button, Chip, EmptyState, ErrorState, Icon, Time } from '../ui';
import { AlertsFrame, LoadingRows } from './AlertsFrame';
import { ChannelDialog } from './ChannelDialog';
import { ChannelTester } from './ChannelTester';
import { DeleteChannel } from './DeleteChannel';
import { channelsQuery, rulesQuery } from './queries';
import { SigningSecret } from './SigningSecret';
import { channelKindName } from './words';

/** The ways to reach people: chats, PagerDuty, mail boxes, web hooks. */
export function ChannelsPage() {
  const { project } = useParams({ from: '/p/$project/alerts/channels' });
  const channels = useQuery(channelsQuery(project));
  const [editing, setEditing] = useState<AlertChannel | 'new' | null>(null);
  const [deleting, setDeleting] = useState<AlertChannel | null>(null);
  const [saved, setSaved] = useState<SavedChannel | null>(null);
  const create = (
    <Button
      kind="primary"
      onClick={() => {
        setEditing('new');
      }}
    >
      <Icon name="plus" small />
      New channel
    </Button>
  );
  return (
    <AlertsFrame
      project={project}
      refreshError={channels.data ? channels.error : null}
      controls={
        <>
          <span className="grow" />
          {create}
        </>
      }
    >
      {channels.data === undefined ? (
        channels.error === null ? (
          <LoadingRows label="Loading channels" />
        ) : (
          <ErrorState
            title="Channels could not be loaded"
            error={channels.error}
            retry={() => void channels.refetch()}
          />
        )
      ) : channels.data.length === 0 ? (
        <EmptyState icon="bell" title="No channels yet" actions={create}>
          <p>
            A channel is a way to reach people: Slack, Microsoft Teams, Discord, PagerDuty, e-mail, or any web hook of
            your own. Rules name the channels that they tell.
          </p>
        </EmptyState>
      ) : (
        <List project={project} channels={channels.data} onEdit={setEditing} onDelete={setDeleting} />
      )}
      {editing !== null && (
        <ChannelDialog
          project={project}
          channel={editing === 'new' ? null : editing}
          onClose={() => {
            setEditing(null);
          }}
          onSaved={(answer) => {
            setEditing(null);
            setSaved(answer);
          }}
        />
      )}
      <DeleteChannel
        project={project}
        channel={deleting}
        onClose={() => {
          setDeleting(null);
        }}
      />
      <SigningSecret
        saved={saved}
        onClose={() => {
          setSaved(null);
        }}
      />
    </AlertsFrame>
  );
}

interface ListProps {
  project: string;
  channels: readonly AlertChannel[];
  onEdit: (channel: AlertChannel) => void;
  onDelete: (channel: AlertChannel) => void;
}

function List({ project, channels, onEdit, onDelete }: ListProps) {
  const rules = useQuery(rulesQuery(project)).data?.items;
  return (
    <div className="sessions-scroll" tabIndex={-1}>
      <table className="alerts-table channels-table" aria-label="Channels">
        <thead>
          <tr>
            <th scope="col">Channel</th>
            <th scope="col">Leads to</th>
            <th scope="col">Rules</th>
            <th scope="col">Changed</th>
            <th scope="col">
              <span className="hidden-text">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {channels.map((channel) => (
            <Row
              key={channel.id}
              project={project}
              channel={channel}
              rules={rules?.filter((rule) => rule.channels.includes(channel.id)).map(({ name }) => name)}
              onEdit={onEdit}
              onDelete={onDelete}
            />
          ))}
        </tbody>
      </table>
      <div className="sessions-foot">{formatCountOf(channels.length, 'channel')} · a project has at most 20</div>
    </div>
  );
}

interface RowProps extends Omit<ListProps, 'channels'> {
  channel: AlertChannel;
  /** Names of those that tell it. */
  rules: readonly string[] | undefined;
}

function Row({ project, channel, rules, onEdit, onDelete }: RowProps) {
  const { name, kind, target, secret_hint, changed_at } = channel;
  return (
    <tr>
      <th scope="row" className="channel-what">
        <span className="rule-name">
          <span className="strong ell" title={name}>
            {name}
          </span>
          <Chip>{channelKindName(kind)}</Chip>
        </span>
      </th>
      <td data-label="Leads to" className="channel-target">
        <span className="mono">{target}</span>
        {secret_hint !== null && <span className="sub">signed with a secret that ends in {secret_hint}</span>}
      </td>
      <td data-label="Rules">
        {rules === undefined ? (
          <span className="muted">…</span>
        ) : rules.length === 0 ? (
          <Chip tone="warn" title="No rule names it: choose it in a rule">
            no rule
          </Chip>
        ) : (
          <span title={rules.join('\n')}>{formatCountOf(rules.length, 'rule')}</span>
        )}
      </td>
      <td data-label="Changed">
        <Time at={changed_at} relative />
      </td>
      <td className="channel-actions">
        <span className="channel-buttons">
          <ChannelTester project={project} channel={channel} />
          <Button
            kind="ghost"
            aria-label={`Edit ${name}`}
            onClick={() => {
              onEdit(channel);
            }}
          >
            Edit
          </Button>
          <Button
            kind="ghost"
            aria-label={`Delete ${name}`}
            onClick={() => {
              onDelete(channel);
            }}
          >
            Delete…
          </Button>
        </span>
      </td>
    </tr>
  );
}
