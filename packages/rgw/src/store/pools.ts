/** The pools of a zone: those that are missing are made, as radosgw does (rgw_init_ioctx, rgw_tools.cc). */
import { Errno, type RawString } from '@spirula/encoding';
import { type CommandResult, type IoCtx, RadosError } from '@spirula/rados';
import { type Pool, parsePool } from '../formats/bucket.ts';
import { STANDARD_STORAGE_CLASS } from '../formats/placement-rule.ts';
import { dataPoolOf, type ZoneParams, type ZonePlacement, type ZonePool } from '../formats/zone.ts';

/** What the store needs of a cluster: `Rados` is one. */
export interface Cluster {
  ioctx(pool: string): Promise<IoCtx>;
  monCommand(cmd: Readonly<Record<string, unknown>>): Promise<CommandResult>;
  poolList(): string[];
  waitForLatestMap(): Promise<void>;
}

const APPLICATION = 'rgw';
/** Of pools with the objects of buckets and their indexes, and of the others, which hold little. */
const DATA_PGS = 8;
const SYSTEM_PGS = 4;
/** Made by the first one-time password; nothing here makes one. */
const NOT_MADE: ReadonlySet<ZonePool> = new Set<ZonePool>(['otp']);

async function run(cluster: Cluster, cmd: Readonly<Record<string, unknown>>): Promise<void> {
  const { code, status } = await cluster.monCommand(cmd);
  if (code < 0) throw new RadosError(code, `${String(cmd['prefix'])} ${String(cmd['pool'])}: ${status}`);
}

/** A context for a pool and namespace; the pool is made if need be. @throws RadosError */
export async function openPool(cluster: Cluster, { name, ns }: Pool, pgs = SYSTEM_PGS): Promise<IoCtx> {
  try {
    return (await cluster.ioctx(name)).with({ nspace: ns });
  } catch (error) {
    if (!(error instanceof RadosError) || error.code !== Errno.ENOENT) throw error;
  }
  // Another gateway may make it now: then this says that it is there.
  await run(cluster, { prefix: 'osd pool create', pool: name, pg_num: pgs, pgp_num: pgs });
  await run(cluster, { prefix: 'osd pool application enable', pool: name, app: APPLICATION });
  await cluster.waitForLatestMap();
  return (await cluster.ioctx(name)).with({ nspace: ns });
}

/** Pools of a placement target. */
export interface PlacementPools {
  readonly index: IoCtx;
  /** What an erasure-coded data pool cannot hold: objects with omap. Undefined: nobody has said where. */
  readonly dataExtra: IoCtx | undefined;
  /** By storage class: of those for which somebody has said where. */
  readonly data: ReadonlyMap<RawString, IoCtx>;
}

export interface ZonePools {
  readonly system: Readonly<Record<ZonePool, IoCtx | undefined>>;
  readonly placements: ReadonlyMap<RawString, PlacementPools>;
}

/** Opens the pools of a zone, all at once: monitors make many in one change of the map. @throws RadosError */
export async function openZonePools(cluster: Cluster, { pools, placements }: ZoneParams): Promise<ZonePools> {
  // Several pools of a zone are namespaces of one.
  const opening = new Map<RawString, Promise<IoCtx>>();
  const open = async ({ name, ns }: Pool, pgs?: number): Promise<IoCtx> => {
    const found = opening.get(name) ?? openPool(cluster, { name, ns: '' }, pgs);
    opening.set(name, found);
    return (await found).with({ nspace: ns });
  };
  const openNamed = (pool: RawString, pgs?: number) => open(parsePool(pool), pgs);
  const [system, opened] = await Promise.all([
    openSystemPools(pools, open),
    Promise.all(
      [...placements].map(async ([name, placement]) => [name, await openPlacement(placement, openNamed)] as const),
    ),
  ]);
  return { system, placements: new Map(opened) };
}

async function openSystemPools(
  pools: ZoneParams['pools'],
  open: (pool: Pool) => Promise<IoCtx>,
): Promise<ZonePools['system']> {
  const opened = Object.entries(pools).map(async ([name, pool]) => {
    const io = NOT_MADE.has(name as ZonePool) ? undefined : await open(pool);
    return [name, io] as const;
  });
  return Object.fromEntries(await Promise.all(opened)) as ZonePools['system'];
}

async function openPlacement(
  placement: ZonePlacement,
  open: (name: RawString, pgs?: number) => Promise<IoCtx>,
): Promise<PlacementPools> {
  const classes = [STANDARD_STORAGE_CLASS, ...placement.storageClasses.keys()];
  const pools = new Map(classes.map((name) => [name, dataPoolOf(placement, name)]));
  const extraPool = placement.dataExtraPool || dataPoolOf(placement);
  const named = [...pools].filter(([, pool]) => pool !== '');
  const [index, dataExtra, data] = await Promise.all([
    open(placement.indexPool, DATA_PGS),
    extraPool === '' ? undefined : open(extraPool),
    Promise.all(named.map(async ([name, pool]) => [name, await open(pool, DATA_PGS)] as const)),
  ]);
  return { index, dataExtra, data: new Map(data) };
}
