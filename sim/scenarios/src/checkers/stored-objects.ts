/** What the stores of a cluster hold, looked at from outside. */
import { type Bytes, formatPgId, type PgId, type RawString } from '@spirula/encoding';
import { type HObject, mapPg, type OsdMap, objectToPg } from '@spirula/maps';
import { type ObjectStore, UnreadableObject } from '@spirula/objectstore';
import type { SimCluster } from '../cluster.ts';
import { type Content, hashBytes } from '../object-model.ts';
import type { StoredCopy } from '../workloads/workload.ts';

/** What an OSD puts before the name of a user's xattr, as Ceph's do. */
const USER_ATTR = '_';

/** Objects that not every OSD of their PG's acting set has alike: data, xattrs and omap, as they are in the stores. */
export function findReplicaDifferences(cluster: SimCluster): string[] {
  const map = cluster.osdMap!;
  const differences: string[] = [];
  for (const pgid of allPgs(map)) {
    const cid = formatPgId(pgid);
    const { acting } = mapPg(map, pgid);
    const copies = acting.map((osd) => describeCopy(cluster.osds[osd]!.store!, cid));
    for (const [i, copy] of copies.entries()) {
      for (const name of new Set([...copies[0]!.keys(), ...copy.keys()])) {
        const here = copies[0]!.get(name) ?? 'absent';
        const there = copy.get(name) ?? 'absent';
        if (here !== there) differences.push(`pg ${cid} ${name}: osd.${acting[0]} ${here}, osd.${acting[i]} ${there}`);
      }
    }
  }
  return differences;
}

/** The copies of an object in the pool that clients use, on each OSD of its acting set; not those that cannot be read. */
export function copiesOf(cluster: SimCluster, object: RawString): StoredCopy[] {
  const pgid = objectToPg(cluster.osdMap!, cluster.pool, { name: object, key: '', nspace: '' })!;
  return cluster.actingOf(pgid).flatMap(({ id, store }) => {
    try {
      return [{ osd: id, content: readObject(store!, formatPgId(pgid), object) }];
    } catch (error) {
      if (error instanceof UnreadableObject) return [];
      throw error;
    }
  });
}

function readObject(store: ObjectStore, cid: string, name: RawString): Content | undefined {
  const oid = store.list(cid, undefined, Number.MAX_SAFE_INTEGER).find((each: HObject) => each.name === name);
  if (oid === undefined) return undefined;
  const xattrs = [...store.getAttrs(cid, oid)].filter(([attr]) => attr !== USER_ATTR && attr.startsWith(USER_ATTR));
  return {
    data: store.read(cid, oid, 0, store.stat(cid, oid)!.size),
    xattrs: new Map(xattrs.map(([attr, value]) => [attr.slice(USER_ATTR.length), value])),
    omap: store.omapList(cid, oid, '', Number.MAX_SAFE_INTEGER),
  };
}

/** What fsck finds wrong with the stores. */
export function findDamage(cluster: SimCluster): string[] {
  return cluster.osds.flatMap(({ id, store }) => store!.fsck().map((fault) => `osd.${id}: ${fault}`));
}

export function* allPgs(map: OsdMap): Iterable<PgId> {
  for (const [pool, { pgNum }] of map.pools) for (let seed = 0; seed < pgNum; seed++) yield { pool, seed };
}

/** One line an object. What belongs to the PG itself (its log, its info) is each OSD's own. */
function describeCopy(store: ObjectStore, cid: string): Map<string, string> {
  const copy = new Map<string, string>();
  for (const oid of store.list(cid, undefined, Number.MAX_SAFE_INTEGER)) {
    if (oid.name === '') continue;
    const size = store.stat(cid, oid)!.size;
    const attrs = describeEntries(store.getAttrs(cid, oid));
    const omap = describeEntries(store.omapList(cid, oid, '', Number.MAX_SAFE_INTEGER));
    const header = hashBytes(store.omapHeader(cid, oid));
    const data = hashBytes(store.read(cid, oid, 0, size));
    copy.set(oid.name, `${size} bytes ${data}, attrs ${attrs}, omap ${header} ${omap}`);
  }
  return copy;
}

function describeEntries(entries: ReadonlyMap<string, Bytes>): string {
  return [...entries]
    .map(([name, value]) => `${name}=${hashBytes(value)}`)
    .sort()
    .join();
}
