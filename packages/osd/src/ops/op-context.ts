import { type Bytes, EMPTY, type UTime } from '@spirula/encoding';
import type { OsdOp, WatchItem } from '@spirula/messages';
import type { Config } from '@spirula/world';
import type { CopiedObject, Copies } from '../object-copier.ts';
import type { ObjectDraft } from '../object-draft.ts';
import type { ClientIdentity, WatchEffect } from './watch-effect.ts';

/** What the ops of one request work on, one after another. */
export interface OpContext {
  readonly draft: ObjectDraft;
  readonly config: Config;
  /** Of the object before the request. */
  readonly userVersion: number;
  readonly mtime: UTime;
  /** What the copyFrom ops bring. */
  readonly copies: Copies;
  /** The one that the object is a copy of. */
  copied: CopiedObject | undefined;
  /** Whether it was, before the request. */
  readonly isDirty: boolean;
  /** Whether the request leaves it as one that nobody has written. */
  cleans: boolean;
  truncateSeq: number;
  truncateSize: number;
  readonly client: ClientIdentity;
  watchers: readonly WatchItem[];
  /** Whether the client's session is where a watcher is told. */
  isConnected(watcher: WatchItem): boolean;
  /** A number that no other notify has. */
  nextNotifyId(): bigint;
  /** What is to happen beside, when all ops have succeeded. */
  readonly effects: WatchEffect[];
}

/** What one op came to. */
export interface OpOutcome {
  /** 0, a positive value where the op has one, or a negative errno. */
  readonly code: number;
  readonly output: Bytes;
}

export type OpHandler = (context: OpContext, op: OsdOp) => OpOutcome;

export const DONE: OpOutcome = { code: 0, output: EMPTY };

export function failed(code: number): OpOutcome {
  return { code, output: EMPTY };
}

export function answered(output: Bytes): OpOutcome {
  return { code: 0, output };
}
