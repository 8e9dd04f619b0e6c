import { Icon } from './Icon';

export interface FilterToken {
  key: string;
  label: string;
  value: string;
  remove: () => void;
}

/** What a list is filtered by, inside its search field; a click on one removes it. */
export function FilterTokens({ tokens }: { tokens: readonly FilterToken[] }) {
  return tokens.map(({ key, label, value, remove }) => (
    <button
      type="button"
      key={key}
      className="filter-token"
      aria-label={`Remove filter ${label}: ${value}`}
      onClick={remove}
    >
      <span className="ell">
        {label}: {value}
      </span>
      <Icon name="close" small />
    </button>
  ));
}
