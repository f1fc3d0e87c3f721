/** What OSDs say to the monitors. Private types: msgpack fronts, accepted from daemons only. */
import type { AddrVec, Epoch, OsdId, PgId, Uuid } from '@spirula/encoding';
import {
  addrVec,
  bool,
  i32,
  list,
  literal,
  map,
  object,
  type PrivateCodecs,
  pgid,
  privateMessage,
  string,
  u32,
  uuid,
} from './schema.ts';

/** An OSD asks to be marked up (MOSDBoot). Its public address is the session's peer address. */
export interface OsdBoot {
  readonly type: 'osd_boot';
  readonly osd: OsdId;
  readonly uuid: Uuid;
  readonly publicAddrs: AddrVec;
  readonly clusterAddrs: AddrVec;
  readonly hbBackAddrs: AddrVec;
  readonly hbFrontAddrs: AddrVec;
  /** Newest map the OSD holds. */
  readonly bootEpoch: Epoch;
  /** Epoch since which its superblock says it was cleanly down, and the last it was up in. */
  readonly cleanBegin: Epoch;
  readonly cleanEnd: Epoch;
  readonly metadata: ReadonlyMap<string, string>;
}

/** A peer does not answer, or, with `alive`, a report is withdrawn (MOSDFailure). */
export interface OsdFailure {
  readonly type: 'osd_failure';
  readonly reporter: OsdId;
  readonly target: OsdId;
  readonly targetAddrs: AddrVec;
  readonly epoch: Epoch;
  /** Whole seconds it has failed for. */
  readonly failedFor: number;
  /** Connection refused: mark it down at once. */
  readonly immediate: boolean;
  readonly alive: boolean;
}

/** Asks for up_thru to reach `want`, so that a PG may go active in this interval (MOSDAlive). */
export interface OsdAlive {
  readonly type: 'osd_alive';
  readonly osd: OsdId;
  readonly epoch: Epoch;
  readonly want: Epoch;
}

/** Asks for (or, with an empty list, to clear) pg_temp entries (MOSDPGTemp). */
export interface OsdPgTemp {
  readonly type: 'osd_pgtemp';
  readonly osd: OsdId;
  readonly epoch: Epoch;
  readonly pgs: readonly { readonly pgid: PgId; readonly acting: readonly OsdId[] }[];
}

/** The OSD lives, and which epochs its PGs are clean since (MOSDBeacon). */
export interface OsdBeacon {
  readonly type: 'osd_beacon';
  readonly osd: OsdId;
  readonly epoch: Epoch;
  /** The PGs it is primary of, and the oldest last_epoch_clean of them: no map since then is trimmed. */
  readonly pgs: readonly PgId[];
  readonly minLastEpochClean: Epoch;
}

/** An orderly stop: mark me down, and say so (MOSDMarkMeDown). */
export interface OsdMarkMeDown {
  readonly type: 'osd_mark_me_down';
  readonly osd: OsdId;
  readonly epoch: Epoch;
  readonly ack: boolean;
}

/** How full an OSD is, where the map says otherwise (MOSDFull). */
export interface OsdFull {
  readonly type: 'osd_full';
  readonly osd: OsdId;
  readonly epoch: Epoch;
  readonly state: 'none' | 'nearfull' | 'backfillfull' | 'full';
}

export type OsdToMonMessage = OsdAlive | OsdBeacon | OsdBoot | OsdFailure | OsdFull | OsdMarkMeDown | OsdPgTemp;

export const privateCodecs = {
  osd_boot: privateMessage(0x8080, {
    osd: u32,
    uuid,
    publicAddrs: addrVec,
    clusterAddrs: addrVec,
    hbBackAddrs: addrVec,
    hbFrontAddrs: addrVec,
    bootEpoch: u32,
    cleanBegin: u32,
    cleanEnd: u32,
    metadata: map(string, string),
  }),
  osd_failure: privateMessage(0x8081, {
    reporter: u32,
    target: u32,
    targetAddrs: addrVec,
    epoch: u32,
    failedFor: u32,
    immediate: bool,
    alive: bool,
  }),
  osd_alive: privateMessage(0x8082, { osd: u32, epoch: u32, want: u32 }),
  osd_pgtemp: privateMessage(0x8083, { osd: u32, epoch: u32, pgs: list(object({ pgid, acting: list(i32) })) }),
  osd_beacon: privateMessage(0x8084, {
    osd: u32,
    epoch: u32,
    pgs: list(pgid),
    minLastEpochClean: u32,
  }),
  osd_mark_me_down: privateMessage(0x8085, { osd: u32, epoch: u32, ack: bool }),
  osd_full: privateMessage(0x8086, {
    osd: u32,
    epoch: u32,
    state: literal('none', 'nearfull', 'backfillfull', 'full'),
  }),
} satisfies PrivateCodecs<OsdToMonMessage>;
