import { useId, type KeyboardEvent, type ReactNode, type Ref } from 'react';
import { Icon } from './Icon';
import { Kbd } from './Kbd';

interface SearchInputProps {
  value: string;
  onChange: (value: string) => void;
  label: string;
  placeholder: string;
  inputRef?: Ref<HTMLInputElement>;
  onKeyDown?: (event: KeyboardEvent<HTMLInputElement>) => void;
  /** Chips before the text. */
  children?: ReactNode;
  /** The key that focuses this field, shown while it is empty. */
  shortcut?: string;
}

export function SearchInput({ value, onChange, label, placeholder, shortcut, children, ...rest }: SearchInputProps) {
  const id = useId();
  return (
    <div className="field-box search-input">
      <Icon name="search" />
      <label htmlFor={id} className="hidden-text">
        {label}
      </label>
      {children}
      <input
        id={id}
        ref={rest.inputRef}
        type="search"
        value={value}
        placeholder={placeholder}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => {
          onChange(event.target.value);
        }}
        onKeyDown={rest.onKeyDown}
      />
      {shortcut && value === '' && <Kbd keys={shortcut} />}
    </div>
  );
}
