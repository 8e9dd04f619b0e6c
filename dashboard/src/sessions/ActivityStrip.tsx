import type { Activity } from '../api/model';

const HEIGHT = 20;
const BARS_MAX = 64;

/** How much happened when, in the width of a cell. */
export function ActivityStrip({ activity }: { activity: Activity }) {
  const values = activity.values.slice(0, BARS_MAX);
  const most = Math.max(1, ...values);
  const width = Math.max(values.length, 24);
  return (
    <svg
      className="strip"
      viewBox={`0 0 ${String(width * 4)} ${String(HEIGHT)}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {values.map((value, index) => {
        // The square root keeps single events visible beside bursts.
        const height = value === 0 ? 1 : Math.max(3, Math.sqrt(value / most) * HEIGHT);
        return (
          <rect
            key={index}
            x={index * 4}
            y={HEIGHT - height}
            width={3}
            height={height}
            fill="currentColor"
            opacity={value === 0 ? 0.3 : 0.85}
          />
        );
      })}
    </svg>
  );
}
