import './jira.css';

import { useQuery } from '@tanstack/react-query';
import { useId, type ReactNode } from 'react';
import type { JiraField } from '../api/jira';
import { Button, Skeleton } from '../ui';
import { FieldInput } from './FieldInput';
import type { Place } from './place';
import { jiraFieldsQuery, jiraProjectsQuery, jiraTypesQuery } from './queries';

interface PlaceFieldsProps {
  project: string;
  place: Place;
  onChange: (place: Place) => void;
  faults: Readonly<Record<string, string>>;
}

/** The fields that the chosen type requires; undefined while that is not known. */
export function useJiraFields(project: string, place: Place): readonly JiraField[] | undefined {
  return useQuery(jiraFieldsQuery(project, place.project, place.issueType)).data;
}

/** Project, type, and what Jira requires of it: each asked when the one before is chosen. */
export function PlaceFields({ project, place, onChange, faults }: PlaceFieldsProps) {
  const projects = useQuery(jiraProjectsQuery(project, ''));
  const types = useQuery(jiraTypesQuery(project, place.project));
  const fields = useQuery(jiraFieldsQuery(project, place.project, place.issueType));
  const known = projects.data ?? [];
  const isListed = place.project === '' || known.some(({ id }) => id === place.project);
  const choices = isListed ? known : [{ id: place.project, name: place.project }, ...known];
  return (
    <>
      <Select
        label="Jira project"
        value={place.project}
        fault={faults['project']}
        asked={projects}
        onChange={(key) => {
          onChange({ project: key, issueType: '', texts: {} });
        }}
      >
        {choices.map(({ id, name }) => (
          <option key={id} value={id}>
            {name === id ? id : `${name} (${id})`}
          </option>
        ))}
      </Select>
      {place.project !== '' && (
        <Select
          label="Type"
          value={place.issueType}
          fault={faults['issue_type']}
          asked={types}
          onChange={(issueType) => {
            onChange({ ...place, issueType, texts: {} });
          }}
        >
          {(types.data ?? []).map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Select>
      )}
      {fields.isLoading && <Skeleton width="60%" />}
      {fields.isError && <NotAsked error={fields.error} retry={() => void fields.refetch()} />}
      {fields.data?.length === 0 && <p className="muted-text">Jira requires no other fields.</p>}
      {fields.data?.map((field) => (
        <FieldInput
          key={field.id}
          project={project}
          jiraProject={place.project}
          field={field}
          value={place.texts[field.id] ?? ''}
          fault={faults[field.id]}
          onChange={(text) => {
            onChange({ ...place, texts: { ...place.texts, [field.id]: text } });
          }}
        />
      ))}
    </>
  );
}

interface SelectProps {
  label: string;
  value: string;
  fault: string | undefined;
  asked: { isPending: boolean; isError: boolean; error: Error | null; refetch: () => unknown };
  onChange: (value: string) => void;
  children: ReactNode;
}

function Select({ label, value, fault, asked, onChange, children }: SelectProps) {
  const id = useId();
  return (
    <div className="settings-field">
      <label htmlFor={id}>{label}</label>
      <div className="settings-input">
        <select
          id={id}
          className="text-field"
          aria-invalid={fault !== undefined}
          aria-describedby={`${id}-about`}
          aria-busy={asked.isPending}
          value={value}
          onChange={(event) => {
            onChange(event.target.value);
          }}
        >
          <option value="">{asked.isPending ? 'Asking Jira…' : 'Choose…'}</option>
          {children}
        </select>
      </div>
      <p id={`${id}-about`} className="form-fault">
        {fault}
      </p>
      {asked.isError && <NotAsked error={asked.error} retry={() => void asked.refetch()} />}
    </div>
  );
}

/** Jira did not answer: what to do is in the message. */
function NotAsked({ error, retry }: { error: Error | null; retry: () => void }) {
  return (
    <p className="form-fault jira-not-asked" role="alert">
      {error?.message} <Button onClick={retry}>Ask again</Button>
    </p>
  );
}
