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

export function SearchInput(props: SearchInputProps) {
  const { value, onChange, label, placeholder, shortcut, children, inputRef, onKeyDown } = props;
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
        ref={inputRef}
        type="search"
        value={value}
        placeholder={placeholder}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => {
          onChange(event.target.value);
        }}
        onKeyDown={onKeyDown}
      />
      {shortcut && value === '' && <Kbd keys={shortcut} />}
    </div>
  );
}
