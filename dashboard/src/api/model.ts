/** The shapes that the API answers with. Times are milliseconds of the Unix epoch, server's clock; null means unknown. */

export interface Installation {
  version: string;
  ingest_url: string;
  /** Address of the instrumented demo shop; null when it is switched off. */
  demo_url: string | null;
}

export interface Me {
  name: string;
  installation: Installation;
}

export interface ProjectSettings {
  allowed_origins: string[];
  retention_days: number;
  store_ip: boolean;
  sample_rate: number;
  on_error_sample_rate: number;
  signal_sample_rate: number;
  image_hosts: string[];
  slow_request_ms: number;
  network_bodies: string[];
}

export interface Project {
  id: string;
  name: string;
  created_at: number;
  disabled: boolean;
  public_key: string;
  settings: ProjectSettings;
  script_tag: string;
  script_tag_plain: string;
}

export type ProjectPatch = Partial<ProjectSettings> & { name?: string; disabled?: boolean };

export interface SecretKey {
  id: string;
  hint: string;
  created_at: number;
}

export interface CreatedSecretKey {
  secret_key: string;
  hint: string;
}

export interface Intake {
  since?: number;
  batches: number;
  bytes: number;
  signals: number;
  dropped_signals: number;
  duplicates: number;
  suppressed: number;
  new_sessions?: number;
  dead_letters: Record<string, number>;
}

export interface ProjectStatus {
  first_event_at: number | null;
  last_event_at: number | null;
  intake: Intake;
}

export interface DeadLetter {
  reason: string;
  detail: string;
  session_id: string | null;
  stream_id: string | null;
  seq: number;
  received_at: number;
  bytes: number;
  partition: number;
  offset: number;
}

export interface DeadLetterPage {
  items: DeadLetter[];
  next: string | null;
}

export type SessionState = 'live' | 'ended';
export type ReplayState =
  | 'live'
  | 'complete'
  | 'partial'
  | 'not_sampled'
  | 'recorder_failed'
  | 'deleted'
  | 'expired';

export interface Named {
  name: string | null;
  version: string | null;
}

export interface Size {
  width: number;
  height: number;
}

export interface User {
  id: string | null;
  email: string | null;
  traits: Record<string, unknown>;
}

export interface Counts {
  events: number;
  errors: number;
  requests: number;
  failed_requests: number;
  slow_requests: number;
  clicks: number;
  rage_clicks: number;
  dead_clicks: number;
  console_errors: number;
  navigations: number;
  custom_events: number;
  dropped_signals: number;
}

export interface Activity {
  bucket_ms: number;
  values: number[];
}

export interface Session {
  id: string;
  project_id: string;
  started_at: number;
  ended_at: number;
  duration_ms: number;
  state: SessionState;
  replay: ReplayState;
  replay_reasons: string[];
  user: User | null;
  browser: Named;
  os: Named;
  device: string | null;
  screen: Size | null;
  language: string | null;
  time_zone: string | null;
  country: string | null;
  ip: string | null;
  user_agent: string | null;
  sdk: string | null;
  release: string | null;
  environment: string | null;
  entry_page: string | null;
  exit_page: string | null;
  pages: string[];
  page_count: number;
  custom_events: string[];
  tabs: number;
  streams: number;
  counts: Counts;
  activity: Activity;
  clock_skewed: boolean;
  sampling: { dom: number; dom_on_error: number; signals: number };
  stored_bytes: number;
  expires_at: number;
}

export interface SessionPage {
  items: Session[];
  next: string | null;
  partial: boolean;
}

export interface SessionEvent {
  /** `<stream>-<seq>-<index>`: stable. */
  id: string;
  time: number;
  /** Milliseconds from the session's start. */
  at_ms: number;
  stream: string;
  kind: string;
  data: Record<string, unknown>;
}

export interface EventPage {
  items: SessionEvent[];
  next: string | null;
}

export interface Segment {
  id: string;
  href: string;
  from_ms: number;
  to_ms: number;
  first_seq: number;
  last_seq: number;
  key_frame: boolean;
  bytes: number;
  raw_bytes: number;
  events: number | null;
  object: string;
  range: number[];
}

export interface Gap {
  from_ms: number;
  to_ms: number;
  reason: string;
  detail: string;
}

export interface Stream {
  id: string;
  tab: number;
  url: string | null;
  from_ms: number;
  to_ms: number;
  clock_offset_ms: number;
  clock_skewed: boolean;
  viewport: Size | null;
  segments: Segment[];
  gaps: Gap[];
}

export interface Manifest {
  session_id: string;
  state: ReplayState;
  reasons: string[];
  started_at: number;
  ended_at: number;
  duration_ms: number;
  streams: Stream[];
  image_hosts: string[];
}
