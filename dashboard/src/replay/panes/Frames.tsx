import { useState } from 'react';
import { formatCountOf } from '../../format/number';
import { Button } from '../../ui';
import type { Excerpt, Frame } from './frames';

/** Where nothing is the page's own, the first frames still say where to look. */
const FOREIGN_SHOWN = 5;

interface FramesProps {
  frames: readonly Frame[];
  /** Frames that the server did not keep. */
  leftOut?: number;
  label?: string;
}

/** The page's own frames; all of them by one button. */
export function Frames({ frames, leftOut = 0, label = 'Stack' }: FramesProps) {
  const [all, setAll] = useState(false);
  const own = frames.filter((frame) => frame.inApp);
  const short = own.length > 0 ? own : frames.slice(0, FOREIGN_SHOWN);
  const shown = all ? frames : short;
  const hidden = frames.length - short.length;
  // The first source is what most come for.
  const first = shown.findIndex((frame) => frame.source !== null);
  return (
    <div className="frames">
      {own.length === 0 && frames.length > 0 && <p className="muted">No frame is the page’s own code.</p>}
      <ol className="stack code-block" tabIndex={0} aria-label={label}>
        {shown.map((frame, index) => (
          <FrameItem key={index} frame={frame} dim={all && !frame.inApp && own.length > 0} open={index === first} />
        ))}
        {all && leftOut > 0 && <li className="muted">{formatCountOf(leftOut, 'further frame')} were not kept</li>}
      </ol>
      {(hidden > 0 || leftOut > 0) && (
        <Button
          kind="ghost"
          className="inline"
          aria-expanded={all}
          onClick={() => {
            setAll(!all);
          }}
        >
          {all ? 'Show the page’s own frames' : `Show all frames (${String(frames.length)})`}
        </Button>
      )}
    </div>
  );
}

interface FrameItemProps {
  frame: Frame;
  dim: boolean;
  /** Whether its source shows at first. */
  open: boolean;
}

function FrameItem({ frame, dim, open }: FrameItemProps) {
  const className = dim ? 'muted' : undefined;
  if (frame.source === null) {
    return (
      <li className={className}>
        <FrameLine frame={frame} />
      </li>
    );
  }
  return (
    <li className={className}>
      <details open={open}>
        <summary>
          <FrameLine frame={frame} />
        </summary>
        <Source excerpt={frame.source} />
      </details>
    </li>
  );
}

function FrameLine({ frame }: { frame: Frame }) {
  const title = frame.generated === null ? frame.address : `${frame.address ?? ''}\n${frame.generated}`;
  return (
    <>
      {frame.isAsync && <span className="muted">async </span>}
      <span className={frame.inApp ? 'strong' : undefined}>{frame.name}</span>{' '}
      {frame.place !== null && (
        <span className="muted" title={title ?? undefined}>
          {frame.place}
        </span>
      )}
      {frame.kind !== null && <span className="muted"> [{frame.kind}]</span>}
    </>
  );
}

function Source({ excerpt }: { excerpt: Excerpt }) {
  return (
    <ol className="source" start={excerpt.firstLine}>
      {excerpt.lines.map((line, index) => {
        const isCall = excerpt.firstLine + index === excerpt.line;
        return (
          <li key={index} className={isCall ? 'now' : undefined} aria-current={isCall ? 'true' : undefined}>
            <code>{line}</code>
          </li>
        );
      })}
    </ol>
  );
}
