/** Only addresses of this dashboard: a link must not send a reader elsewhere after signing in. */
export const safeNext = (next: string | undefined): string =>
  next !== undefined && /^\/(?![/\\])/.test(next) && !next.startsWith('/sign-in') ? next : '/';
