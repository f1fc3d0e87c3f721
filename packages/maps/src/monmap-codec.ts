import {
  type Bytes,
  Decoder,
  decodeAddrVec,
  decodeUTime,
  decodeUuid,
  Encoder,
  encodeAddrVec,
  encodeUTime,
} from '@spirula/encoding';
import type { MonInfo, MonMap } from './monmap.ts';
import { sorted } from './sorted.ts';

/** MonMap (mon/MonMap.cc), as Pacific writes it for clients of Nautilus and later. */
export function encodeMonMap(map: MonMap): Bytes {
  const to = new Encoder(512);
  const text = (value: string) => to.string(value);
  const features = (value: bigint) => to.struct(1, 1, () => to.u64big(value));
  to.struct(9, 6, () => {
    to.raw(map.fsid);
    to.u32(map.epoch);
    encodeUTime(to, map.lastChanged);
    encodeUTime(to, map.created);
    features(map.persistentFeatures);
    features(map.optionalFeatures);
    to.map(sorted(map.mons), text, (mon) =>
      to.struct(5, 1, () => {
        to.string(mon.name);
        encodeAddrVec(to, mon.addrs);
        to.u16(mon.priority);
        to.u16(mon.weight);
        to.map(sorted(mon.crushLocation), text, text);
      }),
    );
    to.list(map.ranks, text);
    to.u8(map.minMonRelease);
    to.list(map.removedRanks, (rank) => to.u32(rank));
    to.u8(map.electionStrategy);
    to.list(map.disallowedLeaders, text);
    to.bool(map.stretchMode);
    to.string(map.tiebreaker);
    to.list(map.stretchMarkedDown, text);
  });
  return to.finish();
}

/** @throws MalformedInput naming field and offset. */
export function decodeMonMap(bytes: Bytes): MonMap {
  const from = new Decoder(bytes);
  const text = () => from.string('monmap');
  const features = (field: string) => from.struct(field, 1, () => from.u64big(field));
  const map = from.struct('monmap', 9, (version) => {
    if (version < 9) from.fail('monmap', `version ${version} is older than 9 (Pacific)`);
    return {
      fsid: decodeUuid(from, 'monmap.fsid'),
      epoch: from.u32('monmap.epoch'),
      lastChanged: decodeUTime(from, 'monmap.last_changed'),
      created: decodeUTime(from, 'monmap.created'),
      persistentFeatures: features('monmap.persistent_features'),
      optionalFeatures: features('monmap.optional_features'),
      mons: from.map('monmap.mon_info', 10, text, () => decodeMonInfo(from)),
      ranks: from.list('monmap.ranks', 4, text),
      minMonRelease: from.u8('monmap.min_mon_release'),
      removedRanks: from.list('monmap.removed_ranks', 4, () => from.u32('monmap.removed_ranks')),
      electionStrategy: from.u8('monmap.strategy'),
      disallowedLeaders: from.list('monmap.disallowed_leaders', 4, text),
      stretchMode: from.bool('monmap.stretch_mode_enabled'),
      tiebreaker: from.string('monmap.tiebreaker_mon'),
      stretchMarkedDown: from.list('monmap.stretch_marked_down_mons', 4, text),
    };
  });
  from.finish('monmap');
  for (const name of map.ranks) if (!map.mons.has(name)) from.fail('monmap.ranks', `names ${name}, who is no monitor`);
  return map;
}

function decodeMonInfo(from: Decoder): MonInfo {
  const text = () => from.string('monmap.mon_info');
  return from.struct('monmap.mon_info', 5, (version) => {
    if (version < 5) from.fail('monmap.mon_info', `version ${version} is older than 5 (Pacific)`);
    return {
      name: text(),
      addrs: decodeAddrVec(from, 'monmap.mon_info.addrs'),
      priority: from.u16('monmap.mon_info.priority'),
      weight: from.u16('monmap.mon_info.weight'),
      crushLocation: from.map('monmap.mon_info.crush_loc', 8, text, text),
    };
  });
}
