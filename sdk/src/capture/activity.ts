import type { CaptureContext } from './context.js';

/** When the page last did something that a click may have asked for, in milliseconds of the epoch. */
interface Activity {
  latest: number;
}

const activities = new WeakMap<CaptureContext, Activity>();

function activityOf(context: CaptureContext): Activity {
  let activity = activities.get(context);
  if (!activity) activities.set(context, (activity = { latest: 0 }));
  return activity;
}

/** A request started, the address changed: the page reacts to its user. */
export function noteActivity(context: CaptureContext): void {
  activityOf(context).latest = context.now();
}

export function latestActivity(context: CaptureContext): number {
  return activityOf(context).latest;
}
