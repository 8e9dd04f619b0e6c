/** The end of a path tells most: it is never cut. */
const TAIL_LENGTH = 13;

/** A path that is cut before its end where there is no room; the title holds all of it. */
export function PathText({ path, title, tail = TAIL_LENGTH }: { path: string; title: string; tail?: number }) {
  return (
    <span className="mono path" title={title}>
      <span className="ell">{path.slice(0, -tail)}</span>
      <span>{path.slice(-tail)}</span>
    </span>
  );
}
