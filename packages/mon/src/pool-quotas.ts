import type { PoolId } from '@spirula/encoding';
import { formatBytes } from '@spirula/formatter';
import { type OsdMap, PoolFlag } from '@spirula/maps';

interface Holding {
  readonly objects: number;
  readonly bytes: number;
}

export interface QuotaChange {
  readonly id: PoolId;
  /** The flags the pool is to have. */
  readonly flags: bigint;
  readonly says: readonly { readonly level: 'info' | 'warn'; readonly text: string }[];
}

/** The pools that have come to hold what their quotas let them, or no longer do (OSDMonitor::update_pools_status). */
export function findQuotaChanges(map: OsdMap, statsOf: (pool: PoolId) => Holding | undefined): QuotaChange[] {
  const changes: QuotaChange[] = [];
  for (const [id, pool] of map.pools) {
    const held = statsOf(id);
    if (held === undefined) continue;
    const { flags, quotaMaxBytes, quotaMaxObjects } = pool;
    const name = map.poolNames.get(id) ?? '';
    const reached: string[] = [];
    if (quotaMaxBytes > 0 && held.bytes >= quotaMaxBytes) reached.push(`max_bytes: ${formatBytes(quotaMaxBytes)}`);
    if (quotaMaxObjects > 0 && held.objects >= quotaMaxObjects) reached.push(`max_objects: ${quotaMaxObjects}`);
    const isFull = (flags & PoolFlag.fullQuota) !== 0n;
    if (isFull && reached.length === 0) {
      const text = `pool '${name}' no longer out of quota; removing NO_QUOTA flag`;
      changes.push({ id, flags: flags & ~(PoolFlag.fullQuota | PoolFlag.full), says: [{ level: 'info', text }] });
    }
    if (!isFull && reached.length > 0) {
      const says = reached.map(
        (quota) => ({ level: 'warn', text: `pool '${name}' is full (reached quota's ${quota})` }) as const,
      );
      const kept = flags & ~(PoolFlag.nearfull | PoolFlag.backfillfull);
      changes.push({ id, flags: kept | PoolFlag.fullQuota | PoolFlag.full, says });
    }
  }
  return changes;
}
