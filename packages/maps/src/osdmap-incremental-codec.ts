/**
 * The binary OSDMap::Incremental (osd/OSDMap.cc).
 *
 *   { 8,7 | client section {8,1} | osd section {9,1} | crc32c of all but these four bytes | crc of the full map it leads to }
 */
import {
  type Bytes,
  crc32c,
  Decoder,
  decodeAddr,
  decodeAddrVec,
  decodeUTime,
  decodeUuid,
  EMPTY,
  Encoder,
  type Epoch,
  encodeAddr,
  encodeAddrVec,
  encodePgId,
  encodeUTime,
  type Uuid,
} from '@spirula/encoding';
import { type PgKey, pgOfKey } from './osdmap.ts';
import {
  decodeFlags,
  decodeOsds,
  decodeOsdXInfo,
  decodePairs,
  decodePgKey,
  decodePgTable,
  decodePoolId,
  decodePoolSnaps,
  encodeOsdXInfo,
  encodePairs,
  encodePgTable,
  encodePoolSnaps,
  refuseOlder,
} from './osdmap-codec.ts';
import type { OsdMapIncremental } from './osdmap-incremental.ts';
import { decodePool, encodePool } from './pool-codec.ts';
import { sorted } from './sorted.ts';

const CRC_SEED = 0xffff_ffff;
/** Versions of the two sections: those of Nautilus to Pacific. A later one only appends. */
const CLIENT_VERSION = 8;
const OSD_VERSION = 9;
/** An incremental that asks for more is refused: its few bytes must not make us allocate without bound. */
const MAX_OSDS = 100_000;
/** SIGNIFICANT_FEATURES of Pacific: what its maps say they were encoded with. */
const ENCODE_FEATURES = 0x3f01_cfbd_fffd_ffffn;

const NEVER = { sec: 0, nsec: 0 };

/** An incremental to `epoch` that changes nothing yet. */
export function emptyIncremental(fsid: Uuid, epoch: Epoch): OsdMapIncremental {
  return {
    fsid,
    epoch,
    modified: NEVER,
    newPoolMax: -1,
    newFlags: -1,
    fullmap: EMPTY,
    crush: EMPTY,
    newMaxOsd: -1,
    newPools: new Map(),
    newPoolNames: new Map(),
    oldPools: new Set(),
    newUpClient: new Map(),
    newUpCluster: new Map(),
    newHbBackUp: new Map(),
    newHbFrontUp: new Map(),
    newState: new Map(),
    newWeight: new Map(),
    newPgTemp: new Map(),
    newPrimaryTemp: new Map(),
    newPrimaryAffinity: new Map(),
    newErasureCodeProfiles: new Map(),
    oldErasureCodeProfiles: [],
    newPgUpmap: new Map(),
    oldPgUpmap: new Set(),
    newPgUpmapItems: new Map(),
    oldPgUpmapItems: new Set(),
    newRemovedSnaps: new Map(),
    newPurgedSnaps: new Map(),
    newLastUpChange: NEVER,
    newLastInChange: NEVER,
    newUpThru: new Map(),
    newLastCleanInterval: new Map(),
    newLost: new Map(),
    newBlocklist: [],
    oldBlocklist: [],
    clusterSnapshot: '',
    newUuid: new Map(),
    newXInfo: new Map(),
    encodeFeatures: ENCODE_FEATURES,
    newNearfullRatio: -1,
    newFullRatio: -1,
    newBackfillfullRatio: -1,
    newRequireMinCompatClient: 0xff,
    newRequireOsdRelease: 0xff,
    newCrushNodeFlags: new Map(),
    newDeviceClassFlags: new Map(),
    fullCrc: 0,
  };
}

/** Writes an incremental with its CRC. `fullCrc` must be that of the map it leads to. */
export function encodeIncremental(inc: OsdMapIncremental): Bytes {
  const to = new Encoder(1024);
  let crcAt = 0;
  to.struct(8, 7, () => {
    to.struct(CLIENT_VERSION, 1, () => encodeClientSection(to, inc));
    to.struct(OSD_VERSION, 1, () => encodeOsdSection(to, inc));
    crcAt = to.length;
    to.u32(0);
    to.u32(inc.fullCrc);
  });
  const bytes = to.finish();
  to.patchU32(crcAt, crcWithout(bytes, crcAt));
  return bytes;
}

/** @throws MalformedInput naming field and offset; `incremental.crc` when the bytes are not those that were written. */
export function decodeIncremental(bytes: Bytes): OsdMapIncremental {
  const from = new Decoder(bytes);
  const inc = from.struct('incremental', 8, (version) => {
    refuseOlder(from, 'incremental', version, 8);
    if (from.remaining < 8) from.fail('incremental.crc', 'is missing');
    const crcAt = from.offset + from.remaining - 8;
    const stored = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(crcAt, true);
    const crc = crcWithout(bytes.subarray(0, crcAt + 8), crcAt);
    if (crc !== stored) {
      from.fail('incremental.crc', `the bytes have crc 0x${crc.toString(16)}, stored is 0x${stored.toString(16)}`);
    }
    const client = from.struct('incremental.client', CLIENT_VERSION, (clientVersion) => {
      refuseOlder(from, 'incremental.client', clientVersion, CLIENT_VERSION);
      return decodeClientSection(from);
    });
    const osd = from.struct('incremental.osd', OSD_VERSION, (osdVersion) => {
      refuseOlder(from, 'incremental.osd', osdVersion, OSD_VERSION);
      return decodeOsdSection(from);
    });
    from.u32('incremental.crc');
    return { ...client, ...osd, fullCrc: from.u32('incremental.full_crc') };
  });
  from.finish('incremental');
  return inc;
}

function crcWithout(bytes: Bytes, crcAt: number): number {
  return crc32c(bytes.subarray(crcAt + 4), crc32c(bytes.subarray(0, crcAt), CRC_SEED));
}

function encodeClientSection(to: Encoder, inc: OsdMapIncremental): void {
  const text = (value: string) => to.string(value);
  const i32 = (value: number) => to.i32(value);
  const u32 = (value: number) => to.u32(value);
  const pool = (id: number) => to.i64(id);
  to.raw(inc.fsid);
  to.u32(inc.epoch);
  encodeUTime(to, inc.modified);
  to.i64(inc.newPoolMax);
  to.i32(inc.newFlags);
  to.blob(inc.fullmap);
  to.blob(inc.crush);
  to.i32(inc.newMaxOsd);
  to.map(sorted(inc.newPools), pool, (each) => encodePool(to, each));
  to.map(sorted(inc.newPoolNames), pool, text);
  to.list(ascending(inc.oldPools), pool);
  to.map(sorted(inc.newUpClient), i32, (addrs) => encodeAddrVec(to, addrs));
  to.map(sorted(inc.newState), i32, u32);
  to.map(sorted(inc.newWeight), i32, u32);
  encodePgTable(to, inc.newPgTemp, (osds) => to.list(osds, i32));
  encodePgTable(to, inc.newPrimaryTemp, i32);
  to.map(sorted(inc.newPrimaryAffinity), i32, u32);
  to.map(sorted(inc.newErasureCodeProfiles), text, (profile) => to.map(sorted(profile), text, text));
  to.list(inc.oldErasureCodeProfiles, text);
  encodePgTable(to, inc.newPgUpmap, (osds) => to.list(osds, i32));
  encodePgKeys(to, inc.oldPgUpmap);
  encodePgTable(to, inc.newPgUpmapItems, (pairs) => encodePairs(to, pairs));
  encodePgKeys(to, inc.oldPgUpmapItems);
  encodePoolSnaps(to, inc.newRemovedSnaps);
  encodePoolSnaps(to, inc.newPurgedSnaps);
  encodeUTime(to, inc.newLastUpChange);
  encodeUTime(to, inc.newLastInChange);
}

type OsdSectionField =
  | 'newHbBackUp'
  | 'newUpThru'
  | 'newLastCleanInterval'
  | 'newLost'
  | 'newBlocklist'
  | 'oldBlocklist'
  | 'newUpCluster'
  | 'clusterSnapshot'
  | 'newUuid'
  | 'newXInfo'
  | 'newHbFrontUp'
  | 'encodeFeatures'
  | 'newNearfullRatio'
  | 'newFullRatio'
  | 'newBackfillfullRatio'
  | 'newRequireMinCompatClient'
  | 'newRequireOsdRelease'
  | 'newCrushNodeFlags'
  | 'newDeviceClassFlags';

function decodeClientSection(from: Decoder): Omit<OsdMapIncremental, OsdSectionField | 'fullCrc'> {
  const osdMap = <V>(field: string, bytes: number, value: () => V) =>
    from.map(field, 4 + bytes, () => from.i32(field), value);
  const text = (field: string) => () => from.string(field);
  const profiles = 'incremental.erasure_code_profiles';
  return {
    fsid: decodeUuid(from, 'incremental.fsid'),
    epoch: from.u32('incremental.epoch'),
    modified: decodeUTime(from, 'incremental.modified'),
    newPoolMax: from.i64('incremental.new_pool_max'),
    newFlags: from.i32('incremental.new_flags'),
    fullmap: from.blob('incremental.fullmap').slice(),
    crush: from.blob('incremental.crush').slice(),
    newMaxOsd: decodeMaxOsd(from),
    newPools: from.map(
      'incremental.new_pools',
      14,
      () => decodePoolId(from, 'incremental.new_pools'),
      () => decodePool(from),
    ),
    newPoolNames: from.map(
      'incremental.new_pool_names',
      12,
      () => decodePoolId(from, 'incremental.new_pool_names'),
      text('incremental.new_pool_names'),
    ),
    oldPools: new Set(from.list('incremental.old_pools', 8, () => decodePoolId(from, 'incremental.old_pools'))),
    newUpClient: osdMap('incremental.new_up_client', 5, () => decodeAddrVec(from, 'incremental.new_up_client')),
    newState: osdMap('incremental.new_state', 4, () => from.u32('incremental.new_state')),
    newWeight: osdMap('incremental.new_weight', 4, () => from.u32('incremental.new_weight')),
    newPgTemp: decodePgTable(from, 'incremental.new_pg_temp', () => decodeOsds(from, 'incremental.new_pg_temp')),
    newPrimaryTemp: decodePgTable(from, 'incremental.new_primary_temp', () => from.i32('incremental.new_primary_temp')),
    newPrimaryAffinity: osdMap('incremental.new_primary_affinity', 4, () =>
      from.u32('incremental.new_primary_affinity'),
    ),
    newErasureCodeProfiles: from.map(profiles, 8, text(profiles), () =>
      from.map(profiles, 8, text(profiles), text(profiles)),
    ),
    oldErasureCodeProfiles: from.list(profiles, 4, text(profiles)),
    newPgUpmap: decodePgTable(from, 'incremental.new_pg_upmap', () => decodeOsds(from, 'incremental.new_pg_upmap')),
    oldPgUpmap: decodePgKeys(from, 'incremental.old_pg_upmap'),
    newPgUpmapItems: decodePgTable(from, 'incremental.new_pg_upmap_items', () =>
      decodePairs(from, 'incremental.new_pg_upmap_items'),
    ),
    oldPgUpmapItems: decodePgKeys(from, 'incremental.old_pg_upmap_items'),
    newRemovedSnaps: decodePoolSnaps(from, 'incremental.new_removed_snaps'),
    newPurgedSnaps: decodePoolSnaps(from, 'incremental.new_purged_snaps'),
    newLastUpChange: decodeUTime(from, 'incremental.new_last_up_change'),
    newLastInChange: decodeUTime(from, 'incremental.new_last_in_change'),
  };
}

function encodeOsdSection(to: Encoder, inc: OsdMapIncremental): void {
  const i32 = (value: number) => to.i32(value);
  const u32 = (value: number) => to.u32(value);
  to.map(sorted(inc.newHbBackUp), i32, (addrs) => encodeAddrVec(to, addrs));
  to.map(sorted(inc.newUpThru), i32, u32);
  to.map(sorted(inc.newLastCleanInterval), i32, ([begin, end]) => {
    to.u32(begin);
    to.u32(end);
  });
  to.map(sorted(inc.newLost), i32, u32);
  to.list(inc.newBlocklist, ([addr, until]) => {
    encodeAddr(to, addr);
    encodeUTime(to, until);
  });
  to.list(inc.oldBlocklist, (addr) => encodeAddr(to, addr));
  to.map(sorted(inc.newUpCluster), i32, (addrs) => encodeAddrVec(to, addrs));
  to.string(inc.clusterSnapshot);
  to.map(sorted(inc.newUuid), i32, (uuid) => to.raw(uuid));
  to.map(sorted(inc.newXInfo), i32, (xinfo) => encodeOsdXInfo(to, xinfo));
  to.map(sorted(inc.newHbFrontUp), i32, (addrs) => encodeAddrVec(to, addrs));
  to.u64big(inc.encodeFeatures);
  to.f32(inc.newNearfullRatio);
  to.f32(inc.newFullRatio);
  to.f32(inc.newBackfillfullRatio);
  to.u8(inc.newRequireMinCompatClient);
  to.u8(inc.newRequireOsdRelease);
  to.map(sorted(inc.newCrushNodeFlags), i32, u32);
  to.map(sorted(inc.newDeviceClassFlags), i32, u32);
}

function decodeOsdSection(from: Decoder): Pick<OsdMapIncremental, OsdSectionField> {
  const osdMap = <V>(field: string, bytes: number, value: () => V) =>
    from.map(field, 4 + bytes, () => from.i32(field), value);
  return {
    newHbBackUp: osdMap('incremental.new_hb_back_up', 5, () => decodeAddrVec(from, 'incremental.new_hb_back_up')),
    newUpThru: osdMap('incremental.new_up_thru', 4, () => from.u32('incremental.new_up_thru')),
    newLastCleanInterval: osdMap('incremental.new_last_clean_interval', 8, () => {
      const begin = from.u32('incremental.new_last_clean_interval');
      return [begin, from.u32('incremental.new_last_clean_interval')] as const;
    }),
    newLost: osdMap('incremental.new_lost', 4, () => from.u32('incremental.new_lost')),
    newBlocklist: from.list('incremental.new_blocklist', 19, () => {
      const addr = decodeAddr(from, 'incremental.new_blocklist');
      return [addr, decodeUTime(from, 'incremental.new_blocklist')] as const;
    }),
    oldBlocklist: from.list('incremental.old_blocklist', 11, () => decodeAddr(from, 'incremental.old_blocklist')),
    newUpCluster: osdMap('incremental.new_up_cluster', 5, () => decodeAddrVec(from, 'incremental.new_up_cluster')),
    clusterSnapshot: from.string('incremental.cluster_snapshot'),
    newUuid: osdMap('incremental.new_uuid', 16, () => decodeUuid(from, 'incremental.new_uuid')),
    newXInfo: osdMap('incremental.new_xinfo', 6, () => decodeOsdXInfo(from)),
    newHbFrontUp: osdMap('incremental.new_hb_front_up', 5, () => decodeAddrVec(from, 'incremental.new_hb_front_up')),
    encodeFeatures: from.u64big('incremental.encode_features'),
    newNearfullRatio: from.f32('incremental.new_nearfull_ratio'),
    newFullRatio: from.f32('incremental.new_full_ratio'),
    newBackfillfullRatio: from.f32('incremental.new_backfillfull_ratio'),
    newRequireMinCompatClient: from.u8('incremental.new_require_min_compat_client'),
    newRequireOsdRelease: from.u8('incremental.new_require_osd_release'),
    newCrushNodeFlags: decodeFlags(from, 'incremental.new_crush_node_flags'),
    newDeviceClassFlags: decodeFlags(from, 'incremental.new_device_class_flags'),
  };
}

function decodeMaxOsd(from: Decoder): number {
  const maxOsd = from.i32('incremental.new_max_osd');
  if (maxOsd > MAX_OSDS) from.fail('incremental.new_max_osd', `${maxOsd} exceeds ${MAX_OSDS}`);
  return maxOsd;
}

function ascending(values: ReadonlySet<number>): number[] {
  return [...values].sort((a, b) => a - b);
}

function encodePgKeys(to: Encoder, keys: ReadonlySet<PgKey>): void {
  to.list(ascending(keys), (key) => encodePgId(to, pgOfKey(key)));
}

function decodePgKeys(from: Decoder, field: string): Set<PgKey> {
  return new Set(from.list(field, 17, () => decodePgKey(from, field)));
}
