import type { Epoch, EVersion, PgId, RawString, UTime } from '@spirula/encoding';
import type { ObjectLocator, OsdOp, OsdOpResult } from '@spirula/messages';
import type { Instant } from '@spirula/world';

/** A compound operation on one object (or, for listings, on a PG). */
export interface ObjectRequest {
  readonly oid: RawString;
  readonly locator: ObjectLocator;
  /** Run in order, all or nothing. */
  readonly ops: readonly OsdOp[];
  /** `OsdFlag.read`, `OsdFlag.write` or both, and what else the caller wants; those every client sets are added. */
  readonly flags: number;
  /** What is read; NOSNAP when left out. */
  readonly snapid?: bigint;
  /** Snapshot context of a write. */
  readonly snapSeq?: bigint;
  readonly snaps?: readonly bigint[];
  /** When the write happens, as clients see it; the wall clock's time when left out. */
  readonly mtime?: UTime;
  /** Fails with ETIMEDOUT after so long. Without it the request waits for as long as it takes. */
  readonly timeoutUs?: Instant;
  /** It is not sent again: where others are, it ends with ECANCELED. */
  readonly once?: boolean;
}

export interface ObjectReply {
  /** 0 or positive, or a negative errno. */
  readonly result: number;
  /** One for each op of the request; none when the request never reached an OSD. */
  readonly ops: readonly OsdOpResult[];
  readonly version: EVersion;
  readonly userVersion: number;
  /** The OSD's map epoch when it answered. */
  readonly epoch: Epoch;
  readonly pgid: PgId | undefined;
}

/** A reply made here, without any OSD. */
export function failedReply(code: number): ObjectReply {
  return { result: code, ops: [], version: { epoch: 0, version: 0 }, userVersion: 0, epoch: 0, pgid: undefined };
}
