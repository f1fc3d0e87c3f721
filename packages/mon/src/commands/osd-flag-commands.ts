/** Commands that set and unset flags: of the cluster, and of OSDs, CRUSH buckets and device classes. */
import { classByName, itemByName } from '@spirula/crush';
import type { OsdId } from '@spirula/encoding';
import { formatMapFlags, OsdMapFlag, OsdState, osdExists } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  deprecated,
  invalid,
  type MonCommandEntry,
  text,
  texts,
  unchanged,
} from './command.ts';
import { IDS, osdsOf, parseOsd } from './osd-arguments.ts';
import { SURE } from './pool-arguments.ts';

/** By the names that `osd set` takes. */
const FLAGS: ReadonlyMap<string, number> = new Map([
  ['pause', OsdMapFlag.pauserd | OsdMapFlag.pausewr],
  ['noup', OsdMapFlag.noup],
  ['nodown', OsdMapFlag.nodown],
  ['noout', OsdMapFlag.noout],
  ['noin', OsdMapFlag.noin],
  ['nobackfill', OsdMapFlag.nobackfill],
  ['norebalance', OsdMapFlag.norebalance],
  ['norecover', OsdMapFlag.norecover],
  ['noscrub', OsdMapFlag.noscrub],
  ['nodeep-scrub', OsdMapFlag.nodeepScrub],
  ['notieragent', OsdMapFlag.notieragent],
  ['nosnaptrim', OsdMapFlag.nosnaptrim],
]);
const CHOICES = ['full', ...FLAGS.keys()].join('|');

/** Of single OSDs, and of all below a bucket or of a device class. */
const GROUP_FLAGS: ReadonlyMap<string, number> = new Map([
  ['noup', OsdState.noup],
  ['nodown', OsdState.nodown],
  ['noin', OsdState.noin],
  ['noout', OsdState.noout],
]);

const WHO = { name: 'who', type: 'CephString', n: 'N' } as const;

export const osdFlagCommands: readonly MonCommandEntry[] = [
  command(
    ['osd', 'set', { name: 'key', type: 'CephChoices', strings: `${CHOICES}|pglog_hardlimit` }, SURE],
    'set a flag of the cluster',
    'rw',
    (args, context) => setFlag(text(args, 'key') ?? '', context, true),
    'osd',
  ),
  command(
    ['osd', 'unset', { name: 'key', type: 'CephChoices', strings: CHOICES }],
    'unset a flag of the cluster',
    'rw',
    (args, context) => setFlag(text(args, 'key') ?? '', context, false),
    'osd',
  ),
  command(['osd', 'pause'], 'hold all reads and writes', 'rw', (_, context) => setFlag('pause', context, true), 'osd'),
  command(
    ['osd', 'unpause'],
    'let reads and writes go on',
    'rw',
    (_, context) => setFlag('pause', context, false),
    'osd',
  ),
  command(
    ['osd', 'set-group', { name: 'flags', type: 'CephString' }, WHO],
    'set flags of OSDs, of buckets, or of device classes',
    'rw',
    (args, context) => setNamedFlags(args, context, true),
    'osd',
  ),
  command(
    ['osd', 'unset-group', { name: 'flags', type: 'CephString' }, WHO],
    'unset flags of OSDs, of buckets, or of device classes',
    'rw',
    (args, context) => setNamedFlags(args, context, false),
    'osd',
  ),
  ...[...GROUP_FLAGS].flatMap(([name, bit]) => [
    deprecated(
      command(
        ['osd', `add-${name}`, IDS],
        `set ${name} of OSDs`,
        'rw',
        (args, context) => setGroup(texts(args, 'ids'), bit, context, true),
        'osd',
      ),
    ),
    deprecated(
      command(
        ['osd', `rm-${name}`, IDS],
        `unset ${name} of OSDs`,
        'rw',
        (args, context) => setGroup(texts(args, 'ids'), bit, context, false),
        'osd',
      ),
    ),
  ]),
];

function setFlag(key: string, { osd }: CommandContext, on: boolean): CommandOutcome {
  const bits = key === 'pglog_hardlimit' && on ? OsdMapFlag.pglogHardlimit : FLAGS.get(key);
  if (bits === undefined) return invalid(`unrecognized flag '${key}'`);
  const before = osd.pending.newFlags >= 0 ? osd.pending.newFlags : osd.map.flags;
  osd.pending.newFlags = on ? before | bits : before & ~bits;
  osd.propose();
  return changed(`${formatMapFlags(bits)} is ${on ? 'set' : 'unset'}`);
}

function setNamedFlags(args: CommandArgs, context: CommandContext, on: boolean): CommandOutcome {
  let bits = 0;
  for (const name of (text(args, 'flags') ?? '').split(',')) {
    const bit = GROUP_FLAGS.get(name);
    if (bit === undefined) {
      return invalid(`unrecognized flag '${name}', must be one of {noup,nodown,noin,noout}`);
    }
    bits |= bit;
  }
  return setGroup(texts(args, 'who'), bits, context, on);
}

function setGroup(who: readonly string[], bits: number, { osd }: CommandContext, on: boolean): CommandOutcome {
  if (who.length === 0) return invalid('must specify at least one or more targets to set/unset');
  const { map, pending } = osd;
  const osds = new Set<OsdId>();
  const nodes = new Set<number>();
  const classes = new Set<number>();
  let says = '';
  for (const name of who) {
    if (name === 'any' || name === 'all' || name === '*') {
      for (const each of osdsOf(map)) osds.add(each);
      break;
    }
    const id = parseOsd(name);
    const node = itemByName(map.crush, name);
    const deviceClass = classByName(map.crush, name);
    if (id !== undefined) osds.add(id);
    else if (node !== undefined) nodes.add(node);
    else if (deviceClass !== undefined) classes.add(deviceClass);
    else says += `unable to parse osd id or crush node or device class: "${name}". `;
  }
  if (osds.size + nodes.size + classes.size === 0) return invalid(says);
  let changes = nodes.size + classes.size > 0;
  for (const id of [...osds].sort((a, b) => a - b)) {
    if (!osdExists(map, id)) {
      says += `osd.${id} does not exist. `;
      continue;
    }
    // The bits of an incremental are flipped, not set.
    const flips = (on ? ~map.osdState[id]! : map.osdState[id]!) & bits;
    pending.newState.set(id, ((pending.newState.get(id) ?? 0) & ~bits) | flips);
    if (pending.newState.get(id) === 0) pending.newState.delete(id);
    changes ||= flips !== 0;
  }
  for (const [ids, flags, old] of [
    [nodes, pending.newCrushNodeFlags, map.crushNodeFlags],
    [classes, pending.newDeviceClassFlags, map.deviceClassFlags],
  ] as const) {
    for (const id of ids) {
      const before = flags.get(id) ?? old.get(id) ?? 0;
      flags.set(id, on ? before | bits : before & ~bits);
    }
  }
  if (!changes) return unchanged(says);
  osd.propose();
  return changed(says);
}
