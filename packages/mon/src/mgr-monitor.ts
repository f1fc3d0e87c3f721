/**
 * The MgrMap service (mon/MgrMonitor.cc): which manager is active, which stand by, and what commands the active one serves.
 *
 *   beacon --> active, at once when nobody is; else standby      no beacon for mon_mgr_beacon_grace --> replaced or dropped
 */
import {
  type AddrVec,
  Decoder,
  Encoder,
  equalBytes,
  MalformedInput,
  sameAddrVec,
  type UTime,
  type Uuid,
} from '@spirula/encoding';
import { decodeMgrMap, encodeMgrMap, type MgrMap, type MgrStandby } from '@spirula/maps';
import type { CommandDescription, HealthCheck, MgrBeacon } from '@spirula/messages';
import { type Instant, SECOND, seconds } from '@spirula/world';
import { decodeMetadata, encodeMetadata } from './daemon-metadata.ts';
import type { MonTransaction } from './mon-store.ts';
import type { PaxosService, ServiceContext } from './paxos-service.ts';

const PREFIX = 'mgrmap';
const METADATA = 'mgr_metadata';
const MGR_FEATURES = 0x3f01_cfbd_fffd_ffffn;
/** mon_mgr_inactive_grace: without an active manager for longer, MGR_DOWN is an error. */
const INACTIVE_GRACE: Instant = 60 * SECOND;
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
  #pendingMetadata = new Map<string, ReadonlyMap<string, string>>();
  /** The leader's: since when the same manager is active, as far as it knows. */
  #activeSince: Instant = 0;
  readonly #lastBeacon = new Map<bigint, Instant>();
  #leadingSince: Instant = 0;
  /** When this leader first saw that no manager is active. */
  #inactiveSince: Instant | undefined;
  dirty = false;

  constructor(context: ServiceContext, fsid: Uuid) {
    this.#context = context;
    this.#fsid = fsid;
  }

  get map(): MgrMap {
    return this.#map;
  }

  /** How long the leader has seen the same manager active. */
  get activeForSeconds(): number {
    return (this.#context.now() - this.#activeSince) / SECOND;
  }

  /** Name of the active manager once it serves. */
  get activeName(): string | undefined {
    return this.#map.available ? this.#map.activeName : undefined;
  }

  /** What the active manager serves, or the last one did: as in Ceph they wait for the next. */
  get commands(): readonly CommandDescription[] {
    return this.#commands;
  }

  /** What a manager said of itself in its first beacon. */
  metadata(name: string): ReadonlyMap<string, string> {
    const bytes = this.#context.store.get(METADATA, name);
    return bytes === undefined ? new Map() : decodeMetadata(bytes);
  }

  refresh(): void {
    const epoch = this.#context.store.getNumber(PREFIX, 'epoch');
    if (epoch === this.#map.epoch) return;
    const bytes = this.#context.store.get(PREFIX, 'latest');
    // A store that was wiped to be copied anew has none.
    this.#map = bytes === undefined ? NO_MGR : decodeMgrMap(bytes);
    const commands = this.#context.store.get(PREFIX, 'commands');
    this.#commands = commands === undefined ? [] : decodeCommands(commands);
    this.#pending = this.#map;
    this.dirty = false;
  }

  onLeading(): void {
    this.#pending = this.#map;
    this.#pendingCommands = undefined;
    this.#pendingMetadata.clear();
    this.dirty = false;
    this.#leadingSince = this.#context.now();
    this.#activeSince = this.#leadingSince;
    this.#inactiveSince = undefined;
    this.#lastBeacon.clear();
    if (this.#map.epoch === 0) this.#change(NO_MGR);
  }

  encodePending(transaction: MonTransaction): void {
    const map = { ...this.#pending, epoch: this.#map.epoch + 1 };
    transaction.put(PREFIX, 'latest', encodeMgrMap(map));
    transaction.putNumber(PREFIX, 'epoch', map.epoch);
    for (const [name, metadata] of this.#pendingMetadata) transaction.put(METADATA, name, encodeMetadata(metadata));
    this.#pendingMetadata.clear();
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
      if (available && !map.available) {
        this.#pendingCommands = beacon.commandDescriptions;
        this.#context.clusterLog('info', `Manager daemon ${map.activeName} is now available`);
      }
      this.#change({ ...map, available, activeAddrs: beacon.addrs, services: beacon.services });
      return;
    }
    if (map.activeGid === 0n || (map.activeName === beacon.name && map.activeGid !== beacon.gid)) {
      // Nobody is active, or this is the successor of the active one's process.
      const standbys = new Map(map.standbys);
      standbys.delete(beacon.gid);
      this.#pendingMetadata.set(beacon.name, beacon.metadata);
      if (map.activeGid !== 0n) this.#context.clusterLog('info', `Active manager daemon ${beacon.name} restarted`);
      this.#activate({ ...map, standbys }, beacon.gid, beacon.name);
      return;
    }
    if (map.standbys.has(beacon.gid)) return;
    this.#pendingMetadata.set(beacon.name, beacon.metadata);
    this.#context.clusterLog('debug', `Standby manager daemon ${beacon.name} started`);
    const standbys = new Map([...map.standbys].filter(([, standby]) => standby.name !== beacon.name));
    standbys.set(beacon.gid, { gid: beacon.gid, name: beacon.name, availableModules: [], mgrFeatures: MGR_FEATURES });
    this.#change({ ...map, standbys });
  }

  /** Its address and commands follow with its next beacon. */
  #activate(map: MgrMap, gid: bigint, name: string): void {
    if (gid !== 0n) this.#context.clusterLog('info', `Activating manager daemon ${name}`);
    this.#activeSince = this.#context.now();
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

  /** A standby is gone, until it is heard of again (`mgr fail`). */
  failStandby(gid: bigint): void {
    const standbys = new Map(this.#pending.standbys);
    standbys.delete(gid);
    this.#change({ ...this.#pending, standbys });
  }

  tick(): void {
    const now = this.#context.now();
    const grace = seconds(this.#context.config.mon_mgr_beacon_grace);
    const silent = (gid: bigint) => now - (this.#lastBeacon.get(gid) ?? this.#leadingSince) > grace;
    const { standbys, activeGid } = this.#pending;
    const left = new Map([...standbys].filter(([gid]) => !silent(gid)));
    if (left.size !== standbys.size) this.#change({ ...this.#pending, standbys: left });
    if (activeGid !== 0n && silent(activeGid)) this.#replaceSilent();
    this.#inactiveSince = this.#map.activeGid === 0n ? (this.#inactiveSince ?? now) : undefined;
  }

  #replaceSilent(): void {
    const { activeName } = this.#pending;
    this.fail();
    const then = this.#pending.activeName;
    this.#context.clusterLog(
      'info',
      then === ''
        ? `Manager daemon ${activeName} is unresponsive.  No standby daemons available.`
        : `Manager daemon ${activeName} is unresponsive, replacing it with standby daemon ${then}`,
    );
  }

  /** Whether a connection is the manager it says it is. */
  isManager(addrs: AddrVec): boolean {
    return sameAddrVec(addrs, this.#map.activeAddrs);
  }

  /** MGR_DOWN when a cluster of some age, `hasOsds` told, has no active manager (should_warn_about_mgr_down). */
  downSeverity(hasOsds: boolean, created: UTime): HealthCheck['severity'] | undefined {
    const { config } = this.#context;
    if (this.#map.activeGid !== 0n || !hasOsds) return undefined;
    if (this.#context.wall().sec <= created.sec + config.mon_mgr_mkfs_grace) return undefined;
    const since = this.#inactiveSince;
    const long = since !== undefined && this.#context.now() - since > INACTIVE_GRACE;
    return long ? 'HEALTH_ERR' : 'HEALTH_WARN';
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

/** @throws MalformedInput */
function decodeCommands(bytes: Uint8Array): CommandDescription[] {
  try {
    return JSON.parse(new Decoder(bytes).string('mgr commands')) as CommandDescription[];
  } catch (error) {
    if (error instanceof SyntaxError) throw new MalformedInput('mgr commands', 0, error.message);
    throw error;
  }
}
