/** Alerts: rules, what they fired, channels and who was told. Shapes (generated: see `schema.ts`) and calls. */
import { api } from './client';
import { bodyOf } from './endpoints';
import type { Complete } from './model';
import type { components } from './schema';

type Schemas = components['schemas'];

/** Members of a condition that its kind does not use are null. */
export type AlertCondition = Complete<Omit<Schemas['AlertCondition'], 'limit'>> & { limit: AlertLimit | null };
export type AlertLimit = Complete<Schemas['AlertLimit']>;
export type LimitMeasure = Schemas['LimitMeasure'];
export type AlertKind = Schemas['AlertKind'];
export type AlertMeasure = Schemas['AlertMeasure'];
export type AlertPriority = Schemas['AlertPriority'];
export type AlertRule = Complete<Schemas['AlertRule']>;
export type AlertRuleDraft = Complete<Schemas['AlertRuleDraft']>;
export type AlertHours = Complete<Schemas['AlertHours']>;
export type AlertDay = Schemas['AlertDay'];
export type AlertSettings = Complete<Schemas['AlertSettings']>;
export type AlertSpan = Complete<Schemas['AlertSpan']>;
export type AlertRuleList = Complete<Schemas['AlertRuleList']>;
export type AlertPreview = Complete<Schemas['AlertPreview']>;
export type PreviewedFiring = Complete<Schemas['PreviewedFiring']>;
export type Firing = Complete<Schemas['Firing']>;
export type FiringStatus = Schemas['FiringStatus'];
export type FiringList = Complete<Schemas['FiringList']>;
export type Delivery = Complete<Schemas['Delivery']>;
export type AlertChannel = Complete<Schemas['AlertChannel']>;
export type ChannelKind = Schemas['ChannelKind'];
export type ChannelSettings = Schemas['ChannelSettings'];
export type ChannelTest = Complete<Schemas['ChannelTest']>;
export type SavedChannel = Complete<Schemas['SavedChannel']>;

/** The subject of a firing that is about no issue. */
export const WHOLE_PROJECT = 'project';
/** As many firings or deliveries as one answer has at most. */
export const LIST_MAX = 200;

const BASE = '/api/v1/projects/{project}/alerts';
const inProject = (project: string) => ({ params: { path: { project } } });

export const fetchFirings = async (
  project: string,
  status: FiringStatus | undefined,
  signal?: AbortSignal,
): Promise<FiringList> =>
  bodyOf(
    await api.GET(`${BASE}/firings`, { params: { path: { project }, query: { status, limit: LIST_MAX } }, signal }),
  );

export const changeFiring = async (
  project: string,
  { rule, subject }: Pick<Firing, 'rule' | 'subject'>,
  status: 'acknowledged' | 'resolved',
): Promise<Firing> =>
  bodyOf(
    await api.PATCH(`${BASE}/rules/{rule}/firings/{subject}`, {
      params: { path: { project, rule, subject } },
      body: { status },
    }),
  );

/** The newest tries to tell somebody, newest first. */
export const fetchDeliveries = async (project: string, signal?: AbortSignal): Promise<Delivery[]> =>
  bodyOf(await api.GET(`${BASE}/deliveries`, { params: { path: { project }, query: { limit: LIST_MAX } }, signal }))
    .items;

export const fetchRules = async (project: string, signal?: AbortSignal): Promise<AlertRuleList> =>
  bodyOf(await api.GET(`${BASE}/rules`, { ...inProject(project), signal }));
export const fetchRule = async (project: string, rule: string, signal?: AbortSignal): Promise<AlertRule> =>
  bodyOf(await api.GET(`${BASE}/rules/{rule}`, { params: { path: { project, rule } }, signal }));
export const createRule = async (project: string, draft: AlertRuleDraft): Promise<AlertRule> =>
  bodyOf(await api.POST(`${BASE}/rules`, { ...inProject(project), body: draft }));
/** The draft names the version that was read. */
export const replaceRule = async (project: string, rule: string, draft: AlertRuleDraft): Promise<AlertRule> =>
  bodyOf(await api.PUT(`${BASE}/rules/{rule}`, { params: { path: { project, rule } }, body: draft }));
export async function deleteRule(project: string, rule: string): Promise<void> {
  await api.DELETE(`${BASE}/rules/{rule}`, { params: { path: { project, rule } } });
}
export const fetchAlertSettings = async (project: string, signal?: AbortSignal): Promise<AlertSettings> =>
  bodyOf(await api.GET(`${BASE}/settings`, { ...inProject(project), signal }));
/** The settings name the version that was read. */
export const replaceAlertSettings = async (project: string, settings: AlertSettings): Promise<AlertSettings> =>
  bodyOf(await api.PUT(`${BASE}/settings`, { ...inProject(project), body: settings }));
export const previewRule = async (
  project: string,
  draft: AlertRuleDraft,
  signal?: AbortSignal,
): Promise<AlertPreview> => bodyOf(await api.POST(`${BASE}/preview`, { ...inProject(project), body: draft, signal }));

export const fetchChannels = async (project: string, signal?: AbortSignal): Promise<AlertChannel[]> =>
  bodyOf(await api.GET(`${BASE}/channels`, { ...inProject(project), signal })).items;
export const createChannel = async (
  project: string,
  channel: { name: string; settings: ChannelSettings },
): Promise<SavedChannel> => bodyOf(await api.POST(`${BASE}/channels`, { ...inProject(project), body: channel }));

/** Of a channel that was read: what changed meanwhile is not overwritten. */
const ofChannel = (project: string, { id, version }: Pick<AlertChannel, 'id' | 'version'>) => ({
  path: { project, channel: id },
  header: { 'if-match': String(version) },
});
export const changeChannel = async (
  project: string,
  channel: AlertChannel,
  change: { name?: string; settings?: ChannelSettings },
): Promise<SavedChannel> =>
  bodyOf(await api.PATCH(`${BASE}/channels/{channel}`, { params: ofChannel(project, channel), body: change }));
export async function deleteChannel(project: string, channel: AlertChannel): Promise<void> {
  await api.DELETE(`${BASE}/channels/{channel}`, { params: ofChannel(project, channel) });
}
/** Really sends a message. */
export const testChannel = async (project: string, channel: string): Promise<ChannelTest> =>
  bodyOf(await api.POST(`${BASE}/channels/{channel}/test`, { params: { path: { project, channel } } }));
