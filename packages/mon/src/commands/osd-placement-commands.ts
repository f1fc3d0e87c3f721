/** Commands that say by hand which OSDs serve a placement group (OSDMonitor: `osd pg-temp`, `pg-upmap` and their like). */
import { Errno, formatPgId, type OsdId, type PgId, parsePgId } from '@spirula/encoding';
import { mapPg, osdExists, osdUp, type Pool, pgKey, Release, releaseName } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  invalid,
  type MonCommandEntry,
  refuse,
  text,
  texts,
} from './command.ts';
import { ID, osdsOf, parseOsd } from './osd-arguments.ts';

const PG = { name: 'pgid', type: 'CephPgid' } as const;
const OSDS = { ...ID, n: 'N' } as const;

export const osdPlacementCommands: readonly MonCommandEntry[] = [
  command(
    ['osd', 'pg-temp', PG, { ...OSDS, req: 'false' }],
    'let other OSDs serve a placement group for a while; without any, no longer',
    'rw',
    pgTemp,
    'osd',
  ),
  command(
    ['osd', 'primary-temp', PG, ID],
    'let another OSD lead a placement group for a while',
    'rw',
    primaryTemp,
    'osd',
  ),
  command(['osd', 'pg-upmap', PG, OSDS], 'place a placement group on these OSDs', 'rw', pgUpmap, 'osd'),
  command(
    ['osd', 'rm-pg-upmap', PG],
    'place a placement group as CRUSH says',
    'rw',
    (args, context) =>
      withPg(args, context, ({ pgid }) => {
        context.osd.pending.oldPgUpmap.add(pgKey(pgid));
        context.osd.propose();
        return changed(`clear ${formatPgId(pgid)} pg_upmap mapping`);
      }),
    'osd',
  ),
  command(
    ['osd', 'pg-upmap-items', PG, OSDS],
    'place a placement group on other OSDs than CRUSH says: pairs of from and to',
    'rw',
    pgUpmapItems,
    'osd',
  ),
  command(
    ['osd', 'rm-pg-upmap-items', PG],
    'no longer replace OSDs of a placement group by others',
    'rw',
    (args, context) =>
      withPg(args, context, ({ pgid }) => {
        context.osd.pending.oldPgUpmapItems.add(pgKey(pgid));
        context.osd.propose();
        return changed(`clear ${formatPgId(pgid)} pg_upmap_items mapping`);
      }),
    'osd',
  ),
  command(['pg', 'repeer', PG], 'let a placement group peer anew', 'rw', repeer, 'osd'),
];

interface NamedPg {
  readonly pgid: PgId;
  readonly pool: Pool;
}

function withPg(
  args: CommandArgs,
  { osd: { map } }: CommandContext,
  act: (pg: NamedPg) => CommandOutcome,
  quoted = false,
): CommandOutcome {
  const name = text(args, 'pgid') ?? '';
  const pgid = parsePgId(name);
  if (pgid === undefined) return invalid(`invalid pgid '${name}'`);
  const pool = map.pools.get(pgid.pool);
  if (pool !== undefined && pgid.seed < pool.pgNum) return act({ pgid, pool });
  return refuse(
    Errno.ENOENT,
    quoted ? `pg '${formatPgId(pgid)}' does not exist` : `pg ${formatPgId(pgid)} does not exist`,
  );
}

/** The OSDs named, all of which exist; or the refusal. */
function namedOsds(args: CommandArgs, { osd: { map } }: CommandContext): OsdId[] | CommandOutcome {
  const osds: OsdId[] = [];
  for (const name of texts(args, 'id')) {
    const osd = parseOsd(name);
    if (osd === undefined) return invalid(`invalid osd id '${name}'`);
    if (!osdExists(map, osd)) return refuse(Errno.ENOENT, `osd.${osd} does not exist`);
    osds.push(osd);
  }
  return osds;
}

function sizeProblem(count: number, { size, minSize }: Pool): CommandOutcome | undefined {
  if (count < minSize) return invalid(`num of osds (${count}) < pool min size (${minSize})`);
  if (count > size) return invalid(`num of osds (${count}) > pool size (${size})`);
  return undefined;
}

function pgTemp(args: CommandArgs, context: CommandContext): CommandOutcome {
  return withPg(args, context, ({ pgid, pool }) => {
    const { osd } = context;
    const osds = namedOsds(args, context);
    if (!Array.isArray(osds)) return osds;
    const problem = osds.length > 0 ? sizeProblem(osds.length, pool) : undefined;
    if (problem !== undefined) return problem;
    osd.pending.newPgTemp.set(pgKey(pgid), osds);
    osd.propose();
    const pg = formatPgId(pgid);
    return changed(
      osds.length === 0 ? `done cleaning up pg_temp of ${pg}` : `set ${pg} pg_temp mapping to [${osds.join(',')}]`,
    );
  });
}

function primaryTemp(args: CommandArgs, context: CommandContext): CommandOutcome {
  return withPg(args, context, ({ pgid }) => {
    const { osd } = context;
    const name = text(args, 'id');
    const id = name === '-1' ? -1 : parseOsd(name);
    if (id === undefined) return invalid(`unable to parse 'id' value '${name ?? ''}'`);
    if (id >= 0 && !osdExists(osd.map, id)) return refuse(Errno.ENOENT, `osd.${id} does not exist`);
    osd.pending.newPrimaryTemp.set(pgKey(pgid), id);
    osd.propose();
    return changed(`set ${formatPgId(pgid)} primary_temp mapping to ${id}`);
  });
}

/** Clients of before luminous place objects without upmaps. */
function upmapRefusal({ osd: { map } }: CommandContext): CommandOutcome | undefined {
  if (map.requireMinCompatClient >= Release.luminous) return undefined;
  return refuse(
    Errno.EPERM,
    `min_compat_client ${releaseName(map.requireMinCompatClient)} < luminous, which is required for pg-upmap. ` +
      "Try 'ceph osd set-require-min-compat-client luminous' before using the new interface",
  );
}

function pgUpmap(args: CommandArgs, context: CommandContext): CommandOutcome {
  return withPg(args, context, ({ pgid, pool }) => {
    const { osd } = context;
    const refusal = upmapRefusal(context) ?? sizeProblem(texts(args, 'id').length, pool);
    if (refusal !== undefined) return refusal;
    const osds = namedOsds(args, context);
    if (!Array.isArray(osds)) return osds;
    let says = '';
    const mapping: OsdId[] = [];
    for (const id of osds) {
      if (mapping.includes(id)) says += `osd.${id} already exists, `;
      else mapping.push(id);
    }
    osd.pending.newPgUpmap.set(pgKey(pgid), mapping);
    osd.propose();
    return changed(`${says}set ${formatPgId(pgid)} pg_upmap mapping to [${mapping.join(',')}]`);
  });
}

function pgUpmapItems(args: CommandArgs, context: CommandContext): CommandOutcome {
  return withPg(args, context, ({ pgid, pool }) => {
    const { osd } = context;
    const refusal = upmapRefusal(context);
    if (refusal !== undefined) return refusal;
    const count = texts(args, 'id').length;
    if (count % 2 !== 0) return invalid('you must specify pairs of osd ids to be remapped');
    if (count / 2 > pool.size) return invalid(`num of osd pairs (${count / 2}) > pool size (${pool.size})`);
    const osds = namedOsds(args, context);
    if (!Array.isArray(osds)) return osds;
    let says = '';
    const items: [OsdId, OsdId][] = [];
    for (let i = 0; i < osds.length; i += 2) {
      const [from, to] = [osds[i]!, osds[i + 1]!];
      if (from === to) says += `from osd.${from} == to osd.${to}, `;
      else if (items.some(([a, b]) => a === from && b === to)) says += `osd.${from} -> osd.${to} already exists, `;
      else items.push([from, to]);
    }
    if (items.length === 0) return invalid(`${says}no valid upmap items(pairs) is specified`);
    osd.pending.newPgUpmapItems.set(pgKey(pgid), items);
    osd.propose();
    const shown = items.map(([from, to]) => `${from}->${to}`).join(',');
    return changed(`${says}set ${formatPgId(pgid)} pg_upmap_items mapping to [${shown}]`);
  });
}

/** A temporary acting set of another kind begins a new interval; the placement group goes back to what it wants by itself. */
function repeer(args: CommandArgs, context: CommandContext): CommandOutcome {
  const act = ({ pgid }: NamedPg): CommandOutcome => {
    const { osd } = context;
    const { acting, actingPrimary } = mapPg(osd.map, pgid);
    if (actingPrimary < 0) return refuse(Errno.EAGAIN, 'pg currently has no primary');
    const other = osdsOf(osd.map).find((each) => each !== actingPrimary && osdUp(osd.map, each));
    if (acting.length <= 1 && other === undefined) {
      return refuse(Errno.EAGAIN, 'not enough up OSDs in the cluster to force repeer');
    }
    osd.pending.newPgTemp.set(pgKey(pgid), acting.length > 1 ? [actingPrimary] : [actingPrimary, other!]);
    osd.propose();
    return changed('');
  };
  return withPg(args, context, act, true);
}
