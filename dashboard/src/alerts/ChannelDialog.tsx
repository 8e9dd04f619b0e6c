import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { changeChannel, createChannel, type AlertChannel, type SavedChannel } from '../api/alerts';
import { asProblem } from '../api/problem';
import { Button, Dialog, toast, toastFailure } from '../ui';
import {
  API_FIELDS,
  channelFaults,
  channelFormOf,
  NEW_CHANNEL,
  replacesSettings,
  settingsOf,
  type ChannelField,
  type ChannelForm,
} from './channel-draft';
import { ChannelFields } from './ChannelFields';
import { channelsQuery } from './queries';

interface ChannelDialogProps {
  project: string;
  /** Null: a new one. */
  channel: AlertChannel | null;
  onClose: () => void;
  onSaved: (saved: SavedChannel) => void;
}

/** Creates a channel, or changes one. */
export function ChannelDialog({ project, channel, onClose, onSaved }: ChannelDialogProps) {
  const queries = useQueryClient();
  const [form, setForm] = useState<ChannelForm>(channel ? channelFormOf(channel) : NEW_CHANNEL);
  const [wasSent, setSent] = useState(false);
  const faults = channelFaults(form, channel);
  const save = useMutation({
    mutationFn: () => {
      const name = form.name.trim();
      if (channel === null) return createChannel(project, { name, settings: settingsOf(form) });
      return changeChannel(project, channel, {
        name,
        ...(replacesSettings(form, channel) && { settings: settingsOf(form) }),
      });
    },
    onSuccess: (saved) => {
      toast(channel ? 'Channel saved' : 'Channel created: send a test, then choose it in rules', 'ok');
      void queries.invalidateQueries({ queryKey: channelsQuery(project).queryKey });
      onSaved(saved);
    },
    onError: (error) => {
      const problem = asProblem(error);
      if (problem.code === 'conflict') void queries.invalidateQueries({ queryKey: channelsQuery(project).queryKey });
      else if (problem.field === null) toastFailure('The channel was not saved')(error);
    },
  });
  const refused = save.error ? asProblem(save.error) : null;
  const faultOf = (field: ChannelField) => {
    if (refused?.field === API_FIELDS[field]) return refused.detail || refused.title;
    return wasSent ? faults[field] : undefined;
  };
  const isElsewhere = refused?.field && !Object.values(API_FIELDS).includes(refused.field);
  return (
    <Dialog open title={channel ? `Change “${channel.name}”` : 'New channel'} onClose={onClose}>
      <form
        className="channel-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setSent(true);
          if (Object.keys(faults).length === 0) save.mutate();
        }}
      >
        <ChannelFields
          form={form}
          channel={channel}
          faultOf={faultOf}
          set={(change) => {
            if (save.isError) save.reset();
            setForm({ ...form, ...change });
          }}
        />
        {isElsewhere && (
          <p className="form-fault" role="alert">
            {refused.message}
          </p>
        )}
        {refused?.code === 'conflict' && (
          <p className="form-fault" role="alert">
            Somebody changed this channel while you were editing. Nothing of yours was saved: close this and open it
            again to see theirs.
          </p>
        )}
        <div className="assign-actions channel-form-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={save.isPending}>
            {save.isPending ? 'Saving…' : channel ? 'Save' : 'Create channel'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
