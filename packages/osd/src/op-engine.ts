/**
 * Runs a client's ops on one object (PrimaryLogPG::prepare_transaction and do_osd_ops). The ops run in order; what one sees
 * of those before it is the draft's. The first that fails ends the request, and none of its changes is kept.
 */
import type { ClassRegistry } from '@spirula/cls';
import { type Bytes, EMPTY, Encoder, Errno, type EVersion, MalformedInput, type UTime } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import {
  type ObjectChange,
  OpFlag,
  OsdFlag,
  type OsdOp,
  OsdOpCode,
  type OsdOpResult,
  type WatchItem,
} from '@spirula/messages';
import { type Copies, NO_COPIES } from './object-copier.ts';
import { ObjectDraft, type ObjectReader } from './object-draft.ts';
import { encodeObjectInfo, OBJECT_INFO_ATTR, type ObjectInfo } from './object-info.ts';
import { cacheOps } from './ops/cache.ts';
import { callOps, modifies } from './ops/call.ts';
import { checksumOps } from './ops/checksum.ts';
import { omapOps } from './ops/omap.ts';
import { failed, type OpContext, type OpEnvironment, type OpHandler, type OpOutcome } from './ops/op-context.ts';
import { readOps } from './ops/read.ts';
import { watchOps } from './ops/watch.ts';
import type { ClientIdentity, WatchEffect } from './ops/watch-effect.ts';
import { writeOps } from './ops/write.ts';
import { xattrOps } from './ops/xattr.ts';

/** osd_max_write_op_reply_len: so much may one op of a write answer, when its client asks for answers at all. */
const MAX_WRITE_REPLY_BYTES = 64;
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
  /** The client's time of the change; zero leaves the object's as it is. */
  readonly mtime: UTime;
}

/** Where the request meets the PG. */
export interface OpsPosition {
  /** Undefined: the object does not exist. */
  readonly info: ObjectInfo | undefined;
  /** The version of the log entry that a change will have, and the newest user version of the PG. */
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
  /** By how much the PG's counts change. */
  readonly objects: number;
  readonly bytes: number;
  readonly io: OpsIo;
  /** To be carried out once the changes are durable. */
  readonly effects: readonly WatchEffect[];
}

/** What a request adds to the PG's counters. */
export interface OpsIo {
  readonly reads: number;
  readonly readBytes: number;
  readonly writes: number;
  readonly writeBytes: number;
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
  const { info, isConnected, nextNotifyId } = position;
  if (!info && !mayWrite(request.ops, environment.classes)) {
    return unchanged(Errno.ENOENT, request.ops.map(notRun), info, NO_IO);
  }

  const draft = new ObjectDraft(request.oid, reader, info?.size);
  const context: OpContext = {
    draft,
    environment,
    userVersion: info?.userVersion ?? 0,
    mtime: info?.mtime ?? NO_TIME,
    copies: request.copies ?? NO_COPIES,
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
    tally: { ops: 0, reads: 0, readBytes: 0, writes: 0, writeBytes: 0 },
    run: (op) => runOp(context, op),
  };
  const { result, ops } = runOps(context, request.ops);
  const { reads, readBytes, writes, writeBytes } = context.tally;
  const io: OpsIo = { reads, readBytes, writes, writeBytes };
  if (result < 0) return unchanged(result, ops, info, io);
  if (draft.changes.length === 0) return { ...unchanged(result, ops, info, io), effects: context.effects };

  const limited = limitAnswers(request.flags, result, ops);
  if (limited.result < 0) return unchanged(limited.result, limited.ops, info, io);
  return changed(request, position, context, limited, io);
}

/** A copy has the user version of what it is a copy of; who watches an object is no matter of its contents. */
function isUserModification(op: OsdOp, classes: ClassRegistry): boolean {
  return modifies(op, classes) && op.code !== OsdOpCode.copyFrom && op.code !== OsdOpCode.watch;
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
    const { code, output } = runOp(context, op);
    results.push({ code: op.code, flags: op.flags, args: argsOfReply(op, output), rval: code, output });
    result = code < 0 && (op.flags & OpFlag.failok) !== 0 ? 0 : code;
  }
  return { result, ops: results };
}

function runOp(context: OpContext, op: OsdOp): OpOutcome {
  const handler = handlers.get(op.code);
  if (!handler) return failed(Errno.EOPNOTSUPP);
  try {
    const outcome = handler(context, op);
    count(context, op, outcome);
    return outcome;
  } catch (error) {
    if (error instanceof MalformedInput) return failed(Errno.EINVAL);
    throw error;
  }
}

/** A method counts as what it does. */
function count({ tally, environment }: OpContext, op: OsdOp, { code, output }: OpOutcome): void {
  if (code < 0 && (op.flags & OpFlag.failok) === 0) return;
  // Ceph runs an append as a write inside of it; the numbers show in what methods store.
  tally.ops += op.code === OsdOpCode.append ? 2 : 1;
  if (code < 0 || op.code === OsdOpCode.call) return;
  if (modifies(op, environment.classes)) {
    tally.writes += 1;
    tally.writeBytes += op.input.length;
  } else {
    tally.reads += 1;
    tally.readBytes += output.length;
  }
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
function limitAnswers(flags: number, result: number, ops: readonly OsdOpResult[]): Run {
  if ((flags & OsdFlag.returnvec) === 0) {
    return { result: 0, ops: ops.map((op) => ({ ...op, output: EMPTY })) };
  }
  if (ops.every((op) => op.output.length <= MAX_WRITE_REPLY_BYTES)) return { result, ops };
  const shortened = ops.map((op) =>
    op.output.length <= MAX_WRITE_REPLY_BYTES ? op : { ...op, rval: Errno.EOVERFLOW, output: EMPTY },
  );
  return { result: Errno.EOVERFLOW, ops: shortened };
}

const NO_IO: OpsIo = { reads: 0, readBytes: 0, writes: 0, writeBytes: 0 };

function unchanged(result: number, ops: readonly OsdOpResult[], info: ObjectInfo | undefined, io: OpsIo): OpsOutcome {
  const userVersion = info?.userVersion ?? 0;
  return { result, ops, userVersion, modifies: false, changes: [], info, objects: 0, bytes: 0, io, effects: [] };
}

function changed(
  { oid, mtime: mtimeNow, ops: asked }: OpsRequest,
  { info: before, version, lastUserVersion }: OpsPosition,
  { draft, environment, truncateSeq, truncateSize, mtime: mtimeBefore, copied, cleans, watchers, effects }: OpContext,
  { result, ops }: Run,
  io: OpsIo,
): OpsOutcome {
  const userVersionBefore = (copied ?? before)?.userVersion ?? 0;
  const isModified = asked.some((op) => isUserModification(op, environment.classes));
  const userVersion = isModified ? Math.max(lastUserVersion, userVersionBefore) + 1 : userVersionBefore;
  const isTimed = mtimeNow.sec !== 0 || mtimeNow.nsec !== 0;
  const mtime = copied?.mtime ?? (isTimed ? mtimeNow : mtimeBefore);
  const info: ObjectInfo | undefined = draft.exists
    ? {
        version,
        priorVersion: before?.version ?? { epoch: 0, version: 0 },
        userVersion,
        size: draft.size,
        mtime,
        truncateSeq,
        truncateSize,
        isDirty: !cleans,
        watchers,
      }
    : undefined;
  const changes: readonly ObjectChange[] = info
    ? [...draft.changes, { op: 'setAttrs', oid, attrs: new Map([[OBJECT_INFO_ATTR, encodeObjectInfo(info)]]) }]
    : draft.changes;
  return {
    result,
    ops,
    userVersion,
    modifies: true,
    changes,
    info,
    objects: Number(info !== undefined) - Number(before !== undefined),
    bytes: (info?.size ?? 0) - (before?.size ?? 0),
    io,
    effects,
  };
}
