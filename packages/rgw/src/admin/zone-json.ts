/** A zone as radosgw-admin prints it (RGWZoneParams::dump). */
import { textFromRaw } from '@spirula/encoding';
import type { Pool } from '../formats/bucket.ts';
import type { ZoneParams } from '../formats/zone.ts';
import { placementsJson } from './placement-admin.ts';

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
