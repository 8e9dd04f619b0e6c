/** Name and version of the SDK, as the `page` signal tells it. Kept equal to package.json by a test. */
export const SDK_VERSION = '@playhead/browser 0.1.0';
