/**
 * Runs a client's ops on one object (PrimaryLogPG::prepare_transaction and do_osd_ops). The ops run in order; what one sees
 * of those before it is the draft's. The first that fails ends the request, and none of its changes is kept.
 */
import type { ClassRegistry } from '@spirula/cls';
import { type Bytes, EMPTY, Encoder, Errno, type EVersion, MalformedInput, type UTime } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import {
  NO_COUNTS,
  type ObjectChange,
  OpFlag,
  OsdFlag,
  type OsdOp,
  OsdOpCode,
  type OsdOpResult,
  outputBytes,
  type PgCounts,
  type WatchItem,
} from '@spirula/messages';
import { makeWriteable, needsClone, type Writeable } from './make-writeable.ts';
import { type Copies, NO_COPIES } from './object-copier.ts';
import { isCopy } from './object-copies.ts';
import { ObjectDraft, type ObjectReader } from './object-draft.ts';
import { encodeObjectInfo, OBJECT_INFO_ATTR, type ObjectInfo } from './object-info.ts';
import { cacheOps } from './ops/cache.ts';
import { callOps, modifies } from './ops/call.ts';
import { checksumOps } from './ops/checksum.ts';
import { ioOf, NO_IO, type OpsIo, sumOfIo } from './ops/io-count.ts';
import { omapOps } from './ops/omap.ts';
import { failed, type OpContext, type OpEnvironment, type OpHandler, type OpOutcome } from './ops/op-context.ts';
import { readOps } from './ops/read.ts';
import { watchOps } from './ops/watch.ts';
import type { ClientIdentity, WatchEffect } from './ops/watch-effect.ts';
import { writeOps } from './ops/write.ts';
import { xattrOps } from './ops/xattr.ts';
import { NO_ROLLBACKS, type Rollbacks } from './rollback.ts';
import {
  encodeSnapSet,
  isEmptySnapSet,
  NO_SNAPS,
  NO_SNAPSET,
  SNAPSET_ATTR,
  type SnapContext,
  type SnapSet,
} from './snap-set.ts';

const NO_TIME: UTime = { sec: 0, nsec: 0 };

const handlers: ReadonlyMap<number, OpHandler> = new Map([
  ...readOps,
  ...checksumOps,
  ...cacheOps,
  ...writeOps,
  ...xattrOps,
  ...omapOps,
  ...watchOps,
  ...callOps,
]);

export interface OpsRequest {
  readonly oid: HObject;
  readonly ops: readonly OsdOp[];
  /** OsdFlag bits of the request. */
  readonly flags: number;
  /** What the copyFrom ops bring; read beforehand. */
  readonly copies?: Copies;
  readonly client: ClientIdentity;
  /** What the rollback ops go back to; looked up beforehand. */
  readonly rollbacks?: Rollbacks;
  /** Of a write. */
  readonly snapc?: SnapContext;
  /** The client's time of the change; zero leaves the object's as it is. */
  readonly mtime: UTime;
}

/** Where the request meets the PG. */
export interface OpsPosition {
  /** Undefined: the object does not exist. */
  readonly info: ObjectInfo | undefined;
  /** Of the head. */
  readonly snapset?: SnapSet;
  /** The version of the first log entry that a change will have, and the newest user version of the PG. */
  readonly version: EVersion;
  readonly lastUserVersion: number;
  isConnected(watcher: WatchItem): boolean;
  nextNotifyId(): bigint;
}

export interface OpsOutcome {
  /** For the reply: 0, a positive value, or a negative errno. */
  readonly result: number;
  /** As many as the request had. */
  readonly ops: readonly OsdOpResult[];
  /** For the reply. */
  readonly userVersion: number;
  /** Whether there are changes to carry out. A write without is only noted in the log, with its result. */
  readonly modifies: boolean;
  /** What every replica is to do, the object's new info included; empty unless `modifies`. */
  readonly changes: readonly ObjectChange[];
  /** The object's info afterwards; undefined: it does not exist. */
  readonly info: ObjectInfo | undefined;
  /** Of the head. */
  readonly version: EVersion;
  /** The clone that is made; its log entry comes before that of the head. */
  readonly clone: Writeable['clone'];
  /** By how much the PG's counts change. */
  readonly delta: PgCounts;
  readonly io: OpsIo;
  /** To be carried out once the changes are durable. */
  readonly effects: readonly WatchEffect[];
}

/** Whether a request may change its object (OpInfo::may_write): then it goes through the log and to the replicas. */
export function mayWrite(ops: readonly OsdOp[], classes: ClassRegistry): boolean {
  return ops.some((op) => modifies(op, classes));
}

/** @throws UnreadableObject when an op asks for data that cannot be read here */
export function executeOps(
  request: OpsRequest,
  position: OpsPosition,
  reader: ObjectReader,
  environment: OpEnvironment,
): OpsOutcome {
  const { info: stored, snapset = NO_SNAPSET, isConnected, nextNotifyId } = position;
  // A deleted object that has clones is there for them alone: but for its snap set it looks as if it were not.
  const info = stored?.whiteout ? undefined : stored;
  const isListing = stored && request.ops.some(({ code }) => code === OsdOpCode.listSnaps);
  if (!info && !isListing && !mayWrite(request.ops, environment.classes)) {
    return unchanged(Errno.ENOENT, request.ops.map(notRun), info, position, NO_IO);
  }

  const draft = new ObjectDraft(request.oid, reader, info?.size);
  const context: OpContext = {
    draft,
    environment,
    userVersion: info?.userVersion ?? 0,
    mtime: info?.mtime ?? NO_TIME,
    copies: request.copies ?? NO_COPIES,
    snapset,
    rollbacks: request.rollbacks ?? NO_ROLLBACKS,
    copied: undefined,
    isDirty: info?.isDirty ?? false,
    cleans: false,
    truncateSeq: info?.truncateSeq ?? 0,
    truncateSize: info?.truncateSize ?? 0,
    client: request.client,
    watchers: info?.watchers ?? [],
    isConnected,
    nextNotifyId,
    effects: [],
    lastUserVersion: position.lastUserVersion,
    tally: { ops: 0, io: NO_IO },
    run: (op) => runOp(context, op),
  };
  const { result, ops } = runOps(context, request.ops);
  const { io } = context.tally;
  if (result < 0) return unchanged(result, ops, info, position, io);
  if (draft.changes.length === 0) return { ...unchanged(result, ops, info, position, io), effects: context.effects };

  const limited = limitAnswers(request.flags, result, ops, environment.config.osd_max_write_op_reply_len);
  if (limited.result < 0) return unchanged(limited.result, limited.ops, info, position, io);
  return changed(request, position, context, limited, io);
}

/** A copy has the user version of what it is a copy of; who watches an object is no matter of its contents. */
function isUserModification(op: OsdOp, classes: ClassRegistry): boolean {
  return modifies(op, classes) && !isCopy(op) && op.code !== OsdOpCode.watch;
}

interface Run {
  readonly result: number;
  readonly ops: readonly OsdOpResult[];
}

function runOps(context: OpContext, ops: readonly OsdOp[]): Run {
  const results: OsdOpResult[] = [];
  let result = 0;
  for (const op of ops) {
    if (result < 0) {
      results.push(notRun(op));
      continue;
    }
    const { code, ...answer } = runOp(context, op);
    results.push({ code: op.code, flags: op.flags, args: argsOfReply(op, answer.output), rval: code, ...answer });
    result = code < 0 && (op.flags & OpFlag.failok) !== 0 ? 0 : code;
  }
  return { result, ops: results };
}

function runOp(context: OpContext, op: OsdOp): OpOutcome {
  const handler = handlers.get(op.code);
  if (!handler) return failed(Errno.EOPNOTSUPP);
  try {
    const before = context.draft.changes.length;
    const outcome = handler(context, op);
    count(context, op, outcome, context.draft.changes.length > before);
    return outcome;
  } catch (error) {
    if (error instanceof MalformedInput) return failed(Errno.EINVAL);
    throw error;
  }
}

/** A method counts as what it does. */
function count(
  { tally, copies, environment }: OpContext,
  op: OsdOp,
  { code, ...answer }: OpOutcome,
  hasChanged: boolean,
): void {
  if (code < 0 && (op.flags & OpFlag.failok) === 0) return;
  // Ceph runs an append as a write inside of it; the numbers show in what methods store.
  tally.ops += op.code === OsdOpCode.append ? 2 : 1;
  // What differs was read all the same.
  const isCounted = modifies(op, environment.classes) ? hasChanged : code >= 0 || op.code === OsdOpCode.cmpext;
  if (isCounted) tally.io = sumOfIo(tally.io, ioOf(op, answer, copies.get(op)?.data.length ?? 0));
}

/** A read or call says in its arguments how much it answers, getxattr how long the value is. */
function argsOfReply(op: OsdOp, output: Bytes): Bytes {
  const isExtent = op.code === OsdOpCode.read || op.code === OsdOpCode.call;
  if (!isExtent && op.code !== OsdOpCode.getxattr) return op.args;
  const args = new Encoder(op.args.length);
  if (isExtent) {
    args.raw(op.args.subarray(0, 8));
    args.u64(output.length);
  } else {
    args.raw(op.args.subarray(0, 4));
    args.u32(output.length);
  }
  args.raw(op.args.subarray(args.length));
  return args.finish();
}

function notRun(op: OsdOp): OsdOpResult {
  return { code: op.code, flags: op.flags, args: op.args, rval: 0, output: EMPTY };
}

/**
 * What a successful write may answer (PrimaryLogPG::execute_ctx): nothing, because a resent request could not be answered
 * the same; or, when the client asks for it, little.
 */
function limitAnswers(flags: number, result: number, ops: readonly OsdOpResult[], maxBytes: number): Run {
  if ((flags & OsdFlag.returnvec) === 0) {
    return { result: 0, ops: ops.map(silent) };
  }
  if (ops.every((op) => outputBytes(op) <= maxBytes)) return { result, ops };
  const shortened = ops.map((op) => (outputBytes(op) <= maxBytes ? op : { ...silent(op), rval: Errno.EOVERFLOW }));
  return { result: Errno.EOVERFLOW, ops: shortened };
}

function silent({ code, flags, args, rval }: OsdOpResult): OsdOpResult {
  return { code, flags, args, rval, output: EMPTY };
}

function unchanged(
  result: number,
  ops: readonly OsdOpResult[],
  info: ObjectInfo | undefined,
  { version }: OpsPosition,
  io: OpsIo,
): OpsOutcome {
  const userVersion = info?.userVersion ?? 0;
  const nothing = { modifies: false, changes: [], clone: undefined, delta: NO_COUNTS, effects: [] } as const;
  return { ...nothing, result, ops, userVersion, info, version, io };
}

function changed(
  request: OpsRequest,
  { info: stored, snapset: clones = NO_SNAPSET, version: first, lastUserVersion }: OpsPosition,
  context: OpContext,
  { result, ops }: Run,
  io: OpsIo,
): OpsOutcome {
  const { oid, snapc = NO_SNAPS } = request;
  const { draft, copied, effects } = context;
  const before = stored?.whiteout ? undefined : stored;
  const writeable = makeWriteable({ oid, info: before, snapset: clones }, snapc, first, draft.modified);
  const { clone, snapset } = writeable;
  const version = clone ? { ...first, version: first.version + 1 } : first;
  const userVersionBefore = (copied ?? before)?.userVersion ?? 0;
  const isModified = request.ops.some((op) => isUserModification(op, context.environment.classes));
  // Not below the version: old clients know only that (PrimaryLogPG::finish_ctx).
  const newer = Math.max(Math.max(lastUserVersion, userVersionBefore) + 1, version.version);
  const userVersion = isModified ? newer : userVersionBefore;
  // The head stays while there are clones, or would have been.
  const whiteout = !draft.exists && (clones.clones.length > 0 || needsClone(clones, snapc));
  const info: ObjectInfo | undefined =
    draft.exists || whiteout
      ? {
          version,
          priorVersion: stored?.version ?? { epoch: 0, version: 0 },
          userVersion,
          size: draft.size,
          mtime: mtimeOf(request, context),
          truncateSeq: context.truncateSeq,
          truncateSize: context.truncateSize,
          isDirty: !context.cleans,
          watchers: context.watchers,
          whiteout,
          snaps: [],
        }
      : undefined;
  return {
    result,
    ops,
    userVersion,
    modifies: true,
    changes: [...writeable.changes, ...draft.changes, ...(info ? headChanges(oid, info, snapset) : [])],
    info,
    version,
    clone,
    delta: {
      objects: Number(info !== undefined) - Number(stored !== undefined) + Number(clone !== undefined),
      bytes: (info?.size ?? 0) - (stored?.size ?? 0) + writeable.bytes,
      clones: Number(clone !== undefined),
      whiteouts: Number(whiteout) - Number(stored?.whiteout ?? false),
    },
    io,
    effects,
  };
}

function mtimeOf({ mtime: now }: OpsRequest, { copied, mtime: before }: OpContext): UTime {
  if (copied) return copied.mtime;
  return now.sec !== 0 || now.nsec !== 0 ? now : before;
}

/** What is known of a head, written last: whatever the ops did to it, it is there afterwards. */
function headChanges(oid: HObject, info: ObjectInfo, snapset: SnapSet): ObjectChange[] {
  const attrs = new Map([[OBJECT_INFO_ATTR, encodeObjectInfo(info)]]);
  if (!isEmptySnapSet(snapset)) attrs.set(SNAPSET_ATTR, encodeSnapSet(snapset));
  return [{ op: 'setAttrs', oid, attrs }];
}
