/**
 * Who a fault is for. A selector is one of
 *
 *     osd.2  mon.a  mgr.x  client.0     a process
 *     mons  osds  mgrs  clients  gateways
 *                                       all of a kind
 *     daemons                           all but the clients and gateways
 *     everyone                          all
 *     leader  peons                     monitors, as they are when the fault strikes
 *     active mgr                        the manager that the leader knows as active, as it is when the fault strikes
 *     primary of 1.7, replicas of 1.7, acting of 1.7       OSDs of a PG; of an object when a name stands there
 *     rack0, host3                      the OSDs under a CRUSH bucket
 *     rest                              in a partition: everyone who is not in the other group
 */
import { bucketOf, type CrushMap, itemByName } from '@spirula/crush';
import { parsePgId } from '@spirula/encoding';
import type { SimProcess } from '@spirula/sim-world';
import type { OsdPlace, SimCluster } from '../cluster.ts';
import { activeMgr } from '../conditions.ts';
import type { Daemons } from './fault.ts';

const OF_PG = /^(primary|replicas|acting) of (.+)$/;

/** A selector that nobody answers to. */
export class UnknownTarget extends Error {
  override readonly name = 'UnknownTarget';
}

/** The processes that `selectors` mean now, each once, in the order of the selectors. @throws UnknownTarget */
export function findTargets(cluster: SimCluster, selectors: Daemons): SimProcess[] {
  const found = (typeof selectors === 'string' ? selectors.split(',') : selectors).flatMap((selector) =>
    findOne(cluster, selector.trim()),
  );
  return [...new Set(found)];
}

function findOne(cluster: SimCluster, selector: string): SimProcess[] {
  const { mons, osds, mgrs, clients, gateways, simulation } = cluster;
  switch (selector) {
    case 'mons':
      return mons.map(({ process }) => process);
    case 'osds':
      return osds.map(({ process }) => process);
    case 'mgrs':
      return mgrs;
    case 'clients':
      return clients.map(({ process }) => process);
    case 'gateways':
      return [...gateways];
    case 'daemons':
      return [...cluster.daemons];
    case 'everyone':
      return [...simulation.processes];
    case 'leader':
      return mons.filter((place) => leads(place)).map(({ process }) => process);
    case 'peons':
      return mons.filter((place) => !leads(place)).map(({ process }) => process);
  }
  if (selector === 'active mgr') return [activeMgr(cluster)].filter((process) => process !== undefined);
  const named = simulation.processes.find(({ name }) => name === selector);
  if (named !== undefined) return [named];
  const ofPg = OF_PG.exec(selector);
  if (ofPg !== null) return findMembers(cluster, ofPg[1]!, ofPg[2]!);
  return findUnder(cluster, selector);
}

function leads({ process, daemon }: SimCluster['mons'][number]): boolean {
  return process.state === 'running' && daemon!.inspect().role === 'leader';
}

function findMembers(cluster: SimCluster, which: string, of: string): SimProcess[] {
  const pgid = parsePgId(of);
  const acting: readonly OsdPlace[] = pgid === undefined ? cluster.actingFor(of) : cluster.actingOf(pgid);
  const [primary, ...replicas] = acting.map(({ process }) => process);
  if (primary === undefined) return [];
  return which === 'primary' ? [primary] : which === 'replicas' ? replicas : [primary, ...replicas];
}

function findUnder(cluster: SimCluster, bucket: string): SimProcess[] {
  const crush = cluster.osdMap?.crush;
  const item = crush && itemByName(crush, bucket);
  if (item === undefined) {
    throw new UnknownTarget(
      `nobody is called ${bucket}: name a daemon (osd.2), a CRUSH bucket (host1), or one of mons, osds, mgrs, clients, ` +
        'gateways, daemons, everyone, leader, peons, active mgr, "primary of 1.7"',
    );
  }
  return [...osdsUnder(crush!, item)].flatMap((id) => cluster.osds[id]?.process ?? []);
}

function* osdsUnder(crush: CrushMap, item: number): Iterable<number> {
  if (item >= 0) yield item;
  else for (const child of bucketOf(crush, item)?.items ?? []) yield* osdsUnder(crush, child);
}
