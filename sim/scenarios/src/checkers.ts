/** What must hold of a cluster as a whole, looked at from outside. */
import { type Bytes, formatPgId, type PgId } from '@spirula/encoding';
import { type HObject, mapPg, type OsdMap } from '@spirula/maps';
import { type DamagedBlock, type ObjectStore, UnreadableObject } from '@spirula/objectstore';
import type { OsdPlace, SimCluster } from './cluster.ts';
import { hashBytes } from './object-model.ts';

/** PGs of which the primary does not say that they are active and clean, in a word each. */
export function findUnclean(cluster: SimCluster): string[] {
  const map = cluster.osdMap;
  if (map === undefined) return ['no monitor has an OSDMap'];
  const unclean: string[] = [];
  for (const pgid of allPgs(map)) {
    const { actingPrimary, acting } = mapPg(map, pgid);
    const place = cluster.osds[actingPrimary];
    const name = formatPgId(pgid);
    const pg =
      place?.process.state === 'running' ? place.daemon?.inspect().pgs.find((each) => each.pgid === name) : undefined;
    if (pg?.state !== 'active+clean') {
      unclean.push(
        `pg ${name} of osd.${actingPrimary} [${acting}] is ${pg ? `${pg.state} (${pg.peering})` : 'not there'}`,
      );
    }
  }
  return unclean;
}

/** Monitors that do not form one quorum of all, with one leader and one history. */
export function findMonDisagreement(cluster: SimCluster): string[] {
  const problems: string[] = [];
  const views = cluster.mons.map(({ daemon }) => daemon!.inspect());
  const leaders = views.filter(({ role }) => role === 'leader');
  if (leaders.length !== 1) problems.push(`${leaders.length} monitors lead`);
  for (const { name, role, quorum, lastCommitted } of views) {
    if (role !== 'leader' && role !== 'peon') problems.push(`mon.${name} is ${role}`);
    if (quorum.length !== cluster.mons.length) problems.push(`mon.${name} sees a quorum of ${quorum.length}`);
    const [first] = views;
    if (lastCommitted !== first!.lastCommitted) {
      problems.push(`mon.${name} is at version ${lastCommitted}, mon.${first!.name} at ${first!.lastCommitted}`);
    }
  }
  return problems;
}

/** Watches that no two monitors ever commit two values for one version. */
export class PaxosWatch {
  readonly #cluster: SimCluster;
  /** Hash of each version's value, and who committed it first. */
  readonly #values = new Map<number, { readonly hash: string; readonly mon: string }>();
  /** What each monitor had committed when it was last looked at. */
  readonly #seen = new Map<string, number>();

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
  }

  /** Looks at a monitor that has just handled an event. Returns what is wrong. */
  check(rank: number): string | undefined {
    const view = this.#cluster.mons[rank]!.daemon!.inspect();
    const { name, firstCommitted, lastCommitted } = view;
    const seen = this.#seen.get(name) ?? 0;
    if (seen === lastCommitted) return undefined;
    this.#seen.set(name, lastCommitted);
    // Below: after a crash, what was learnt and not durable is learnt again.
    for (
      let version = Math.max(1, firstCommitted, Math.min(seen, lastCommitted) + 1);
      version <= lastCommitted;
      version++
    ) {
      const value = view.value(version);
      if (value === undefined) continue;
      const hash = hashBytes(value);
      const known = this.#values.get(version);
      if (known === undefined) this.#values.set(version, { hash, mon: name });
      else if (known.hash !== hash) {
        return `mon.${name} has committed another value for version ${version} than mon.${known.mon}`;
      }
    }
    return undefined;
  }

  /** A monitor has lost its memory. */
  forget(rank: number): void {
    this.#seen.delete(this.#cluster.mons[rank]!.process.spec.entity.id);
  }
}

/**
 * Objects that not every OSD of their PG's acting set has alike: data, xattrs and omap, as they are in the stores. Data that
 * cannot be read are compared with nothing: `findDamage` and `findLatentDamage` are about them.
 */
export function findReplicaDifferences(cluster: SimCluster): string[] {
  const map = cluster.osdMap!;
  const differences: string[] = [];
  for (const pgid of allPgs(map)) {
    const cid = formatPgId(pgid);
    const { acting } = mapPg(map, pgid);
    const copies = acting.map((osd) => ({ osd, objects: describeCopy(cluster.osds[osd]!.store!, cid) }));
    const names = new Set(copies.flatMap(({ objects }) => [...objects.keys()]));
    for (const name of names) {
      const found = copies.map(({ osd, objects }) => ({ osd, ...(objects.get(name) ?? ABSENT) }));
      const readable = found.filter(({ data }) => data !== UNREADABLE);
      for (const { osd, metadata, data } of found) {
        if (metadata !== found[0]!.metadata) {
          differences.push(`pg ${cid} ${name}: osd.${found[0]!.osd} ${found[0]!.metadata}, osd.${osd} ${metadata}`);
        } else if (data !== UNREADABLE && data !== readable[0]!.data) {
          differences.push(`pg ${cid} ${name}: osd.${readable[0]!.osd} data ${readable[0]!.data}, osd.${osd} ${data}`);
        }
      }
    }
  }
  return differences;
}

/** What is wrong with the stores and no fault of a disk accounts for. */
export function findDamage(cluster: SimCluster): string[] {
  return cluster.osds.flatMap((place) => {
    const { damaged, faults } = place.store!.fsck();
    const unexplained = damaged.filter((block) => !isExplained(place, block));
    return [...faults, ...unexplained.map(describeBlock)].map((fault) => `osd.${place.id}: ${fault}`);
  });
}

/**
 * Bad blocks in stores that faults of disks account for and no read has come across: no violation, until something looks for
 * them.
 */
export function findLatentDamage(cluster: SimCluster): string[] {
  return cluster.osds.flatMap((place) =>
    place
      .store!.fsck()
      .damaged.filter((block) => isExplained(place, block))
      .map((block) => `osd.${place.id}: ${describeBlock(block)}`),
  );
}

/** The device block was spoilt, or the store found it so and keeps it marked. */
function isExplained({ process }: OsdPlace, { deviceOffset, marked }: DamagedBlock): boolean {
  return (
    marked ||
    process.disk.damaged().some(({ offset, length }) => deviceOffset >= offset && deviceOffset < offset + length)
  );
}

function describeBlock({ cid, oid, offset, deviceOffset }: DamagedBlock): string {
  return `pg ${cid} ${oid.name}: the block at ${offset} (on the device at ${deviceOffset}) is damaged`;
}

function* allPgs(map: OsdMap): Iterable<PgId> {
  for (const [pool, { pgNum }] of map.pools) for (let seed = 0; seed < pgNum; seed++) yield { pool, seed };
}

const UNREADABLE = 'unreadable';
const ABSENT: Copy = { metadata: 'absent', data: 'absent' };

interface Copy {
  readonly metadata: string;
  readonly data: string;
}

/** By object. What belongs to the PG itself (its log, its info) is each OSD's own. */
function describeCopy(store: ObjectStore, cid: string): Map<string, Copy> {
  const copy = new Map<string, Copy>();
  for (const oid of store.list(cid, undefined, Number.MAX_SAFE_INTEGER)) {
    if (oid.name === '') continue;
    const size = store.stat(cid, oid)!.size;
    const attrs = describeEntries(store.getAttrs(cid, oid));
    const omap = describeEntries(store.omapList(cid, oid, '', Number.MAX_SAFE_INTEGER));
    const header = hashBytes(store.omapHeader(cid, oid));
    copy.set(oid.name, {
      metadata: `${size} bytes, attrs ${attrs}, omap ${header} ${omap}`,
      data: describeData(store, cid, oid, size),
    });
  }
  return copy;
}

function describeData(store: ObjectStore, cid: string, oid: HObject, size: number): string {
  try {
    return hashBytes(store.read(cid, oid, 0, size));
  } catch (error) {
    if (error instanceof UnreadableObject) return UNREADABLE;
    throw error;
  }
}

function describeEntries(entries: ReadonlyMap<string, Bytes>): string {
  return [...entries]
    .map(([name, value]) => `${name}=${hashBytes(value)}`)
    .sort()
    .join();
}
