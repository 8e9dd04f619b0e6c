/** The text that src/api/schema.ts must hold. */
export function generateSchema(): Promise<string>;
