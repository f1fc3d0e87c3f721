/** What must hold of a cluster as a whole, looked at from outside. */
import { type Bytes, formatPgId, type PgId } from '@spirula/encoding';
import { mapPg, type OsdMap } from '@spirula/maps';
import type { ObjectStore } from '@spirula/objectstore';
import type { SimCluster } from './cluster.ts';
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

/** What fsck finds wrong with the stores. */
export function findDamage(cluster: SimCluster): string[] {
  return cluster.osds.flatMap(({ id, store }) => store!.fsck().map((fault) => `osd.${id}: ${fault}`));
}

function* allPgs(map: OsdMap): Iterable<PgId> {
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
