import { decodeCrushMap } from '@spirula/crush';
import {
  type AddrVec,
  Encoder,
  type EntityAddr,
  encodeAddr,
  equalBytes,
  MalformedInput,
  rawFromBytes,
  type UTime,
  type Uuid,
} from '@spirula/encoding';
import { type OsdInfo, type OsdMap, OsdState, type OsdXInfo } from './osdmap.ts';
import { decodeOsdMap } from './osdmap-codec.ts';
import type { OsdMapIncremental } from './osdmap-incremental.ts';
import { Release, withReleaseFlags } from './release.ts';
import { subtractSnaps, unionOfSnaps } from './snap-intervals.ts';

/** Primary affinity unless set: 1 in 16.16. */
const FULL_AFFINITY = 0x10000;
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
 * The map that `inc` leads to from `map` (OSDMap::apply_incremental). Shares with `map` whatever did not change. What is
 * said of an OSD beyond max_osd is passed over.
 *
 * @throws MalformedInput unless `inc` is of the next epoch and the same cluster, and when a full or CRUSH map inside does
 * not parse.
 */
export function applyIncremental(map: OsdMap, inc: OsdMapIncremental): OsdMap {
  if (inc.epoch !== map.epoch + 1) {
    throw new MalformedInput('incremental.epoch', 0, `leads to ${inc.epoch}, the map is of ${map.epoch}`);
  }
  if (map.epoch > 0 && !equalBytes(map.fsid, inc.fsid)) {
    throw new MalformedInput('incremental.fsid', 0, 'is that of another cluster');
  }
  if (inc.fullmap.length > 0) return decodeOsdMap(inc.fullmap);

  const next: Mutable<OsdMap> = { ...map, fsid: inc.fsid, epoch: inc.epoch, modified: inc.modified };
  if (inc.newFlags >= 0) next.flags = inc.newFlags;
  if (inc.newMaxOsd >= 0) resize(next, inc.newMaxOsd);
  applyPools(next, inc);
  applyRemovedSnaps(next, inc);
  applyOsds(next, inc);
  applyPlacement(next, inc);
  applyBlocklist(next, inc);
  next.crushNodeFlags = changed(map.crushNodeFlags, inc.newCrushNodeFlags, (flags) => flags === 0);
  next.deviceClassFlags = changed(map.deviceClassFlags, inc.newDeviceClassFlags, (flags) => flags === 0);
  next.clusterSnapshot = inc.clusterSnapshot;
  next.clusterSnapshotEpoch = inc.clusterSnapshot === '' ? 0 : inc.epoch;
  if (inc.newNearfullRatio >= 0) next.nearfullRatio = inc.newNearfullRatio;
  if (inc.newFullRatio >= 0) next.fullRatio = inc.newFullRatio;
  if (inc.newBackfillfullRatio >= 0) next.backfillfullRatio = inc.newBackfillfullRatio;
  applyReleases(next, inc);
  // Last, as in Ceph: what the OSDs became does not depend on the CRUSH map that comes with it.
  if (inc.crush.length > 0) applyCrush(next, inc);
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
  if (next.primaryAffinity.length > 0) next.primaryAffinity = fit(next.primaryAffinity, FULL_AFFINITY);
  next.maxOsd = maxOsd;
}

function applyPools(next: Mutable<OsdMap>, inc: OsdMapIncremental): void {
  if (inc.newPoolMax !== -1) next.poolMax = inc.newPoolMax;
  const stamped = new Map([...inc.newPools].map(([id, pool]) => [id, { ...pool, lastChange: inc.epoch }]));
  next.pools = changed(next.pools, stamped, keepAll, inc.oldPools);
  next.poolNames = changed(next.poolNames, inc.newPoolNames, keepAll, inc.oldPools);
  if (inc.newErasureCodeProfiles.size + inc.oldErasureCodeProfiles.length === 0) return;
  // First the old: a profile may be replaced.
  const kept = changed(next.erasureCodeProfiles, new Map(), keepAll, new Set(inc.oldErasureCodeProfiles));
  next.erasureCodeProfiles = changed(kept, inc.newErasureCodeProfiles, keepAll);
}

/** What is removed waits in the queue until every PG has purged it. */
function applyRemovedSnaps(next: Mutable<OsdMap>, inc: OsdMapIncremental): void {
  next.newRemovedSnaps = inc.newRemovedSnaps;
  next.newPurgedSnaps = inc.newPurgedSnaps;
  if (inc.newRemovedSnaps.size + inc.newPurgedSnaps.size === 0) return;
  const queue = new Map(next.removedSnapsQueue);
  for (const [id, snaps] of inc.newRemovedSnaps) queue.set(id, unionOfSnaps(queue.get(id) ?? [], snaps));
  for (const [id, snaps] of inc.newPurgedSnaps) {
    const left = subtractSnaps(queue.get(id) ?? [], snaps);
    if (left.length > 0) queue.set(id, left);
    else queue.delete(id);
  }
  next.removedSnapsQueue = queue;
}

/** Per-OSD arrays of a map in the making: each is copied when it first changes. */
class OsdArrays {
  readonly #next: Mutable<OsdMap>;
  readonly #copied = new Set<keyof OsdMap>();

  constructor(next: Mutable<OsdMap>) {
    this.#next = next;
  }

  has(osd: number): boolean {
    return osd >= 0 && osd < this.#next.maxOsd;
  }

  set<K extends PerOsdField>(field: K, osd: number, value: OsdMap[K][number]): void {
    if (!this.#copied.has(field)) {
      this.#next[field] = [...this.#next[field]] as unknown as OsdMap[K];
      this.#copied.add(field);
    }
    (this.#next[field] as OsdMap[K][number][])[osd] = value;
  }

  update<K extends 'osdInfo' | 'osdXInfo'>(field: K, osd: number, change: Partial<OsdMap[K][number]>): void {
    this.set(field, osd, { ...this.#next[field][osd]!, ...change } as OsdMap[K][number]);
  }

  setAffinity(osd: number, affinity: number): void {
    if (this.#next.primaryAffinity.length === 0) {
      this.#next.primaryAffinity = new Array<number>(this.#next.maxOsd).fill(FULL_AFFINITY);
    }
    this.set('primaryAffinity', osd, affinity);
  }

  setState(osd: number, set: number, clear: number): void {
    this.set('osdState', osd, (this.#next.osdState[osd]! | set) & ~clear);
  }
}

type PerOsdField =
  | 'osdState'
  | 'osdWeight'
  | 'osdInfo'
  | 'osdXInfo'
  | 'osdUuid'
  | 'primaryAffinity'
  | 'clientAddrs'
  | 'clusterAddrs'
  | 'hbBackAddrs'
  | 'hbFrontAddrs';

function applyOsds(next: Mutable<OsdMap>, inc: OsdMapIncremental): void {
  if (isSet(inc.newLastUpChange)) next.lastUpChange = inc.newLastUpChange;
  if (isSet(inc.newLastInChange)) next.lastInChange = inc.newLastInChange;
  const osds = new OsdArrays(next);
  const known = <V>(entries: ReadonlyMap<number, V>) => [...entries].filter(([osd]) => osds.has(osd));

  for (const [osd, weight] of known(inc.newWeight)) {
    osds.set('osdWeight', osd, weight);
    if (weight === 0) continue;
    // Marked in: by whom and from what is forgotten.
    osds.setState(osd, OsdState.exists, OsdState.autoout | OsdState.new);
    osds.update('osdXInfo', osd, { oldWeight: 0 });
  }
  for (const [osd, affinity] of known(inc.newPrimaryAffinity)) osds.setAffinity(osd, affinity);
  for (const [osd, bits] of known(inc.newState)) toggleState(next, osds, osd, bits === 0 ? OsdState.up : bits);
  for (const [osd, addrs] of known(inc.newUpClient)) {
    osds.setState(osd, OsdState.exists | OsdState.up, OsdState.stop);
    osds.set('clientAddrs', osd, addrs);
    osds.set('hbBackAddrs', osd, inc.newHbBackUp.get(osd) ?? NO_ADDRS);
    osds.set('hbFrontAddrs', osd, inc.newHbFrontUp.get(osd) ?? NO_ADDRS);
    osds.update('osdInfo', osd, { upFrom: inc.epoch });
  }
  for (const [osd, addrs] of known(inc.newUpCluster)) osds.set('clusterAddrs', osd, addrs);
  for (const [osd, upThru] of known(inc.newUpThru)) osds.update('osdInfo', osd, { upThru });
  for (const [osd, [lastCleanBegin, lastCleanEnd]] of known(inc.newLastCleanInterval)) {
    osds.update('osdInfo', osd, { lastCleanBegin, lastCleanEnd });
  }
  for (const [osd, lostAt] of known(inc.newLost)) osds.update('osdInfo', osd, { lostAt });
  for (const [osd, xinfo] of known(inc.newXInfo)) osds.set('osdXInfo', osd, xinfo);
  for (const [osd, uuid] of known(inc.newUuid)) osds.set('osdUuid', osd, uuid);
}

/** XORs state bits. Toggling `up` of one that is up marks it down; toggling `exists` of one that exists destroys it. */
function toggleState(next: Mutable<OsdMap>, osds: OsdArrays, osd: number, bits: number): void {
  const toggledOff = next.osdState[osd]! & bits;
  if ((toggledOff & OsdState.up) !== 0) {
    osds.update('osdInfo', osd, { downAt: next.epoch });
    osds.update('osdXInfo', osd, { downStamp: next.modified });
  }
  if ((toggledOff & OsdState.exists) === 0) {
    osds.set('osdState', osd, next.osdState[osd]! ^ bits);
    return;
  }
  osds.set('osdState', osd, 0);
  osds.set('osdInfo', osd, NO_INFO);
  osds.set('osdXInfo', osd, NO_XINFO);
  osds.set('osdUuid', osd, NO_UUID);
  osds.setAffinity(osd, FULL_AFFINITY);
  for (const field of ['clientAddrs', 'clusterAddrs', 'hbBackAddrs', 'hbFrontAddrs'] as const) {
    osds.set(field, osd, NO_ADDRS);
  }
}

function applyPlacement(next: Mutable<OsdMap>, inc: OsdMapIncremental): void {
  next.pgTemp = changed(next.pgTemp, inc.newPgTemp, (osds) => osds.length === 0);
  next.primaryTemp = changed(next.primaryTemp, inc.newPrimaryTemp, (osd) => osd === -1);
  next.pgUpmap = changed(next.pgUpmap, inc.newPgUpmap, keepAll, inc.oldPgUpmap);
  next.pgUpmapItems = changed(next.pgUpmapItems, inc.newPgUpmapItems, keepAll, inc.oldPgUpmapItems);
}

function applyBlocklist(next: Mutable<OsdMap>, inc: OsdMapIncremental): void {
  if (inc.newBlocklist.length + inc.oldBlocklist.length === 0) return;
  const entries = new Map(next.blocklist.map((entry) => [addrKey(entry[0]), entry] as const));
  for (const entry of inc.newBlocklist) {
    const key = addrKey(entry[0]);
    // 16.2.15 does not prolong an entry that is there.
    if (!entries.has(key)) entries.set(key, entry);
  }
  for (const addr of inc.oldBlocklist) entries.delete(addrKey(addr));
  next.blocklist = [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}

/** Orders addresses as Ceph does: by their bytes in memory, which are those of the encoding. */
function addrKey(addr: EntityAddr): string {
  const to = new Encoder(40);
  encodeAddr(to, addr);
  return rawFromBytes(to.finish());
}

function applyReleases(next: Mutable<OsdMap>, inc: OsdMapIncremental): void {
  if (isRelease(inc.newRequireMinCompatClient)) next.requireMinCompatClient = inc.newRequireMinCompatClient;
  if (!isRelease(inc.newRequireOsdRelease)) return;
  next.requireOsdRelease = inc.newRequireOsdRelease;
  next.flags = withReleaseFlags(next.flags, next.requireOsdRelease);
}

function applyCrush(next: Mutable<OsdMap>, inc: OsdMapIncremental): void {
  const crush = decodeCrushMap(inc.crush);
  next.crush = crush;
  next.crushBytes = inc.crush;
  if (next.requireOsdRelease >= Release.luminous) next.crushVersion += 1;
  const gone = [...next.deviceClassFlags.keys()].filter((id) => !crush.classNames.has(id));
  next.deviceClassFlags = changed(next.deviceClassFlags, new Map(), keepAll, new Set(gone));
}

/** The table with entries set, those that say so removed, and then the old ones removed; the same one if that is none. */
function changed<K, V>(
  table: ReadonlyMap<K, V>,
  entries: ReadonlyMap<K, V>,
  removes: (value: V) => boolean,
  old: ReadonlySet<K> = new Set(),
): ReadonlyMap<K, V> {
  if (entries.size + old.size === 0) return table;
  const next = new Map(table);
  for (const [key, value] of entries) {
    if (removes(value)) next.delete(key);
    else next.set(key, value);
  }
  for (const key of old) next.delete(key);
  return next;
}

function keepAll(): boolean {
  return false;
}

/** Whether a release stands there: neither unknown (0) nor unchanged (255). */
function isRelease(release: number): boolean {
  return release > 0 && release < 0xff;
}

function isSet(time: UTime): boolean {
  return time.sec !== 0 || time.nsec !== 0;
}
