import type { Project, ProjectPatch } from '../api/model';

/** The settings as the form holds them: shares in per cent, lists one item a line. */
export interface SettingsDraft {
  name: string;
  sample_rate: string;
  on_error_sample_rate: string;
  signal_sample_rate: string;
  retention_days: string;
  slow_request_ms: string;
  store_ip: boolean;
  allowed_origins: string;
  image_hosts: string;
  network_bodies: string;
  endpoint_templates: string;
}

export type DraftField = keyof SettingsDraft;

const percent = (share: number) => String(Math.round(share * 10_000) / 100);

export function draftOf(project: Project): SettingsDraft {
  const settings = project.settings;
  return {
    name: project.name,
    sample_rate: percent(settings.sample_rate),
    on_error_sample_rate: percent(settings.on_error_sample_rate),
    signal_sample_rate: percent(settings.signal_sample_rate),
    retention_days: String(settings.retention_days),
    slow_request_ms: String(settings.slow_request_ms),
    store_ip: settings.store_ip,
    allowed_origins: settings.allowed_origins.join('\n'),
    image_hosts: settings.image_hosts.join('\n'),
    network_bodies: settings.network_bodies.join('\n'),
    endpoint_templates: settings.endpoint_templates.join('\n'),
  };
}

export interface DraftReading {
  /** Only what differs from the project. */
  patch: ProjectPatch;
  faults: Partial<Record<DraftField, string>>;
}

/** One item a line. */
export const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

/** What the draft changes, and which of its fields cannot be read. The server checks again. */
export function readDraft(draft: SettingsDraft, project: Project): DraftReading {
  const original = draftOf(project);
  const patch: ProjectPatch = {};
  const faults: DraftReading['faults'] = {};
  const isChanged = (field: DraftField) => draft[field] !== original[field];
  const number = (text: string) => (/^\d+([.,]\d+)?$/.test(text.trim()) ? Number(text.trim().replace(',', '.')) : NaN);

  if (isChanged('name')) {
    if (draft.name.trim() === '' || draft.name.trim().length > 100) faults.name = 'must be 1 to 100 characters';
    else patch.name = draft.name.trim();
  }
  for (const field of ['sample_rate', 'on_error_sample_rate', 'signal_sample_rate'] as const) {
    if (!isChanged(field)) continue;
    const value = number(draft[field]);
    if (value >= 0 && value <= 100) patch[field] = value / 100;
    else faults[field] = 'must be 0 to 100';
  }
  for (const [field, most] of [
    ['retention_days', 365],
    ['slow_request_ms', 600_000],
  ] as const) {
    if (!isChanged(field)) continue;
    const value = number(draft[field]);
    if (Number.isInteger(value) && value >= 1 && value <= most) patch[field] = value;
    else faults[field] = `must be a whole number from 1 to ${most.toLocaleString('en-US')}`;
  }
  for (const field of ['allowed_origins', 'image_hosts', 'network_bodies', 'endpoint_templates'] as const) {
    if (isChanged(field)) patch[field] = lines(draft[field]);
  }
  if (isChanged('store_ip')) patch.store_ip = draft.store_ip;
  return { patch, faults };
}
