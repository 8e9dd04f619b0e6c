import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { deleteChannel, type AlertChannel } from '../api/alerts';
import { asProblem } from '../api/problem';
import { Button, Dialog, toast, toastFailure } from '../ui';
import { channelsQuery, rulesQuery } from './queries';

interface DeleteChannelProps {
  project: string;
  channel: AlertChannel | null;
  onClose: () => void;
}

/** Deletes a channel after it has asked, and has said which rules tell it. */
export function DeleteChannel({ project, channel, onClose }: DeleteChannelProps) {
  const queries = useQueryClient();
  const rules = useQuery(rulesQuery(project)).data?.items ?? [];
  const telling = rules.filter(
    ({ channels, escalation }) =>
      channel !== null && (channels.includes(channel.id) || escalation?.channels.includes(channel.id)),
  );
  const remove = useMutation({
    mutationFn: (known: AlertChannel) => deleteChannel(project, known),
    onSuccess: (_, { name }) => {
      toast(`“${name}” is deleted`, 'ok');
      onClose();
    },
    onError: (error) => {
      if (asProblem(error).code !== 'conflict') toastFailure('The channel was not deleted')(error);
      else toast('Somebody changed this channel meanwhile: it was not deleted. Look at it again first.', 'error');
      onClose();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: channelsQuery(project).queryKey }),
  });
  return (
    <Dialog
      open={channel !== null}
      title={`Delete “${channel?.name ?? ''}”?`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button
            kind="danger"
            disabled={remove.isPending}
            onClick={() => {
              if (channel) remove.mutate(channel);
            }}
          >
            {remove.isPending ? 'Deleting…' : 'Delete'}
          </Button>
        </>
      }
    >
      <p>Its address and secrets are erased, and messages that are still to be sent there are given up.</p>
      {telling.length > 0 && (
        <p>
          {telling.length === 1 ? 'A rule tells it' : 'Rules tell it'}:{' '}
          {telling.map(({ name }) => `“${name}”`).join(', ')}. Nobody is told there any more.
        </p>
      )}
    </Dialog>
  );
}
