/** Reshards what waits for it (RGWReshard::process_all_logshards): of each list, one gateway at a time. */
import { RadosError } from '@spirula/rados';
import { BucketGone } from '../store/object-index.ts';
import { HeldLock } from './bucket-lock.ts';
import { BucketReshard, NoIndex, ReshardingElsewhere, type ReshardParts } from './bucket-reshard.ts';
import { ReshardLog } from './reshard-log.ts';

/** Lists that another gateway is at are passed over. @throws RadosError */
export async function processReshardLog(round: ReshardParts): Promise<void> {
  const { zone, clock, entropy, config } = round;
  const io = zone.system('reshard');
  const log = new ReshardLog(io, config.rgw_reshard_num_logs);
  for (const oid of log.oids) {
    const { done: isEmpty } = await log.list(oid).next();
    if (isEmpty) continue;
    const lock = await HeldLock.ofObject({ io, clock, entropy }, oid, config.rgw_reshard_bucket_lock_duration);
    if (!lock) continue;
    try {
      for await (const entry of log.list(oid)) {
        await processEntry(round, log, entry, lock);
        await lock.renewIfDue();
      }
    } finally {
      await lock.release();
    }
  }
}

type Waiting = Awaited<ReturnType<ReshardLog['get']>> & object;

async function processEntry(round: ReshardParts, log: ReshardLog, entry: Waiting, lock: HeldLock): Promise<void> {
  const { tenant, bucketName, bucketId, newShards } = entry;
  try {
    await new BucketReshard(round).run(tenant, bucketName, newShards, lock);
  } catch (error) {
    // Another round will.
    if (error instanceof ReshardingElsewhere) return;
    if (error instanceof RadosError) {
      round.log.warn('a bucket could not be resharded', { bucket: bucketName, error: error.message });
      return;
    }
    if (!(error instanceof BucketGone || error instanceof NoIndex)) throw error;
  }
  await log.remove(entry, bucketId);
}
