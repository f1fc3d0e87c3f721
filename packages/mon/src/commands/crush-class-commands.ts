/** Commands about device classes. */
import {
  classByName,
  createDeviceClass,
  deviceClassOf,
  dropDeviceClass,
  removeDeviceClass,
  renameDeviceClass,
  rulesOfClass,
  setDeviceClass,
} from '@spirula/crush';
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
  output,
  refuse,
  text,
  texts,
  unchanged,
} from './command.ts';
import { EXISTS, NO_ENTRY } from './errno-text.ts';
import { expandIds, IDS, parseOsd } from './osd-arguments.ts';

const CLASS = { name: 'class', type: 'CephString', goodchars: '[A-Za-z0-9-_]' } as const;

export const crushClassCommands: readonly MonCommandEntry[] = [
  command(['osd', 'crush', 'class', 'ls'], 'list the device classes', 'r', classLs, 'osd'),
  command(['osd', 'crush', 'class', 'ls-osd', CLASS], 'list the OSDs of a device class', 'r', classLsOsd, 'osd'),
  command(['osd', 'crush', 'class', 'create', CLASS], 'make a device class', 'rw', classCreate, 'osd'),
  command(['osd', 'crush', 'class', 'rm', CLASS], 'remove a device class', 'rw', classRm, 'osd'),
  command(
    ['osd', 'crush', 'class', 'rename', { ...CLASS, name: 'srcname' }, { ...CLASS, name: 'dstname' }],
    'give a device class another name',
    'rw',
    classRename,
    'osd',
  ),
  command(
    ['osd', 'crush', 'set-device-class', { name: 'class', type: 'CephString' }, IDS],
    'give OSDs a device class',
    'rw',
    setClass,
    'osd',
  ),
  command(['osd', 'crush', 'rm-device-class', IDS], 'take the device class of OSDs away', 'rw', rmClass, 'osd'),
  command(['osd', 'crush', 'get-device-class', IDS], 'show the device class of OSDs', 'r', getClass, 'osd'),
];

function classCreate(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const name = text(args, 'class') ?? '';
  if (classByName(osd.pendingCrush, name) !== undefined) return unchanged(`class '${name}' already exists`);
  const [crush, id] = createDeviceClass(osd.pendingCrush, name);
  osd.setCrush(crush);
  return changed(`created class ${name} with id ${id} to crush map`);
}

function classRm(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const name = text(args, 'class') ?? '';
  const crush = osd.pendingCrush;
  const id = classByName(crush, name);
  if (id === undefined) return unchanged('');
  const rules = rulesOfClass(crush, name).map((rule) => `'${crush.ruleNames.get(rule) ?? ''}'`);
  if (rules.length > 0) {
    return refuse(Errno.EBUSY, `class '${name}' still referenced by crush_rule(s): ${rules.join(',')}`);
  }
  osd.setCrush(dropDeviceClass(crush, name));
  return changed(`removed class ${name} with id ${id} from crush map`);
}

function classRename(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const from = text(args, 'srcname') ?? '';
  const to = text(args, 'dstname') ?? '';
  const crush = osd.pendingCrush;
  const known = classByName(crush, from) !== undefined;
  const taken = classByName(crush, to) !== undefined;
  if (!known && taken) return unchanged(`already renamed to '${to}'`);
  const failed = `fail to rename '${from}' to '${to}' : `;
  if (!known) return refuse(Errno.ENOENT, failed + NO_ENTRY);
  if (taken) return refuse(Errno.EEXIST, failed + EXISTS);
  osd.setCrush(renameDeviceClass(crush, from, to));
  return changed(`rename class '${from}' to '${to}'`);
}

function getClass(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const found: { osd: OsdId; device_class: string }[] = [];
  for (const name of texts(args, 'ids')) {
    const osd = parseOsd(name);
    if (osd === undefined) return invalid(`unable to parse osd id:'${name}'`);
    found.push({ osd, device_class: deviceClassOf(map.crush, osd) ?? '' });
  }
  const lines = found.map(({ osd, device_class }) => `osd.${osd} ${device_class}\n`);
  return output(args, found, lines.join(''));
}

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
