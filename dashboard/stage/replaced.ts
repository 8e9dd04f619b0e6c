/**
 * Leaves out what a later event replaces. Between a key frame and the moment that is sought there may be tens of thousands
 * of changes; they are applied at once, so of each text and each attribute only the last value can be seen, and of the
 * pointer, of scroll positions, inputs and sizes the last one too. The rest would cost time, some of it a layout each.
 */
import { EventType, type Fields, isFields, POINTER_SOURCES, type RecordedEvent, Source } from './recorded';

const RULE_SOURCES = new Set<unknown>([Source.StyleSheetRule, Source.StyleDeclaration]);

export function dropReplaced(events: readonly RecordedEvent[]): RecordedEvent[] {
  const later = new Later();
  const kept: RecordedEvent[] = [];
  for (let index = events.length - 1; index >= 0; index -= 1) {
    const event = events[index];
    const left = event === undefined ? null : later.leave(event);
    if (left !== null) kept.push(left);
  }
  return kept.reverse();
}

/** What the events after the one at hand set. Reads events from the last to the first. */
class Later {
  private readonly states = new Set<string>();
  private readonly texts = new Set<unknown>();
  private readonly attributes = new Map<unknown, Set<string>>();

  /** What of `event` can still be seen, or null. */
  leave(event: RecordedEvent): RecordedEvent | null {
    // A key frame is another page: what comes after it says nothing of what was before it.
    if (event.type === EventType.FullSnapshot) this.forget();
    if (event.type !== EventType.Incremental) return event;
    if (event.data.source === Source.Mutation) return this.leaveOfMutation(event);
    // A change of a rule needs the sheet that it was made in, which an earlier text may have written.
    if (RULE_SOURCES.has(event.data.source)) this.texts.clear();
    const state = stateOf(event.data);
    if (state === null) return event;
    if (this.states.has(state)) return null;
    this.states.add(state);
    // How far something scrolls, or what a field takes, depends on the page as it was: what led to that stays.
    if (event.data.source === Source.Scroll || event.data.source === Source.Input) {
      this.texts.clear();
      this.attributes.clear();
    }
    return event;
  }

  private forget(): void {
    this.states.clear();
    this.texts.clear();
    this.attributes.clear();
  }

  private leaveOfMutation(event: RecordedEvent): RecordedEvent | null {
    const data = event.data as Fields & Record<'texts' | 'attributes' | 'adds' | 'removes', Fields[]>;
    const texts = lastFirst(data.texts, (text) => {
      if (this.texts.has(text.id)) return null;
      this.texts.add(text.id);
      return text;
    });
    const attributes = lastFirst(data.attributes, (change) => this.leaveOfAttributes(change));
    if (texts.length + attributes.length + data.adds.length + data.removes.length === 0) return null;
    return { ...event, data: { ...data, texts, attributes } };
  }

  private leaveOfAttributes(change: Fields): Fields | null {
    if (!isFields(change.attributes)) return change;
    const { attributes } = change;
    // What rrweb adds of its own is not the attribute of that name alone.
    if (Object.keys(attributes).some((name) => name.startsWith('_') || name.startsWith('rr_'))) return change;
    let known = this.attributes.get(change.id);
    if (known === undefined) this.attributes.set(change.id, (known = new Set()));
    const left: Fields = {};
    for (const [name, value] of Object.entries(attributes)) {
      if (known.has(name)) continue;
      left[name] = value;
      // A style that comes as an object changes single properties: what was there before still counts.
      if (!isFields(value)) known.add(name);
    }
    return Object.keys(left).length === 0 ? null : { ...change, attributes: left };
  }
}

/** In the order of `items`, though the last one is looked at first. */
function lastFirst(items: readonly Fields[], leave: (item: Fields) => Fields | null): Fields[] {
  const kept: Fields[] = [];
  for (let index = items.length - 1; index >= 0; index -= 1) {
    const item = items[index];
    const left = item === undefined ? null : leave(item);
    if (left !== null) kept.push(left);
  }
  return kept.reverse();
}

/** Names what an event sets as a whole, or null. */
function stateOf(data: Fields): string | null {
  if (POINTER_SOURCES.has(data.source)) return 'pointer';
  switch (data.source) {
    case Source.Scroll:
    case Source.Input:
      return `${String(data.source)} ${String(data.id)}`;
    case Source.ViewportResize:
    case Source.Selection:
      return String(data.source);
    default:
      return null;
  }
}
