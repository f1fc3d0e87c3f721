/**
 * The binary OSDMap (OSDMap::encode and decode, osd/OSDMap.cc).
 *
 *   { 8,7 | client section {9,1} | osd section {9,1} | crc32c of all that precedes it }
 */

import { decodeCrushMap } from '@spirula/crush';
import {
  type AddrVec,
  type Bytes,
  crc32c,
  Decoder,
  decodeAddr,
  decodeAddrVec,
  decodePgId,
  decodeUTime,
  decodeUuid,
  Encoder,
  encodeAddr,
  encodeAddrVec,
  encodePgId,
  encodeUTime,
} from '@spirula/encoding';
import type { OsdInfo, OsdMap, OsdXInfo, PgKey, PgTable } from './osdmap.ts';
import { pgKey, pgOfKey } from './osdmap.ts';
import type { SnapInterval } from './pool.ts';
import { decodePool, encodePool } from './pool-codec.ts';
import { withReleaseFlags } from './release.ts';
import { decodeSnapIntervals, encodeSnapIntervals } from './snap-intervals.ts';
import { sorted } from './sorted.ts';

const CRC_SEED = 0xffff_ffff;
const CRC_BYTES = 4;
/** Pools above this cannot be keys of a `PgTable`. */
const MAX_POOL = 2 ** 20;
/** Versions of the two sections: those of Nautilus to Pacific. A later one only appends. */
const CLIENT_VERSION = 9;
const OSD_VERSION = 9;
/** laggy_probability 1 in its 32 bits; Ceph reckons in single precision, where 0xffffffff is 2^32. */
const PROBABILITY_ONE = 2 ** 32;

/** Writes a map; its last four bytes are its CRC. */
export function encodeOsdMap(map: OsdMap): Bytes {
  const to = new Encoder(4096);
  to.struct(8, 7, () => {
    to.struct(CLIENT_VERSION, 1, () => encodeClientSection(to, map));
    to.struct(OSD_VERSION, 1, () => encodeOsdSection(to, map));
    to.u32(0);
  });
  const bytes = to.finish();
  to.patchU32(bytes.length - CRC_BYTES, crc32c(bytes.subarray(0, bytes.length - CRC_BYTES), CRC_SEED));
  return bytes;
}

/** The CRC at the end of an encoded full map: what the incremental that leads to it carries. */
export function crcOfFullMap(bytes: Bytes): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(bytes.length - CRC_BYTES, true);
}

/**
 * Reads a map.
 *
 * @throws MalformedInput naming field and offset; `osdmap.crc` when the bytes are not those that were written.
 */
export function decodeOsdMap(bytes: Bytes): OsdMap {
  const from = new Decoder(bytes);
  const map = from.struct('osdmap', 8, (version) => {
    refuseOlder(from, 'osdmap', version, 8);
    // Checked before anything is believed: a damaged map must not pass for another valid one.
    if (from.remaining < CRC_BYTES) from.fail('osdmap.crc', 'is missing');
    const end = from.offset + from.remaining;
    const crc = crc32c(bytes.subarray(0, end - CRC_BYTES), CRC_SEED);
    const stored = crcOfFullMap(bytes.subarray(0, end));
    if (crc !== stored)
      from.fail('osdmap.crc', `the bytes have crc 0x${crc.toString(16)}, stored is 0x${stored.toString(16)}`);
    const client = from.struct('osdmap.client', CLIENT_VERSION, (clientVersion) => {
      refuseOlder(from, 'osdmap.client', clientVersion, CLIENT_VERSION);
      return decodeClientSection(from);
    });
    const osd = from.struct('osdmap.osd', OSD_VERSION, (osdVersion) => {
      refuseOlder(from, 'osdmap.osd', osdVersion, OSD_VERSION);
      return decodeOsdSection(from, client.maxOsd);
    });
    return { ...client, ...osd, flags: withReleaseFlags(client.flags, osd.requireOsdRelease) };
  });
  from.finish('osdmap');
  return map;
}

/** What is left out of an older encoding cannot be made up. */
export function refuseOlder(from: Decoder, field: string, version: number, oldest: number): void {
  if (version < oldest) from.fail(field, `version ${version} is older than ${oldest}`);
}

type ClientSection = Pick<
  OsdMap,
  | 'fsid'
  | 'epoch'
  | 'created'
  | 'modified'
  | 'pools'
  | 'poolNames'
  | 'poolMax'
  | 'flags'
  | 'maxOsd'
  | 'osdState'
  | 'osdWeight'
  | 'clientAddrs'
  | 'pgTemp'
  | 'primaryTemp'
  | 'primaryAffinity'
  | 'crush'
  | 'crushBytes'
  | 'erasureCodeProfiles'
  | 'pgUpmap'
  | 'pgUpmapItems'
  | 'crushVersion'
  | 'newRemovedSnaps'
  | 'newPurgedSnaps'
  | 'lastUpChange'
  | 'lastInChange'
>;

function encodeClientSection(to: Encoder, map: OsdMap): void {
  const text = (value: string) => to.string(value);
  const osd = (value: number) => to.i32(value);
  to.raw(map.fsid);
  to.u32(map.epoch);
  encodeUTime(to, map.created);
  encodeUTime(to, map.modified);
  to.map(
    sorted(map.pools),
    (id) => to.i64(id),
    (pool) => encodePool(to, pool),
  );
  to.map(sorted(map.poolNames), (id) => to.i64(id), text);
  to.i32(map.poolMax);
  to.u32(map.flags);
  to.u32(map.maxOsd);
  to.list(map.osdState, (state) => to.u32(state));
  to.list(map.osdWeight, (weight) => to.u32(weight));
  encodeAddrs(to, map.clientAddrs);
  encodePgTable(to, map.pgTemp, (osds) => to.list(osds, osd));
  encodePgTable(to, map.primaryTemp, osd);
  to.list(map.primaryAffinity, (affinity) => to.u32(affinity));
  to.blob(map.crushBytes);
  to.map(sorted(map.erasureCodeProfiles), text, (profile) => to.map(sorted(profile), text, text));
  encodePgTable(to, map.pgUpmap, (osds) => to.list(osds, osd));
  encodePgTable(to, map.pgUpmapItems, (pairs) => encodePairs(to, pairs));
  to.u32(map.crushVersion);
  encodePoolSnaps(to, map.newRemovedSnaps);
  encodePoolSnaps(to, map.newPurgedSnaps);
  encodeUTime(to, map.lastUpChange);
  encodeUTime(to, map.lastInChange);
}

function decodeClientSection(from: Decoder): ClientSection {
  const text = (field: string) => () => from.string(field);
  const fsid = decodeUuid(from, 'osdmap.fsid');
  const epoch = from.u32('osdmap.epoch');
  const created = decodeUTime(from, 'osdmap.created');
  const modified = decodeUTime(from, 'osdmap.modified');
  const pools = from.map(
    'osdmap.pools',
    14,
    () => decodePoolId(from, 'osdmap.pools'),
    () => decodePool(from),
  );
  const poolNames = from.map(
    'osdmap.pool_name',
    12,
    () => decodePoolId(from, 'osdmap.pool_name'),
    text('osdmap.pool_name'),
  );
  const poolMax = from.i32('osdmap.pool_max');
  const flags = from.u32('osdmap.flags');
  const maxOsd = from.u32('osdmap.max_osd');
  const osdState = perOsd(from, 'osdmap.osd_state', maxOsd, 4, () => from.u32('osdmap.osd_state'));
  const osdWeight = perOsd(from, 'osdmap.osd_weight', maxOsd, 4, () => from.u32('osdmap.osd_weight'));
  const clientAddrs = decodeAddrs(from, 'osdmap.client_addrs', maxOsd);
  const pgTemp = decodePgTable(from, 'osdmap.pg_temp', () => decodeOsds(from, 'osdmap.pg_temp'));
  const primaryTemp = decodePgTable(from, 'osdmap.primary_temp', () => from.i32('osdmap.primary_temp'));
  const primaryAffinity = from.list('osdmap.primary_affinity', 4, () => from.u32('osdmap.primary_affinity'));
  if (primaryAffinity.length > 0 && primaryAffinity.length !== maxOsd) {
    from.fail('osdmap.primary_affinity', `has ${primaryAffinity.length} entries for ${maxOsd} OSDs`);
  }
  const crushBytes = from.blob('osdmap.crush').slice();
  return {
    fsid,
    epoch,
    created,
    modified,
    pools,
    poolNames,
    poolMax,
    flags,
    maxOsd,
    osdState,
    osdWeight,
    clientAddrs,
    pgTemp,
    primaryTemp,
    primaryAffinity,
    crushBytes,
    crush: decodeCrushMap(crushBytes),
    erasureCodeProfiles: from.map('osdmap.erasure_code_profiles', 8, text('osdmap.erasure_code_profiles'), () =>
      from.map(
        'osdmap.erasure_code_profiles',
        8,
        text('osdmap.erasure_code_profiles'),
        text('osdmap.erasure_code_profiles'),
      ),
    ),
    pgUpmap: decodePgTable(from, 'osdmap.pg_upmap', () => decodeOsds(from, 'osdmap.pg_upmap')),
    pgUpmapItems: decodePgTable(from, 'osdmap.pg_upmap_items', () => decodePairs(from, 'osdmap.pg_upmap_items')),
    crushVersion: from.u32('osdmap.crush_version'),
    newRemovedSnaps: decodePoolSnaps(from, 'osdmap.new_removed_snaps'),
    newPurgedSnaps: decodePoolSnaps(from, 'osdmap.new_purged_snaps'),
    lastUpChange: decodeUTime(from, 'osdmap.last_up_change'),
    lastInChange: decodeUTime(from, 'osdmap.last_in_change'),
  };
}

type OsdSection = Omit<OsdMap, keyof ClientSection>;

function encodeOsdSection(to: Encoder, map: OsdMap): void {
  encodeAddrs(to, map.hbBackAddrs);
  to.list(map.osdInfo, (info) => encodeOsdInfo(to, info));
  to.list(map.blocklist, ([addr, until]) => {
    encodeAddr(to, addr);
    encodeUTime(to, until);
  });
  encodeAddrs(to, map.clusterAddrs);
  to.u32(map.clusterSnapshotEpoch);
  to.string(map.clusterSnapshot);
  to.list(map.osdUuid, (uuid) => to.raw(uuid));
  to.list(map.osdXInfo, (xinfo) => encodeOsdXInfo(to, xinfo));
  encodeAddrs(to, map.hbFrontAddrs);
  to.f32(map.nearfullRatio);
  to.f32(map.fullRatio);
  to.f32(map.backfillfullRatio);
  to.u8(map.requireMinCompatClient);
  to.u8(map.requireOsdRelease);
  encodePoolSnaps(to, map.removedSnapsQueue);
  to.map(
    sorted(map.crushNodeFlags),
    (node) => to.i32(node),
    (flags) => to.u32(flags),
  );
  to.map(
    sorted(map.deviceClassFlags),
    (id) => to.i32(id),
    (flags) => to.u32(flags),
  );
}

function decodeOsdSection(from: Decoder, maxOsd: number): OsdSection {
  const hbBackAddrs = decodeAddrs(from, 'osdmap.hb_back_addrs', maxOsd);
  const osdInfo = perOsd(from, 'osdmap.osd_info', maxOsd, 25, () => decodeOsdInfo(from));
  const blocklist = from.list('osdmap.blocklist', 19, () => {
    const addr = decodeAddr(from, 'osdmap.blocklist');
    return [addr, decodeUTime(from, 'osdmap.blocklist')] as const;
  });
  const clusterAddrs = decodeAddrs(from, 'osdmap.cluster_addrs', maxOsd);
  const clusterSnapshotEpoch = from.u32('osdmap.cluster_snapshot_epoch');
  const clusterSnapshot = from.string('osdmap.cluster_snapshot');
  const osdUuid = perOsd(from, 'osdmap.osd_uuid', maxOsd, 16, () => decodeUuid(from, 'osdmap.osd_uuid'));
  const osdXInfo = perOsd(from, 'osdmap.osd_xinfo', maxOsd, 6, () => decodeOsdXInfo(from));
  const hbFrontAddrs = decodeAddrs(from, 'osdmap.hb_front_addrs', maxOsd);
  return {
    hbBackAddrs,
    osdInfo,
    blocklist,
    clusterAddrs,
    clusterSnapshotEpoch,
    clusterSnapshot,
    osdUuid,
    osdXInfo,
    hbFrontAddrs,
    nearfullRatio: from.f32('osdmap.nearfull_ratio'),
    fullRatio: from.f32('osdmap.full_ratio'),
    backfillfullRatio: from.f32('osdmap.backfillfull_ratio'),
    requireMinCompatClient: from.u8('osdmap.require_min_compat_client'),
    requireOsdRelease: from.u8('osdmap.require_osd_release'),
    removedSnapsQueue: decodePoolSnaps(from, 'osdmap.removed_snaps_queue'),
    crushNodeFlags: decodeFlags(from, 'osdmap.crush_node_flags'),
    deviceClassFlags: decodeFlags(from, 'osdmap.device_class_flags'),
  };
}

function encodeOsdInfo(to: Encoder, info: OsdInfo): void {
  to.u8(1);
  to.u32(info.lastCleanBegin);
  to.u32(info.lastCleanEnd);
  to.u32(info.upFrom);
  to.u32(info.upThru);
  to.u32(info.downAt);
  to.u32(info.lostAt);
}

function decodeOsdInfo(from: Decoder): OsdInfo {
  const epoch = () => from.u32('osdmap.osd_info');
  from.u8('osdmap.osd_info');
  return {
    lastCleanBegin: epoch(),
    lastCleanEnd: epoch(),
    upFrom: epoch(),
    upThru: epoch(),
    downAt: epoch(),
    lostAt: epoch(),
  };
}

export function encodeOsdXInfo(to: Encoder, xinfo: OsdXInfo): void {
  to.struct(4, 1, () => {
    encodeUTime(to, xinfo.downStamp);
    to.u32(Math.min(Math.fround(Math.fround(xinfo.laggyProbability) * PROBABILITY_ONE), PROBABILITY_ONE - 1));
    to.u32(xinfo.laggyInterval);
    to.u64big(xinfo.features);
    to.u32(xinfo.oldWeight);
    encodeUTime(to, xinfo.lastPurgedSnapsScrub);
    to.u32(xinfo.deadEpoch);
  });
}

export function decodeOsdXInfo(from: Decoder): OsdXInfo {
  const field = 'osdmap.osd_xinfo';
  return from.struct(field, 4, (version) => {
    refuseOlder(from, field, version, 4);
    return {
      downStamp: decodeUTime(from, field),
      laggyProbability: Math.fround(Math.fround(from.u32(field)) / PROBABILITY_ONE),
      laggyInterval: from.u32(field),
      features: from.u64big(field),
      oldWeight: from.u32(field),
      lastPurgedSnapsScrub: decodeUTime(from, field),
      deadEpoch: from.u32(field),
    };
  });
}

export function encodePgTable<V>(to: Encoder, table: PgTable<V>, value: (value: V) => void): void {
  to.map(sorted(table), (key) => encodePgId(to, pgOfKey(key)), value);
}

export function decodePgKey(from: Decoder, field: string): PgKey {
  const pg = decodePgId(from, field);
  if (pg.pool < 0 || pg.pool >= MAX_POOL) from.fail(field, `pool ${pg.pool} is out of range`);
  return pgKey(pg);
}

export function decodePgTable<V>(from: Decoder, field: string, value: () => V): Map<PgKey, V> {
  return from.map(field, 21, () => decodePgKey(from, field), value);
}

export function decodePoolId(from: Decoder, field: string): number {
  const pool = from.i64(field);
  if (pool < 0 || pool >= MAX_POOL) from.fail(field, `pool ${pool} is out of range`);
  return pool;
}

export function decodeOsds(from: Decoder, field: string): number[] {
  return from.list(field, 4, () => from.i32(field));
}

export function encodePairs(to: Encoder, pairs: readonly (readonly [number, number])[]): void {
  to.list(pairs, ([a, b]) => {
    to.i32(a);
    to.i32(b);
  });
}

export function decodePairs(from: Decoder, field: string): (readonly [number, number])[] {
  return from.list(field, 8, () => [from.i32(field), from.i32(field)] as const);
}

export function encodePoolSnaps(to: Encoder, pools: ReadonlyMap<number, readonly SnapInterval[]>): void {
  to.map(
    sorted(pools),
    (id) => to.i64(id),
    (intervals) => encodeSnapIntervals(to, intervals),
  );
}

export function decodePoolSnaps(from: Decoder, field: string): Map<number, SnapInterval[]> {
  return from.map(
    field,
    12,
    () => decodePoolId(from, field),
    () => decodeSnapIntervals(from, field),
  );
}

export function decodeFlags(from: Decoder, field: string): Map<number, number> {
  return from.map(
    field,
    8,
    () => from.i32(field),
    () => from.u32(field),
  );
}

function encodeAddrs(to: Encoder, addrs: readonly AddrVec[]): void {
  to.list(addrs, (vector) => encodeAddrVec(to, vector));
}

function decodeAddrs(from: Decoder, field: string, maxOsd: number): AddrVec[] {
  return perOsd(from, field, maxOsd, 5, () => decodeAddrVec(from, field));
}

/** A list with one entry an OSD. */
function perOsd<T>(from: Decoder, field: string, maxOsd: number, itemBytes: number, item: () => T): T[] {
  const all = from.list(field, itemBytes, item);
  if (all.length !== maxOsd) from.fail(field, `has ${all.length} entries for ${maxOsd} OSDs`);
  return all;
}
