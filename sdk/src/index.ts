import { createApi } from './api.js';

export type { CaptureErrorOptions, PlayheadApi, Identity } from './api.js';
export type { CaptureOptions } from './capture/context.js';
export type { StartOptions } from './options.js';
export type { PrivacyOptions } from './privacy/index.js';
export type { Signal } from './signal.js';

const api = createApi({});

export const { start, stop, identify, track, captureError, sessionUrl } = api;
export default api;
