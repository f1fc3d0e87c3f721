import { formatUTime } from '@spirula/encoding';
import { dumpAddrVec, legacyAddr } from './addr-dump.ts';
import type { MgrMap, MgrModuleInfo, MgrModuleOption } from './mgrmap.ts';
import { releaseName } from './release.ts';

/** Option::type_t and Option::level_t. */
const OPTION_TYPES = ['uint', 'int', 'str', 'float', 'bool', 'addr', 'addrvec', 'uuid', 'size', 'secs', 'millisecs'];
const OPTION_LEVELS = ['basic', 'advanced', 'dev'];

/** The document of `ceph mgr dump` (MgrMap::dump). 64-bit numbers are the nearest doubles. */
export function dumpMgrMap(map: MgrMap) {
  return {
    epoch: map.epoch,
    active_gid: Number(map.activeGid),
    active_name: map.activeName,
    active_addrs: dumpAddrVec(map.activeAddrs),
    active_addr: legacyAddr(map.activeAddrs),
    active_change: formatUTime(map.activeChange),
    active_mgr_features: Number(map.activeMgrFeatures),
    available: map.available,
    standbys: [...map.standbys.values()].map((standby) => ({
      gid: Number(standby.gid),
      name: standby.name,
      mgr_features: Number(standby.mgrFeatures),
      available_modules: standby.availableModules.map(dumpModule),
    })),
    modules: map.modules,
    available_modules: map.availableModules.map(dumpModule),
    services: Object.fromEntries(map.services),
    always_on_modules: Object.fromEntries(
      [...map.alwaysOnModules].map(([release, modules]) => [releaseName(release), modules]),
    ),
    last_failure_osd_epoch: map.lastFailureOsdEpoch,
    active_clients: map.clients.map((addrs, i) => ({ name: map.clientNames[i], ...dumpAddrVec(addrs) })),
  };
}

function dumpModule(module: MgrModuleInfo) {
  return {
    name: module.name,
    can_run: module.canRun,
    error_string: module.errorString,
    module_options: Object.fromEntries([...module.options].map(([name, option]) => [name, dumpOption(option)])),
  };
}

function dumpOption(option: MgrModuleOption) {
  return {
    name: option.name,
    type: OPTION_TYPES[option.type] ?? 'unknown',
    level: OPTION_LEVELS[option.level] ?? 'unknown',
    flags: option.flags,
    default_value: option.defaultValue,
    min: option.min,
    max: option.max,
    enum_allowed: option.enumAllowed,
    desc: option.desc,
    long_desc: option.longDesc,
    tags: option.tags,
    see_also: option.seeAlso,
  };
}
