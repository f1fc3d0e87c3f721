/** Commands about the CRUSH map. */
import { createOrMove, deviceClassOf, removeDeviceClass, setDeviceClass, standsAt } from '@spirula/crush';
import { Errno, type OsdId } from '@spirula/encoding';
import { osdExists } from '@spirula/maps';
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
  text,
  texts,
  unchanged,
} from './command.ts';
import { formatLocation, LOCATION, parseLocation } from './crush-location.ts';
import { expandIds, ID, IDS, parseOsd } from './osd-arguments.ts';
import { crushTree } from './osd-tree.ts';

/** A weight of 1, in fixed point. */
const ONE = 0x10000;
const CLASS = { name: 'class', type: 'CephString', goodchars: '[A-Za-z0-9-_]' } as const;

export const crushCommands: readonly MonCommandEntry[] = [
  command(
    ['osd', 'crush', 'tree', { name: 'shadow', type: 'CephChoices', strings: '--show-shadow', req: 'false' }],
    'show the CRUSH hierarchy',
    'r',
    crushTree,
    'osd',
  ),
  command(
    ['osd', 'crush', 'create-or-move', ID, { name: 'weight', type: 'CephFloat', range: '0.0' }, LOCATION],
    'put an OSD where it stands',
    'rw',
    crushCreateOrMove,
    'osd',
  ),
  command(['osd', 'crush', 'class', 'ls'], 'list the device classes', 'r', classLs, 'osd'),
  command(['osd', 'crush', 'class', 'ls-osd', CLASS], 'list the OSDs of a device class', 'r', classLsOsd, 'osd'),
  command(['osd', 'crush', 'set-device-class', CLASS, IDS], 'give OSDs a device class', 'rw', setClass, 'osd'),
  command(['osd', 'crush', 'rm-device-class', IDS], 'take the device class of OSDs away', 'rw', rmClass, 'osd'),
];

function crushCreateOrMove(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const id = parseOsd(text(args, 'id'));
  const weight = number(args, 'weight');
  if (id === undefined || weight === undefined) return invalid('an OSD and its weight are needed');
  const location = parseLocation(args);
  if (location === undefined) return invalid('a location is words such as host=a');
  const crush = osd.pendingCrush;
  for (const type of location.keys()) {
    if (![...crush.typeNames.values()].includes(type)) return invalid(`'${type}' is no CRUSH type`);
  }
  const shown = formatLocation(location);
  if (standsAt(crush, id, location)) {
    return unchanged(`create-or-move updated item name 'osd.${id}' weight ${weight} at location ${shown} to crush map`);
  }
  osd.setCrush(createOrMove(crush, id, Math.round(weight * ONE), location));
  return changed(`create-or-move updating item name 'osd.${id}' weight ${weight} at location ${shown} to crush map`);
}

// Device classes

function classLs(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  return jsonAlways(args, [...map.crush.classNames.values()]);
}

function classLsOsd(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const wanted = text(args, 'class');
  const osds = [...map.crush.deviceClass.keys()].filter((id) => id >= 0 && deviceClassOf(map.crush, id) === wanted);
  osds.sort((a, b) => a - b);
  return output(args, osds, osds.map((osd) => `${osd}\n`).join(''));
}

/** OSDs named in `ids`, and what there is to say of the others; `unparsed` for a name that is none. */
function namedOsds(args: CommandArgs, { osd: { map } }: CommandContext) {
  const osds: OsdId[] = [];
  let says = '';
  let unparsed = false;
  for (const name of expandIds(texts(args, 'ids'), map)) {
    const osd = parseOsd(name);
    if (osd === undefined) {
      says += `Expected option value to be integer, got '${name}', unable to parse osd id:"${name}". `;
      unparsed = true;
      break;
    } else if (!osdExists(map, osd)) says += `osd.${osd} does not exist. `;
    else osds.push(osd);
  }
  return { osds, says, unparsed };
}

function setClass(args: CommandArgs, context: CommandContext): CommandOutcome {
  const wanted = text(args, 'class') ?? '';
  if (wanted === '') return invalid('a device class is needed');
  let crush = context.osd.pendingCrush;
  const { osds, says } = namedOsds(args, context);
  let status = says;
  const set: OsdId[] = [];
  for (const osd of osds) {
    const current = deviceClassOf(crush, osd);
    if (current === wanted) {
      status +=
        `osd.${osd} already set to class ${wanted}. ` +
        `set-device-class item id ${osd} name 'osd.${osd}' device_class '${wanted}': no change. `;
      continue;
    }
    if (current !== undefined) {
      return refuse(
        Errno.EBUSY,
        `osd.${osd} has already bound to class '${current}', can not reset class to '${wanted}'; ` +
          `use 'ceph osd crush rm-device-class <id>' to remove old class first`,
      );
    }
    crush = setDeviceClass(crush, osd, wanted);
    set.push(osd);
  }
  status += `set osd(s) ${set.join()} to class '${wanted}'`;
  if (set.length === 0) return unchanged(status);
  context.osd.setCrush(crush);
  return changed(status);
}

function rmClass(args: CommandArgs, context: CommandContext): CommandOutcome {
  let crush = context.osd.pendingCrush;
  const { osds, says, unparsed } = namedOsds(args, context);
  if (unparsed) return invalid(says);
  let status = says;
  const removed: OsdId[] = [];
  for (const osd of osds) {
    if (deviceClassOf(crush, osd) === undefined) {
      status += `osd.${osd} belongs to no class, `;
      continue;
    }
    crush = removeDeviceClass(crush, osd);
    removed.push(osd);
  }
  status += `done removing class of osd(s): ${removed.join()}`;
  if (removed.length === 0) return unchanged(status);
  context.osd.setCrush(crush);
  return changed(status);
}
