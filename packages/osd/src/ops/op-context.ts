import type { ClassRegistry } from '@spirula/cls';
import { type Bytes, EMPTY, type UTime } from '@spirula/encoding';
import type { OsdMap } from '@spirula/maps';
import type { OsdOp, WatchItem } from '@spirula/messages';
import type { Clock, Config, Crypto } from '@spirula/world';
import type { CopiedObject, Copies } from '../object-copier.ts';
import type { ObjectDraft } from '../object-draft.ts';
import type { Rollbacks } from '../rollback.ts';
import type { SnapSet } from '../snap-set.ts';
import type { OpsIo } from './io-count.ts';
import type { ClientIdentity, WatchEffect } from './watch-effect.ts';

/** What of the OSD ops may use: a part of its world, and its classes. */
export interface OpEnvironment {
  readonly config: Config;
  readonly clock: Pick<Clock, 'wall'>;
  readonly crypto: Pick<Crypto, 'randomBytes'>;
  readonly classes: ClassRegistry;
  readonly map: Pick<OsdMap, 'requireOsdRelease' | 'requireMinCompatClient'>;
}

/** What ops have done so far, those that methods of classes ran included. */
interface OpTally {
  /** That have succeeded. */
  ops: number;
  io: OpsIo;
}

/** What the ops of one request work on, one after another. */
export interface OpContext {
  readonly draft: ObjectDraft;
  readonly environment: OpEnvironment;
  /** Of the object before the request. */
  readonly userVersion: number;
  readonly mtime: UTime;
  /** User version of the PG's newest write. */
  readonly lastUserVersion: number;
  readonly tally: OpTally;
  /** Runs one more op, as a method of a class asks for it. */
  run(op: OsdOp): OpOutcome;
  /** What the copyFrom ops bring. */
  readonly copies: Copies;
  /** The clones there were before the request. */
  readonly snapset: SnapSet;
  /** What the rollback ops go back to. */
  readonly rollbacks: Rollbacks;
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
  /** What follows of the output, uncopied. */
  readonly pieces?: readonly Bytes[];
}

export type OpHandler = (context: OpContext, op: OsdOp) => OpOutcome;

export const DONE: OpOutcome = { code: 0, output: EMPTY };

export function failed(code: number): OpOutcome {
  return { code, output: EMPTY };
}

export function answered(output: Bytes): OpOutcome {
  return { code: 0, output };
}
