/** Commands about OSDs and the CRUSH map. */
import {
  bucketOf,
  type CrushBucket,
  createOrMove,
  itemByName,
  itemWeight,
  locationOf,
  removeItem,
  reweightItem,
  rootsOf,
  standsAt,
} from '@spirula/crush';
import {
  Errno,
  equalBytes,
  formatPgId,
  formatUuid,
  type OsdId,
  parsePgId,
  parseUuid,
  rawFromText,
} from '@spirula/encoding';
import { column, formatSpan, formatTable } from '@spirula/formatter';
import {
  decodeOsdMap,
  dumpOsdMap,
  mapPg,
  type OsdMap,
  OsdMapFlag,
  OsdState,
  objectHash,
  osdExists,
  osdIn,
  osdUp,
  pgOfHash,
  printOsdMap,
} from '@spirula/maps';
import { OPERATOR_FLAGS } from '../health.ts';
import { osdSummary, VERSION } from './cluster-commands.ts';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  invalid,
  jsonAlways,
  type MonCommandEntry,
  number,
  output,
  refuse,
  succeed,
  text,
  texts,
  unchanged,
} from './command.ts';

const IN = 0x10000;
const FLAG_CHOICES =
  'full|pause|noup|nodown|noout|noin|nobackfill|norebalance|norecover|noscrub|nodeep-scrub|notieragent|nosnaptrim';
const EPOCH = { name: 'epoch', type: 'CephInt', range: '0', req: 'false' } as const;
const IDS = { name: 'ids', type: 'CephString', n: 'N' } as const;
const ID = { name: 'id', type: 'CephOsdName' } as const;

export const osdCommands: readonly MonCommandEntry[] = [
  command(['osd', 'stat'], 'show how many OSDs are up and in', 'r', osdStat, 'osd'),
  command(
    ['osd', 'dump', EPOCH],
    'show the OSD map',
    'r',
    (args, context) =>
      atEpoch(args, context, (map) => output(args, dumpOsdMap(map), printOsdMap(map).replaceAll(/\n\n+/g, '\n'))),
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
    ['osd', 'crush', 'tree', { name: 'shadow', type: 'CephChoices', strings: '--show-shadow', req: 'false' }],
    'show the CRUSH hierarchy',
    'r',
    crushTree,
    'osd',
  ),
  command(
    ['osd', 'crush', 'rule', 'ls'],
    'list the CRUSH rules',
    'r',
    (args, { osd: { map } }) => {
      const names = [...map.crush.ruleNames.values()];
      return output(args, names, names.map((name) => `${name}\n`).join(''));
    },
    'osd',
  ),
  command(
    ['osd', 'crush', 'rule', 'dump', { name: 'name', type: 'CephString', goodchars: '[A-Za-z0-9-_.]', req: 'false' }],
    'show CRUSH rules',
    'r',
    ruleDump,
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
  command(
    ['osd', 'blocklist', 'ls'],
    'list the blocked clients',
    'r',
    (args, { osd: { map } }) => {
      const status = `listed ${map.blocklist.length} entries`;
      return { ...output(args, [], ''), status };
    },
    'osd',
  ),
  command(['osd', 'out', IDS], 'take OSDs out: their data move elsewhere', 'rw', osdOut, 'osd'),
  command(['osd', 'in', IDS], 'take OSDs in again', 'rw', osdIn_, 'osd'),
  command(['osd', 'down', IDS], 'mark OSDs down', 'rw', osdDown, 'osd'),
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
    ['osd', 'set', { name: 'key', type: 'CephChoices', strings: FLAG_CHOICES }],
    'set a flag',
    'rw',
    (args, context) => setFlag(args, context, true),
    'osd',
  ),
  command(
    ['osd', 'unset', { name: 'key', type: 'CephChoices', strings: FLAG_CHOICES }],
    'unset a flag',
    'rw',
    (args, context) => setFlag(args, context, false),
    'osd',
  ),
  command(
    ['osd', 'new', { name: 'uuid', type: 'CephUUID' }, { ...ID, req: 'false' }],
    'register an OSD',
    'rw',
    osdNew,
    'osd',
  ),
  command(['osd', 'rm', IDS], 'remove OSDs that are down', 'rw', osdRm, 'osd'),
  command(
    [
      'osd',
      'crush',
      'create-or-move',
      ID,
      { name: 'weight', type: 'CephFloat', range: '0.0' },
      { name: 'args', type: 'CephString', n: 'N', goodchars: '[A-Za-z0-9-_.=]' },
    ],
    'put an OSD where it stands',
    'rw',
    crushCreateOrMove,
    'osd',
  ),
  command(
    [
      'osd',
      'crush',
      'reweight',
      { name: 'name', type: 'CephString', goodchars: '[A-Za-z0-9-_.]' },
      { name: 'weight', type: 'CephFloat', range: '0.0' },
    ],
    'give an OSD another weight',
    'rw',
    crushReweight,
    'osd',
  ),
  command(
    ['osd', 'crush', 'rm', { name: 'name', type: 'CephString', goodchars: '[A-Za-z0-9-_.]' }],
    'remove an OSD or an empty bucket from the CRUSH map',
    'rw',
    crushRm,
    'osd',
  ),
];

function osdsOf(map: OsdMap): OsdId[] {
  return Array.from({ length: map.maxOsd }, (_, osd) => osd).filter((osd) => osdExists(map, osd));
}

/** `3`, `osd.3`. */
function parseOsd(name: string | undefined): OsdId | undefined {
  const match = /^(?:osd\.)?(\d+)$/.exec(name ?? '');
  return match ? Number(match[1]) : undefined;
}

function atEpoch(args: CommandArgs, { osd }: CommandContext, show: (map: OsdMap) => CommandOutcome): CommandOutcome {
  const epoch = number(args, 'epoch') ?? 0;
  if (epoch === 0 || epoch === osd.map.epoch) return show(osd.map);
  const full = osd.full(epoch);
  return full === undefined ? refuse(Errno.ENOENT, `there is no map for epoch ${epoch}`) : show(decodeOsdMap(full));
}

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

// The tree

interface TreeItem {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly typeId: number;
  readonly depth: number;
  readonly weight: number;
  readonly children: readonly number[];
}

/** Buckets before what they hold; what they hold in order of name, as CrushTreeDumper has it. */
function treeOf(map: OsdMap): { items: TreeItem[]; stray: OsdId[] } {
  const { crush } = map;
  const items: TreeItem[] = [];
  const seen = new Set<number>();
  const nameOf = (id: number) => crush.names.get(id) ?? (id >= 0 ? `osd.${id}` : String(id));
  const sortKey = (id: number) => {
    const deviceClass = id >= 0 ? crush.classNames.get(crush.deviceClass.get(id) ?? -1) : undefined;
    return id >= 0 ? `${deviceClass ?? ''}_osd.${String(id).padStart(8, '0')}` : `_${nameOf(id)}`;
  };
  const visit = (bucket: CrushBucket, depth: number, weight: number) => {
    const children = Array.from(bucket.items).sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
    const type = crush.typeNames.get(bucket.type) ?? '';
    items.push({ id: bucket.id, name: nameOf(bucket.id), type, typeId: bucket.type, depth, weight, children });
    for (const child of children) {
      const below = bucketOf(crush, child);
      if (below !== undefined) visit(below, depth + 1, below.weight);
      else {
        seen.add(child);
        const itemType = crush.typeNames.get(0) ?? 'osd';
        items.push({
          id: child,
          name: nameOf(child),
          type: itemType,
          typeId: 0,
          depth: depth + 1,
          weight: itemWeight(crush, child),
          children: [],
        });
      }
    }
  };
  const roots = rootsOf(crush).sort((a, b) => b.id - a.id);
  for (const root of roots) visit(root, 0, root.weight);
  return { items, stray: osdsOf(map).filter((osd) => !seen.has(osd)) };
}

function osdTree(args: CommandArgs, context: CommandContext): CommandOutcome {
  return atEpoch(args, context, (map) => {
    const wanted = new Set(texts(args, 'states'));
    const { items, stray } = treeOf(map);
    const shown = wanted.size === 0 ? items : items.filter((item) => matches(map, items, item, wanted));
    const strays = stray.filter((osd) => wanted.size === 0 || hasState(map, osd, wanted));
    const json = {
      nodes: shown.map((item) => nodeJson(map, item, true)),
      stray: strays.map((osd) => strayJson(map, osd)),
    };
    const columns = [
      column('ID', 'right'),
      column('CLASS', 'right'),
      column('WEIGHT', 'right'),
      column('TYPE NAME', 'left'),
      column('STATUS', 'right'),
      column('REWEIGHT', 'right'),
      column('PRI-AFF', 'right'),
    ];
    const rows = [
      ...shown.map((item) => [
        item.id,
        classOf(map, item.id),
        weightText(item.weight),
        indented(item),
        ...osdCells(map, item.id),
      ]),
      ...strays.map((osd) => [osd, '', '0', `osd.${osd}`, ...osdCells(map, osd)]),
    ];
    return output(args, json, formatTable(columns, rows));
  });
}

function crushTree(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const { items } = treeOf(map);
  const columns = [
    column('ID', 'right'),
    column('CLASS', 'right'),
    column('WEIGHT', 'right'),
    column('TYPE NAME', 'left'),
  ];
  const rows = items.map((item) => [item.id, classOf(map, item.id), weightText(item.weight), indented(item)]);
  const json = { nodes: items.map((item) => nodeJson(map, item, false)), stray: [] };
  return output(args, json, formatTable(columns, rows));
}

function hasState(map: OsdMap, osd: OsdId, wanted: ReadonlySet<string>): boolean {
  const up = osdUp(map, osd);
  const isIn = osdIn(map, osd);
  return (
    (wanted.has('up') && up) ||
    (wanted.has('down') && !up) ||
    (wanted.has('in') && isIn) ||
    (wanted.has('out') && !isIn)
  );
}

function matches(map: OsdMap, items: readonly TreeItem[], item: TreeItem, wanted: ReadonlySet<string>): boolean {
  if (item.id >= 0) return hasState(map, item.id, wanted);
  return items.some((each) => item.children.includes(each.id) && matches(map, items, each, wanted));
}

function indented(item: TreeItem): string {
  return `${'    '.repeat(item.depth)}${item.id < 0 ? `${item.type} ` : ''}${item.name}`;
}

function weightText(weight: number): string {
  return (weight / IN).toFixed(5);
}

function classOf(map: OsdMap, id: number): string {
  return map.crush.classNames.get(map.crush.deviceClass.get(id) ?? -1) ?? '';
}

function osdCells(map: OsdMap, id: number): string[] {
  if (id < 0) return ['', '', ''];
  if (!osdExists(map, id)) return ['DNE', '0', ''];
  const affinity = map.primaryAffinity[id] ?? IN;
  return [osdUp(map, id) ? 'up' : 'down', weightText(map.osdWeight[id]!), weightText(affinity)];
}

function nodeJson(map: OsdMap, item: TreeItem, withState: boolean) {
  const { id, name, type, typeId } = item;
  if (id < 0)
    return {
      id,
      name,
      type,
      type_id: typeId,
      ...(item.depth > 0 ? { pool_weights: {} } : {}),
      children: [...item.children].reverse(),
    };
  const deviceClass = classOf(map, id);
  return {
    id,
    ...(deviceClass === '' ? {} : { device_class: deviceClass }),
    name,
    type,
    type_id: typeId,
    crush_weight: item.weight / IN,
    depth: item.depth,
    pool_weights: {},
    ...(withState ? stateJson(map, id) : {}),
  };
}

function stateJson(map: OsdMap, id: OsdId) {
  return {
    exists: osdExists(map, id) ? 1 : 0,
    status: osdUp(map, id) ? 'up' : 'down',
    reweight: (map.osdWeight[id] ?? 0) / IN,
    primary_affinity: (map.primaryAffinity[id] ?? IN) / IN,
  };
}

function strayJson(map: OsdMap, osd: OsdId) {
  return { id: osd, name: `osd.${osd}`, type: 'osd', type_id: 0, crush_weight: 0, depth: 0, ...stateJson(map, osd) };
}

function ruleDump(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const { crush } = map;
  const names: Record<number, string> = {
    0: 'noop',
    2: 'choose_firstn',
    3: 'choose_indep',
    4: 'emit',
    6: 'chooseleaf_firstn',
    7: 'chooseleaf_indep',
    8: 'set_choose_tries',
    9: 'set_chooseleaf_tries',
    10: 'set_choose_local_tries',
    11: 'set_choose_local_fallback_tries',
    12: 'set_chooseleaf_vary_r',
    13: 'set_chooseleaf_stable',
  };
  const step = ({ op, arg1, arg2 }: { op: number; arg1: number; arg2: number }) => {
    if (op === 1) return { op: 'take', item: arg1, item_name: crush.names.get(arg1) ?? '' };
    if (op === 4 || op === 0) return { op: names[op] };
    if (op >= 8) return { op: names[op], num: arg1 };
    return { op: names[op] ?? String(op), num: arg1, type: crush.typeNames.get(arg2) ?? '' };
  };
  const wanted = text(args, 'name');
  const rules = crush.rules.flatMap((rule, id) =>
    rule === undefined || (wanted !== undefined && crush.ruleNames.get(id) !== wanted)
      ? []
      : [
          {
            rule_id: id,
            rule_name: crush.ruleNames.get(id) ?? '',
            ruleset: rule.ruleset,
            type: rule.type,
            min_size: rule.minSize,
            max_size: rule.maxSize,
            steps: rule.steps.map(step),
          },
        ],
  );
  if (wanted === undefined) return jsonAlways(args, rules);
  return rules.length === 0 ? refuse(Errno.ENOENT, `unknown crush rule '${wanted}'`) : jsonAlways(args, rules[0]);
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

/** Runs `act` for every OSD named, gathering what it says; `act` returns whether it changed anything. */
function forEachOsd(
  args: CommandArgs,
  { osd: { map } }: CommandContext,
  act: (osd: OsdId) => { readonly says: string; readonly changes: boolean },
): CommandOutcome {
  let says = '';
  let changes = false;
  for (const name of expandIds(texts(args, 'ids'), map)) {
    const osd = parseOsd(name);
    if (osd === undefined) return invalid(`invalid osd id${name}`);
    if (!osdExists(map, osd)) {
      says += `osd.${osd} does not exist. `;
      continue;
    }
    const done = act(osd);
    says += done.says;
    changes ||= done.changes;
  }
  return changes ? changed(says) : unchanged(says);
}

function expandIds(names: readonly string[], map: OsdMap): string[] {
  const all = names.includes('all') || names.includes('any') || names.includes('*');
  return all ? osdsOf(map).map(String) : names.flatMap((name) => name.split(',')).filter((name) => name !== '');
}

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
  return forEachOsd(args, context, (id) => {
    if (!osdUp(osd.map, id)) return { says: `osd.${id} is already down. `, changes: false };
    osd.setDown(id);
    return { says: `marked down osd.${id}. `, changes: true };
  });
}

function osdRm(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { osd } = context;
  const up = texts(args, 'ids')
    .map(parseOsd)
    .find((id) => id !== undefined && osdUp(osd.map, id));
  if (up !== undefined) return refuse(Errno.EBUSY, `osd.${up} is still up; must be down before removal. `);
  return forEachOsd(args, context, (id) => {
    osd.pending.newState.set(id, osd.map.osdState[id]! | OsdState.exists);
    osd.propose();
    return { says: `removed osd.${id}`, changes: true };
  });
}

/** An existing OSD, or the refusal. */
function existingOsd(args: CommandArgs, { osd: { map } }: CommandContext): OsdId | CommandOutcome {
  const osd = parseOsd(text(args, 'id'));
  if (osd === undefined) return invalid(`invalid osd id ${text(args, 'id') ?? ''}`);
  return osdExists(map, osd) ? osd : refuse(Errno.ENOENT, `osd.${osd} does not exist`);
}

function osdReweight(args: CommandArgs, context: CommandContext): CommandOutcome {
  const osd = existingOsd(args, context);
  const weight = number(args, 'weight');
  if (typeof osd !== 'number') return osd;
  if (weight === undefined || weight < 0 || weight > 1) return invalid('weight must be in [0..1]');
  const fixed = Math.trunc(Math.fround(weight) * IN);
  context.osd.pending.newWeight.set(osd, fixed);
  context.osd.propose();
  return changed(`reweighted osd.${osd} to ${weight} (${fixed.toString(16)})`);
}

function primaryAffinity(args: CommandArgs, context: CommandContext): CommandOutcome {
  const osd = existingOsd(args, context);
  const weight = number(args, 'weight');
  if (typeof osd !== 'number') return osd;
  if (weight === undefined || weight < 0 || weight > 1) return invalid('weight must be in [0..1]');
  context.osd.pending.newPrimaryAffinity.set(osd, Math.trunc(Math.fround(weight) * IN));
  context.osd.propose();
  return changed(`set osd.${osd} primary-affinity to ${weight}`);
}

function setFlag(args: CommandArgs, { osd }: CommandContext, on: boolean): CommandOutcome {
  const key = text(args, 'key') ?? '';
  const bits =
    key === 'pause'
      ? OsdMapFlag.pauserd | OsdMapFlag.pausewr
      : key === 'full'
        ? OsdMapFlag.full
        : OPERATOR_FLAGS.find(([name]) => name === key)?.[1];
  if (bits === undefined) return invalid(`unrecognized flag '${key}'`);
  const before = osd.pending.newFlags >= 0 ? osd.pending.newFlags : osd.map.flags;
  osd.pending.newFlags = on ? before | bits : before & ~bits;
  osd.propose();
  return changed(`${key === 'pause' ? 'pauserd,pausewr' : key} is ${on ? 'set' : 'unset'}`);
}

function osdNew(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const uuid = parseUuid(text(args, 'uuid') ?? '');
  if (uuid === undefined) return invalid('invalid uuid');
  const wanted = text(args, 'id') === undefined ? undefined : parseOsd(text(args, 'id'));
  const known = osd.osdOfUuid(uuid);
  if (known !== undefined) {
    if (wanted !== undefined && wanted !== known)
      return refuse(Errno.EEXIST, `uuid ${formatUuid(uuid)} already in use for different id ${known}`);
    return { ...changed('', `${known}\n`) };
  }
  if (wanted !== undefined && osdExists(osd.map, wanted) && !equalBytes(osd.map.osdUuid[wanted]!, uuid)) {
    return refuse(Errno.EEXIST, `id ${wanted} already in use and does not match uuid ${formatUuid(uuid)}`);
  }
  return changed('', `${osd.register(uuid, wanted)}\n`);
}

function crushCreateOrMove(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const id = parseOsd(text(args, 'id'));
  const weight = number(args, 'weight');
  if (id === undefined || weight === undefined) return invalid('an OSD and its weight are needed');
  const location = new Map<string, string>();
  for (const word of texts(args, 'args')) {
    const equals = word.indexOf('=');
    if (equals <= 0) return invalid(`'${word}' is no location such as host=a`);
    location.set(word.slice(0, equals), word.slice(equals + 1));
  }
  const crush = osd.pendingCrush;
  for (const type of location.keys()) {
    if (![...crush.typeNames.values()].includes(type)) return invalid(`'${type}' is no CRUSH type`);
  }
  const shown = [...location]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, name]) => `${type}=${name}`)
    .join(',');
  if (standsAt(crush, id, location)) {
    return unchanged(
      `create-or-move updated item name 'osd.${id}' weight ${weight} at location {${shown}} to crush map`,
    );
  }
  osd.setCrush(createOrMove(crush, id, Math.round(weight * IN), location));
  return changed(`create-or-move updating item name 'osd.${id}' weight ${weight} at location {${shown}} to crush map`);
}

function crushReweight(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const name = text(args, 'name') ?? '';
  const weight = number(args, 'weight');
  const item = itemByName(osd.pendingCrush, name);
  if (item === undefined) return refuse(Errno.ENOENT, `device '${name}' does not appear in the crush map`);
  if (item < 0) return invalid(`device '${name}' is not a leaf in the crush map`);
  if (weight === undefined || weight < 0) return invalid('a weight of 0 or more is needed');
  osd.setCrush(reweightItem(osd.pendingCrush, item, Math.round(weight * IN)));
  return changed(`reweighted item id ${item} name '${name}' to ${weight} in crush map`);
}

function crushRm(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const name = text(args, 'name') ?? '';
  const item = itemByName(osd.pendingCrush, name);
  if (item === undefined) return unchanged(`device '${name}' does not appear in the crush map`);
  if (item < 0 && bucketOf(osd.pendingCrush, item)!.items.length > 0) {
    return refuse(Errno.ENOTEMPTY, `bucket '${name}' is not empty`);
  }
  osd.setCrush(removeItem(osd.pendingCrush, item));
  return changed(`removed item id ${item} name '${name}' from crush map`);
}
