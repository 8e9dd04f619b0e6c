import { useState } from 'react';
import type { AlertSpan } from '../api/alerts';
import { Button, Chip, Icon, IconButton, Time, useNow, useZoneMode } from '../ui';
import { fieldOf, spanFault, SPANS_MAX, stateOf, timeOf } from './maintenance-draft';

const HOUR_MS = 3_600_000;
const TONES = { now: 'warn', 'to come': 'info', over: 'neutral' } as const;

interface MaintenanceProps {
  spans: readonly AlertSpan[];
  onChange: (spans: AlertSpan[]) => void;
}

/** The spans in which nobody is told, and one to add. */
export function Maintenance({ spans, onChange }: MaintenanceProps) {
  const now = useNow();
  const inOrder = [...spans].sort((one, two) => two.from_ms - one.from_ms);
  const isFull = spans.length >= SPANS_MAX;
  return (
    <>
      {spans.length === 0 ? (
        <p className="muted-text">None is planned.</p>
      ) : (
        <ul className="maintenance">
          {inOrder.map((span) => {
            const state = stateOf(span, now);
            return (
              <li key={`${String(span.from_ms)}-${String(span.to_ms)}`}>
                <Chip tone={TONES[state]}>{state}</Chip>
                <span className="grow">
                  <Time at={span.from_ms} /> to <Time at={span.to_ms} />
                </span>
                {state === 'now' && (
                  <Button
                    kind="ghost"
                    onClick={() => {
                      // Ended, not taken out: what fired meanwhile was told to nobody, and the list says why.
                      onChange(spans.map((each) => (each === span ? { ...span, to_ms: Date.now() } : each)));
                    }}
                  >
                    End now
                  </Button>
                )}
                <IconButton
                  icon="close"
                  label="Take it out"
                  onClick={() => {
                    onChange(spans.filter((each) => each !== span));
                  }}
                />
              </li>
            );
          })}
        </ul>
      )}
      {isFull ? (
        <p className="muted-text">There are {SPANS_MAX}, as many as there can be: take out what is over.</p>
      ) : (
        <NewSpan
          onAdd={(span) => {
            onChange([...spans, span]);
          }}
        />
      )}
    </>
  );
}

function NewSpan({ onAdd }: { onAdd: (span: AlertSpan) => void }) {
  const now = useNow();
  const [zone] = useZoneMode();
  const [from, setFrom] = useState(() => fieldOf(Date.now(), zone));
  const [to, setTo] = useState(() => fieldOf(Date.now() + HOUR_MS, zone));
  const [wasAsked, setAsked] = useState(false);
  const times = [timeOf(from, zone), timeOf(to, zone)] as const;
  const fault = spanFault(...times, now);
  return (
    <div className="new-span">
      <label>
        <span className="muted-text">From</span>
        <input
          type="datetime-local"
          className="text-field"
          value={from}
          onChange={(event) => {
            setFrom(event.target.value);
          }}
        />
      </label>
      <label>
        <span className="muted-text">To</span>
        <input
          type="datetime-local"
          className="text-field"
          value={to}
          onChange={(event) => {
            setTo(event.target.value);
          }}
        />
      </label>
      <Button
        onClick={() => {
          setAsked(true);
          const [from_ms, to_ms] = times;
          if (fault === undefined && from_ms !== null && to_ms !== null) {
            onAdd({ from_ms, to_ms });
            setAsked(false);
          }
        }}
      >
        <Icon name="plus" small />
        Add
      </Button>
      <p className={wasAsked && fault !== undefined ? 'form-fault' : 'muted-text'} role="status">
        {wasAsked && fault !== undefined ? `The span ${fault}.` : `In ${zone === 'utc' ? 'UTC' : 'your time zone'}.`}
      </p>
    </div>
  );
}
