import { useQuery } from '@tanstack/react-query';
import type { Delivery, Firing } from '../api/alerts';
import { Chip, Dialog, ErrorState, Skeleton, Time } from '../ui';
import { channelsQuery, deliveriesQuery } from './queries';
import { deliveriesOf } from './told';
import { outcomeOf, TRANSITIONS } from './words';

interface DeliveriesDialogProps {
  project: string;
  firing: Firing | null;
  onClose: () => void;
}

/** Each try to tell somebody of an issue by a rule, and what came back. */
export function DeliveriesDialog({ project, firing, onClose }: DeliveriesDialogProps) {
  return (
    <Dialog open={firing !== null} title="Who was told" onClose={onClose}>
      {firing && <Log project={project} firing={firing} />}
    </Dialog>
  );
}

function Log({ project, firing }: { project: string; firing: Firing }) {
  const list = useQuery(deliveriesQuery(project));
  const channels = useQuery(channelsQuery(project)).data;
  if (list.data === undefined) {
    if (list.error === null) return <Skeleton width="60%" />;
    return <ErrorState title="The log could not be loaded" error={list.error} retry={() => void list.refetch()} />;
  }
  const tries = deliveriesOf(firing, list.data);
  const nameOf = (id: string) => channels?.find((channel) => channel.id === id)?.name ?? id;
  return (
    <>
      <p className="muted-text">
        {firing.title}, by the rule “{firing.rule_name}”. The newest try first; a message has one id however often it is
        tried.
      </p>
      <ol className="delivery-log" aria-label="Deliveries">
        {tries.map((each) => (
          <Try
            key={`${each.message}-${each.channel}-${String(each.attempt)}`}
            delivery={each}
            name={nameOf(each.channel)}
          />
        ))}
      </ol>
    </>
  );
}

function Try({ delivery, name }: { delivery: Delivery; name: string }) {
  const { tone, label, meaning } = outcomeOf(delivery.outcome);
  return (
    <li>
      <span className="delivery-head">
        <Chip tone={tone} title={meaning}>
          {label}
        </Chip>
        <span className="strong ell">{name}</span>
        <span className="muted-text grow">
          {TRANSITIONS[delivery.transition] ?? delivery.transition}
          {delivery.attempt > 1 && ` · try ${String(delivery.attempt)}`}
        </span>
        <span className="muted-text">
          <Time at={delivery.time_ms} />
        </span>
      </span>
      {delivery.sentence !== '' && <span className="sub delivery-sentence">{delivery.sentence}</span>}
      <span className="sub mono ell" title={`Id of the message: ${delivery.message}`}>
        {delivery.message}
      </span>
    </li>
  );
}
