/** What OSDs say to one another: heartbeats, peering, replication, recovery. Private types. */
import {
  type Bytes,
  type Epoch,
  type EVersion,
  MalformedInput,
  type OsdId,
  type PgId,
  type RawString,
} from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import type { Instant } from '@spirula/world';
import {
  type MissingItem,
  missingItemSchema,
  type PastInterval,
  type PgCounts,
  type PgInfo,
  type PgLogEntry,
  type PgLogPart,
  pastIntervalSchema,
  pgCountsSchema,
  pgInfoSchema,
  pgLogEntrySchema,
  pgLogPartSchema,
} from './pg-records.ts';
import {
  bool,
  bytes,
  eversion,
  fieldsOf,
  hobject,
  list,
  literal,
  map,
  object,
  optional,
  type PrivateCodecs,
  payload,
  pgid,
  privateMessage,
  rawString,
  type Schema,
  type Tagged,
  u32,
  uint,
  union,
} from './schema.ts';

/** `ping` asks, `pingReply` answers with the same stamp, `youDied` says that the sender's map has the receiver down (MOSDPing). */
export interface OsdPing {
  readonly type: 'osd_ping';
  readonly op: 'ping' | 'pingReply' | 'youDied';
  readonly osd: OsdId;
  readonly epoch: Epoch;
  /** When the ping left, on its sender's clock; echoed. */
  readonly stamp: Instant;
}

/**
 * First message on a connection between OSDs: the messages after it are numbers `firstSeq`, `firstSeq`+1 … of the stream
 * `link`. A sender's newer stream replaces its older ones.
 */
export interface OsdLink {
  readonly type: 'osd_link';
  readonly osd: OsdId;
  readonly link: number;
  readonly firstSeq: number;
}

/** The receiver has taken in all messages of the stream up to `seq`. */
export interface OsdLinkAck {
  readonly type: 'osd_link_ack';
  readonly link: number;
  readonly seq: number;
}

/** How long, from now, what was promised to primaries of earlier intervals may still let them serve reads. Microseconds. */
interface PriorReadable {
  readonly priorReadableUs: Instant;
}

/** A replica or stray tells the primary what it has (MOSDPGNotify). */
export interface PgNotify extends PriorReadable {
  readonly type: 'pg_notify';
  readonly pgid: PgId;
  /** The sender's map. */
  readonly epoch: Epoch;
  /** The map of the query this answers; the sender's own when it is told unasked. */
  readonly queryEpoch: Epoch;
  readonly info: PgInfo;
  readonly pastIntervals: readonly PastInterval[];
  /** The sender has no part in what happened up to this epoch, whatever had its number then. */
  readonly admittedIn: Epoch;
}

/** The primary asks for a PG's info, for its log from `since` on, or for all of its log (MOSDPGQuery). */
export interface PgQuery {
  readonly type: 'pg_query';
  readonly pgid: PgId;
  readonly epoch: Epoch;
  readonly query: 'info' | 'log' | 'fulllog';
  readonly since: EVersion;
}

/** A log: the answer to a query, or, from the primary, what activates a replica (MOSDPGLog). */
export interface PgLogMessage {
  readonly type: 'pg_log';
  readonly pgid: PgId;
  readonly epoch: Epoch;
  readonly queryEpoch: Epoch;
  readonly info: PgInfo;
  readonly log: PgLogPart;
  readonly missing: readonly MissingItem[];
  /** From the primary, for a replica that has no such PG yet. */
  readonly pastIntervals: readonly PastInterval[];
  /** With an activation: the read lease. */
  readonly lease: Lease | undefined;
}

/** The primary tells a replica the PG's info: activates it, or updates its history; a replica answers its activation (MOSDPGInfo). */
export interface PgInfoMessage {
  readonly type: 'pg_info';
  readonly pgid: PgId;
  readonly epoch: Epoch;
  readonly info: PgInfo;
  readonly lease: Lease | undefined;
  readonly leaseAck: Instant | undefined;
}

/** The primary may serve reads until `until` on its own clock once all have answered; receivers count `intervalUs` from now. */
export interface Lease {
  readonly until: Instant;
  readonly intervalUs: Instant;
}

/** Renewed read leases of several PGs (MOSDPGLease). */
export interface PgLeases {
  readonly type: 'pg_leases';
  readonly epoch: Epoch;
  readonly leases: readonly { readonly pgid: PgId; readonly lease: Lease }[];
}

/** The leases taken note of, by their `until` (MOSDPGLeaseAck). */
export interface PgLeaseAcks {
  readonly type: 'pg_lease_acks';
  readonly epoch: Epoch;
  readonly acks: readonly { readonly pgid: PgId; readonly until: Instant }[];
}

/** One change of a PG's objects as it travels to replicas: a store operation within the PG's collection. */
export type ObjectChange = Tagged<
  'op',
  {
    touch: { oid: HObject };
    write: { oid: HObject; offset: number; data: Bytes };
    zero: { oid: HObject; offset: number; length: number };
    truncate: { oid: HObject; size: number };
    remove: { oid: HObject };
    setAttrs: { oid: HObject; attrs: ReadonlyMap<RawString, Bytes> };
    rmAttr: { oid: HObject; name: RawString };
    omapSet: { oid: HObject; entries: ReadonlyMap<RawString, Bytes> };
    omapRmKeys: { oid: HObject; keys: readonly RawString[] };
    omapRmRange: { oid: HObject; first: RawString; last: RawString };
    omapClear: { oid: HObject };
    omapSetHeader: { oid: HObject; header: Bytes };
    /** `to` becomes what `oid` is, data, xattrs and omap. */
    clone: { oid: HObject; to: HObject };
  }
>;

const anyChange: Schema<ObjectChange> = union('op', {
  touch: { oid: hobject },
  write: { oid: hobject, offset: uint, data: payload },
  zero: { oid: hobject, offset: uint, length: uint },
  truncate: { oid: hobject, size: uint },
  remove: { oid: hobject },
  setAttrs: { oid: hobject, attrs: map(rawString, bytes) },
  rmAttr: { oid: hobject, name: rawString },
  omapSet: { oid: hobject, entries: map(rawString, bytes) },
  omapRmKeys: { oid: hobject, keys: list(rawString) },
  omapRmRange: { oid: hobject, first: rawString, last: rawString },
  omapClear: { oid: hobject },
  omapSetHeader: { oid: hobject, header: bytes },
  clone: { oid: hobject, to: hobject },
});

const attrsSchema = map(rawString, bytes);

/** The two that every write has are written out; they look as `anyChange` has them. */
const objectChange: Schema<ObjectChange> = {
  pack: (change, context) => {
    switch (change.op) {
      case 'write':
        return ['write', [hobject.pack(change.oid, context), change.offset, payload.pack(change.data, context)]];
      case 'setAttrs':
        return ['setAttrs', [hobject.pack(change.oid, context), attrsSchema.pack(change.attrs, context)]];
      default:
        return anyChange.pack(change, context);
    }
  },
  unpack: (plain, field, context) => {
    const [op, fields] = fieldsOf(plain, field, 2);
    switch (op) {
      case 'write': {
        const [oid, offset, data] = fieldsOf(fields, field, 3);
        return {
          op,
          oid: hobject.unpack(oid, 'oid', context),
          offset: uint.unpack(offset, 'offset', context),
          data: payload.unpack(data, 'data', context),
        };
      }
      case 'setAttrs': {
        const [oid, attrs] = fieldsOf(fields, field, 2);
        return { op, oid: hobject.unpack(oid, 'oid', context), attrs: attrsSchema.unpack(attrs, 'attrs', context) };
      }
      default:
        return anyChange.unpack(plain, field, context);
    }
  },
};

/** One write, from the primary to a replica (MOSDRepOp). */
export interface OsdRepOp {
  readonly type: 'osd_repop';
  readonly pgid: PgId;
  readonly epoch: Epoch;
  readonly tid: number;
  /** One, or several when the write makes or removes a clone as well; in the order of their versions. */
  readonly entries: readonly PgLogEntry[];
  /** Empty for a backfill target that has not come as far as the object. */
  readonly changes: readonly ObjectChange[];
  /** The log is trimmed up to here. */
  readonly trimTo: EVersion;
  readonly counts: PgCounts;
}

/** The write is durable on the sender (MOSDRepOpReply). */
export interface OsdRepOpReply {
  readonly type: 'osd_repop_reply';
  readonly pgid: PgId;
  readonly epoch: Epoch;
  readonly tid: number;
}

/** Bytes of an object; `length` above 0. */
export interface DataExtent {
  readonly offset: number;
  readonly length: number;
}

/** Part of an object on its way from one OSD to another. */
export interface ObjectPart {
  readonly oid: HObject;
  readonly version: EVersion;
  readonly size: number;
  /** Where its data belong, in ascending order; between them are holes. */
  readonly extents: readonly DataExtent[];
  /** Those of all extents, one behind the other. */
  readonly data: Bytes;
  /** Only in the first part. */
  readonly attrs: ReadonlyMap<RawString, Bytes>;
  readonly omapHeader: Bytes;
  /** Entries after those of the parts before. */
  readonly omap: ReadonlyMap<RawString, Bytes>;
  readonly first: boolean;
  readonly last: boolean;
}

/** Where the next part of an object begins; `omapAfter` undefined: omap is complete. */
export interface PartCursor {
  readonly offset: number;
  readonly omapAfter: RawString | undefined;
}

interface RecoveryMessage {
  readonly pgid: PgId;
  readonly epoch: Epoch;
}

/** The primary asks a peer for an object, or its next part (MOSDPGPull). */
export interface PgPull extends RecoveryMessage {
  readonly type: 'pg_pull';
  readonly oid: HObject;
  readonly version: EVersion;
  /** Undefined: from the start. */
  readonly from: PartCursor | undefined;
}

/** A part of an object: the answer to a pull, or a push to a replica (MOSDPGPush). */
export interface PgPush extends RecoveryMessage {
  readonly type: 'pg_push';
  readonly part: ObjectPart;
  /** Where the next part begins. */
  readonly next: PartCursor;
}

/** A part that was pushed is durable; or a pull cannot be answered, with `missing` (MOSDPGPushReply). */
export interface PgPushReply extends RecoveryMessage {
  readonly type: 'pg_push_reply';
  readonly oid: HObject;
  readonly version: EVersion;
  /** The next part wanted; undefined: the object is complete. */
  readonly next: PartCursor | undefined;
  readonly missing: boolean;
}

/** Which objects does a backfill target have from `begin` on, at most `max` (MOSDPGScan)? */
export interface PgScan extends RecoveryMessage {
  readonly type: 'pg_scan';
  readonly begin: HObject;
  readonly max: number;
}

export interface PgScanReply extends RecoveryMessage {
  readonly type: 'pg_scan_reply';
  readonly begin: HObject;
  /** Nothing was left out before it; max at the end. */
  readonly end: HObject;
  readonly objects: readonly { readonly oid: HObject; readonly version: EVersion }[];
}

/** A backfill target is to delete objects the PG does not have (MOSDPGBackfillRemove). */
export interface PgBackfillRemove extends RecoveryMessage {
  readonly type: 'pg_backfill_remove';
  readonly objects: readonly HObject[];
}

/** How far backfill has come on a target; max finishes it (MOSDPGBackfill). */
export interface PgBackfillProgress extends RecoveryMessage {
  readonly type: 'pg_backfill_progress';
  readonly lastBackfill: HObject;
  readonly counts: PgCounts;
}

/** `progress` is durable on the target. */
export interface PgBackfillProgressReply extends RecoveryMessage {
  readonly type: 'pg_backfill_progress_reply';
  readonly lastBackfill: HObject;
}

/** A remote reservation for recovery or backfill (MRecoveryReserve, MBackfillReserve). */
export interface PgReserve extends RecoveryMessage {
  readonly type: 'pg_reserve';
  readonly kind: 'recovery' | 'backfill';
  /** `toofull`: the target of backfill has no room, or no more. */
  readonly op: 'request' | 'grant' | 'release' | 'toofull';
  /** Of a request: what the PG holds at its primary. */
  readonly bytes: number;
}

/** The PG is clean without you: remove it (MOSDPGRemove). */
export interface PgRemove {
  readonly type: 'pg_remove';
  readonly pgid: PgId;
  readonly epoch: Epoch;
}

/** What travels on the ordered links between OSDs, each about one PG (or several, for leases). */
export type OsdPeerMessage =
  | OsdRepOp
  | OsdRepOpReply
  | PgBackfillProgress
  | PgBackfillProgressReply
  | PgBackfillRemove
  | PgInfoMessage
  | PgLeaseAcks
  | PgLeases
  | PgLogMessage
  | PgNotify
  | PgPull
  | PgPush
  | PgPushReply
  | PgQuery
  | PgRemove
  | PgReserve
  | PgScan
  | PgScanReply;

export type OsdToOsdMessage = OsdLink | OsdLinkAck | OsdPeerMessage | OsdPing;

const lease = object({ until: uint, intervalUs: uint });
const pastIntervals = list(pastIntervalSchema);
const recovery = { pgid, epoch: u32 };
const partFields: Schema<ObjectPart> = object({
  oid: hobject,
  version: eversion,
  size: uint,
  extents: list(object({ offset: uint, length: uint })),
  data: payload,
  attrs: map(rawString, bytes),
  omapHeader: bytes,
  omap: map(rawString, bytes),
  first: bool,
  last: bool,
});

/** The extents are those of the data, and within the object. */
const objectPart: Schema<ObjectPart> = {
  pack: partFields.pack,
  unpack: (plain, field, context) => {
    const part = partFields.unpack(plain, field, context);
    let end = 0;
    let bytesOfAll = 0;
    for (const { offset, length } of part.extents) {
      if (offset < end || length === 0 || offset + length > part.size) {
        throw new MalformedInput(`${field}.extents`, 0, 'not ascending, or not within the object');
      }
      end = offset + length;
      bytesOfAll += length;
    }
    if (bytesOfAll !== part.data.length) throw new MalformedInput(`${field}.data`, 0, `not ${bytesOfAll} bytes`);
    return part;
  },
};

const partCursor = object({ offset: uint, omapAfter: optional(rawString) });

export const privateCodecs = {
  osd_ping: privateMessage(0x8100, { op: literal('ping', 'pingReply', 'youDied'), osd: u32, epoch: u32, stamp: uint }),
  osd_link: privateMessage(0x8101, { osd: u32, link: uint, firstSeq: uint }),
  osd_link_ack: privateMessage(0x8102, { link: uint, seq: uint }),
  pg_notify: privateMessage(0x8110, {
    pgid,
    epoch: u32,
    queryEpoch: u32,
    info: pgInfoSchema,
    pastIntervals,
    priorReadableUs: uint,
    admittedIn: u32,
  }),
  pg_query: privateMessage(0x8111, { pgid, epoch: u32, query: literal('info', 'log', 'fulllog'), since: eversion }),
  pg_log: privateMessage(0x8112, {
    pgid,
    epoch: u32,
    queryEpoch: u32,
    info: pgInfoSchema,
    log: pgLogPartSchema,
    missing: list(missingItemSchema),
    pastIntervals,
    lease: optional(lease),
  }),
  pg_info: privateMessage(0x8113, {
    pgid,
    epoch: u32,
    info: pgInfoSchema,
    lease: optional(lease),
    leaseAck: optional(uint),
  }),
  pg_leases: privateMessage(0x8114, { epoch: u32, leases: list(object({ pgid, lease })) }),
  pg_lease_acks: privateMessage(0x8115, {
    epoch: u32,
    acks: list(object({ pgid, until: uint })),
  }),
  pg_remove: privateMessage(0x8116, { pgid, epoch: u32 }),
  osd_repop: privateMessage(0x8120, {
    ...recovery,
    tid: uint,
    entries: list(pgLogEntrySchema),
    changes: list(objectChange),
    trimTo: eversion,
    counts: pgCountsSchema,
  }),
  osd_repop_reply: privateMessage(0x8121, { ...recovery, tid: uint }),
  pg_pull: privateMessage(0x8130, { ...recovery, oid: hobject, version: eversion, from: optional(partCursor) }),
  pg_push: privateMessage(0x8131, {
    ...recovery,
    part: objectPart,
    next: partCursor,
  }),
  pg_push_reply: privateMessage(0x8132, {
    ...recovery,
    oid: hobject,
    version: eversion,
    next: optional(partCursor),
    missing: bool,
  }),
  pg_scan: privateMessage(0x8133, { ...recovery, begin: hobject, max: u32 }),
  pg_scan_reply: privateMessage(0x8134, {
    ...recovery,
    begin: hobject,
    end: hobject,
    objects: list(object({ oid: hobject, version: eversion })),
  }),
  pg_backfill_remove: privateMessage(0x8135, { ...recovery, objects: list(hobject) }),
  pg_backfill_progress: privateMessage(0x8136, { ...recovery, lastBackfill: hobject, counts: pgCountsSchema }),
  pg_backfill_progress_reply: privateMessage(0x8137, { ...recovery, lastBackfill: hobject }),
  pg_reserve: privateMessage(0x8138, {
    ...recovery,
    kind: literal('recovery', 'backfill'),
    op: literal('request', 'grant', 'release', 'toofull'),
    bytes: uint,
  }),
} satisfies PrivateCodecs<OsdToOsdMessage>;
