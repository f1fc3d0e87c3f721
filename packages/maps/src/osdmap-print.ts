import {
  formatAddr,
  formatAddrVec,
  formatFloat,
  formatUTime,
  formatUuid,
  type OsdId,
  type PoolId,
} from '@spirula/encoding';
import { formatMapFlags, formatPoolFlags, stateNames } from './flag-names.ts';
import { minCompatClient } from './min-compat-client.ts';
import { type OsdMap, osdIn, osdUp } from './osdmap.ts';
import { existingOsds, formatSnapIntervals, pgText } from './osdmap-dump.ts';
import { type Pool, PoolType } from './pool.ts';
import { autoscaleModeName, cacheModeName, namedOptions, objectHashName, poolTypeName } from './pool-names.ts';
import { releaseName } from './release.ts';
import { sorted } from './sorted.ts';

const ONE = 0x10000;

/**
 * The text of `osdmaptool --print` (OSDMap::print). `ceph osd dump` shows the same without the empty lines: a monitor
 * drops them from every answer. Ceph prints the blocklist in the order of a hash table; here it is sorted.
 */
export function printOsdMap(map: OsdMap): string {
  const lines = [
    `epoch ${map.epoch}`,
    `fsid ${formatUuid(map.fsid)}`,
    `created ${formatUTime(map.created)}`,
    `modified ${formatUTime(map.modified)}`,
    `flags ${formatMapFlags(map.flags)}`,
    `crush_version ${map.crushVersion}`,
    `full_ratio ${formatFloat(map.fullRatio)}`,
    `backfillfull_ratio ${formatFloat(map.backfillfullRatio)}`,
    `nearfull_ratio ${formatFloat(map.nearfullRatio)}`,
  ];
  if (map.requireMinCompatClient > 0)
    lines.push(`require_min_compat_client ${releaseName(map.requireMinCompatClient)}`);
  lines.push(`min_compat_client ${releaseName(minCompatClient(map))}`);
  if (map.requireOsdRelease > 0) lines.push(`require_osd_release ${releaseName(map.requireOsdRelease)}`);
  lines.push('stretch_mode_enabled false');
  if (map.clusterSnapshot !== '') lines.push(`cluster_snapshot ${map.clusterSnapshot}`);
  lines.push('');
  for (const [id, pool] of sorted(map.pools)) lines.push(...printPool(map, id, pool));
  lines.push('', `max_osd ${map.maxOsd}`, ...existingOsds(map).map((osd) => printOsd(map, osd)), '');
  for (const [key, osds] of sorted(map.pgUpmap)) lines.push(`pg_upmap ${pgText(key)} ${vector(osds)}`);
  for (const [key, items] of sorted(map.pgUpmapItems)) {
    lines.push(`pg_upmap_items ${pgText(key)} ${vector(items.flat())}`);
  }
  for (const [key, osds] of sorted(map.pgTemp)) lines.push(`pg_temp ${pgText(key)} ${vector(osds)}`);
  for (const [key, osd] of sorted(map.primaryTemp)) lines.push(`primary_temp ${pgText(key)} ${osd}`);
  for (const [addr, until] of map.blocklist) lines.push(`blocklist ${formatAddr(addr)} expires ${formatUTime(until)}`);
  return lines.map((line) => `${line}\n`).join('');
}

/** A pool's lines in `ceph osd dump` and `ceph osd pool ls detail`: itself, then its snapshots. */
export function printPool(map: OsdMap, id: PoolId, pool: Pool): string[] {
  const lines = [`pool ${id} '${map.poolNames.get(id) ?? '<unknown>'}' ${describePool(pool)}`];
  for (const snap of sorted(pool.snaps).values()) {
    lines.push(`\tsnap ${snap.id.toString(16)} '${snap.name}' ${formatUTime(snap.stamp)}`);
  }
  if (pool.removedSnaps.length > 0) lines.push(`\tremoved_snaps ${formatSnapIntervals(pool.removedSnaps)}`);
  const queue = map.removedSnapsQueue.get(id);
  if (queue) lines.push(`\tremoved_snaps_queue ${formatSnapIntervals(queue)}`);
  return lines;
}

/** pg_pool_t's operator<<. */
function describePool(pool: Pool): string {
  const words = [poolTypeName(pool.type)];
  const add = (name: string, value: string | number | bigint) => words.push(`${name} ${value}`);
  const addSet = (name: string, value: number) => {
    if (value !== 0) add(name, value);
  };
  if (pool.type === PoolType.erasure) add('profile', pool.erasureCodeProfile);
  add('size', pool.size);
  add('min_size', pool.minSize);
  add('crush_rule', pool.crushRule);
  add('object_hash', objectHashName(pool.objectHash));
  add('pg_num', pool.pgNum);
  add('pgp_num', pool.pgpNum);
  if (pool.pgNumTarget !== pool.pgNum) add('pg_num_target', pool.pgNumTarget);
  if (pool.pgpNumTarget !== pool.pgpNum) add('pgp_num_target', pool.pgpNumTarget);
  if (pool.pgNumPending !== pool.pgNum) add('pg_num_pending', pool.pgNumPending);
  add('autoscale_mode', autoscaleModeName(pool.pgAutoscaleMode));
  add('last_change', pool.lastChange);
  const resends = [pool.lastForceResend, pool.lastForceResendPrenautilus, pool.lastForceResendPreluminous];
  if (resends.some((epoch) => epoch > 0)) add('lfor', resends.join('/'));
  if (pool.auid !== 0n) add('owner', pool.auid);
  if (pool.flags !== 0n) add('flags', formatPoolFlags(pool.flags));
  addSet('max_bytes', pool.quotaMaxBytes);
  addSet('max_objects', pool.quotaMaxObjects);
  if (pool.tiers.length > 0) add('tiers', pool.tiers.join(','));
  if (pool.tierOf >= 0) add('tier_of', pool.tierOf);
  if (pool.readTier >= 0) add('read_tier', pool.readTier);
  if (pool.writeTier >= 0) add('write_tier', pool.writeTier);
  if (pool.cacheMode !== 0) add('cache_mode', cacheModeName(pool.cacheMode));
  addSet('target_bytes', pool.targetMaxBytes);
  addSet('target_objects', pool.targetMaxObjects);
  addSet('min_read_recency_for_promote', pool.minReadRecencyForPromote);
  addSet('min_write_recency_for_promote', pool.minWriteRecencyForPromote);
  add('stripe_width', pool.stripeWidth);
  addSet('expected_num_objects', pool.expectedNumObjects);
  if (pool.fastRead) add('fast_read', 1);
  for (const [name, value] of namedOptions(pool)) add(name, typeof value === 'number' ? formatFloat(value) : value);
  if (pool.applicationMetadata.size > 0) add('application', [...sorted(pool.applicationMetadata).keys()].join(','));
  return words.join(' ');
}

/** An OSD's line, also `ceph osd info`. */
export function printOsd(map: OsdMap, osd: OsdId): string {
  const info = map.osdInfo[osd]!;
  const affinity = map.primaryAffinity[osd] ?? ONE;
  const words = [
    `osd.${osd}`,
    osdUp(map, osd) ? 'up  ' : 'down',
    osdIn(map, osd) ? 'in ' : 'out',
    `weight ${formatFloat(map.osdWeight[osd]! / ONE)}`,
  ];
  if (affinity !== ONE) words.push(`primary_affinity ${formatFloat(affinity / ONE)}`);
  words.push(
    `up_from ${info.upFrom} up_thru ${info.upThru} down_at ${info.downAt}`,
    `last_clean_interval [${info.lastCleanBegin},${info.lastCleanEnd})`,
  );
  if (info.lostAt !== 0) words.push(`lost_at ${info.lostAt}`);
  words.push(formatAddrVec(map.clientAddrs[osd]!), formatAddrVec(map.clusterAddrs[osd]!));
  words.push(stateNames(map.osdState[osd]!).join(','));
  if (map.osdUuid[osd]!.some((byte) => byte !== 0)) words.push(formatUuid(map.osdUuid[osd]!));
  return words.join(' ');
}

function vector(osds: readonly number[]): string {
  return `[${osds.join(',')}]`;
}
