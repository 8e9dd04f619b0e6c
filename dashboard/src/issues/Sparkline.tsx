import { formatCount } from '../format/number';

const HEIGHT = 28;
const STEP = 5;

interface SparklineProps {
  values: readonly number[];
  /** What one bar is: `hour`. */
  unit: 'hour' | 'day';
  className?: string;
}

/** Events over time as bars; the last three, which are now, stand out. */
export function Sparkline({ values, unit, className = '' }: SparklineProps) {
  const most = Math.max(1, ...values);
  const total = values.reduce((sum, value) => sum + value, 0);
  const label = `${formatCount(total)} in ${String(values.length)} ${unit}s, at most ${formatCount(most)} in one`;
  return (
    <svg
      className={`spark ${className}`}
      viewBox={`0 0 ${String(values.length * STEP)} ${String(HEIGHT)}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={total === 0 ? `No event in ${String(values.length)} ${unit}s` : label}
    >
      {values.map((value, index) => {
        const height = value === 0 ? 1 : Math.max(3, (value / most) * HEIGHT);
        const opacity = value === 0 ? 0.35 : index >= values.length - 3 ? 1 : 0.6;
        return (
          <rect
            key={index}
            x={index * STEP}
            y={HEIGHT - height}
            width={STEP - 1.4}
            height={height}
            fill="currentColor"
            opacity={opacity}
          >
            <title>{`${formatCount(value)}, ${ago(values.length - 1 - index, unit)}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}

function ago(steps: number, unit: 'hour' | 'day'): string {
  if (steps === 0) return unit === 'hour' ? 'this hour' : 'today';
  return `${String(steps)} ${unit}${steps === 1 ? '' : 's'} ago`;
}
