/** Commands of an OSD's socket about who watches here, whom it refuses, and what waits for its turn (OSD::asok_command). */
import { type AdminCommand, adminCommand, refuse, sayDocuments } from '@spirula/admin-socket';
import { type EntityAddr, EntityType, type Epoch, Errno, formatUTime } from '@spirula/encoding';
import { dumpAddr, type HObject, type OsdMap } from '@spirula/maps';
import type { WatchItem } from '@spirula/messages';
import type { Reservations } from './reservations.ts';

export interface OsdPlaces {
  readonly map: OsdMap | undefined;
  readonly newestMap: Epoch;
  /** Of objects whose primary is here. */
  watchers(): Iterable<{ readonly oid: HObject; readonly item: WatchItem }>;
  /** What this OSD asks others for, as a client. */
  requests(): readonly object[];
  readonly localReservations: Reservations;
  readonly remoteReservations: Reservations;
  /** Pools that have PGs here. */
  pools(): Iterable<number>;
}

const NO_HISTORY =
  'the states that a PG has been in are not kept; pg query tells what it is in, and the log when that changed';

export function placeCommands(osd: OsdPlaces): readonly AdminCommand[] {
  const told = (prefix: string, help: string, root: string, json: () => unknown, items = {}) =>
    adminCommand([prefix], help, () => sayDocuments({ json: json(), root, items }));
  return [
    told('dump_watchers', 'show who watches which object', 'watchers', () => dumpWatchers(osd), { '': 'watch' }),
    adminCommand(['dump_blocklist'], 'show which clients are refused, and until when', () =>
      sayDocuments({ json: dumpBlocklist(osd.map), root: 'blocklist' }, { json: [], root: 'range_blocklist' }),
    ),
    told('objecter_requests', 'show what this OSD asks others for', 'requests', () => ({
      ops: osd.requests(),
      linger_ops: [],
      pool_ops: [],
      pool_stat_ops: [],
      statfs_ops: [],
      command_ops: [],
    })),
    told('get_mapped_pools', 'show the pools of the placement groups here', 'mapped_pools', () => sorted(osd.pools()), {
      '': 'pool_id',
    }),
    told('dump_recovery_reservations', 'show who recovers, and who waits to', 'reservations', () => ({
      local_reservations: osd.localReservations.dump(),
      remote_reservations: osd.remoteReservations.dump(),
    })),
    adminCommand(['dump_pgstate_history'], `refused: ${NO_HISTORY}`, () => refuse(Errno.EOPNOTSUPP, NO_HISTORY)),
  ];
}

function sorted(numbers: Iterable<number>): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function dumpWatchers(osd: OsdPlaces) {
  return Array.from(osd.watchers(), ({ oid, item }) => {
    const [type = 'client'] = Object.entries(EntityType).find(([, number]) => number === item.entityType) ?? [];
    return {
      namespace: oid.nspace,
      object: oid.name,
      entity_name: { type, num: item.entityNum },
      cookie: item.cookie,
      timeout: item.timeoutSeconds,
      entity_addr_t: dumpAddr(item.addr),
    };
  });
}

function dumpBlocklist(map: OsdMap | undefined) {
  return (map?.blocklist ?? []).map(([addr, until]: readonly [EntityAddr, { sec: number; nsec: number }]) => ({
    entity_addr_t: dumpAddr(addr),
    expire_time: formatUTime(until),
  }));
}
