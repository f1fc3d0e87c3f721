/** Modules of managers: here they have none that can be loaded (mon/MgrMonitor.cc). */
import { Errno } from '@spirula/encoding';
import { Release } from '@spirula/maps';
import {
  alike,
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  flag,
  invalid,
  jsonAlways,
  type MonCommandEntry,
  refuse,
  text,
  unchanged,
} from './command.ts';

export const mgrModuleCommands: readonly MonCommandEntry[] = [
  ...alike(['r mgr module ls'], 'list the modules of the managers', moduleLs, 'mgr'),
  ...alike(
    ['rw mgr module enable <module> [force:=--force]'],
    'load a module: there is none that could be',
    moduleEnable,
    'mgr',
  ),
  ...alike(['rw mgr module disable <module>'], 'no longer load a module', moduleDisable, 'mgr'),
];

function alwaysOn({ mgr }: CommandContext): readonly string[] {
  return mgr.map.alwaysOnModules.get(Release.pacific) ?? [];
}

function moduleLs(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { modules } = context.mgr.map;
  // No manager has a module to offer.
  return jsonAlways(args, { always_on_modules: alwaysOn(context), enabled_modules: modules, disabled_modules: [] });
}

function moduleEnable(args: CommandArgs, context: CommandContext): CommandOutcome {
  const name = text(args, 'module') ?? '';
  if (alwaysOn(context).includes(name)) return unchanged(`module '${name}' is already enabled (always-on)`);
  if (context.mgr.map.modules.includes(name)) return unchanged(`module '${name}' is already enabled`);
  if (!flag(args, 'force')) {
    return refuse(Errno.ENOENT, `all mgr daemons do not support module '${name}', pass --force to force enablement`);
  }
  return refuse(Errno.EOPNOTSUPP, 'managers here load no modules: there is none to force');
}

function moduleDisable(args: CommandArgs, context: CommandContext): CommandOutcome {
  const name = text(args, 'module') ?? '';
  if (alwaysOn(context).includes(name)) return invalid(`module '${name}' cannot be disabled (always-on)`);
  return unchanged(`module '${name}' is already disabled`);
}
