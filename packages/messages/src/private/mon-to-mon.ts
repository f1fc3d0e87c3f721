/** What monitors say to one another: probes, elections, Paxos, store sync, forwarded requests. Private types. */
import type { AddrVec, Bytes, EntityAddr, EntityName, Epoch, Uuid } from '@spirula/encoding';
import type { WireMessage } from '@spirula/world';
import {
  addrVec,
  anyMessage,
  bigint,
  bool,
  bytes,
  entityAddr,
  entityName,
  entityType,
  int,
  list,
  literal,
  map,
  object,
  optional,
  type PrivateCodecs,
  payload,
  privateMessage,
  string,
  u32,
  uint,
  uuid,
} from './schema.ts';

/**
 * How a monitor stands to what was agreed on. `blank`: its store holds nothing of it, as of one that is new or lost its
 * disk. `settled`: in a quorum that has learnt, since it was elected, all that may have been agreed on before.
 */
export type MonStanding = 'blank' | 'apart' | 'settled';

/** A monitor looks for the others, or answers one that does (MMonProbe). */
export interface MonProbe {
  readonly type: 'mon_probe';
  readonly op: 'probe' | 'reply';
  readonly fsid: Uuid;
  readonly name: string;
  /** Ranks in quorum as the sender knows; empty when in none. */
  readonly quorum: readonly number[];
  readonly standing: MonStanding;
  readonly firstCommitted: number;
  readonly lastCommitted: number;
  /** The map in force at the sender, encoded: ranks are those of it. */
  readonly monmap: Bytes;
  /** Ranks of those with whom the sender has been, or may have been, in quorum since this map is in force. */
  readonly met: readonly number[];
}

/** Elections by rank (MMonElection). `epoch` is odd while electing, even in quorum. */
export interface MonElection {
  readonly type: 'mon_election';
  readonly op: 'propose' | 'ack' | 'victory';
  readonly fsid: Uuid;
  readonly epoch: number;
  /** Epoch of the sender's monitor map. */
  readonly mapEpoch: Epoch;
  /** Of a victory: the ranks that acknowledged. */
  readonly quorum: readonly number[];
}

/** One step of Paxos (MMonPaxos). Values are encoded transactions, by version. */
export interface MonPaxos {
  readonly type: 'mon_paxos';
  readonly op: 'collect' | 'last' | 'begin' | 'accept' | 'commit' | 'lease' | 'leaseAck';
  /** Election epoch: a message of another belongs to the past. */
  readonly epoch: number;
  readonly firstCommitted: number;
  readonly lastCommitted: number;
  readonly pn: number;
  /** Of `last`: the proposal number under which an uncommitted value was accepted, 0 for none. */
  readonly uncommittedPn: number;
  /** Of `lease` and `leaseAck`: which lease of this leader, from 1; else 0. */
  readonly lease: number;
  readonly values: ReadonlyMap<number, Bytes>;
}

/** A monitor that is too far behind copies another's store (MMonSync). */
export interface MonSync {
  readonly type: 'mon_sync';
  readonly op: 'get' | 'chunk';
  /** Which copy this belongs to: a chunk repeats what its `get` said. */
  readonly cookie: number;
  /** Of `get`: the key after which to go on, hexadecimal; empty for the start. Of `chunk`: the last key it holds. */
  readonly after: string;
  /** Of `chunk`: no key follows. */
  readonly done: boolean;
  /** Of `chunk`: the provider's newest Paxos version when it was read. */
  readonly lastCommitted: number;
  readonly data: Bytes;
}

/** A request that a peon passes to the leader, with who asked (MForward). */
export interface MonForward {
  readonly type: 'mon_forward';
  readonly tid: bigint;
  readonly entity: EntityName;
  readonly addrs: AddrVec;
  /** From where it comes, whatever it says. */
  readonly socketAddr: EntityAddr | undefined;
  readonly globalId: bigint;
  /** What it may do at monitors; undefined: everything. */
  readonly caps: string | undefined;
  readonly request: WireMessage;
}

/** The leader's answer to a forwarded request (MRoute); without a reply, the request is done with. */
export interface MonRoute {
  readonly type: 'mon_route';
  readonly tid: bigint;
  readonly reply: WireMessage | undefined;
}

/** A peon runs short of global ids: the leader is to make more available (MMonGlobalID). */
export interface MonGlobalId {
  readonly type: 'mon_global_id';
}

/** The leader asks a member of its quorum for its wall time, or is told (MTimeCheck2). */
export interface MonTimecheck {
  readonly type: 'mon_timecheck';
  readonly op: 'ping' | 'pong';
  /** Election epoch. */
  readonly epoch: number;
  readonly round: number;
  /** The sender's wall clock, in microseconds since 1970. */
  readonly stampUs: number;
}

/** What a peon tells its leader of itself and of those who are connected to it (MMonMetadata). */
export interface MonMetadata {
  readonly type: 'mon_metadata';
  /** Election epoch. */
  readonly epoch: number;
  readonly metadata: ReadonlyMap<string, string>;
  readonly connected: readonly ConnectedPeers[];
}

/** Peers of one kind that a monitor has sessions with, but for monitors. */
export interface ConnectedPeers {
  readonly type: EntityName['type'];
  /** What both ends support (CEPH_FEATURE_*). */
  readonly features: bigint;
  readonly count: number;
}

/** What a monitor holds under one prefix of its store. */
export interface StoreChecksums {
  readonly keys: number;
  /** crc32c of keys and values, in order. */
  readonly crc: number;
}

/** The leader asks for the checksums of a store as of a committed version, or is told (MMonScrub). */
export interface MonScrub {
  readonly type: 'mon_scrub';
  readonly op: 'get' | 'result';
  /** Election epoch. */
  readonly epoch: number;
  readonly version: number;
  /** Of a result: by prefix. */
  readonly checksums: ReadonlyMap<string, StoreChecksums>;
}

export type MonToMonMessage =
  | MonElection
  | MonForward
  | MonGlobalId
  | MonMetadata
  | MonPaxos
  | MonProbe
  | MonRoute
  | MonScrub
  | MonSync
  | MonTimecheck;

export const privateCodecs = {
  mon_probe: privateMessage(0x8000, {
    op: literal('probe', 'reply'),
    fsid: uuid,
    name: string,
    quorum: list(u32),
    standing: literal('blank', 'apart', 'settled'),
    firstCommitted: uint,
    lastCommitted: uint,
    monmap: bytes,
    met: list(u32),
  }),
  mon_election: privateMessage(0x8001, {
    op: literal('propose', 'ack', 'victory'),
    fsid: uuid,
    epoch: u32,
    mapEpoch: u32,
    quorum: list(u32),
  }),
  mon_paxos: privateMessage(0x8002, {
    op: literal('collect', 'last', 'begin', 'accept', 'commit', 'lease', 'leaseAck'),
    epoch: u32,
    firstCommitted: uint,
    lastCommitted: uint,
    pn: uint,
    uncommittedPn: uint,
    lease: uint,
    values: map(uint, bytes),
  }),
  mon_sync: privateMessage(0x8003, {
    op: literal('get', 'chunk'),
    cookie: u32,
    after: string,
    done: bool,
    lastCommitted: uint,
    data: payload,
  }),
  mon_forward: privateMessage(0x8004, {
    tid: bigint,
    entity: entityName,
    addrs: addrVec,
    socketAddr: optional(entityAddr),
    globalId: bigint,
    caps: optional(string),
    request: anyMessage,
  }),
  mon_route: privateMessage(0x8005, { tid: bigint, reply: optional(anyMessage) }),
  mon_global_id: privateMessage(0x8006, {}),
  mon_timecheck: privateMessage(0x8007, { op: literal('ping', 'pong'), epoch: u32, round: uint, stampUs: int }),
  mon_metadata: privateMessage(0x8008, {
    epoch: u32,
    metadata: map(string, string),
    connected: list(object<ConnectedPeers>({ type: entityType, features: bigint, count: uint })),
  }),
  mon_scrub: privateMessage(0x8009, {
    op: literal('get', 'result'),
    epoch: u32,
    version: uint,
    checksums: map(string, object<StoreChecksums>({ keys: uint, crc: u32 })),
  }),
} satisfies PrivateCodecs<MonToMonMessage>;
