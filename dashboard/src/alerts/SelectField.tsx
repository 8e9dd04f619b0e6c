import { useId, type ReactNode } from 'react';

interface SelectFieldProps<Key extends string> {
  label: string;
  value: Key;
  choices: readonly { key: Key; label: string }[];
  onChange: (key: Key) => void;
  children?: ReactNode;
}

/** A setting that is one of several. */
export function SelectField<Key extends string>({ label, value, choices, onChange, children }: SelectFieldProps<Key>) {
  const id = useId();
  return (
    <div className="settings-field">
      <label htmlFor={id}>{label}</label>
      <div className="settings-input">
        <select
          id={id}
          className="text-field"
          value={value}
          onChange={(event) => {
            onChange(event.target.value as Key);
          }}
        >
          {choices.map((choice) => (
            <option key={choice.key} value={choice.key}>
              {choice.label}
            </option>
          ))}
        </select>
      </div>
      <p className="muted-text">{children}</p>
    </div>
  );
}
