import {
  type AddrVec,
  compareBytes,
  Encoder,
  type EntityAddr,
  encodeAddr,
  type UTime,
  type Uuid,
} from '@spirula/encoding';
import { decodeCrushMap } from '@spirula/crush';
import { invariant } from '@spirula/world';
import { type OsdInfo, type OsdMap, OsdMapFlag, OsdState, type OsdXInfo } from './osdmap.ts';
import { decodeOsdMap } from './osdmap-codec.ts';
import type { OsdMapIncremental } from './osdmap-incremental.ts';
import type { Pool, SnapInterval } from './pool.ts';

/** An OSD's reweight and primary affinity unless set: 1 in 16.16. */
const FULL_WEIGHT = 0x10000;
const NO_ADDRS: AddrVec = [];
const NEVER: UTime = { sec: 0, nsec: 0 };
const NO_UUID: Uuid = new Uint8Array(16);
const NO_INFO: OsdInfo = { lastCleanBegin: 0, lastCleanEnd: 0, upFrom: 0, upThru: 0, downAt: 0, lostAt: 0 };
const NO_XINFO: OsdXInfo = {
  downStamp: NEVER,
  laggyProbability: 0,
  laggyInterval: 0,
  features: 0n,
  oldWeight: 0,
  lastPurgedSnapsScrub: NEVER,
  deadEpoch: 0,
};

/** What an empty map would be before epoch 1; `applyIncremental` starts from it. */
export function emptyOsdMap(fsid: Uuid): OsdMap {
  return {
    fsid,
    epoch: 0,
    created: NEVER,
    modified: NEVER,
    pools: new Map(),
    poolNames: new Map(),
    poolMax: 0,
    flags: 0,
    maxOsd: 0,
    osdState: [],
    osdWeight: [],
    clientAddrs: [],
    clusterAddrs: [],
    hbBackAddrs: [],
    hbFrontAddrs: [],
    pgTemp: new Map(),
    primaryTemp: new Map(),
    primaryAffinity: [],
    crush: EMPTY_CRUSH,
    crushBytes: new Uint8Array(0),
    erasureCodeProfiles: new Map(),
    pgUpmap: new Map(),
    pgUpmapItems: new Map(),
    crushVersion: 1,
    newRemovedSnaps: new Map(),
    newPurgedSnaps: new Map(),
    lastUpChange: NEVER,
    lastInChange: NEVER,
    osdInfo: [],
    osdXInfo: [],
    osdUuid: [],
    blocklist: [],
    clusterSnapshotEpoch: 0,
    clusterSnapshot: '',
    nearfullRatio: 0,
    fullRatio: 0,
    backfillfullRatio: 0,
    requireMinCompatClient: 0,
    requireOsdRelease: 0,
    removedSnapsQueue: new Map(),
    crushNodeFlags: new Map(),
    deviceClassFlags: new Map(),
  };
}

const EMPTY_CRUSH: OsdMap['crush'] = {
  maxDevices: 0,
  buckets: [],
  rules: [],
  typeNames: new Map(),
  names: new Map(),
  ruleNames: new Map(),
  tunables: {
    chooseLocalTries: 0,
    chooseLocalFallbackTries: 0,
    chooseTotalTries: 50,
    chooseleafDescendOnce: 1,
    chooseleafVaryR: 1,
    chooseleafStable: 1,
    strawCalcVersion: 1,
    allowedBucketAlgs: 54,
  },
  deviceClass: new Map(),
  classNames: new Map(),
  classBuckets: new Map(),
  chooseArgs: new Map(),
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * The map that `inc` leads to from `map` (OSDMap::apply_incremental). Shares with `map` whatever did not change.
 *
 * @throws InvariantViolation unless `inc` is of the next epoch and the same cluster: check before.
 * @throws MalformedInput when a full or CRUSH map inside does not parse.
 */
export function applyIncremental(map: OsdMap, inc: OsdMapIncremental): OsdMap {
  invariant(inc.epoch === map.epoch + 1, 'an incremental applies to the epoch before its own');
  invariant(map.epoch === 0 || compareBytes(map.fsid, inc.fsid) === 0, 'an incremental applies to its own cluster');
  if (inc.fullmap.length > 0) return decodeOsdMap(inc.fullmap);

  const next: Mutable<OsdMap> = { ...map, fsid: inc.fsid, epoch: inc.epoch, modified: inc.modified };
  if (inc.newFlags >= 0) next.flags = inc.newFlags;
  if (inc.newMaxOsd >= 0) resize(next, inc.newMaxOsd);
  applyPools(next, inc);
  applyOsds(next, inc);
  applyPlacement(next, inc);
  applyBlocklist(next, inc);
  next.clusterSnapshot = inc.clusterSnapshot;
  next.clusterSnapshotEpoch = inc.clusterSnapshot === '' ? 0 : inc.epoch;
  if (inc.newNearfullRatio >= 0) next.nearfullRatio = inc.newNearfullRatio;
  if (inc.newFullRatio >= 0) next.fullRatio = inc.newFullRatio;
  if (inc.newBackfillfullRatio >= 0) next.backfillfullRatio = inc.newBackfillfullRatio;
  if (isRelease(inc.newRequireMinCompatClient)) next.requireMinCompatClient = inc.newRequireMinCompatClient;
  if (isRelease(inc.newRequireOsdRelease)) {
    next.requireOsdRelease = inc.newRequireOsdRelease;
    const legacy = OsdMapFlag.requireJewel | OsdMapFlag.requireKraken | OsdMapFlag.requireLuminous;
    next.flags = (next.flags & ~legacy) | OsdMapFlag.recoveryDeletes;
  }
  if (inc.crush.length > 0) {
    next.crush = decodeCrushMap(inc.crush);
    next.crushBytes = inc.crush;
    next.crushVersion = map.crushVersion + 1;
  }
  next.crushNodeFlags = withFlags(map.crushNodeFlags, inc.newCrushNodeFlags);
  next.deviceClassFlags = withFlags(map.deviceClassFlags, inc.newDeviceClassFlags);
  return next;
}

/** Grows or shrinks every per-OSD array. */
function resize(next: Mutable<OsdMap>, maxOsd: number): void {
  const fit = <T>(values: readonly T[], filler: T): T[] =>
    Array.from({ length: maxOsd }, (_, osd) => (osd < values.length ? values[osd]! : filler));
  next.osdState = fit(next.osdState, 0);
  next.osdWeight = fit(next.osdWeight, 0);
  next.osdInfo = fit(next.osdInfo, NO_INFO);
  next.osdXInfo = fit(next.osdXInfo, NO_XINFO);
  next.osdUuid = fit(next.osdUuid, NO_UUID);
  next.clientAddrs = fit(next.clientAddrs, NO_ADDRS);
  next.clusterAddrs = fit(next.clusterAddrs, NO_ADDRS);
  next.hbBackAddrs = fit(next.hbBackAddrs, NO_ADDRS);
  next.hbFrontAddrs = fit(next.hbFrontAddrs, NO_ADDRS);
  if (next.primaryAffinity.length > 0) next.primaryAffinity = fit(next.primaryAffinity, FULL_WEIGHT);
  next.maxOsd = maxOsd;
}

function applyPools(next: Mutable<OsdMap>, inc: OsdMapIncremental): void {
  if (inc.newPoolMax !== -1) next.poolMax = inc.newPoolMax;
  if (inc.newPools.size > 0 || inc.oldPools.size > 0) {
    const pools = new Map(next.pools);
    for (const [id, pool] of inc.newPools) pools.set(id, { ...pool, lastChange: inc.epoch } satisfies Pool);
    for (const id of inc.oldPools) pools.delete(id);
    next.pools = pools;
  }
  if (inc.newPoolNames.size > 0 || inc.oldPools.size > 0) {
    const names = new Map(next.poolNames);
    for (const [id, name] of inc.newPoolNames) names.set(id, name);
    for (const id of inc.oldPools) names.delete(id);
    next.poolNames = names;
  }
  next.newRemovedSnaps = inc.newRemovedSnaps;
  next.newPurgedSnaps = inc.newPurgedSnaps;
  if (inc.newRemovedSnaps.size + inc.newPurgedSnaps.size > 0) {
    const queue = new Map(next.removedSnapsQueue);
    for (const [id, snaps] of inc.newRemovedSnaps) queue.set(id, normalize([...(queue.get(id) ?? []), ...snaps]));
    for (const [id, snaps] of inc.newPurgedSnaps) {
      const left = subtract(queue.get(id) ?? [], snaps);
      if (left.length > 0) queue.set(id, left);
      else queue.delete(id);
    }
    next.removedSnapsQueue = queue;
  }
  if (inc.newErasureCodeProfiles.size + inc.oldErasureCodeProfiles.length > 0) {
    const profiles = new Map(next.erasureCodeProfiles);
    for (const name of inc.oldErasureCodeProfiles) profiles.delete(name);
    for (const [name, profile] of inc.newErasureCodeProfiles) profiles.set(name, profile);
    next.erasureCodeProfiles = profiles;
  }
}

function applyOsds(next: Mutable<OsdMap>, inc: OsdMapIncremental): void {
  if (isSet(inc.newLastUpChange)) next.lastUpChange = inc.newLastUpChange;
  if (isSet(inc.newLastInChange)) next.lastInChange = inc.newLastInChange;
  const known = (osd: number) => osd >= 0 && osd < next.maxOsd;
  const state = [...next.osdState];
  const weight = [...next.osdWeight];
  const info = [...next.osdInfo];
  const xinfo = [...next.osdXInfo];
  const uuid = [...next.osdUuid];
  const client = [...next.clientAddrs];
  const cluster = [...next.clusterAddrs];
  const hbBack = [...next.hbBackAddrs];
  const hbFront = [...next.hbFrontAddrs];
  const setAffinity = (osd: number, value: number) => {
    const affinity =
      next.primaryAffinity.length > 0 ? [...next.primaryAffinity] : new Array<number>(next.maxOsd).fill(FULL_WEIGHT);
    affinity[osd] = value;
    next.primaryAffinity = affinity;
  };

  for (const [osd, value] of inc.newWeight) {
    if (!known(osd)) continue;
    weight[osd] = value;
    if (value === 0) continue;
    state[osd] = (state[osd]! | OsdState.exists) & ~(OsdState.autoout | OsdState.new);
    xinfo[osd] = { ...xinfo[osd]!, oldWeight: 0 };
  }
  for (const [osd, value] of inc.newPrimaryAffinity) if (known(osd)) setAffinity(osd, value);
  for (const [osd, bits] of inc.newState) {
    if (!known(osd)) continue;
    const change = bits === 0 ? OsdState.up : bits;
    if ((state[osd]! & change & OsdState.up) !== 0) {
      info[osd] = { ...info[osd]!, downAt: inc.epoch };
      xinfo[osd] = { ...xinfo[osd]!, downStamp: inc.modified };
    }
    if ((state[osd]! & change & OsdState.exists) === 0) {
      state[osd] = state[osd]! ^ change;
      continue;
    }
    state[osd] = 0;
    info[osd] = NO_INFO;
    xinfo[osd] = NO_XINFO;
    uuid[osd] = NO_UUID;
    setAffinity(osd, FULL_WEIGHT);
    for (const addrs of [client, cluster, hbBack, hbFront]) addrs[osd] = NO_ADDRS;
  }
  for (const [osd, addrs] of inc.newUpClient) {
    if (!known(osd)) continue;
    state[osd] = (state[osd]! | OsdState.exists | OsdState.up) & ~OsdState.stop;
    client[osd] = addrs;
    hbBack[osd] = inc.newHbBackUp.get(osd) ?? NO_ADDRS;
    const front = inc.newHbFrontUp.get(osd);
    if (front !== undefined) hbFront[osd] = front;
    info[osd] = { ...info[osd]!, upFrom: inc.epoch };
  }
  for (const [osd, addrs] of inc.newUpCluster) if (known(osd)) cluster[osd] = addrs;
  for (const [osd, upThru] of inc.newUpThru) if (known(osd)) info[osd] = { ...info[osd]!, upThru };
  for (const [osd, [lastCleanBegin, lastCleanEnd]] of inc.newLastCleanInterval) {
    if (known(osd)) info[osd] = { ...info[osd]!, lastCleanBegin, lastCleanEnd };
  }
  for (const [osd, lostAt] of inc.newLost) if (known(osd)) info[osd] = { ...info[osd]!, lostAt };
  for (const [osd, value] of inc.newXInfo) if (known(osd)) xinfo[osd] = value;
  for (const [osd, value] of inc.newUuid) if (known(osd)) uuid[osd] = value;
  next.osdState = state;
  next.osdWeight = weight;
  next.osdInfo = info;
  next.osdXInfo = xinfo;
  next.osdUuid = uuid;
  next.clientAddrs = client;
  next.clusterAddrs = cluster;
  next.hbBackAddrs = hbBack;
  next.hbFrontAddrs = hbFront;
}

function applyPlacement(next: Mutable<OsdMap>, inc: OsdMapIncremental): void {
  next.pgTemp = changed(next.pgTemp, inc.newPgTemp, (osds) => osds.length === 0);
  next.primaryTemp = changed(next.primaryTemp, inc.newPrimaryTemp, (osd) => osd === -1);
  next.pgUpmap = changed(next.pgUpmap, inc.newPgUpmap, () => false, inc.oldPgUpmap);
  next.pgUpmapItems = changed(next.pgUpmapItems, inc.newPgUpmapItems, () => false, inc.oldPgUpmapItems);
}

function changed<V>(
  table: ReadonlyMap<number, V>,
  entries: ReadonlyMap<number, V>,
  removes: (value: V) => boolean,
  old: ReadonlySet<number> = new Set(),
): ReadonlyMap<number, V> {
  if (entries.size + old.size === 0) return table;
  const next = new Map(table);
  for (const [key, value] of entries) {
    if (removes(value)) next.delete(key);
    else next.set(key, value);
  }
  for (const key of old) next.delete(key);
  return next;
}

function applyBlocklist(next: Mutable<OsdMap>, inc: OsdMapIncremental): void {
  if (inc.newBlocklist.length + inc.oldBlocklist.length === 0) return;
  const entries = new Map(next.blocklist.map((entry) => [addrKey(entry[0]), entry] as const));
  for (const entry of inc.newBlocklist) entries.set(addrKey(entry[0]), entry);
  for (const addr of inc.oldBlocklist) entries.delete(addrKey(addr));
  next.blocklist = [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}

/** Orders addresses as Ceph does: by their bytes in memory, which are those of the encoding. */
function addrKey(addr: EntityAddr): string {
  const to = new Encoder(40);
  encodeAddr(to, addr);
  return String.fromCharCode(...to.finish());
}

function withFlags(
  flags: ReadonlyMap<number, number>,
  entries: ReadonlyMap<number, number>,
): ReadonlyMap<number, number> {
  return changed(flags, entries, (value) => value === 0);
}

/** Whether a release stands there: neither unknown (0) nor unchanged (255). */
function isRelease(release: number): boolean {
  return release > 0 && release < 0xff;
}

function isSet(time: UTime): boolean {
  return time.sec !== 0 || time.nsec !== 0;
}

/** The same snaps as ascending intervals that do not touch. */
function normalize(intervals: readonly SnapInterval[]): SnapInterval[] {
  const merged: SnapInterval[] = [];
  for (const each of [...intervals].sort((a, b) => (a.start < b.start ? -1 : 1))) {
    const last = merged.at(-1);
    if (last === undefined || each.start > last.start + last.length) {
      merged.push(each);
      continue;
    }
    const end =
      each.start + each.length > last.start + last.length ? each.start + each.length : last.start + last.length;
    merged[merged.length - 1] = { start: last.start, length: end - last.start };
  }
  return merged;
}

function subtract(from: readonly SnapInterval[], what: readonly SnapInterval[]): SnapInterval[] {
  let left = [...from];
  for (const { start, length } of what) {
    const end = start + length;
    left = left.flatMap((each) => {
      const eachEnd = each.start + each.length;
      const pieces: SnapInterval[] = [];
      if (each.start < start)
        pieces.push({ start: each.start, length: (eachEnd < start ? eachEnd : start) - each.start });
      if (eachEnd > end) {
        const from = each.start > end ? each.start : end;
        pieces.push({ start: from, length: eachEnd - from });
      }
      return pieces;
    });
  }
  return left;
}
