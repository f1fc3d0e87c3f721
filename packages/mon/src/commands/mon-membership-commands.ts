/** Which monitors there are, and in which order (MonmapMonitor::prepare_command). */
import { AddrType, type AddrVec, Errno, formatAddr, formatAddrVec, parseEntityAddr } from '@spirula/encoding';
import { addMon, type MonMap, monAt, removeMon, setMonRank, setMonWeight } from '@spirula/maps';
import {
  alike,
  allUnsupported,
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  deprecated,
  invalid,
  type MonCommandEntry,
  number,
  refuse,
  text,
  unchanged,
} from './command.ts';
import { parseLocation } from './crush-location.ts';

/** Where monitors listen for msgr2 and, of old, for msgr1 (CEPH_MON_PORT_IANA, CEPH_MON_PORT_LEGACY). */
const PORT = 3300;
const LEGACY_PORT = 6789;

export const monMembershipCommands: readonly MonCommandEntry[] = [
  ...alike(['rw mon add <name> <addr:addr> [location...]'], 'add a monitor; it is started afterwards', add),
  ...alike(['rw mon rm <name>'], 'remove a monitor: it stops', remove),
  ...alike(['rw mon remove <name>'], 'remove a monitor: it stops', remove).map(deprecated),
  ...alike(['rw mon set-rank <name> <rank:int>'], 'move a monitor to another rank', setRank),
  ...alike(['rw mon set-weight <name> <weight:count>'], 'choose how often clients take a monitor', setWeight),
  ...unsupportedOfKnown(
    'rw mon set-addrs <name> <addrs>',
    'a monitor stays at its addresses: remove it, and add it where it is to be',
  ),
  ...unsupportedOfKnown('rw mon set_location <name> <args...>', 'a monitor keeps the location it was added with'),
];

/** Refused for the reason, of a monitor that there is; of others as by Ceph. */
function unsupportedOfKnown(line: string, reason: string): readonly MonCommandEntry[] {
  return allUnsupported([line], reason).map((entry) => ({
    ...entry,
    run(args, { monmap }) {
      const name = text(args, 'name') ?? '';
      return monmap.mons.has(name)
        ? refuse(Errno.EOPNOTSUPP, reason)
        : refuse(Errno.ENOENT, `mon.${name} does not exist`);
    },
  }));
}

function changeMap({ monmaps, wall }: CommandContext, change: (map: MonMap) => MonMap, status = ''): CommandOutcome {
  monmaps.change(change, wall());
  return changed(status);
}

/** Those of a monitor that is told one address: both of Ceph's own ports when it names none, else msgr2 alone. */
function addrsOf(named: string): AddrVec | undefined {
  const addr = parseEntityAddr(named);
  if (addr === undefined) return undefined;
  const v2 = { ...addr, type: AddrType.v2, nonce: 0 };
  if (addr.port !== 0 && addr.port !== LEGACY_PORT) return [v2];
  return [
    { ...v2, port: PORT },
    { ...v2, type: AddrType.v1, port: LEGACY_PORT },
  ];
}

function add(args: CommandArgs, context: CommandContext): CommandOutcome {
  const [name = '', named = ''] = [text(args, 'name'), text(args, 'addr')];
  const { monmap } = context;
  const addrs = addrsOf(named);
  if (addrs === undefined) return invalid(`addr ${named}does not parse`);
  const crushLocation = parseLocation(args, 'location');
  if (crushLocation === undefined) return invalid('');
  const there = monmap.mons.get(name);
  const holder = monAt(monmap, addrs);
  if (there !== undefined && holder === name) return unchanged(`mon.${name} at ${formatAddrVec(addrs)} already exists`);
  if (there !== undefined) {
    return refuse(Errno.EEXIST, `mon.${name} already exists at address ${formatAddrVec(there.addrs)}`);
  }
  if (holder !== undefined) {
    const [addr] = addrs;
    return refuse(Errno.EEXIST, `mon.${holder} already exists at address ${formatAddr(addr!)}`);
  }
  const mon = { name, addrs, priority: 0, weight: 0, crushLocation };
  return changeMap(context, (map) => addMon(map, mon), `adding mon.${name} at ${formatAddrVec(addrs)}`);
}

function remove(args: CommandArgs, context: CommandContext): CommandOutcome {
  const name = text(args, 'name') ?? '';
  const { mons } = context.monmap;
  if (!mons.has(name)) return unchanged(`mon.${name} does not exist or has already been removed`);
  if (mons.size === 1) return invalid(`error: refusing removal of last monitor ${name}`);
  return changeMap(context, (map) => removeMon(map, name));
}

function setRank(args: CommandArgs, context: CommandContext): CommandOutcome {
  const name = text(args, 'name') ?? '';
  if (!context.monmap.mons.has(name)) return refuse(Errno.ENOENT, `mon.${name} does not exist in monmap`);
  return changeMap(context, (map) => setMonRank(map, name, number(args, 'rank') ?? 0));
}

function setWeight(args: CommandArgs, context: CommandContext): CommandOutcome {
  const name = text(args, 'name') ?? '';
  if (!context.monmap.mons.has(name)) return refuse(Errno.ENOENT, `mon.${name} does not exist`);
  return changeMap(context, (map) => setMonWeight(map, name, number(args, 'weight') ?? 0));
}
