import { LIST_MAX, type AlertRule, type Delivery, type Firing } from '../api/alerts';

/** Who was told of a firing, as far as the newest deliveries say. */
export type Told =
  /** The newest try for each channel. */
  | { kind: 'tries'; tries: readonly Delivery[] }
  /** Messages are on their way, and none was tried yet. */
  | { kind: 'waiting' }
  | { kind: 'muted' }
  /** Its rule has no channel. */
  | { kind: 'no-channels' }
  /** Nobody was, though the rule has channels now. */
  | { kind: 'nobody' }
  /** The deliveries that were read do not reach back so far. */
  | { kind: 'unknown' };

type Ids = Pick<Firing, 'rule' | 'subject'>;

/** Tries to tell of this issue by this rule, the newest first. */
export const deliveriesOf = ({ rule, subject }: Ids, deliveries: readonly Delivery[]): Delivery[] =>
  deliveries.filter((delivery) => delivery.rule === rule && delivery.subject === subject);

export function toldOf(firing: Firing, deliveries: readonly Delivery[], rule: AlertRule | undefined): Told {
  const newest = new Map<string, Delivery>();
  for (const delivery of deliveriesOf(firing, deliveries)) {
    // What was told of an earlier firing of the same issue is not about this one.
    if (delivery.time_ms >= firing.opened_at && !newest.has(delivery.channel)) newest.set(delivery.channel, delivery);
  }
  if (newest.size > 0) return { kind: 'tries', tries: [...newest.values()] };
  if (firing.pending > 0) return { kind: 'waiting' };
  if (firing.muted) return { kind: 'muted' };
  const oldest = deliveries.at(-1);
  if (deliveries.length >= LIST_MAX && oldest && oldest.time_ms > firing.opened_at) return { kind: 'unknown' };
  return rule?.channels.length === 0 ? { kind: 'no-channels' } : { kind: 'nobody' };
}

export const isMuted = ({ muted_until_ms }: Pick<AlertRule, 'muted_until_ms'>, now: number): boolean =>
  muted_until_ms !== null && muted_until_ms > now;
