/** Endpoints and pages: shapes (generated: see `schema.ts`) and calls of their part of the API. */
import { api } from './client';
import { bodyOf } from './endpoints';
import type { Complete } from './model';
import type { components, operations } from './schema';

type Schemas = components['schemas'];

export type PerformanceQuery = NonNullable<operations['list_endpoints']['parameters']['query']>;
export type PerformanceWindow = Complete<Schemas['PerformanceWindow']>;
export type Endpoint = Complete<Schemas['Endpoint']>;
export type EndpointList = Complete<Schemas['EndpointPage']>;
export type EndpointDetail = Complete<Schemas['EndpointDetail']>;
export type HistogramBucket = Complete<Schemas['HistogramBucket']>;
export type RequestSample = Complete<Schemas['RequestSample']>;
export type Compared = Complete<Schemas['Compared']>;
export type TrendPoint = Complete<Schemas['TrendPoint']>;
export type PageList = Complete<Schemas['PageList']>;
export type PageLoads = Complete<Schemas['PageLoads']>;
export type Vital = Complete<Schemas['Vital']>;

export const fetchEndpoints = async (
  project: string,
  query: PerformanceQuery,
  signal?: AbortSignal,
): Promise<EndpointList> =>
  bodyOf(await api.GET('/api/v1/projects/{project}/endpoints', { params: { path: { project }, query }, signal }));

export const fetchEndpoint = async (
  project: string,
  endpoint: string,
  query: PerformanceQuery,
  signal?: AbortSignal,
): Promise<EndpointDetail> =>
  bodyOf(
    await api.GET('/api/v1/projects/{project}/endpoints/{endpoint}', {
      params: { path: { project, endpoint }, query },
      signal,
    }),
  );

export const fetchPages = async (project: string, query: PerformanceQuery, signal?: AbortSignal): Promise<PageList> =>
  bodyOf(await api.GET('/api/v1/projects/{project}/pages', { params: { path: { project }, query }, signal }));
