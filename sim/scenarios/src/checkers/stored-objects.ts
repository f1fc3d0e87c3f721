/** What the stores of a cluster hold, looked at from outside. */
import { type Bytes, formatPgId, type PgId, type RawString } from '@spirula/encoding';
import { type HObject, mapPg, type OsdMap } from '@spirula/maps';
import { NOSNAP } from '@spirula/messages';
import { type DamagedBlock, type ObjectStore, UnreadableObject } from '@spirula/objectstore';
import { indexOfClones, readObjectInfo, readSnapSet } from '@spirula/osd';
import type { OsdPlace, SimCluster } from '../cluster.ts';
import { type Content, hashBytes } from '../object-model.ts';
import type { StoredCopy } from '../workloads/workload.ts';

/** What an OSD puts before the name of a user's xattr, as Ceph's do. */
const USER_ATTR = '_';

/**
 * Objects that not every OSD of their PG's acting set has alike: data, xattrs and omap, as they are in the stores. Data that
 * cannot be read are compared with nothing: `findDamage` and `findLatentDamage` are about them.
 *
 * @param except PGs that are not looked at
 */
export function findReplicaDifferences(cluster: SimCluster, except: ReadonlySet<string> = new Set()): string[] {
  const map = cluster.osdMap!;
  const differences: string[] = [];
  for (const pgid of allPgs(map)) {
    const cid = formatPgId(pgid);
    if (except.has(cid)) continue;
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

/**
 * The copies of an object in the pool that clients use, on each OSD of its acting set; not those that cannot be read.
 *
 * @param snap what it was in that snapshot; without it, what it is
 */
export function copiesOf(cluster: SimCluster, object: RawString, snap: bigint = NOSNAP): StoredCopy[] {
  const pgid = cluster.pgOf(object)!;
  return cluster.actingOf(pgid).flatMap(({ id, store }) => {
    try {
      return [{ osd: id, content: readObject(store!, formatPgId(pgid), object, snap) }];
    } catch (error) {
      if (error instanceof UnreadableObject) return [];
      throw error;
    }
  });
}

function readObject(store: ObjectStore, cid: string, name: RawString, snap: bigint): Content | undefined {
  const oid = objectAt(store, cid, name, snap);
  if (oid === undefined) return undefined;
  const xattrs = [...store.getAttrs(cid, oid)].filter(([attr]) => attr !== USER_ATTR && attr.startsWith(USER_ATTR));
  return {
    data: store.read(cid, oid, 0, store.stat(cid, oid)!.size),
    xattrs: new Map(xattrs.map(([attr, value]) => [attr.slice(USER_ATTR.length), value])),
    omap: store.omapList(cid, oid, '', Number.MAX_SAFE_INTEGER),
  };
}

/** The clone that is the object in a snapshot, or the head when it has not been written since; deleted heads are none. */
function objectAt(store: ObjectStore, cid: string, name: RawString, snap: bigint): HObject | undefined {
  const versions = store.list(cid, undefined, Number.MAX_SAFE_INTEGER).filter((each: HObject) => each.name === name);
  const head = versions.find((oid) => oid.snap === NOSNAP);
  if (head === undefined) return undefined;
  if (snap !== NOSNAP && snap <= readSnapSet(store, cid, head).seq) {
    return versions.find((oid) => readObjectInfo(store, cid, oid)?.snaps.includes(snap));
  }
  return readObjectInfo(store, cid, head)?.whiteout ? undefined : head;
}

/** Clones that are kept for snapshots that were removed, and what the index of clones has wrong, on every OSD. */
export function findLeftClones(cluster: SimCluster, removed: ReadonlySet<bigint>): string[] {
  const map = cluster.osdMap!;
  const found: string[] = [];
  for (const pgid of allPgs(map)) {
    const cid = formatPgId(pgid);
    for (const osd of mapPg(map, pgid).acting) {
      const store = cluster.osds[osd]!.store!;
      const indexed = new Set<string>();
      for (const oid of store.list(cid, undefined, Number.MAX_SAFE_INTEGER)) {
        if (oid.snap === NOSNAP) continue;
        const snaps = readObjectInfo(store, cid, oid)?.snaps ?? [];
        for (const snap of snaps) indexed.add(`${oid.name}@${oid.snap} ${snap}`);
        const gone = snaps.filter((snap) => removed.has(snap));
        if (gone.length === 0 && snaps.length > 0) continue;
        found.push(`pg ${cid} osd.${osd}: clone ${oid.snap} of ${oid.name} is left, of removed snapshots ${gone}`);
      }
      const listed = new Set(indexOfClones(store, pgid).map(({ oid, snap }) => `${oid.name}@${oid.snap} ${snap}`));
      for (const each of indexed) if (!listed.has(each)) found.push(`pg ${cid} osd.${osd}: the index lacks ${each}`);
      for (const each of listed) if (!indexed.has(each)) found.push(`pg ${cid} osd.${osd}: the index has ${each}`);
    }
  }
  return found;
}

/** What is wrong with the stores and no fault of a disk accounts for. */
export function findDamage(cluster: SimCluster): string[] {
  return cluster.osds.flatMap((place) => {
    if (place.isDiskless) return [];
    const faults = place.store!.fsck().faults.map((fault) => `osd.${place.id}: ${fault}`);
    return [...faults, ...findDamagedBlocks(place)];
  });
}

/** Blocks in one OSD's store that no read gives, and no fault of its disk accounts for. */
export function findDamagedBlocks(place: OsdPlace): string[] {
  const unexplained = place.store!.fsck().damaged.filter((block) => !isExplained(place, block));
  return unexplained.map((block) => `osd.${place.id}: ${describeBlock(block)}`);
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

export function* allPgs(map: OsdMap): Iterable<PgId> {
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
    copy.set(oid.snap === NOSNAP ? oid.name : `${oid.name}@${oid.snap}`, {
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
