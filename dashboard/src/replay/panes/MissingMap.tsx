import { CopyButton } from '../../ui';
import type { Frame, Missing } from './frames';

interface MissingMapProps {
  project: string;
  release: string | null;
  frames: readonly Frame[];
}

/** Why frames are not shown as they were written, and the command that changes it. */
export function MissingMap({ project, release, frames }: MissingMapProps) {
  const missing = frames.map((frame) => frame.missing).find((found) => found !== null);
  if (!missing) return null;
  const command = commandOf(missing, project, release);
  return (
    <div className="missing-map">
      <p className="muted">{sentenceOf(missing, release)}</p>
      {command !== null && (
        <div className="missing-map-command">
          <code>{command}</code>
          <CopyButton text={command} label="Copy command" compact />
        </div>
      )}
    </div>
  );
}

function sentenceOf({ reason, detail, script }: Missing, release: string | null): string {
  switch (reason) {
    case 'no_map':
      return `There is no source map of ${script}${release === null ? '' : ` in release ${release}`}. Upload it, and the stack shows what was written, also for errors of the past.`;
    case 'no_release':
      return `The page tells neither its release nor a debug id of ${script}. Set the release in the SDK, or inject debug ids before the next deployment.`;
    case 'broken_map':
      return `The source map of ${script} cannot be read${detail === null ? '' : `: ${detail}`}. Upload it again.`;
    case 'no_source':
      return `The source map of ${script} does not contain the sources. Let the bundler write them (sourcesContent), and upload it again.`;
    case 'not_mapped':
      return `The source map of ${script} does not know this place. It may be that of another build.`;
    default:
      return `The stack is not shown as it was written: ${reason.replaceAll('_', ' ')}.`;
  }
}

function commandOf({ reason }: Missing, project: string, release: string | null): string | null {
  const here = location.origin;
  if (reason === 'no_release') {
    return `playhead sourcemaps inject dist && playhead sourcemaps upload --url ${here} --project ${project} dist`;
  }
  // What a terminal takes for a key is no part of a command to copy.
  if (release !== null && CONTROL.test(release)) return null;
  const named = release === null ? '' : ` --release ${quoted(release)}`;
  return `playhead sourcemaps upload --url ${here} --project ${project}${named} dist`;
}

const CONTROL = /\p{Cc}/u;

/** As a shell takes it: a release is whatever the page says it is. */
const quoted = (value: string): string => (/^[\w.@+/-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`);
