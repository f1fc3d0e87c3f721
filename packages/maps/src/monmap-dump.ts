import { formatAddrVec, formatUTime, formatUuid } from '@spirula/encoding';
import { dumpAddrVec, legacyAddr } from './addr-dump.ts';
import type { MonMap } from './monmap.ts';
import { releaseName } from './release.ts';

/** mon_feature_t, from the lowest bit: those that this release knows. */
export const MON_FEATURES = [
  'kraken',
  'luminous',
  'mimic',
  'osdmap-prune',
  'nautilus',
  'octopus',
  'pacific',
  'elector-pinging',
];

/** The document of `ceph mon dump -f json`, without the quorum that a monitor adds (MonMap::dump). */
export function dumpMonMap(map: MonMap) {
  return {
    epoch: map.epoch,
    fsid: formatUuid(map.fsid),
    modified: inUtc(formatUTime(map.lastChanged)),
    created: inUtc(formatUTime(map.created)),
    min_mon_release: map.minMonRelease,
    min_mon_release_name: releaseName(map.minMonRelease),
    election_strategy: map.electionStrategy,
    'disallowed_leaders: ': map.disallowedLeaders.join(','),
    stretch_mode: map.stretchMode,
    tiebreaker_mon: map.tiebreaker,
    'removed_ranks: ': map.removedRanks.join(','),
    features: { persistent: featureNames(map.persistentFeatures), optional: featureNames(map.optionalFeatures) },
    mons: map.ranks.map((name, rank) => {
      const mon = map.mons.get(name);
      const addrs = mon?.addrs ?? [];
      return {
        rank,
        name,
        public_addrs: dumpAddrVec(addrs),
        addr: legacyAddr(addrs),
        public_addr: legacyAddr(addrs),
        priority: mon?.priority ?? 0,
        weight: mon?.weight ?? 0,
        crush_location: formatLocation(mon?.crushLocation ?? new Map()),
      };
    }),
  };
}

/** The text of `ceph mon dump` and `monmaptool --print` (MonMap::print). */
export function printMonMap(map: MonMap): string {
  const lines = [
    `epoch ${map.epoch}`,
    `fsid ${formatUuid(map.fsid)}`,
    `last_changed ${formatUTime(map.lastChanged)}`,
    `created ${formatUTime(map.created)}`,
    `min_mon_release ${map.minMonRelease} (${releaseName(map.minMonRelease)})`,
    `election_strategy: ${map.electionStrategy}`,
  ];
  if (map.stretchMode) lines.push('stretch_mode_enabled 1', `tiebreaker_mon ${map.tiebreaker}`);
  if (map.stretchMode || map.disallowedLeaders.length > 0) {
    lines.push(`disallowed_leaders ${map.disallowedLeaders.join(',')}`);
  }
  map.ranks.forEach((name, rank) => {
    const mon = map.mons.get(name);
    const location = mon && mon.crushLocation.size > 0 ? `; crush_location ${formatLocation(mon.crushLocation)}` : '';
    lines.push(`${rank}: ${formatAddrVec(mon?.addrs ?? [])} mon.${name}${location}`);
  });
  return lines.map((line) => `${line}\n`).join('');
}

function featureNames(features: bigint): string[] {
  return MON_FEATURES.filter((_, bit) => ((features >> BigInt(bit)) & 1n) === 1n);
}

/** This document writes the time zone as Z (utime_t::gmtime). */
function inUtc(stamp: string): string {
  return stamp.replace('+0000', 'Z');
}

function formatLocation(location: ReadonlyMap<string, string>): string {
  return `{${[...location].map(([type, name]) => `${type}=${name}`).join(',')}}`;
}
