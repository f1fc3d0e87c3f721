/** Commands about the CRUSH map. */
import {
  bucketOf,
  createOrMove,
  deviceClassOf,
  itemByName,
  removeDeviceClass,
  removeItem,
  reweightItem,
  setDeviceClass,
  standsAt,
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
  number,
  output,
  refuse,
  text,
  texts,
  unchanged,
} from './command.ts';
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
  command(['osd', 'crush', 'class', 'ls'], 'list the device classes', 'r', classLs, 'osd'),
  command(['osd', 'crush', 'class', 'ls-osd', CLASS], 'list the OSDs of a device class', 'r', classLsOsd, 'osd'),
  command(['osd', 'crush', 'set-device-class', CLASS, IDS], 'give OSDs a device class', 'rw', setClass, 'osd'),
  command(['osd', 'crush', 'rm-device-class', IDS], 'take the device class of OSDs away', 'rw', rmClass, 'osd'),
];

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
  if (wanted !== undefined && rules.length === 0) return refuse(Errno.ENOENT, `unknown crush rule '${wanted}'`);
  const shown = wanted === undefined ? rules : rules[0];
  return output(args, shown, `${JSON.stringify(shown, null, 4)}\n\n`, '\n');
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
  osd.setCrush(createOrMove(crush, id, Math.round(weight * ONE), location));
  return changed(`create-or-move updating item name 'osd.${id}' weight ${weight} at location {${shown}} to crush map`);
}

function crushReweight(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const name = text(args, 'name') ?? '';
  const weight = number(args, 'weight');
  const item = itemByName(osd.pendingCrush, name);
  if (item === undefined) return refuse(Errno.ENOENT, `device '${name}' does not appear in the crush map`);
  if (item < 0) return invalid(`device '${name}' is not a leaf in the crush map`);
  if (weight === undefined || weight < 0) return invalid('a weight of 0 or more is needed');
  osd.setCrush(reweightItem(osd.pendingCrush, item, Math.round(weight * ONE)));
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
