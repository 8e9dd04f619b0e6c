/**
 * The shapes that the API answers with, by short names. Times are milliseconds of the Unix epoch, server's clock; null
 * means unknown. The shapes themselves are generated: see `schema.ts`.
 */
import type { components } from './schema';

type Schemas = components['schemas'];

/** The server writes every member of an answer, with null for what is not known; the document calls those optional. */
export type Complete<Value> = Value extends (infer Item)[]
  ? Complete<Item>[]
  : Value extends object
    ? { [Name in keyof Value]-?: Complete<Value[Name]> }
    : Value;

/** A change holds only what changes: null is not a value. */
type Change<Value> = { [Name in keyof Value]?: NonNullable<Value[Name]> };

export type Me = Complete<Schemas['Me']>;
export type Project = Complete<Schemas['Project']>;
export type ProjectPatch = Change<Schemas['ProjectPatch']>;
export type GroupingRule = Schemas['GroupingRule'];
export type DryRun = Complete<Schemas['DryRun']>;
export type DiscardedIssue = Complete<Schemas['DiscardedIssue']>;
export type ProjectStatus = Complete<Schemas['ProjectStatus']>;
export type Intake = Complete<Schemas['Intake']>;
export type SecretKey = Complete<Schemas['SecretKey']>;
export type DeadLetter = Complete<Schemas['DeadLetter']>;

export type Session = Complete<Schemas['Session']>;
export type SessionPage = Complete<Schemas['SessionPage']>;
export type SessionState = Schemas['SessionState'];
export type ReplayState = Schemas['ReplayState'];
export type Activity = Complete<Schemas['Activity']>;
export type Counts = Complete<Schemas['Counts']>;
export type Named = Complete<Schemas['Named']>;
export type Size = Complete<Schemas['Size']>;
export type User = Complete<Schemas['User']>;

export type SessionEvent = Complete<Schemas['Event']>;
export type EventPage = Complete<Schemas['EventPage']>;
export type ErrorStack = Complete<Schemas['ErrorStack']>;
export type Manifest = Complete<Schemas['Manifest']>;
export type Stream = Complete<Schemas['Stream']>;
export type Segment = Complete<Schemas['Segment']>;
export type Gap = Complete<Schemas['Gap']>;
