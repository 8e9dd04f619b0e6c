/**
 * Address of the running script, known only while it runs for the first time. A classic script of another origin has no base of
 * its own for `import()`, so its chunks are found by this.
 */
export const scriptUrl = (document.currentScript as HTMLScriptElement | null)?.src ?? '';
