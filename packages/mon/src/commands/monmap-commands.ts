/** The monitor map as it is shown, and what may be asked of it (mon/MonmapMonitor.cc). */
import { Errno } from '@spirula/encoding';
import { encodeMonMap, MON_FEATURES, type MonMap } from '@spirula/maps';
import {
  alike,
  allUnsupported,
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  flag,
  invalid,
  type MonCommandEntry,
  number,
  obsolete,
  output,
  refuse,
  succeed,
  text,
  texts,
  unchanged,
} from './command.ts';

const CLASSIC = 'classic';
const STRATEGIES = [CLASSIC, 'disallow', 'connectivity'];
const NO_STRETCH = 'stretch mode is not supported';
const NO_LEADERS_TO_DISALLOW = 'You cannot disallow monitors in your current election mode';

export const monmapCommands: readonly MonCommandEntry[] = [
  ...alike(['r mon getmap [epoch:count]'], 'give the monitor map as it is encoded', getMap),
  ...alike(['r mon feature ls [with_value:=--with-value]'], 'list the features of the monitor map', featureLs),
  ...alike(
    ['rw mon feature set <feature_name> [yes_i_really_mean_it:bool]'],
    'set a feature of the monitor map: all are set from the start',
    featureSet,
  ),
  ...alike(['r mon ok-to-stop <ids...>'], 'tell whether monitors can be stopped with a quorum left', okToStop),
  ...alike(['r mon ok-to-add-offline'], 'tell whether a monitor can be added before it runs', okToAddOffline),
  ...alike(['r mon ok-to-rm <id>'], 'tell whether a monitor can be removed with a quorum left', okToRm),
  ...alike(['rw mon enable-msgr2'], 'let monitors listen for msgr2: all do', () => succeed('')),
  ...alike(['rw mon set election_strategy <strategy>'], 'choose how to elect: it is classic', electionStrategy),
  ...alike(
    ['rw mon add disallowed_leader <name>', 'rw mon rm disallowed_leader <name>'],
    'answered as Ceph does under classic elections',
    () => invalid(NO_LEADERS_TO_DISALLOW),
  ),
  ...alike(
    ['rw mon set_new_tiebreaker <name> [yes_i_really_mean_it:bool]'],
    'answered as Ceph does without stretch mode',
    () => invalid('Stretch mode is not enabled, so there is no tiebreaker'),
  ),
  ...alike(['rw tell <target:target> <args...>'], 'clients send it to the daemon itself', () =>
    invalid('unrecognized command'),
  ),
  ...allUnsupported(['rw mon enable_stretch_mode <tiebreaker_mon> <new_crush_rule> <dividing_bucket>'], NO_STRETCH),
  ...alike(['rw mon scrub'], "compare the monitors' stores; the cluster log says how it went", (_args, context) =>
    context.scrub() ? succeed('') : refuse(Errno.EBUSY, ''),
  ),
  ...obsolete(['rw scrub']),
];

/** The map of the epoch that is asked for, or the newest; what there is not is refused. */
export function withMap(
  args: CommandArgs,
  { monmap, monmaps }: CommandContext,
  show: (map: MonMap) => CommandOutcome,
): CommandOutcome {
  const epoch = number(args, 'epoch') ?? 0;
  const map = epoch === 0 ? monmap : monmaps.at(epoch);
  return map === undefined ? refuse(Errno.ENOENT, `there is no map for epoch ${epoch}`) : show(map);
}

function getMap(args: CommandArgs, context: CommandContext): CommandOutcome {
  return withMap(args, context, (map) => succeed(encodeMonMap(map), `got monmap epoch ${map.epoch}`));
}

function namesOf(bits: bigint, withValue: boolean): string[] {
  return MON_FEATURES.flatMap((name, bit) => {
    const value = 1n << BigInt(bit);
    if ((bits & value) === 0n) return [];
    return withValue ? `${name}(${value})` : name;
  });
}

/** As MonmapMonitor::preprocess_command has it: what this release knows, and what the map holds. */
function featureLs(args: CommandArgs, { monmap }: CommandContext): CommandOutcome {
  const withValue = flag(args, 'with_value');
  const all = namesOf((1n << BigInt(MON_FEATURES.length)) - 1n, withValue);
  const persistent = namesOf(monmap.persistentFeatures, withValue);
  const optional = namesOf(monmap.optionalFeatures, withValue);
  const required = namesOf(monmap.persistentFeatures | monmap.optionalFeatures, withValue);
  const list = (names: readonly string[]) => `[${names.join(',')}]`;
  const lines =
    `all features\n\tsupported: ${list(all)}\n\tpersistent: ${list(all)}\n` +
    `on current monmap (epoch ${monmap.epoch})\n\tpersistent: ${list(persistent)}\n\trequired: ${list(required)}\n`;
  const json = { all: { supported: all, persistent: all }, monmap: { persistent, optional, required } };
  return output(args, json, lines, '\n');
}

function featureSet(args: CommandArgs): CommandOutcome {
  const name = text(args, 'feature_name') ?? '';
  if (!MON_FEATURES.includes(name)) return refuse(Errno.ENOENT, `unknown feature '${name}'`);
  const feature = `'mon_feature_t([${name}])'`;
  if (flag(args, 'yes_i_really_mean_it')) return unchanged(`setting feature ${feature}`);
  return refuse(
    Errno.EPERM,
    "please specify '--yes-i-really-mean-it' if you really, **really** want to set feature " +
      `${feature} in the monmap.`,
  );
}

function okToStop(args: CommandArgs, { monmap, quorum }: CommandContext): CommandOutcome {
  const stopped = texts(args, 'ids');
  const left = quorum.ranks.map((rank) => monmap.ranks[rank]!).filter((name) => !stopped.includes(name));
  const needed = Math.floor(monmap.mons.size / 2) + 1;
  if (left.length >= needed) {
    return unchanged(`quorum should be preserved (${left.join(',')}) after stopping [${stopped.join(',')}]`);
  }
  return refuse(
    Errno.EBUSY,
    `not enough monitors would be available (${left.join(',')}) after stopping mons [${stopped.join(',')}]`,
  );
}

function okToAddOffline(_args: CommandArgs, { monmap, quorum }: CommandContext): CommandOutcome {
  const needed = Math.floor((monmap.mons.size + 1) / 2) + 1;
  if (quorum.ranks.length >= needed)
    return unchanged('adding another mon that is not yet online will not break quorum');
  return refuse(Errno.EBUSY, 'adding a monitor may break quorum (until that monitor starts)');
}

function okToRm(args: CommandArgs, { monmap, quorum }: CommandContext): CommandOutcome {
  const id = text(args, 'id') ?? '';
  if (!monmap.mons.has(id)) return unchanged(`mon.${id} does not exist`);
  const left = quorum.ranks.map((rank) => monmap.ranks[rank]!).filter((name) => name !== id);
  const needed = Math.floor((monmap.mons.size - 1) / 2) + 1;
  if (left.length >= needed) {
    return unchanged(`safe to remove mon.${id}`);
  }
  return refuse(Errno.EBUSY, `removing mon.${id} would break quorum`);
}

function electionStrategy(args: CommandArgs): CommandOutcome {
  const strategy = text(args, 'strategy') ?? '';
  if (!STRATEGIES.includes(strategy)) return invalid('');
  return strategy === CLASSIC ? succeed('') : refuse(Errno.EOPNOTSUPP, 'elections are classic only');
}
