/** What radosgw-admin does about resharding (rgw_admin.cc): answers as it prints them, refusals as it says them. */
import { type ReshardEntry, ReshardStatus } from '@spirula/cls';
import { type RawString, textFromRaw } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import {
  BucketReshard,
  NoIndex,
  type Resharded,
  ReshardingElsewhere,
  type ReshardParts,
} from '../reshard/bucket-reshard.ts';
import { Instances } from '../reshard/instances.ts';
import { ReshardLog } from '../reshard/reshard-log.ts';
import { processReshardLog } from '../reshard/reshard-round.ts';
import { MAX_SHARDS } from '../reshard/shard-count.ts';
import { shardStates } from '../reshard/shard-states.ts';
import { instanceKey, staleInstances } from '../reshard/stale-instances.ts';
import type { StoredBucket } from '../store/buckets.ts';
import { BucketGone } from '../store/object-index.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import { timeText } from './user-json.ts';

export interface NamedBucket {
  readonly tenant: RawString;
  readonly name: RawString;
}

const STATUS_NAMES: ReadonlyMap<number, string> = new Map([
  [ReshardStatus.notResharding, 'not-resharding'],
  [ReshardStatus.inProgress, 'in-progress'],
  [ReshardStatus.done, 'done'],
]);
/** Some of radosgw-admin's commands exit with what is left of a negative errno. */
const NEGATIVE = 256;
const PROGRESS_STEP = 1000;

export class ReshardAdmin {
  readonly #parts: ReshardParts;
  readonly #instances: Instances;
  readonly #log: ReshardLog;

  constructor(parts: ReshardParts) {
    this.#parts = parts;
    this.#instances = new Instances(parts.zone, parts.entropy);
    this.#log = new ReshardLog(parts.zone.system('reshard'), parts.config.rgw_reshard_num_logs);
  }

  /** @param means `--yes-i-really-mean-it` */
  async reshard(bucket: NamedBucket, shards: number | undefined, means: boolean): Promise<string> {
    const { info, count } = await this.#checked(bucket, shards, means);
    const { tenant, name } = info.bucket;
    try {
      return progressText(await new BucketReshard(this.#parts).run(tenant, name, count));
    } catch (error) {
      throw refusalOf(error, name);
    }
  }

  async add(bucket: NamedBucket, shards: number | undefined, means: boolean): Promise<void> {
    const { info, count } = await this.#checked(bucket, shards, means);
    await this.#log.add({
      time: this.#parts.clock.wall(),
      tenant: bucket.tenant,
      bucketName: bucket.name,
      bucketId: info.bucket.bucketId,
      newInstanceId: '',
      oldShards: Math.max(info.layout.current.shards.count, 1),
      newShards: count,
    });
  }

  async list() {
    const all: unknown[] = [];
    for (const oid of this.#log.oids) for await (const entry of this.#log.list(oid)) all.push(entryJson(entry));
    return all;
  }

  async status({ tenant, name }: NamedBucket) {
    requireNamed(name, AdminCode.EINVAL);
    const { info } = await this.#find({ tenant, name }, AdminCode.ENOENT);
    const states = await shardStates(this.#parts.zone.placement(info.placement).index, info);
    return states.map(({ status, newInstanceId, shards }) => ({
      reshard_status: STATUS_NAMES.get(status) ?? 'Unknown reshard status',
      new_bucket_instance_id: textFromRaw(newInstanceId),
      num_shards: shards,
    }));
  }

  async process(): Promise<void> {
    await processReshardLog(this.#parts);
  }

  async cancel({ tenant, name }: NamedBucket, means: boolean): Promise<void> {
    requireNamed(name, AdminCode.EINVAL);
    const found = await this.#instances.find(tenant, name);
    if (!found && !means) {
      throw new AdminError(
        AdminCode.ENOENT,
        `${notFound(name)}; if you want to cancel the reshard request nonetheless, please use the --yes-i-really-mean-it option`,
      );
    }
    try {
      if (found) await new BucketReshard(this.#parts).cancel(tenant, name);
    } catch (error) {
      if (!(error instanceof ReshardingElsewhere)) throw error;
      const seconds = this.#parts.config.rgw_reshard_bucket_lock_duration;
      const message = `There is ongoing resharding, please retry after ${seconds} seconds `;
      throw new AdminError(NEGATIVE - AdminCode.EBUSY, message);
    }
    await this.#log.remove({ tenant, bucketName: name });
  }

  async listStale(): Promise<string[]> {
    const keys: string[] = [];
    for await (const info of staleInstances(this.#staleParts)) keys.push(textFromRaw(instanceKey(info)));
    return keys;
  }

  async removeStale() {
    const removed: unknown[] = [];
    for await (const info of staleInstances(this.#staleParts)) {
      let status = 0;
      try {
        await this.#instances.remove(info);
      } catch (error) {
        if (!(error instanceof RadosError)) throw error;
        status = -error.code;
      }
      removed.push({ bucket_instance: textFromRaw(instanceKey(info)), status });
    }
    return removed;
  }

  get #staleParts() {
    const { zone, clock, entropy } = this.#parts;
    return { instances: this.#instances, lockPorts: { io: zone.system('reshard'), clock, entropy } };
  }

  /** check_reshard_bucket_params */
  async #checked(bucket: NamedBucket, count: number | undefined, means: boolean) {
    const refuse = (code: number, message: string) => new AdminError(NEGATIVE - code, message);
    requireNamed(bucket.name, NEGATIVE - AdminCode.EINVAL);
    if (count === undefined) throw refuse(AdminCode.EINVAL, 'ERROR: --num-shards not specified');
    if (count > MAX_SHARDS) {
      throw refuse(AdminCode.EINVAL, `ERROR: num_shards too high, max value: ${MAX_SHARDS}`);
    }
    if (count < 0) throw refuse(AdminCode.EINVAL, 'ERROR: num_shards must be non-negative integer');
    const { info } = await this.#find(bucket, NEGATIVE - AdminCode.ENOENT);
    if (info.reshardStatus !== ReshardStatus.notResharding) {
      const message =
        'the bucket is currently undergoing resharding and cannot be added to the reshard list at this time';
      throw refuse(AdminCode.EBUSY, `ERROR: ${message}`);
    }
    if (count <= Math.max(info.layout.current.shards.count, 1) && !means) {
      throw refuse(
        AdminCode.EINVAL,
        'num shards is less or equal to current shards count\ndo you really mean it? (requires --yes-i-really-mean-it)',
      );
    }
    return { info, count };
  }

  async #find({ tenant, name }: NamedBucket, code: number): Promise<StoredBucket> {
    const found = await this.#instances.find(tenant, name);
    if (!found) throw new AdminError(code, notFound(name));
    return found;
  }
}

function requireNamed(name: RawString, code: number): void {
  if (name === '') throw new AdminError(code, 'ERROR: bucket not specified');
}

function notFound(name: RawString): string {
  const shown = textFromRaw(name);
  return `could not get bucket info for bucket=${shown}\nERROR: could not init bucket: (2) No such file or directory`;
}

function refusalOf(error: unknown, name: RawString): unknown {
  const shown = textFromRaw(name);
  if (error instanceof BucketGone) return new AdminError(NEGATIVE - AdminCode.ENOENT, notFound(name));
  if (error instanceof NoIndex) {
    return new AdminError(NEGATIVE - AdminCode.EINVAL, `ERROR: bucket ${shown} has no index`);
  }
  if (error instanceof ReshardingElsewhere) {
    return new AdminError(NEGATIVE - AdminCode.EBUSY, `ERROR: bucket ${shown} is being resharded or removed`);
  }
  return error;
}

function progressText({ from: { bucket }, to, entries }: Resharded): string {
  const steps = Array.from({ length: Math.floor(entries / PROGRESS_STEP) }, (_, i) => ` ${(i + 1) * PROGRESS_STEP}`);
  const lines = [
    `tenant: ${textFromRaw(bucket.tenant)}`,
    `bucket name: ${textFromRaw(bucket.name)}`,
    `old bucket instance id: ${textFromRaw(bucket.bucketId)}`,
    `new bucket instance id: ${textFromRaw(to.bucket.bucketId)}`,
    `total entries:${steps.join('')} ${entries}`,
  ];
  return lines.join('\n');
}

function entryJson({ time, tenant, bucketName, bucketId, newInstanceId, oldShards, newShards }: ReshardEntry) {
  return {
    time: timeText(time),
    tenant: textFromRaw(tenant),
    bucket_name: textFromRaw(bucketName),
    bucket_id: textFromRaw(bucketId),
    new_instance_id: textFromRaw(newInstanceId),
    old_num_shards: oldShards,
    tentative_new_num_shards: newShards,
  };
}
