/** Commands about OSDs, and where things lie. */
import { locationOf } from '@spirula/crush';
import { Errno, formatPgId, formatUuid, type OsdId, parsePgId, parseUuid, rawFromText } from '@spirula/encoding';
import { formatSpan } from '@spirula/formatter';
import {
  dumpOsdMap,
  formatFloat,
  mapPg,
  objectHash,
  osdExists,
  osdIn,
  osdUp,
  pgOfHash,
  printOsdMap,
} from '@spirula/maps';
import { OPERATOR_FLAGS } from '../health.ts';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  flag,
  invalid,
  jsonAlways,
  type MonCommandEntry,
  number,
  output,
  refuse,
  succeed,
  text,
} from './command.ts';
import { VERSION } from './mon-commands.ts';
import { atEpoch, EPOCH, existingOsd, forEachOsd, ID, IDS, osdsOf, parseOsd } from './osd-arguments.ts';
import { osdSummary } from './osd-summary.ts';
import { osdTree } from './osd-tree.ts';

const IN = 0x10000;
export const osdCommands: readonly MonCommandEntry[] = [
  command(['osd', 'stat'], 'show how many OSDs are up and in', 'r', osdStat, 'osd'),
  command(
    ['osd', 'dump', EPOCH],
    'show the OSD map',
    'r',
    (args, context) =>
      atEpoch(args, context, (map) => output(args, dumpOsdMap(map), printOsdMap(map).replaceAll(/\n\n+/g, '\n'), '\n')),
    'osd',
  ),
  command(['osd', 'getmap', EPOCH], 'get the OSD map, binary', 'r', getMap, 'osd'),
  command(
    ['osd', 'getcrushmap', EPOCH],
    'get the CRUSH map, binary',
    'r',
    (args, context) => atEpoch(args, context, (map) => succeed(map.crushBytes, String(map.crushVersion))),
    'osd',
  ),
  command(
    ['osd', 'getmaxosd'],
    'show how many OSD ids there are',
    'r',
    (args, { osd: { map } }) =>
      output(args, { epoch: map.epoch, max_osd: map.maxOsd }, `max_osd = ${map.maxOsd} in epoch ${map.epoch}\n`),
    'osd',
  ),
  command(
    ['osd', 'ls', EPOCH],
    'list the ids of all OSDs',
    'r',
    (args, context) =>
      atEpoch(args, context, (map) =>
        output(
          args,
          osdsOf(map),
          osdsOf(map)
            .map((osd) => `${osd}\n`)
            .join(''),
          '\n',
        ),
      ),
    'osd',
  ),
  command(
    [
      'osd',
      'tree',
      EPOCH,
      { name: 'states', type: 'CephChoices', strings: 'up|down|in|out|destroyed', n: 'N', req: 'false' },
    ],
    'show the OSDs in the CRUSH hierarchy',
    'r',
    osdTree,
    'osd',
  ),
  command(
    [
      'osd',
      'map',
      { name: 'pool', type: 'CephPoolname' },
      { name: 'object', type: 'CephObjectname' },
      { name: 'nspace', type: 'CephString', req: 'false' },
    ],
    'show where an object lies',
    'r',
    osdMap,
    'osd',
  ),
  command(['pg', 'map', { name: 'pgid', type: 'CephPgid' }], 'show where a placement group lies', 'r', pgMap, 'pg'),
  command(['osd', 'find', ID], 'show where an OSD stands', 'r', osdFind, 'osd'),
  command(['osd', 'metadata', { ...ID, req: 'false' }], 'show what OSDs say of themselves', 'r', osdMetadata, 'osd'),
  command(
    ['osd', 'versions'],
    'count the versions of the OSDs',
    'r',
    (args, context) => {
      const up = osdsOf(context.osd.map).filter((osd) => osdUp(context.osd.map, osd)).length;
      return jsonAlways(args, up > 0 ? { [VERSION]: up } : {});
    },
    'osd',
  ),
  command(['osd', 'out', IDS], 'take OSDs out: their data move elsewhere', 'rw', osdOut, 'osd'),
  command(['osd', 'in', IDS], 'take OSDs in again', 'rw', osdIn_, 'osd'),
  command(
    ['osd', 'down', IDS, { name: 'definitely_dead', type: 'CephBool', req: 'false' }],
    'mark OSDs down, and dead when their processes are known to be gone',
    'rw',
    osdDown,
    'osd',
  ),
  command(
    ['osd', 'reweight', ID, { name: 'weight', type: 'CephFloat', range: '0.0|1.0' }],
    'keep only a part of the data on an OSD',
    'rw',
    osdReweight,
    'osd',
  ),
  command(
    ['osd', 'primary-affinity', ID, { name: 'weight', type: 'CephFloat', range: '0.0|1.0' }],
    'set how willingly an OSD is a primary',
    'rw',
    primaryAffinity,
    'osd',
  ),
  command(
    ['osd', 'new', { name: 'uuid', type: 'CephUUID' }, { ...ID, req: 'false' }],
    'register an OSD',
    'rw',
    osdNew,
    'osd',
  ),
];

function getMap(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const epoch = number(args, 'epoch') || osd.map.epoch;
  const full = osd.full(epoch);
  return full === undefined
    ? refuse(Errno.ENOENT, `there is no map for epoch ${epoch}`)
    : succeed(full, `got osdmap epoch ${epoch}`);
}

function osdStat(args: CommandArgs, context: CommandContext): CommandOutcome {
  const summary = osdSummary(context);
  const since = (stamp: number) => formatSpan(context.wallSeconds() - stamp);
  const flags = OPERATOR_FLAGS.filter(([, bit]) => (context.osd.map.flags & bit) !== 0).map(([name]) => name);
  const remapped = summary.num_remapped_pgs > 0 ? `; ${summary.num_remapped_pgs} remapped pgs` : '';
  const line =
    `${summary.num_osds} osds: ${summary.num_up_osds} up (since ${since(summary.osd_up_since)}), ` +
    `${summary.num_in_osds} in (since ${since(summary.osd_in_since)}); epoch: e${summary.epoch}${remapped}\n` +
    (flags.length > 0 ? `flags ${flags.join(',')}\n` : '');
  return output(args, summary, line);
}

// Where things lie

function osdMap(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const poolName = text(args, 'pool') ?? '';
  const found = [...map.poolNames].find(([, name]) => name === poolName);
  if (found === undefined) return refuse(Errno.ENOENT, `pool ${poolName} does not exist`);
  const [poolId] = found;
  const pool = map.pools.get(poolId)!;
  const object = text(args, 'object') ?? '';
  const nspace = text(args, 'nspace') ?? '';
  const hash = objectHash(pool, { nspace: rawFromText(nspace), key: '', name: rawFromText(object) });
  const pg = pgOfHash(map, poolId, hash)!;
  const { up, upPrimary, acting, actingPrimary } = mapPg(map, pg);
  const rawPgid = `${poolId}.${hash.toString(16)}`;
  const shown = nspace === '' ? object : `${nspace}/${object}`;
  const line =
    `osdmap e${map.epoch} pool '${poolName}' (${poolId}) object '${shown}' -> pg ${rawPgid} (${formatPgId(pg)}) -> ` +
    `up ([${up.join(',')}], p${upPrimary}) acting ([${acting.join(',')}], p${actingPrimary})\n`;
  const json = {
    epoch: map.epoch,
    pool: poolName,
    pool_id: poolId,
    objname: shown,
    raw_pgid: rawPgid,
    pgid: formatPgId(pg),
    up,
    up_primary: upPrimary,
    acting,
    acting_primary: actingPrimary,
  };
  return output(args, json, line);
}

function pgMap(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const name = text(args, 'pgid') ?? '';
  const pg = parsePgId(name);
  const pool = pg === undefined ? undefined : map.pools.get(pg.pool);
  if (pg === undefined || pool === undefined || pg.seed >= pool.pgNum) {
    return refuse(Errno.ENOENT, `pg '${name}' does not exist`);
  }
  const { up, acting } = mapPg(map, pg);
  const id = formatPgId(pg);
  const line = `osdmap e${map.epoch} pg ${id} (${id}) -> up [${up.join(',')}] acting [${acting.join(',')}]\n`;
  return output(args, { epoch: map.epoch, raw_pgid: id, pgid: id, up, acting }, line);
}

function osdFind(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const osd = parseOsd(text(args, 'id'));
  if (osd === undefined || !osdExists(map, osd))
    return refuse(Errno.ENOENT, `osd.${osd ?? text(args, 'id')} does not exist`);
  const addrvec = map.clientAddrs[osd]!.map((addr) => ({
    type: 'v2',
    addr: `${addr.ip}:${addr.port}`,
    nonce: addr.nonce,
  }));
  return jsonAlways(args, {
    osd,
    addrs: { addrvec },
    osd_fsid: formatUuid(map.osdUuid[osd]!),
    crush_location: Object.fromEntries(locationOf(map.crush, osd)),
  });
}

function osdMetadata(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const describe = (id: OsdId) => ({
    id,
    ceph_release: 'pacific',
    ceph_version: VERSION,
    ceph_version_short: '16.2.15',
    ...Object.fromEntries(osd.metadata(id)),
  });
  const wanted = text(args, 'id');
  if (wanted === undefined) return jsonAlways(args, osdsOf(osd.map).map(describe));
  const id = parseOsd(wanted);
  if (id === undefined || !osdExists(osd.map, id)) return refuse(Errno.ENOENT, `osd.${id ?? wanted} does not exist`);
  return jsonAlways(args, describe(id));
}

// Changes

function osdOut(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { osd } = context;
  return forEachOsd(args, context, (id) => {
    if (!osdIn(osd.map, id)) return { says: `osd.${id} is already out. `, changes: false };
    osd.pending.newWeight.set(id, 0);
    osd.pending.newXInfo.set(id, { ...osd.map.osdXInfo[id]!, oldWeight: osd.map.osdWeight[id]! });
    osd.propose();
    return { says: `marked out osd.${id}. `, changes: true };
  });
}

function osdIn_(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { osd } = context;
  return forEachOsd(args, context, (id) => {
    if (osdIn(osd.map, id)) return { says: `osd.${id} is already in. `, changes: false };
    osd.pending.newWeight.set(id, osd.map.osdXInfo[id]!.oldWeight || IN);
    osd.propose();
    return { says: `marked in osd.${id}. `, changes: true };
  });
}

function osdDown(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { osd } = context;
  const dead = flag(args, 'definitely_dead');
  return forEachOsd(args, context, (id) => {
    const up = osdUp(osd.map, id);
    if (up) osd.setDown(id);
    if (dead) osd.setDead(id);
    return up
      ? { says: `marked down osd.${id}. `, changes: true }
      : { says: `osd.${id} is already down. `, changes: dead };
  });
}

function osdReweight(args: CommandArgs, context: CommandContext): CommandOutcome {
  const osd = existingOsd(args, context);
  const weight = number(args, 'weight');
  if (typeof osd !== 'number') return osd;
  if (weight === undefined || weight < 0 || weight > 1) return invalid('weight must be in [0..1]');
  const fixed = Math.trunc(weight * IN);
  context.osd.pending.newWeight.set(osd, fixed);
  context.osd.propose();
  return changed(`reweighted osd.${osd} to ${formatFloat(weight)} (${fixed.toString(16)})`);
}

function primaryAffinity(args: CommandArgs, context: CommandContext): CommandOutcome {
  const osd = existingOsd(args, context);
  const weight = number(args, 'weight');
  if (typeof osd !== 'number') return osd;
  if (weight === undefined || weight < 0 || weight > 1) return invalid('weight must be in [0..1]');
  const affinity = Math.trunc(weight * IN);
  context.osd.pending.newPrimaryAffinity.set(osd, affinity);
  context.osd.propose();
  // 16.2 means to write it in hexadecimal, and writes the flags of its streams around it.
  return changed(`set osd.${osd} primary-affinity to ${formatFloat(weight)} (8${affinity}2)`);
}

function osdNew(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const uuid = parseUuid(text(args, 'uuid') ?? '');
  if (uuid === undefined) return invalid(`invalid UUID value '${text(args, 'uuid') ?? ''}'.`);
  const wanted = text(args, 'id') === undefined ? undefined : parseOsd(text(args, 'id'));
  const known = osd.osdOfUuid(uuid);
  if (known !== undefined) {
    if (wanted !== undefined && wanted !== known)
      return refuse(Errno.EEXIST, `uuid ${formatUuid(uuid)} already in use for different id ${known}`);
    return { ...changed('', `${known}\n`) };
  }
  if (wanted !== undefined && osd.isTaken(wanted)) {
    return refuse(Errno.EINVAL, `id ${wanted} already in use and does not match uuid ${formatUuid(uuid)}`);
  }
  return changed('', `${osd.register(uuid, wanted)}\n`);
}
