import { Link } from '@tanstack/react-router';
import type { AlertRule, Delivery, Firing } from '../api/alerts';
import { Chip } from '../ui';
import { toldOf, type Told } from './told';
import { outcomeOf, TRANSITIONS } from './words';

interface ToldChipsProps {
  project: string;
  firing: Firing;
  rule: AlertRule | undefined;
  deliveries: readonly Delivery[] | undefined;
  nameOf: (channel: string) => string;
  /** Opens the log. */
  show: () => void;
}

const WORDS: Record<Exclude<Told['kind'], 'tries' | 'no-channels'>, { text: string; meaning: string }> = {
  waiting: { text: 'being told…', meaning: 'Messages are on their way' },
  muted: { text: 'nobody: muted', meaning: 'It triggered while the rule was muted or the project in maintenance' },
  nobody: { text: 'nobody', meaning: 'The rule had no channel when it triggered' },
  unknown: { text: 'not known', meaning: 'Newer messages fill the part of the log that is read here' },
};

/** Whom a firing reached, and how that went. */
export function ToldChips({ project, firing, rule, deliveries, nameOf, show }: ToldChipsProps) {
  if (deliveries === undefined) return <span className="muted">…</span>;
  const told = toldOf(firing, deliveries, rule);
  if (told.kind === 'no-channels') {
    return (
      <Link
        to="/p/$project/alerts/rules/$rule"
        params={{ project, rule: firing.rule }}
        className="link"
        title="The rule has no channel: choose one"
      >
        nobody: no channel
      </Link>
    );
  }
  if (told.kind !== 'tries') {
    const { text, meaning } = WORDS[told.kind];
    return (
      <span className="muted-text" title={meaning}>
        {text}
      </span>
    );
  }
  return (
    <button type="button" className="told" title="Show each try" onClick={show}>
      {told.tries.map((delivery) => {
        const { tone, label, meaning } = outcomeOf(delivery.outcome);
        const about = TRANSITIONS[delivery.transition] ?? delivery.transition;
        return (
          <Chip key={delivery.channel} tone={tone} title={`${meaning} (${about}): ${delivery.sentence}`}>
            <span className="ell">{nameOf(delivery.channel)}</span> · {label}
          </Chip>
        );
      })}
      <span className="hidden-text">: show each try</span>
    </button>
  );
}
