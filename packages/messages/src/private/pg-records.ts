/**
 * What OSDs know of a PG, as they tell it to one another and as they keep it in their stores: one schema serves both.
 * Ceph's pg_history_t, pg_info_t, pg_log_entry_t, pg_log_dup_t, pg_missing_item and PastIntervals (osd/osd_types.h).
 */
import type { Bytes, Epoch, EVersion, OsdId, PgId, UTime } from '@spirula/encoding';
import type { HObject, SnapInterval } from '@spirula/maps';
import { invariant } from '@spirula/world';
import type { ReqId } from '../osd-op.ts';
import { packPlain, unpackPlain } from './msgpack.ts';
import {
  bigint,
  bool,
  bytes,
  eversion,
  fieldsOf,
  hobject,
  i32,
  int,
  list,
  literal,
  object,
  type PackContext,
  pgid,
  type Schema,
  type UnpackContext,
  u8,
  u32,
  uint,
  utime,
} from './schema.ts';

/** Epochs that say how far a PG has come, merged from whoever knows more (pg_history_t). */
export interface PgHistory {
  /** 0: this PG does not exist here. */
  readonly epochCreated: Epoch;
  /** Lower bound on the last epoch in which the PG went active, as all of that acting set have committed. */
  readonly lastEpochStarted: Epoch;
  /** First epoch of that interval. */
  readonly lastIntervalStarted: Epoch;
  /** Lower bound on the last epoch in which the PG was clean. */
  readonly lastEpochClean: Epoch;
  readonly lastIntervalClean: Epoch;
  /** Since when up, acting and primary are what they are; facts of one map history, never merged. */
  readonly sameUpSince: Epoch;
  readonly sameIntervalSince: Epoch;
  readonly samePrimarySince: Epoch;
}

/** Counts kept along with the writes (a part of object_stat_sum_t). */
export interface PgCounts {
  /** Heads, clones and whiteouts. */
  readonly objects: number;
  /** Of heads, and of clones what they do not share with the next newer version. */
  readonly bytes: number;
  readonly clones: number;
  /** Heads of deleted objects, which only hold on to their clones. */
  readonly whiteouts: number;
}

export const NO_COUNTS: PgCounts = { objects: 0, bytes: 0, clones: 0, whiteouts: 0 };

/** One replica's state of a PG (pg_info_t). */
export interface PgInfo {
  readonly pgid: PgId;
  /** Version of the newest log entry. */
  readonly lastUpdate: EVersion;
  /** Everything up to it is here. At most `lastUpdate`. */
  readonly lastComplete: EVersion;
  /** Epoch in which this replica was last part of an active PG. */
  readonly lastEpochStarted: Epoch;
  readonly lastIntervalStarted: Epoch;
  readonly lastUserVersion: number;
  /** The log holds what is newer than this. */
  readonly logTail: EVersion;
  /** Objects up to it are here (or missing by the log); max: all of them. */
  readonly lastBackfill: HObject;
  readonly counts: PgCounts;
  /** The counts may be wrong: what led to them was cut off. */
  readonly countsInvalid: boolean;
  /** Snapshots of the map's queue that are trimmed here: no object carries them any more. */
  readonly purgedSnaps: readonly SnapInterval[];
  readonly history: PgHistory;
}

/** What one op of a write was answered (pg_log_op_return_item_t): few bytes, as osd_max_write_op_reply_len says. */
export interface OpReturn {
  readonly rval: number;
  readonly output: Bytes;
}

/** One write to one object (pg_log_entry_t). */
export interface PgLogEntry {
  /**
   * `clone`: the object is new, a copy of its head as it was in `priorVersion`. `error`: nothing was written, and a request
   * that is sent again is to hear so again.
   */
  readonly kind: 'modify' | 'delete' | 'clone' | 'error';
  readonly oid: HObject;
  readonly version: EVersion;
  /** The object's version before; 0'0 when this write creates it. */
  readonly priorVersion: EVersion;
  readonly userVersion: number;
  readonly reqid: ReqId;
  readonly mtime: UTime;
  /** What the client was answered. */
  readonly result: number;
  /** The same for each op, where the client asked for it (RETURNVEC). */
  readonly opReturns?: readonly OpReturn[];
}

/** What remains of a trimmed entry: enough to answer a request that is sent again (pg_log_dup_t). */
export interface PgLogDup {
  readonly version: EVersion;
  readonly userVersion: number;
  readonly reqid: ReqId;
  readonly result: number;
  readonly opReturns?: readonly OpReturn[];
}

/** A log, or the part of it newer than `tail`. */
export interface PgLogPart {
  readonly head: EVersion;
  readonly tail: EVersion;
  /** Ascending versions. */
  readonly entries: readonly PgLogEntry[];
  readonly dups: readonly PgLogDup[];
}

/** An object of which the log knows a newer version than the store holds (pg_missing_item). */
export interface MissingItem {
  readonly oid: HObject;
  readonly need: EVersion;
  /** 0'0: none. */
  readonly have: EVersion;
}

/** A time during which neither the up set nor the acting set of a PG changed (PastIntervals::pg_interval_t). */
export interface PastInterval {
  readonly first: Epoch;
  readonly last: Epoch;
  readonly up: readonly OsdId[];
  readonly acting: readonly OsdId[];
  readonly upPrimary: OsdId;
  readonly primary: OsdId;
  /** Whether writes may have been accepted in it. */
  readonly maybeWentRw: boolean;
}

const reqidSchema: Schema<ReqId> = {
  pack: ({ entityType, entityNum, tid, inc }) => [entityType, entityNum, tid, inc],
  unpack: (plain, field, context) => {
    const [entityType, entityNum, tid, inc] = fieldsOf(plain, field, 4);
    return {
      entityType: u8.unpack(entityType, 'entityType', context),
      entityNum: bigint.unpack(entityNum, 'entityNum', context),
      tid: bigint.unpack(tid, 'tid', context),
      inc: int.unpack(inc, 'inc', context),
    };
  },
};

const pgHistorySchema: Schema<PgHistory> = object({
  epochCreated: u32,
  lastEpochStarted: u32,
  lastIntervalStarted: u32,
  lastEpochClean: u32,
  lastIntervalClean: u32,
  sameUpSince: u32,
  sameIntervalSince: u32,
  samePrimarySince: u32,
});

export const pgCountsSchema: Schema<PgCounts> = {
  pack: ({ objects, bytes, clones, whiteouts }) => [objects, bytes, clones, whiteouts],
  unpack: (plain, field, context) => {
    const [objects, bytes, clones, whiteouts] = fieldsOf(plain, field, 4);
    return {
      objects: int.unpack(objects, 'objects', context),
      bytes: int.unpack(bytes, 'bytes', context),
      clones: int.unpack(clones, 'clones', context),
      whiteouts: int.unpack(whiteouts, 'whiteouts', context),
    };
  },
};

export const snapIntervals: Schema<readonly SnapInterval[]> = list(object({ start: bigint, length: bigint }));

const pgInfoFields: Schema<PgInfo> = object({
  pgid,
  lastUpdate: eversion,
  lastComplete: eversion,
  lastEpochStarted: u32,
  lastIntervalStarted: u32,
  lastUserVersion: uint,
  logTail: eversion,
  lastBackfill: hobject,
  counts: pgCountsSchema,
  countsInvalid: bool,
  purgedSnaps: snapIntervals,
  history: pgHistorySchema,
});

export const pgInfoSchema: Schema<PgInfo> = {
  ...pgInfoFields,
  pack: (info, context) => [
    pgid.pack(info.pgid, context),
    eversion.pack(info.lastUpdate, context),
    eversion.pack(info.lastComplete, context),
    info.lastEpochStarted,
    info.lastIntervalStarted,
    info.lastUserVersion,
    eversion.pack(info.logTail, context),
    hobject.pack(info.lastBackfill, context),
    pgCountsSchema.pack(info.counts, context),
    info.countsInvalid,
    snapIntervals.pack(info.purgedSnaps, context),
    pgHistorySchema.pack(info.history, context),
  ],
};

const opReturns: Schema<readonly OpReturn[]> = list(object({ rval: int, output: bytes }));

/** Most writes have none: then there is one field less. */
function packOpReturns(returns: readonly OpReturn[] | undefined, context: PackContext): unknown[] {
  return returns === undefined ? [] : [opReturns.pack(returns, context)];
}

function unpackOpReturns(plain: unknown, context: UnpackContext): { readonly opReturns?: readonly OpReturn[] } {
  return plain === undefined ? {} : { opReturns: opReturns.unpack(plain, 'opReturns', context) };
}

const entryKind = literal('modify', 'delete', 'clone', 'error');

export const pgLogEntrySchema: Schema<PgLogEntry> = {
  pack: (entry, context) => [
    entry.kind,
    hobject.pack(entry.oid, context),
    eversion.pack(entry.version, context),
    eversion.pack(entry.priorVersion, context),
    entry.userVersion,
    reqidSchema.pack(entry.reqid, context),
    utime.pack(entry.mtime, context),
    entry.result,
    ...packOpReturns(entry.opReturns, context),
  ],
  unpack: (plain, field, context) => {
    const fields = fieldsOf(plain, field, 8, 9);
    const [kind, oid, version, priorVersion, userVersion, reqid, mtime, result, returns] = fields;
    return {
      kind: entryKind.unpack(kind, 'kind', context),
      oid: hobject.unpack(oid, 'oid', context),
      version: eversion.unpack(version, 'version', context),
      priorVersion: eversion.unpack(priorVersion, 'priorVersion', context),
      userVersion: uint.unpack(userVersion, 'userVersion', context),
      reqid: reqidSchema.unpack(reqid, 'reqid', context),
      mtime: utime.unpack(mtime, 'mtime', context),
      result: int.unpack(result, 'result', context),
      ...unpackOpReturns(returns, context),
    };
  },
};

const pgLogDupSchema: Schema<PgLogDup> = {
  pack: ({ version, userVersion, reqid, result, opReturns: returns }, context) => [
    eversion.pack(version, context),
    userVersion,
    reqidSchema.pack(reqid, context),
    result,
    ...packOpReturns(returns, context),
  ],
  unpack: (plain, field, context) => {
    const [version, userVersion, reqid, result, returns] = fieldsOf(plain, field, 4, 5);
    return {
      version: eversion.unpack(version, 'version', context),
      userVersion: uint.unpack(userVersion, 'userVersion', context),
      reqid: reqidSchema.unpack(reqid, 'reqid', context),
      result: int.unpack(result, 'result', context),
      ...unpackOpReturns(returns, context),
    };
  },
};

export const pgLogPartSchema: Schema<PgLogPart> = object({
  head: eversion,
  tail: eversion,
  entries: list(pgLogEntrySchema),
  dups: list(pgLogDupSchema),
});

export const missingItemSchema: Schema<MissingItem> = object({ oid: hobject, need: eversion, have: eversion });

export const pastIntervalSchema: Schema<PastInterval> = object({
  first: u32,
  last: u32,
  up: list(i32),
  acting: list(i32),
  upPrimary: i32,
  primary: i32,
  maybeWentRw: bool,
});

/** Turns a value into bytes for a store, and back. */
export interface RecordCodec<T> {
  encode(value: T): Bytes;
  /** @throws MalformedInput */
  decode(bytes: Bytes): T;
}

function recordCodec<T>(name: string, schema: Schema<T>): RecordCodec<T> {
  const refusePayloads = (): never => {
    invariant(false, 'a stored record carries no payloads and no messages');
  };
  return {
    encode: (value) =>
      packPlain(schema.pack(value, { payloads: [], lastObject: undefined, packMessage: refusePayloads })),
    decode: (bytes) =>
      schema.unpack(unpackPlain(bytes), name, {
        lastObject: undefined,
        takePayload: refusePayloads,
        unpackMessage: refusePayloads,
      }),
  };
}

export const pgInfoRecord = recordCodec('pg info', pgInfoSchema);
export const pgLogEntryRecord = recordCodec('pg log entry', pgLogEntrySchema);
export const pgLogDupRecord = recordCodec('pg log dup', pgLogDupSchema);
export const missingItemRecord = recordCodec('missing item', missingItemSchema);
export const pastIntervalsRecord = recordCodec('past intervals', list(pastIntervalSchema));
