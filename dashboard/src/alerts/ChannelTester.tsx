import { useMutation } from '@tanstack/react-query';
import { testChannel, type AlertChannel, type ChannelTest } from '../api/alerts';
import { asProblem } from '../api/problem';
import { Button, Icon } from '../ui';

/** Really sends a message, and shows what came back. */
export function ChannelTester({ project, channel }: { project: string; channel: AlertChannel }) {
  const test = useMutation({ mutationFn: () => testChannel(project, channel.id) });
  return (
    <>
      <Button
        aria-label={`Send a test to ${channel.name}`}
        disabled={test.isPending}
        onClick={() => {
          test.mutate();
        }}
      >
        {test.isPending ? 'Sending…' : 'Send a test'}
      </Button>
      <span className="channel-answer" role="status">
        {test.data && <Answer test={test.data} />}
        {test.error && <span className="form-fault">Not sent: {asProblem(test.error).message}</span>}
      </span>
    </>
  );
}

function Answer({ test: { delivered, status, detail, retryable } }: { test: ChannelTest }) {
  // Some answers say their status themselves.
  const code = status === null || detail.includes(String(status)) ? '' : ` (${String(status)})`;
  return (
    <span className={delivered ? 'test-delivered' : 'form-fault'}>
      <Icon name={delivered ? 'check' : 'alert'} small />
      <span>
        {delivered ? `Delivered${code}` : `Not delivered${code}`}
        {detail !== '' && `: ${detail.replace(/\.$/, '')}`}
        {!delivered && retryable && '. An alert would be tried again.'}
      </span>
    </span>
  );
}
