import type { Bytes, Epoch, EVersion, PgId, RawString, UTime } from '@spirula/encoding';

/** CEPH_OSD_OP_* numbers (include/rados.h): mode in the upper bits, 0x1000 read, 0x2000 write. */
export const OsdOpCode = {
  read: 0x1201,
  stat: 0x1202,
  mapext: 0x1203,
  sparseRead: 0x1205,
  notify: 0x1206,
  notifyAck: 0x1207,
  assertVer: 0x1208,
  listWatchers: 0x1209,
  listSnaps: 0x120a,
  omapGetKeys: 0x1211,
  omapGetVals: 0x1212,
  omapGetHeader: 0x1213,
  omapGetValsByKeys: 0x1214,
  omapCmp: 0x1219,
  copyGet: 0x121e,
  isDirty: 0x121d,
  checksum: 0x121f,
  cmpext: 0x1220,
  write: 0x2201,
  writefull: 0x2202,
  truncate: 0x2203,
  zero: 0x2204,
  delete: 0x2205,
  append: 0x2206,
  create: 0x220d,
  rollback: 0x220e,
  watch: 0x220f,
  omapSetVals: 0x2215,
  omapSetHeader: 0x2216,
  omapClear: 0x2217,
  omapRmKeys: 0x2218,
  copyFrom: 0x221a,
  undirty: 0x221c,
  cacheFlush: 0x821f,
  cacheEvict: 0x8220,
  cacheTryFlush: 0x8221,
  setAllocHint: 0x2223,
  cachePin: 0x2224,
  cacheUnpin: 0x2225,
  writesame: 0x2226,
  omapRmKeyRange: 0x222c,
  copyFrom2: 0x222d,
  getxattr: 0x1301,
  getxattrs: 0x1302,
  cmpxattr: 0x1303,
  setxattr: 0x2301,
  setxattrs: 0x2302,
  rmxattr: 0x2304,
  call: 0x1401,
  pgls: 0x1501,
  pglsFilter: 0x1502,
  pgnls: 0x1505,
  pgnlsFilter: 0x1506,
} as const;

const opNames = new Map<number, string>(
  Object.entries(OsdOpCode).map(([name, code]) => [
    code,
    name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
  ]),
).set(OsdOpCode.assertVer, 'assert-version');

/** ceph_osd_op_name */
export function osdOpName(code: number): string {
  return opNames.get(code) ?? '???';
}

/** CEPH_OSD_FLAG_* of a whole request. */
export const OsdFlag = {
  ack: 0x1,
  onnvram: 0x2,
  ondisk: 0x4,
  retry: 0x8,
  read: 0x10,
  write: 0x20,
  ordersnap: 0x40,
  peerstatOld: 0x80,
  balanceReads: 0x100,
  parallelexec: 0x200,
  pgop: 0x400,
  exec: 0x800,
  execPublic: 0x1000,
  localizeReads: 0x2000,
  rwordered: 0x4000,
  ignoreCache: 0x8000,
  skiprwlocks: 0x10000,
  ignoreOverlay: 0x20000,
  flush: 0x40000,
  mapSnapClone: 0x80000,
  enforceSnapc: 0x100000,
  redirected: 0x200000,
  knownRedir: 0x400000,
  fullTry: 0x800000,
  fullForce: 0x1000000,
  ignoreRedirect: 0x2000000,
  returnvec: 0x4000000,
  supportsPoolEio: 0x8000000,
} as const;

/** Flags of one op. */
export const OpFlag = { excl: 1, failok: 2 } as const;

/**
 * One operation of a request. `args` are the 28 bytes of ceph_osd_op's union, read by `osdOpArgs`-style accessors of the
 * op's kind; `input` is its payload, a view of the message's data.
 */
export interface OsdOp {
  readonly code: number;
  readonly flags: number;
  /** The 28-byte union as it travels. */
  readonly args: Bytes;
  readonly input: Bytes;
}

/** Union of the ops that name an extent (read, write, truncate, zero …). Numbers saturate at the double nearest. */
export interface ExtentArgs {
  readonly offset: number;
  readonly length: number;
  readonly truncateSize: number;
  readonly truncateSeq: number;
}

/** osd_reqid_t: identifies a request across resends. */
export interface ReqId {
  readonly entityType: number;
  readonly entityNum: bigint;
  readonly tid: bigint;
  readonly inc: number;
}

/** A client's request on one object, or on a PG for listings (MOSDOp v8). */
export interface OsdOpMessage {
  readonly type: 'osd_op';
  readonly tid: bigint;
  readonly pgid: PgId;
  /** Full 32-bit object hash. */
  readonly hash: number;
  readonly epoch: Epoch;
  readonly flags: number;
  readonly reqid: ReqId;
  readonly clientInc: number;
  readonly mtime: UTime;
  readonly locator: ObjectLocator;
  readonly oid: RawString;
  readonly ops: readonly OsdOp[];
  readonly snapid: bigint;
  readonly snapSeq: bigint;
  readonly snaps: readonly bigint[];
  /** -1: the first try. */
  readonly retry: number;
  readonly features: bigint;
}

export interface ObjectLocator {
  readonly pool: number;
  /** Placement follows this instead of the name when not empty. */
  readonly key: RawString;
  readonly nspace: RawString;
  /** -1n: hash of name or key; else the hash itself. */
  readonly hash: bigint;
}

export interface OsdOpResult {
  readonly code: number;
  readonly flags: number;
  readonly args: Bytes;
  readonly rval: number;
  readonly output: Bytes;
  /** What follows of the output, of one who does not copy it together: received, all is in `output`. */
  readonly pieces?: readonly Bytes[];
}

/** Of an op's output, in all. */
export function outputBytes({ output, pieces = [] }: Pick<OsdOpResult, 'output' | 'pieces'>): number {
  return pieces.reduce((sum, { length }) => sum + length, output.length);
}

export interface OsdOpReply {
  readonly type: 'osd_op_reply';
  readonly tid: bigint;
  readonly oid: RawString;
  readonly pgid: PgId;
  /** The request's flags; the codec adds ack and ondisk. */
  readonly flags: number;
  /** 0, a positive value (pgnls: 1 at the end), or a negative errno. */
  readonly result: number;
  readonly epoch: Epoch;
  /** As many as the request had. */
  readonly ops: readonly OsdOpResult[];
  readonly retry: number;
  readonly replayVersion: EVersion;
  readonly userVersion: number;
}

/** What an OSD does unasked, where a log names the request that made it. */
export const NO_REQUEST: ReqId = { entityType: 0, entityNum: 0n, tid: 0n, inc: 0 };
export const NOSNAP = 0xffff_ffff_ffff_fffen;
export const SNAPDIR = 0xffff_ffff_ffff_ffffn;
