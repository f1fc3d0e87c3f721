/** A zone as radosgw-admin prints it (RGWZoneParams::dump). */
import { textFromRaw } from '@spirula/encoding';
import type { Pool } from '../formats/bucket.ts';
import { formatPlacementRule } from '../formats/placement-rule.ts';
import type { ZoneParams } from '../formats/zone.ts';
import type { Zonegroup } from '../formats/zonegroup.ts';
import { placementsJson, targetsJson } from './placement-admin.ts';

export function zoneJson({ id, name, pools, placements, systemKey, realm }: ZoneParams) {
  const text = ({ name: pool, ns }: Pool) => textFromRaw(ns === '' ? pool : `${pool}:${ns}`);
  return {
    id: textFromRaw(id),
    name: textFromRaw(name),
    domain_root: text(pools.domainRoot),
    control_pool: text(pools.control),
    gc_pool: text(pools.gc),
    lc_pool: text(pools.lc),
    log_pool: text(pools.log),
    intent_log_pool: text(pools.intentLog),
    usage_log_pool: text(pools.usageLog),
    roles_pool: text(pools.roles),
    reshard_pool: text(pools.reshard),
    user_keys_pool: text(pools.userKeys),
    user_email_pool: text(pools.userEmail),
    user_swift_pool: text(pools.userSwift),
    user_uid_pool: text(pools.userUid),
    otp_pool: text(pools.otp),
    system_key: { access_key: textFromRaw(systemKey.id), secret_key: textFromRaw(systemKey.secret) },
    placement_pools: placementsJson({ placements }),
    realm_id: textFromRaw(realm),
    notif_pool: text(pools.notif),
  };
}

/** RGWZoneGroup::dump */
export function zonegroupJson(zonegroup: Zonegroup) {
  const { defaultPlacement, zones } = zonegroup;
  return {
    id: textFromRaw(zonegroup.id),
    name: textFromRaw(zonegroup.name),
    api_name: textFromRaw(zonegroup.apiName),
    is_master: String(zonegroup.isMaster),
    endpoints: zonegroup.endpoints.map(textFromRaw),
    hostnames: zonegroup.hostNames.map(textFromRaw),
    hostnames_s3website: zonegroup.websiteHostNames.map(textFromRaw),
    master_zone: textFromRaw(zonegroup.masterZone),
    zones: [...zones.values()].map((zone) => ({
      id: textFromRaw(zone.id),
      name: textFromRaw(zone.name),
      endpoints: zone.endpoints.map(textFromRaw),
      log_meta: String(zone.logsMetadata),
      log_data: String(zone.logsData),
      bucket_index_max_shards: zone.indexShards,
      read_only: String(zone.isReadOnly),
      tier_type: textFromRaw(zone.tierType),
      sync_from_all: String(zone.syncsFromAll),
      sync_from: [...zone.syncsFrom].map(textFromRaw),
      redirect_zone: textFromRaw(zone.redirectZone),
    })),
    placement_targets: targetsJson(zonegroup).map(({ val }) => val),
    default_placement: textFromRaw(formatPlacementRule(defaultPlacement)),
    realm_id: textFromRaw(zonegroup.realm),
    sync_policy: { groups: [] },
  };
}
