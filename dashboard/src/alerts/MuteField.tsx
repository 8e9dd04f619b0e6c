import { useState } from 'react';
import { formatShortTime } from '../format/time';
import { useNow, useZoneMode } from '../ui';
import { SelectField } from './SelectField';

const HOUR_MS = 3_600_000;
const SPANS = [
  { key: '1', label: 'For an hour' },
  { key: '4', label: 'For 4 hours' },
  { key: '24', label: 'For a day' },
  { key: '168', label: 'For a week' },
] as const;
type Span = (typeof SPANS)[number]['key'];

interface MuteFieldProps {
  mutedUntil: number | null;
  onChange: (mutedUntil: number | null) => void;
}

/** Until when a rule tells nobody. */
export function MuteField({ mutedUntil, onChange }: MuteFieldProps) {
  const now = useNow();
  const [zone] = useZoneMode();
  const [chosen, setChosen] = useState<Span | null>(null);
  const isMuted = mutedUntil !== null && mutedUntil > now;
  const until = mutedUntil === null ? '' : formatShortTime(mutedUntil, zone, now);
  const value: Span | 'no' | 'kept' = !isMuted ? 'no' : (chosen ?? 'kept');
  return (
    <SelectField
      label="Muted"
      value={value}
      choices={[
        { key: 'no', label: 'No' },
        ...(isMuted && chosen === null ? [{ key: 'kept' as const, label: `Until ${until}` }] : []),
        ...SPANS,
      ]}
      onChange={(key) => {
        setChosen(key === 'no' || key === 'kept' ? null : key);
        if (key !== 'kept') onChange(key === 'no' ? null : Date.now() + Number(key) * HOUR_MS);
      }}
    >
      {isMuted
        ? `Until ${until} what fires is listed and nobody is told, also not when it is over.`
        : 'What fires is told.'}
    </SelectField>
  );
}
