import {
  type Bytes,
  Decoder,
  decodeAddrVec,
  decodeUTime,
  Encoder,
  encodeAddrVec,
  encodeUTime,
} from '@spirula/encoding';
import type { MgrMap, MgrModuleInfo, MgrModuleOption, MgrStandby } from './mgrmap.ts';

/** MgrMap (mon/MgrMap.h). */
export function encodeMgrMap(map: MgrMap): Bytes {
  const to = new Encoder(1024);
  const text = (value: string) => to.string(value);
  to.struct(12, 6, () => {
    to.u32(map.epoch);
    encodeAddrVec(to, map.activeAddrs);
    to.u64big(map.activeGid);
    to.bool(map.available);
    to.string(map.activeName);
    to.map(
      map.standbys,
      (gid) => to.u64big(gid),
      (standby) => encodeStandby(to, standby),
    );
    to.list(map.modules, text);
    to.map(map.services, text, text);
    to.list(map.availableModules, (module) => encodeModule(to, module));
    encodeUTime(to, map.activeChange);
    to.map(
      map.alwaysOnModules,
      (release) => to.u32(release),
      (names) => to.list(names, text),
    );
    to.u64big(map.activeMgrFeatures);
    to.u32(map.lastFailureOsdEpoch);
    to.list(map.clients, (addrs) => encodeAddrVec(to, addrs));
    to.list(map.clientNames, text);
  });
  return to.finish();
}

/** @throws MalformedInput naming field and offset. */
export function decodeMgrMap(bytes: Bytes): MgrMap {
  const from = new Decoder(bytes);
  const text = (field: string) => () => from.string(field);
  const map = from.struct('mgrmap', 12, (version) => {
    if (version < 11) from.fail('mgrmap', `version ${version} is older than 11 (Pacific)`);
    return {
      epoch: from.u32('mgrmap.epoch'),
      activeAddrs: decodeAddrVec(from, 'mgrmap.active_addrs'),
      activeGid: from.u64big('mgrmap.active_gid'),
      available: from.bool('mgrmap.available'),
      activeName: from.string('mgrmap.active_name'),
      standbys: from.map(
        'mgrmap.standbys',
        14,
        () => from.u64big('mgrmap.standbys'),
        () => decodeStandby(from),
      ),
      modules: from.list('mgrmap.modules', 4, text('mgrmap.modules')),
      services: from.map('mgrmap.services', 8, text('mgrmap.services'), text('mgrmap.services')),
      availableModules: from.list('mgrmap.available_modules', 6, () => decodeModule(from)),
      activeChange: decodeUTime(from, 'mgrmap.active_change'),
      alwaysOnModules: from.map(
        'mgrmap.always_on_modules',
        8,
        () => from.u32('mgrmap.always_on_modules'),
        () => from.list('mgrmap.always_on_modules', 4, text('mgrmap.always_on_modules')),
      ),
      activeMgrFeatures: from.u64big('mgrmap.active_mgr_features'),
      lastFailureOsdEpoch: from.u32('mgrmap.last_failure_osd_epoch'),
      clients: from.list('mgrmap.clients', 5, () => decodeAddrVec(from, 'mgrmap.clients')),
      clientNames: version < 12 ? [] : from.list('mgrmap.client_names', 4, text('mgrmap.client_names')),
    };
  });
  from.finish('mgrmap');
  return map;
}

function encodeStandby(to: Encoder, standby: MgrStandby): void {
  to.struct(4, 1, () => {
    to.u64big(standby.gid);
    to.string(standby.name);
    to.list(
      standby.availableModules.map((module) => module.name),
      (name) => to.string(name),
    );
    to.list(standby.availableModules, (module) => encodeModule(to, module));
    to.u64big(standby.mgrFeatures);
  });
}

function decodeStandby(from: Decoder): MgrStandby {
  return from.struct('mgrmap.standby', 4, (version) => {
    if (version < 4) from.fail('mgrmap.standby', `version ${version} is older than 4`);
    const gid = from.u64big('mgrmap.standby.gid');
    const name = from.string('mgrmap.standby.name');
    from.list('mgrmap.standby.module_names', 4, () => from.string('mgrmap.standby.module_names'));
    return {
      gid,
      name,
      availableModules: from.list('mgrmap.standby.available_modules', 6, () => decodeModule(from)),
      mgrFeatures: from.u64big('mgrmap.standby.mgr_features'),
    };
  });
}

function encodeModule(to: Encoder, module: MgrModuleInfo): void {
  to.struct(2, 1, () => {
    to.string(module.name);
    to.bool(module.canRun);
    to.string(module.errorString);
    to.map(
      module.options,
      (name) => to.string(name),
      (option) => encodeOption(to, option),
    );
  });
}

function decodeModule(from: Decoder): MgrModuleInfo {
  return from.struct('mgrmap.module', 2, () => ({
    name: from.string('mgrmap.module.name'),
    canRun: from.bool('mgrmap.module.can_run'),
    errorString: from.string('mgrmap.module.error_string'),
    options: from.map(
      'mgrmap.module.options',
      10,
      () => from.string('mgrmap.module.options'),
      () => decodeOption(from),
    ),
  }));
}

function encodeOption(to: Encoder, option: MgrModuleOption): void {
  const text = (value: string) => to.string(value);
  to.struct(1, 1, () => {
    to.string(option.name);
    to.u8(option.type);
    to.u8(option.level);
    to.u32(option.flags);
    to.string(option.defaultValue);
    to.string(option.min);
    to.string(option.max);
    to.list(option.enumAllowed, text);
    to.string(option.desc);
    to.string(option.longDesc);
    to.list(option.tags, text);
    to.list(option.seeAlso, text);
  });
}

function decodeOption(from: Decoder): MgrModuleOption {
  const text = () => from.string('mgrmap.option');
  return from.struct('mgrmap.option', 1, () => ({
    name: text(),
    type: from.u8('mgrmap.option.type'),
    level: from.u8('mgrmap.option.level'),
    flags: from.u32('mgrmap.option.flags'),
    defaultValue: text(),
    min: text(),
    max: text(),
    enumAllowed: from.list('mgrmap.option.enum_allowed', 4, text),
    desc: text(),
    longDesc: text(),
    tags: from.list('mgrmap.option.tags', 4, text),
    seeAlso: from.list('mgrmap.option.see_also', 4, text),
  }));
}
