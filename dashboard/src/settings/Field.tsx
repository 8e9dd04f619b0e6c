import { useId, type ReactNode } from 'react';

interface FieldProps {
  name: string;
  label: string;
  value: string;
  fault: string | undefined;
  onChange: (value: string) => void;
  unit?: string;
  /** A list, one item a line. */
  lines?: boolean;
  placeholder?: string;
  children?: ReactNode;
}

/** A setting as text, with what it means or what is wrong with it. */
export function Field({ name, label, value, fault, onChange, unit, lines = false, placeholder, children }: FieldProps) {
  const id = useId();
  const shared = {
    id,
    name,
    value,
    placeholder,
    spellCheck: false,
    autoComplete: 'off',
    'aria-invalid': fault !== undefined,
    'aria-describedby': `${id}-about`,
  };
  return (
    <div className="settings-field">
      <label htmlFor={id}>{label}</label>
      <div className="settings-input">
        {lines ? (
          <textarea
            {...shared}
            className="text-field mono"
            rows={Math.min(6, Math.max(2, value.split('\n').length))}
            onChange={(event) => {
              onChange(event.target.value);
            }}
          />
        ) : (
          <input
            {...shared}
            className={unit === undefined ? 'text-field' : 'text-field short num'}
            inputMode={unit === undefined ? 'text' : 'decimal'}
            onChange={(event) => {
              onChange(event.target.value);
            }}
          />
        )}
        {unit !== undefined && <span className="muted-text">{unit}</span>}
      </div>
      <p id={`${id}-about`} className={fault === undefined ? 'muted-text' : 'form-fault'}>
        {fault ?? children}
      </p>
    </div>
  );
}
