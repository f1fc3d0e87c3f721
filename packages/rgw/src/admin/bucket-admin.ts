/** What radosgw-admin does with buckets (rgw_bucket.cc): answers as it prints them, refusals as it says them. */

import type { BucketStats, CategoryStats, DirHeader } from '@spirula/cls';
import { type RawString, textFromRaw, type UTime } from '@spirula/encoding';
import { encodeAcl, privateAcl } from '../formats/acl.ts';
import { encoded } from '../formats/encoded.ts';
import { formatPlacementRule } from '../formats/placement-rule.ts';
import { changedQuota, type Quota, type QuotaChange } from '../formats/quota.ts';
import { decodeTags } from '../formats/tags.ts';
import { formatUserId, type UserId } from '../formats/user-id.ts';
import { indexHeaders, sumOfStats } from '../store/bucket-index.ts';
import { BucketAttr, type BucketStore, type StoredBucket } from '../store/buckets.ts';
import { checkBucketIndex } from '../store/index-check.ts';
import { decodeStored } from '../store/meta-object.ts';
import { purgeBucket } from '../store/purge.ts';
import type { Store } from '../store/store.ts';
import { bucketTotals } from '../store/user-stats.ts';
import type { UserStore } from '../store/users.ts';
import type { Zone } from '../store/zone.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import { quotaJson, timeText } from './user-json.ts';

export interface BucketAdminParts {
  readonly store: Store;
  readonly now: () => UTime;
}

/** Names of categories, by number (RGWObjCategory). */
const CATEGORY_NAMES = ['rgw.none', 'rgw.main', 'rgw.shadow', 'rgw.multimeta'];
const INDEX_TYPE_NAMES = ['Normal', 'Indexless'];
const KIB = 1024n;
/** rgw_safe_max_objects_per_shard, rgw_shard_warning_threshold */
const SAFE_OBJECTS_PER_SHARD = 102_400;
const WARN_PERCENT = 90;

export class BucketAdmin {
  readonly #store: Store;
  readonly #zone: Zone;
  readonly #users: UserStore;
  readonly #buckets: BucketStore;
  readonly #now: () => UTime;

  constructor({ store, now }: BucketAdminParts) {
    this.#store = store;
    this.#zone = store.zone;
    this.#users = store.users;
    this.#buckets = store.buckets;
    this.#now = now;
  }

  /** Of one user, or of all. */
  async list(user?: UserId): Promise<string[]> {
    const names: string[] = [];
    if (user) for await (const { bucket } of this.#buckets.lists.list(user)) names.push(textFromRaw(bucket.name));
    else for await (const name of this.#buckets.list()) names.push(textFromRaw(name));
    return names;
  }

  /** Of one user, or of all. */
  async namesOf(user?: UserId): Promise<{ readonly tenant: RawString; readonly name: RawString }[]> {
    const names: { readonly tenant: RawString; readonly name: RawString }[] = [];
    if (user) {
      for await (const { bucket } of this.#buckets.lists.list(user)) {
        names.push({ tenant: user.tenant, name: bucket.name });
      }
      return names;
    }
    for await (const name of this.#buckets.list()) {
      const slash = name.indexOf('/');
      names.push({ tenant: slash < 0 ? '' : name.slice(0, slash), name: name.slice(slash + 1) });
    }
    return names;
  }

  /** @throws AdminError ENOENT, as `link` */
  async requireThere(tenant: RawString, name: RawString): Promise<void> {
    await this.#load(tenant, name);
  }

  async stats(tenant: RawString, name: RawString) {
    const bucket = await this.#buckets.load(tenant, name);
    if (!bucket) throw new AdminError(AdminCode.noSuchBucket, 'failure: (2002) Unknown error 2002: ');
    return this.#statsJson(bucket);
  }

  /** Undefined: it is not there any more. */
  async statsIfThere(tenant: RawString, name: RawString) {
    const bucket = await this.#buckets.load(tenant, name);
    return bucket && this.#statsJson(bucket);
  }

  async link(tenant: RawString, name: RawString, user: UserId): Promise<void> {
    const bucket = await this.#load(tenant, name);
    const owner = await this.#users.load(user);
    if (!owner) throw new AdminError(AdminCode.EINVAL, 'failure: (22) Invalid argument');
    if (formatUserId(bucket.info.owner) !== formatUserId(user)) {
      await this.#buckets.lists.remove(bucket.info.owner, bucket.info.bucket);
    }
    const acl = encoded(encodeAcl, privateAcl(user, owner.info.displayName));
    await this.#buckets.link(bucket, user, new Map([[BucketAttr.acl, acl]]), this.#now());
  }

  async unlink(tenant: RawString, name: RawString, user: UserId): Promise<void> {
    const bucket = await this.#buckets.load(tenant, name);
    if (!bucket) throw new AdminError(AdminCode.ENOENT, 'failure: (2) No such file or directory');
    await this.#buckets.unlink(bucket.info, user);
  }

  async setQuota(tenant: RawString, name: RawString, change: QuotaChange): Promise<void> {
    const bucket = await this.#load(tenant, name);
    await this.#buckets.change(bucket, (info) => ({ ...info, quota: changedQuota(info.quota, change) }));
  }

  /** @param purge with all that is in it */
  async remove(tenant: RawString, name: RawString, purge = false): Promise<void> {
    const bucket = await this.#load(tenant, name);
    if (purge) return await purgeBucket(this.#store, bucket);
    await this.#requireEmpty(bucket);
    await this.#store.follower.closed(bucket.info, async (found) => {
      await this.#requireEmpty(found);
      await this.#buckets.remove(found.info, this.#now(), found.entry);
      return true;
    });
  }

  async #requireEmpty({ info }: StoredBucket): Promise<void> {
    const stats = sumOfStats(await indexHeaders(this.#zone.placement(info.placement).index, info));
    if ([...stats.values()].every(({ entries }) => entries === 0n)) return;
    const shown = textFromRaw(info.bucket.name);
    throw new AdminError(AdminCode.ENOTEMPTY, `ERROR: could not remove non-empty bucket ${shown}`);
  }

  /** As it is given. */
  async replaceQuota(tenant: RawString, name: RawString, changed: (quota: Quota) => Quota): Promise<void> {
    const bucket = await this.#load(tenant, name);
    await this.#buckets.change(bucket, (info) => ({ ...info, quota: changed(info.quota) }));
  }

  /** @throws AdminError ENOENT */
  async require(tenant: RawString, name: RawString): Promise<StoredBucket> {
    const bucket = await this.#buckets.load(tenant, name);
    if (bucket) return bucket;
    const why = `could not get bucket info for bucket=${textFromRaw(name)}`;
    throw new AdminError(AdminCode.ENOENT, `${why}\nERROR: could not init bucket: (2) No such file or directory`);
  }

  /** @param fix the sums of the index become those of its entries */
  async check(tenant: RawString, name: RawString, fix: boolean) {
    const bucket = await this.#buckets.load(tenant, name);
    // As radosgw-admin: of what is not there, nothing is said.
    if (!bucket) return undefined;
    const { invalidParts, existing, calculated } = await checkBucketIndex(this.#store, bucket, fix);
    return {
      invalid_multipart_entries: invalidParts.map(textFromRaw),
      check_result: {
        existing_header: { usage: statsNode(existing) },
        calculated_header: { usage: statsNode(calculated) },
      },
    };
  }

  /** How full the shards of users' buckets are. @param warningsOnly only of those that are near the limit, or above */
  async limits(users: readonly UserId[], warningsOnly: boolean) {
    const found = [];
    for (const user of users) {
      const buckets = [];
      for await (const { bucket: entry } of this.#buckets.lists.list(user)) {
        const bucket = await this.#buckets.load(user.tenant, entry.name);
        if (!bucket) continue;
        const limit = await this.#limitOf(bucket);
        if (!warningsOnly || limit.fill_status !== 'OK') buckets.push(limit);
      }
      found.push({ user_id: textFromRaw(formatUserId(user)), buckets });
    }
    return found;
  }

  async #limitOf(bucket: StoredBucket) {
    const { tenant, name } = bucket.info.bucket;
    const objects = Number((await bucketTotals(this.#store, bucket)).entries);
    const shards = bucket.info.layout.current.shards.count;
    const perShard = Math.floor(objects / Math.max(1, shards));
    const percent = Math.floor((perShard * 100) / SAFE_OBJECTS_PER_SHARD);
    const isNear = percent >= WARN_PERCENT;
    return {
      bucket: textFromRaw(name),
      tenant: textFromRaw(tenant),
      num_objects: objects,
      num_shards: shards,
      objects_per_shard: perShard,
      fill_status: percent > 100 ? `OVER ${percent}%` : isNear ? `WARN ${percent}%` : 'OK',
    };
  }

  async #load(tenant: RawString, name: RawString): Promise<StoredBucket> {
    const bucket = await this.#buckets.load(tenant, name);
    if (bucket) return bucket;
    const shown = textFromRaw(name);
    throw new AdminError(
      AdminCode.ENOENT,
      `failure: (2) No such file or directory: failed to fetch bucket info for bucket=${shown}`,
    );
  }

  async #statsJson({ info, attrs, modified }: StoredBucket) {
    const { bucket, layout, owner } = info;
    const headers = await indexHeaders(this.#zone.placement(info.placement).index, info);
    const pool = (which: 'data' | 'dataExtra' | 'index') => textFromRaw(bucket.explicitPlacement?.[which].name ?? '');
    const tags = attrs.get(BucketAttr.tagging);
    return {
      bucket: textFromRaw(bucket.name),
      num_shards: layout.current.shards.count,
      tenant: textFromRaw(bucket.tenant),
      zonegroup: info.zonegroup,
      placement_rule: textFromRaw(formatPlacementRule(info.placement)),
      explicit_placement: { data_pool: pool('data'), data_extra_pool: pool('dataExtra'), index_pool: pool('index') },
      id: bucket.bucketId,
      marker: bucket.marker,
      index_type: INDEX_TYPE_NAMES[layout.current.type] ?? 'Unknown',
      owner: textFromRaw(formatUserId(owner)),
      ver: perShard([...headers.entries()], ({ version }) => version),
      master_ver: perShard([...headers.entries()], ({ masterVersion }) => masterVersion),
      mtime: timeText(modified),
      creation_time: timeText(info.created),
      max_marker: perShard([...headers.entries()], ({ maxMarker }) => maxMarker),
      usage: statsNode(sumOfStats(headers)),
      bucket_quota: quotaJson(info.quota),
      ...(tags && { tagset: tagsJson(bucket.name, tags) }),
    };
  }
}

/** By category. */
export function statsNode(stats: BucketStats) {
  return Object.fromEntries(
    [...stats].map(([category, sums]) => [CATEGORY_NAMES[category] ?? 'rgw.unknown', usageJson(sums)]),
  );
}

function tagsJson(name: RawString, stored: Parameters<typeof decodeStored>[1]): Record<string, string> {
  const tags = decodeStored(name, stored, decodeTags);
  return Object.fromEntries([...tags].map(([key, value]) => [textFromRaw(key), textFromRaw(value)]));
}

/** `0#1,1#2`. */
export function perShard(
  headers: readonly (readonly [shard: number, header: DirHeader])[],
  value: (header: DirHeader) => bigint | string,
): string {
  return headers.map(([shard, header]) => `${shard}#${value(header)}`).join(',');
}

function usageJson({ size, sizeRounded, actualSize, entries }: CategoryStats) {
  const kib = (bytes: bigint) => Number((bytes + KIB - 1n) / KIB);
  return {
    size: Number(size),
    size_actual: Number(sizeRounded),
    size_utilized: Number(actualSize),
    size_kb: kib(size),
    size_kb_actual: kib(sizeRounded),
    size_kb_utilized: kib(actualSize),
    num_objects: Number(entries),
  };
}
