import type { RecorderModule } from './contract.js';

let loading: Promise<RecorderModule | undefined> | undefined;
let loaded: RecorderModule | undefined;

/** The recorder's chunk, loaded once; undefined when the page does not let it in. */
export function loadRecorder(): Promise<RecorderModule | undefined> {
  loading ??= import('./index.js').then(
    (module) => (loaded = module),
    () => {
      loading = undefined;
      return undefined;
    },
  );
  return loading;
}

export function loadedRecorder(): RecorderModule | undefined {
  return loaded;
}
