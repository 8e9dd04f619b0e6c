/** The parts of rrweb's event format that the stage reads. Everything here came from a stranger: nothing is trusted. */

export const EventType = { DomContentLoaded: 0, Load: 1, FullSnapshot: 2, Incremental: 3, Meta: 4 } as const;

export const Source = {
  Mutation: 0,
  MouseMove: 1,
  MouseInteraction: 2,
  Scroll: 3,
  ViewportResize: 4,
  Input: 5,
  TouchMove: 6,
  MediaInteraction: 7,
  StyleSheetRule: 8,
  CanvasMutation: 9,
  Font: 10,
  Log: 11,
  Drag: 12,
  StyleDeclaration: 13,
  Selection: 14,
  AdoptedStyleSheet: 15,
  CustomElement: 16,
} as const;

export const POINTER_SOURCES = new Set<unknown>([Source.MouseMove, Source.TouchMove, Source.Drag]);

export const NodeKind = { Document: 0, DocumentType: 1, Element: 2, Text: 3, CDATA: 4, Comment: 5 } as const;

export type Fields = Record<string, unknown>;

export interface RecordedEvent {
  type: number;
  timestamp: number;
  data: Fields;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

export function isRecordedEvent(value: unknown): value is RecordedEvent {
  return isFields(value) && isNumber(value.type) && isNumber(value.timestamp) && isFields(value.data ?? {});
}

/** Whether a person did this: what "skip inactivity" keeps. */
export function isActivity(event: RecordedEvent): boolean {
  if (event.type !== EventType.Incremental) return false;
  const source = event.data.source;
  return (
    isNumber(source) && source >= Source.MouseMove && source <= Source.TouchMove && source !== Source.ViewportResize
  );
}
