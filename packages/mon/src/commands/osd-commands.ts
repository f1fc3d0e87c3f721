/** Commands about OSDs, and where things lie. */
import { locationOf, setDeviceClass } from '@spirula/crush';
import {
  Errno,
  formatFloat,
  formatPgId,
  formatUuid,
  fromUtf8,
  type OsdId,
  parsePgId,
  parseUuid,
  rawFromText,
} from '@spirula/encoding';
import { formatSpan } from '@spirula/formatter';
import {
  dumpOsdMap,
  mapPg,
  OPERATOR_FLAGS,
  objectHash,
  osdExists,
  osdIn,
  osdUp,
  pgOfHash,
  printOsdMap,
} from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  deprecated,
  flag,
  invalid,
  jsonAlways,
  type MonCommandEntry,
  number,
  output,
  refuse,
  succeed,
  text,
  texts,
} from './command.ts';
import { atEpoch, EPOCH, existingOsd, forEachOsd, ID, IDS, osdsOf, parseOsd } from './osd-arguments.ts';
import { osdSummary } from './osd-summary.ts';
import { osdTree } from './osd-tree.ts';

const IN = 0x10000;
/** What `osd new` takes for the keys of an OSD and of its encrypted disk. */
const SECRETS = ['cephx_secret', 'cephx_lockbox_secret', 'dmcrypt_key'];
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
      'tree-from',
      EPOCH,
      { name: 'bucket', type: 'CephString' },
      { name: 'states', type: 'CephChoices', strings: 'up|down|in|out|destroyed', n: 'N', req: 'false' },
    ],
    'show the OSDs below a bucket in the CRUSH hierarchy',
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
  deprecated(
    command(
      ['osd', 'create', { name: 'uuid', type: 'CephUUID', req: 'false' }, { ...ID, req: 'false' }],
      'register an OSD',
      'rw',
      osdNew,
      'osd',
    ),
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
  const raw = parsePgId(name);
  const pg = raw === undefined ? undefined : pgOfHash(map, raw.pool, raw.seed);
  if (raw === undefined || pg === undefined) return refuse(Errno.ENOENT, `pg '${name}' does not exist`);
  const { up, acting } = mapPg(map, pg);
  const [rawId, id] = [formatPgId(raw), formatPgId(pg)];
  const line = `osdmap e${map.epoch} pg ${rawId} (${id}) -> up [${up.join(',')}] acting [${acting.join(',')}]\n`;
  return output(args, { epoch: map.epoch, raw_pgid: rawId, pgid: id, up, acting }, line);
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
    ...Object.fromEntries([...osd.metadata(id)].sort(([a], [b]) => (a < b ? -1 : 1))),
  });
  const wanted = text(args, 'id');
  if (wanted === undefined) return jsonAlways(args, osdsOf(osd.map).map(describe));
  const id = parseOsd(wanted);
  if (id === undefined || !osdExists(osd.map, id)) return refuse(Errno.ENOENT, `osd.${id ?? wanted} does not exist`);
  return jsonAlways(args, describe(id));
}

// Changes

function osdOut(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { osd, asker } = context;
  const { entity } = asker;
  return forEachOsd(args, context, (id) => {
    const isAll = ['any', 'all', '*'].includes(texts(args, 'ids')[0] ?? '');
    if (!osdIn(osd.map, id)) return { says: isAll ? '' : `osd.${id} is already out. `, changes: false };
    osd.setOut(id, `${entity.type}.${entity.id}`);
    return { says: `marked out osd.${id}. `, changes: true };
  });
}

function osdIn_(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { osd } = context;
  return forEachOsd(args, context, (id) => {
    const isAll = ['any', 'all', '*'].includes(texts(args, 'ids')[0] ?? '');
    if (osdIn(osd.map, id)) return { says: isAll ? '' : `osd.${id} is already in. `, changes: false };
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

/**
 * Registers an OSD (`osd new`, and `osd create`, which makes up what it is not given). With it may come, as JSON, its device
 * class and its secrets.
 */
function osdNew(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { osd, input } = context;
  const given = text(args, 'uuid');
  const uuid = given === undefined ? context.randomUuid() : parseUuid(given);
  if (uuid === undefined) return invalid(`invalid UUID value '${given ?? ''}'.`);
  const params = stringsOf(fromUtf8(input));
  if (SECRETS.some((name) => params.has(name))) {
    return refuse(Errno.EOPNOTSUPP, `secrets of OSDs are not kept: make a key for it by 'ceph auth'`);
  }
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
  const id = osd.register(uuid, wanted);
  const deviceClass = params.get('crush_device_class');
  if (deviceClass !== undefined) {
    const crush = osd.pendingCrush;
    const named = {
      ...crush,
      names: new Map([...crush.names, [id, `osd.${id}`]]),
      maxDevices: Math.max(crush.maxDevices, id + 1),
    };
    osd.setCrush(setDeviceClass(named, id, deviceClass));
  }
  return changed('', `${id}\n`);
}

/** The texts of a JSON object by name; none when it is not one. */
function stringsOf(json: string): ReadonlyMap<string, string> {
  try {
    const parsed: unknown = JSON.parse(json);
    if (typeof parsed !== 'object' || parsed === null) return new Map();
    return new Map(Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch (error) {
    if (error instanceof SyntaxError) return new Map();
    throw error;
  }
}
