import { useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import type { JiraChoice, JiraField } from '../api/jira';
import { jiraUsersQuery } from './queries';
import { isList } from './values';

interface FieldInputProps {
  project: string;
  /** Key of the Jira project. */
  jiraProject: string;
  field: JiraField;
  value: string;
  fault: string | undefined;
  onChange: (value: string) => void;
}

/** One field that Jira requires, by what it takes. */
export function FieldInput(props: FieldInputProps) {
  const { field, fault } = props;
  const id = useId();
  const about = `${id}-about`;
  return (
    <div className="settings-field">
      <label htmlFor={id}>{field.name}</label>
      <div className="settings-input">
        <Control {...props} id={id} about={about} />
      </div>
      <p id={about} className={fault === undefined ? 'muted-text' : 'form-fault'}>
        {fault ?? hintOf(field)}
      </p>
    </div>
  );
}

function hintOf({ kind, detail }: JiraField): string {
  if (kind === 'unsupported') return detail ?? '';
  if (kind === 'date_time') return 'In UTC.';
  if (kind === 'labels') return 'One a line, without spaces.';
  if (kind === 'issue') return 'Key of a Jira issue, such as SHOP-7.';
  return '';
}

function Control({ id, about, ...props }: FieldInputProps & { id: string; about: string }) {
  const { field, value, fault, onChange } = props;
  const shared = { id, 'aria-describedby': about, 'aria-invalid': fault !== undefined };
  switch (field.kind) {
    case 'option':
    case 'options':
      return <Choices {...shared} field={field} choices={field.options} value={value} onChange={onChange} />;
    case 'user':
    case 'users':
      return <Users {...props} shared={shared} />;
    case 'long_text':
    case 'labels':
      return (
        <textarea
          {...shared}
          className="text-field"
          rows={3}
          value={value}
          onChange={(event) => {
            onChange(event.target.value);
          }}
        />
      );
    default:
      return (
        <input
          {...shared}
          className="text-field"
          type={TYPES[field.kind] ?? 'text'}
          inputMode={field.kind === 'number' ? 'decimal' : undefined}
          disabled={field.kind === 'unsupported'}
          autoComplete="off"
          value={value}
          onChange={(event) => {
            onChange(event.target.value);
          }}
        />
      );
  }
}

const TYPES: Partial<Record<JiraField['kind'], string>> = { date: 'date', date_time: 'datetime-local' };

interface ChoicesProps {
  id: string;
  'aria-describedby': string;
  'aria-invalid': boolean;
  field: JiraField;
  choices: readonly JiraChoice[];
  value: string;
  onChange: (value: string) => void;
}

function Choices({ field, choices, value, onChange, ...shared }: ChoicesProps) {
  const isMany = isList(field.kind);
  return (
    <select
      {...shared}
      className="text-field"
      multiple={isMany}
      size={isMany ? Math.min(6, Math.max(3, choices.length)) : undefined}
      value={isMany ? value.split('\n').filter(Boolean) : value}
      onChange={(event) => {
        const chosen = [...event.target.selectedOptions].map((option) => option.value);
        onChange(isMany ? chosen.join('\n') : (chosen[0] ?? ''));
      }}
    >
      {!isMany && <option value="">Choose…</option>}
      {choices.map((choice) => (
        <option key={choice.id} value={choice.id}>
          {choice.name}
        </option>
      ))}
    </select>
  );
}

type UsersProps = FieldInputProps & { shared: Pick<ChoicesProps, 'id' | 'aria-describedby' | 'aria-invalid'> };

/** Users by a part of their name: Jira has too many to list. */
function Users({ project, jiraProject, field, value, onChange, shared }: UsersProps) {
  const [query, setQuery] = useState('');
  const users = useQuery(jiraUsersQuery(project, jiraProject, query.trim()));
  const found = users.data ?? [];
  // Who is chosen stays to be seen, whatever is searched for.
  const chosen = value.split('\n').filter((id) => id !== '' && !found.some((user) => user.id === id));
  const choices = [...chosen.map((id) => ({ id, name: id })), ...found];
  return (
    <div className="jira-users">
      <input
        className="text-field"
        type="search"
        aria-label={`Search users for ${field.name}`}
        placeholder="Search users"
        autoComplete="off"
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
        }}
      />
      <Choices {...shared} field={field} choices={choices} value={value} onChange={onChange} />
      {users.isError && <p className="form-fault">{users.error.message}</p>}
    </div>
  );
}
