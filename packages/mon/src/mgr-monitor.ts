/** The MgrMap service (mon/MgrMonitor.cc): which manager is active, and the digest it sends. */
import type { AddrVec, Uuid } from '@spirula/encoding';
import { Decoder, Encoder, equalBytes, sameAddrVec } from '@spirula/encoding';
import { decodeMgrMap, encodeMgrMap, type MgrMap, type MgrStandby } from '@spirula/maps';
import type { CommandDescription, HealthCheck, MgrBeacon, MonMgrReport, PgMapDigest } from '@spirula/messages';
import { type Instant, seconds } from '@spirula/world';
import type { MonTransaction } from './mon-store.ts';
import type { PaxosService, ServiceContext } from './paxos-service.ts';

const PREFIX = 'mgrmap';
const MGR_FEATURES = 0x3f01_cfbd_fffd_ffffn;
/** The first digest may lag behind the first beacon; mon_mgr_mkfs_grace bounds how long none at all is no warning. */
const NO_MGR: MgrMap = {
  epoch: 0,
  activeAddrs: [],
  activeGid: 0n,
  available: false,
  activeName: '',
  standbys: new Map(),
  modules: [],
  availableModules: [],
  services: new Map(),
  activeChange: { sec: 0, nsec: 0 },
  alwaysOnModules: new Map(),
  activeMgrFeatures: 0n,
  lastFailureOsdEpoch: 0,
  clients: [],
  clientNames: [],
};

export class MgrMonitor implements PaxosService {
  readonly #context: ServiceContext;
  readonly #fsid: Uuid;
  #map: MgrMap = NO_MGR;
  #pending: MgrMap = NO_MGR;
  #commands: readonly CommandDescription[] = [];
  #pendingCommands: readonly CommandDescription[] | undefined;
  #digest: PgMapDigest | undefined;
  #checks: ReadonlyMap<string, HealthCheck> = new Map();
  readonly #lastBeacon = new Map<bigint, Instant>();
  #leadingSince: Instant = 0;
  dirty = false;

  constructor(context: ServiceContext, fsid: Uuid) {
    this.#context = context;
    this.#fsid = fsid;
  }

  get map(): MgrMap {
    return this.#map;
  }

  /** What the active manager serves; empty while none does. */
  get commands(): readonly CommandDescription[] {
    return this.#map.available ? this.#commands : [];
  }

  /** The newest digest; undefined until the active manager has sent one. */
  get digest(): PgMapDigest | undefined {
    return this.#digest;
  }

  get checks(): ReadonlyMap<string, HealthCheck> {
    return this.#checks;
  }

  refresh(): void {
    const bytes = this.#context.store.get(PREFIX, 'latest');
    if (bytes === undefined) return;
    this.#map = decodeMgrMap(bytes);
    const commands = this.#context.store.get(PREFIX, 'commands');
    this.#commands = commands === undefined ? [] : decodeCommands(commands);
    this.#pending = this.#map;
    this.dirty = false;
  }

  onLeading(): void {
    this.#pending = this.#map;
    this.#pendingCommands = undefined;
    this.dirty = false;
    this.#leadingSince = this.#context.now();
    this.#lastBeacon.clear();
    this.#digest = undefined;
    if (this.#map.epoch === 0) this.#change(NO_MGR);
  }

  encodePending(transaction: MonTransaction): void {
    const map = { ...this.#pending, epoch: this.#map.epoch + 1 };
    transaction.put(PREFIX, 'latest', encodeMgrMap(map));
    if (this.#pendingCommands !== undefined) transaction.put(PREFIX, 'commands', encodeCommands(this.#pendingCommands));
    this.#pendingCommands = undefined;
    this.dirty = false;
  }

  #change(map: MgrMap): void {
    this.#pending = map;
    this.dirty = true;
    this.#context.changed();
  }

  onBeacon(beacon: MgrBeacon): void {
    if (!equalBytes(beacon.fsid, this.#fsid)) return;
    this.#lastBeacon.set(beacon.gid, this.#context.now());
    const map = this.#pending;
    if (map.activeGid === beacon.gid) {
      const available = beacon.available && beacon.addrs.length > 0;
      const same = map.available === available && sameAddrVec(map.activeAddrs, beacon.addrs);
      if (same && sameServices(map.services, beacon.services)) return;
      this.#pendingCommands = beacon.commandDescriptions;
      this.#change({ ...map, available, activeAddrs: beacon.addrs, services: beacon.services });
      return;
    }
    if (map.activeGid === 0n || (map.activeName === beacon.name && map.activeGid !== beacon.gid)) {
      // Nobody is active, or this is the successor of the active one's process.
      const standbys = new Map(map.standbys);
      standbys.delete(beacon.gid);
      this.#activate({ ...map, standbys }, beacon.gid, beacon.name);
      return;
    }
    if (map.standbys.has(beacon.gid)) return;
    const standbys = new Map([...map.standbys].filter(([, standby]) => standby.name !== beacon.name));
    standbys.set(beacon.gid, { gid: beacon.gid, name: beacon.name, availableModules: [], mgrFeatures: MGR_FEATURES });
    this.#change({ ...map, standbys });
  }

  /** Its address and commands follow with its next beacon. */
  #activate(map: MgrMap, gid: bigint, name: string): void {
    this.#digest = undefined;
    this.#change({
      ...map,
      activeGid: gid,
      activeName: name,
      available: false,
      activeAddrs: [],
      services: new Map(),
      activeMgrFeatures: MGR_FEATURES,
      activeChange: this.#context.wall(),
    });
  }

  /** The active manager is gone: a standby takes its place, or nobody (`mgr fail`, mon_mgr_beacon_grace). */
  fail(): void {
    const map = this.#pending;
    if (map.activeGid === 0n) return;
    this.#lastBeacon.delete(map.activeGid);
    const [next] = [...map.standbys.values()] as (MgrStandby | undefined)[];
    if (next === undefined) {
      this.#activate(map, 0n, '');
      return;
    }
    const standbys = new Map(map.standbys);
    standbys.delete(next.gid);
    this.#activate({ ...map, standbys }, next.gid, next.name);
  }

  onReport(report: MonMgrReport): void {
    if (report.gid !== this.#map.activeGid) return;
    this.#digest = report.digest;
    this.#checks = report.checks;
  }

  tick(): void {
    const now = this.#context.now();
    const grace = seconds(this.#context.config.mon_mgr_beacon_grace);
    const silent = (gid: bigint) => now - (this.#lastBeacon.get(gid) ?? this.#leadingSince) > grace;
    const { standbys, activeGid } = this.#pending;
    const left = new Map([...standbys].filter(([gid]) => !silent(gid)));
    if (left.size !== standbys.size) this.#change({ ...this.#pending, standbys: left });
    if (activeGid !== 0n && silent(activeGid)) this.fail();
  }

  /** Whether a connection is the manager it says it is. */
  isManager(addrs: AddrVec): boolean {
    return sameAddrVec(addrs, this.#map.activeAddrs);
  }

  /** MGR_DOWN, once a manager has been expected for long enough. */
  get down(): boolean {
    const { available, activeGid } = this.#map;
    if (available || activeGid !== 0n) return false;
    return (
      this.#map.activeChange.sec > 0 ||
      this.#context.now() - this.#leadingSince > seconds(this.#context.config.mon_mgr_mkfs_grace)
    );
  }
}

function sameServices(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, uri]) => b.get(name) === uri);
}

function encodeCommands(commands: readonly CommandDescription[]): Uint8Array {
  const to = new Encoder(1024);
  to.string(JSON.stringify(commands));
  return to.finish();
}

function decodeCommands(bytes: Uint8Array): CommandDescription[] {
  return JSON.parse(new Decoder(bytes).string('mgr commands')) as CommandDescription[];
}
