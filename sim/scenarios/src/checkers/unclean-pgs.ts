import { formatPgId, type PgId } from '@spirula/encoding';
import { mapPg, type OsdMap } from '@spirula/maps';
import type { SimCluster } from '../cluster.ts';
import { allPgs } from './stored-objects.ts';

export interface UncleanPg {
  /** `1.7` */
  readonly name: string;
  /** What the primary says, as Ceph has it; `stale` when no OSD is left that has it; undefined when nobody says anything. */
  readonly state: string | undefined;
  /** What it waits for. */
  readonly why: string;
}

/** PGs of which the primary does not say that they are active and clean, and what each waits for. */
export function findUnclean(cluster: SimCluster): string[] {
  if (cluster.osdMap === undefined) return ['no monitor has an OSDMap'];
  return findUncleanPgs(cluster).map(({ why }) => why);
}

/** The same, PG by PG, of the pools that the newest map has. */
export function findUncleanPgs(cluster: SimCluster): UncleanPg[] {
  const map = cluster.osdMap;
  if (map === undefined) return [];
  return [...allPgs(map)].flatMap((pgid) => {
    const name = formatPgId(pgid);
    const why = describeUnclean(cluster, map, pgid, name);
    if (why === undefined) return [];
    return [{ name, state: cluster.primaryViewOf(name)?.state ?? (isLeft(cluster, name) ? undefined : 'stale'), why }];
  });
}

/** Whether some OSD has the PG, or may have it on the disk with which it does not run now. */
function isLeft(cluster: SimCluster, name: string): boolean {
  return cluster.osds.some(({ process, daemon, isDiskless }) => {
    if (process.state !== 'running') return !isDiskless;
    return daemon!.inspect().pgs.some(({ pgid }) => pgid === name);
  });
}

function describeUnclean(cluster: SimCluster, map: OsdMap, pgid: PgId, name: string): string | undefined {
  const { actingPrimary, acting, up } = mapPg(map, pgid);
  const where = `pg ${name} of osd.${actingPrimary} [${acting}]`;
  if (actingPrimary < 0) return `pg ${name} has no OSD that serves it`;
  const place = cluster.osds[actingPrimary]!;
  if (place.process.state !== 'running') return `${where}: its primary is ${place.process.state}`;
  const view = place.daemon!.inspect().pgs.find((each) => each.pgid === name);
  if (view === undefined)
    return `${where}: its primary does not have it; it is at epoch ${place.daemon!.epoch} of ${map.epoch}`;
  if (view.state === 'active+clean') return undefined;
  // CRUSH finds too few OSDs, and the PG has found one more by itself: so it stays.
  const { size } = map.pools.get(pgid.pool)!;
  if (view.state === 'active+clean+remapped' && up.length < size && acting.length === size) return undefined;
  const late = place.daemon!.epoch < map.epoch ? [`it is at epoch ${place.daemon!.epoch} of ${map.epoch}`] : [];
  const blockers = [...view.blockers(), ...late];
  const why = blockers.length > 0 ? `: ${blockers.map((text) => withStates(cluster, text)).join('; ')}` : '';
  return `${where} is ${view.state} (${view.peering})${why}`;
}

/** Says of each OSD in a text that does not run that it does not. */
function withStates(cluster: SimCluster, text: string): string {
  return text.replace(/osd\.(\d+)/g, (name, id) => {
    const state = cluster.osds[Number(id)]?.process.state ?? 'gone';
    return state === 'running' ? name : `${name} (${state})`;
  });
}
