/** Metadata as it is told, and as administrators give it back (rgw_metadata.cc; the handlers in rgw_user.cc, rgw_bucket.cc). */
import { base64 } from '@scure/base';
import { type Bytes, MalformedInput, type RawString, textFromRaw } from '@spirula/encoding';
import type { Bucket } from '../formats/bucket.ts';
import type { BucketEntryPoint } from '../formats/bucket-entry-point.ts';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { formatPlacementRule, parsePlacementRule } from '../formats/placement-rule.ts';
import type { Quota } from '../formats/quota.ts';
import { formatUserId, parseUserId } from '../formats/user-id.ts';
import { type AccessKey, newUserInfo, type Subuser, type UserInfo } from '../formats/user-info.ts';
import type { Redirect, Website } from '../formats/website.ts';
import type { StoredBucket } from '../store/buckets.ts';
import type { StoredUser } from '../store/users.ts';
import { list, type Node } from './document.ts';
import type { JsonReader } from './json-reader.ts';
import { bucketJson } from './object-json.ts';
import { parseMask, quotaJson, timeText, userJson } from './user-json.ts';

type Attrs = ReadonlyMap<RawString, Bytes>;

/** A user as they are stored, with their attributes. */
export function userNode({ info, attrs }: StoredUser): Node {
  const { subusers, keys, swift_keys, caps, placement_tags, temp_url_keys, mfa_ids, ...rest } = userJson(info);
  const { user_id, display_name, email, suspended, max_buckets, op_mask, bucket_quota, user_quota, type } = rest;
  return {
    user_id,
    display_name,
    email,
    suspended,
    max_buckets,
    subusers: list('user', subusers),
    keys: list('key', keys),
    swift_keys: list('key', swift_keys),
    caps: list('cap', caps),
    op_mask,
    ...(rest.system !== undefined && { system: rest.system }),
    ...(rest.admin !== undefined && { admin: rest.admin }),
    default_placement: rest.default_placement,
    default_storage_class: rest.default_storage_class,
    placement_tags: list('obj', placement_tags),
    bucket_quota,
    user_quota,
    temp_url_keys: list('entry', temp_url_keys),
    type,
    mfa_ids: list('obj', mfa_ids),
    attrs: attrsNode(attrs),
  };
}

function attrsNode(attrs: Attrs): Node {
  return list(
    'attr',
    [...attrs]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ key: textFromRaw(key), val: base64.encode(value) })),
  );
}

/** What a bucket's name leads to. */
export function entryPointNode({ bucket, owner, created, linked }: BucketEntryPoint): Node {
  return {
    bucket: bucketJson(bucket),
    owner: textFromRaw(formatUserId(owner)),
    creation_time: timeText(created),
    linked: String(linked),
    has_bucket_info: 'false',
  };
}

export function instanceNode({ info, attrs }: StoredBucket): Node {
  const { current } = info.layout;
  return {
    bucket_info: {
      bucket: bucketJson(info.bucket),
      creation_time: timeText(info.created),
      owner: textFromRaw(formatUserId(info.owner)),
      flags: info.flags,
      zonegroup: textFromRaw(info.zonegroup),
      placement_rule: textFromRaw(formatPlacementRule(info.placement)),
      has_instance_obj: String(info.hasInstanceObject),
      quota: quotaJson(info.quota),
      num_shards: current.shards.count,
      bi_shard_hash_type: current.shards.hashType,
      requester_pays: String(info.requesterPays),
      has_website: String(info.website !== undefined),
      ...(info.website && { website_conf: websiteNode(info.website) }),
      swift_versioning: String(info.swiftVersionsLocation !== undefined),
      swift_ver_location: textFromRaw(info.swiftVersionsLocation ?? ''),
      index_type: current.type,
      mdsearch_config: list(
        'entry',
        [...info.metadataSearch].map(([key, val]) => ({ key: textFromRaw(key), val })),
      ),
      reshard_status: info.reshardStatus,
      new_bucket_instance_id: textFromRaw(info.newBucketInstanceId),
    },
    attrs: attrsNode(attrs),
  };
}

function websiteNode({ redirectAll, indexDocument, errorDocument, routingRules }: Website): Node {
  if (redirectAll.hostname !== '') return { redirect_all: redirectNode(redirectAll) };
  const rules = routingRules.map((rule) => ({
    condition: {
      key_prefix_equals: textFromRaw(rule.keyPrefixEquals),
      http_error_code_returned_equals: rule.httpErrorCodeEquals,
    },
    redirect_info: {
      redirect: redirectNode(rule.redirect),
      replace_key_prefix_with: textFromRaw(rule.replaceKeyPrefixWith),
      replace_key_with: textFromRaw(rule.replaceKeyWith),
    },
  }));
  return {
    index_doc_suffix: textFromRaw(indexDocument),
    error_doc: textFromRaw(errorDocument),
    routing_rules: { rules: list('obj', rules) },
  };
}

function redirectNode({ protocol, hostname, httpCode }: Redirect): Node {
  return { protocol: textFromRaw(protocol), hostname: textFromRaw(hostname), http_redirect_code: httpCode };
}

// The other way

/** @throws MalformedInput */
export function parseAttrs(json: JsonReader): Map<RawString, Bytes> {
  const attrs = new Map<RawString, Bytes>();
  for (const each of json.list('attrs')) {
    const text = each.raw('val', '');
    try {
      attrs.set(each.raw('key'), base64.decode(text));
    } catch {
      throw new MalformedInput('attrs', 0, 'a value is no base64');
    }
  }
  return attrs;
}

/** @throws MalformedInput */
export function parseUser(json: JsonReader): UserInfo {
  const id = parseUserId(json.raw('user_id'));
  const user = formatUserId(id);
  const subuserOf = (holder: RawString) => (holder.startsWith(`${user}:`) ? holder.slice(user.length + 1) : '');
  const accessKeys = new Map<RawString, AccessKey>();
  for (const key of json.list('keys')) {
    const name = key.raw('access_key');
    accessKeys.set(name, { id: name, secret: key.raw('secret_key'), subuser: subuserOf(key.raw('user', user)) });
  }
  const swiftKeys = new Map<RawString, AccessKey>();
  for (const key of json.list('swift_keys')) {
    const holder = key.raw('user');
    swiftKeys.set(holder, { id: holder, secret: key.raw('secret_key'), subuser: subuserOf(holder) });
  }
  const subusers = new Map<RawString, Subuser>();
  for (const each of json.list('subusers')) {
    const name = subuserOf(each.raw('id')) || each.raw('id');
    subusers.set(name, { name, permissions: maskOf('permissions', each.raw('permissions')) });
  }
  const caps = json.list('caps').map((cap) => [cap.raw('type'), maskOf('caps', cap.raw('perm'))] as const);
  const name = json.raw('default_placement', '');
  return newUserInfo({
    id,
    displayName: json.raw('display_name'),
    email: json.raw('email', ''),
    accessKeys,
    swiftKeys,
    subusers,
    suspended: json.flag('suspended', false),
    maxBuckets: Number(json.integer('max_buckets', 1000n)),
    opMask: maskOf('op_mask', json.raw('op_mask', 'read, write, delete')),
    caps: new Map(caps),
    system: json.flag('system', false),
    admin: json.flag('admin', false),
    defaultPlacement: { name, storageClass: json.raw('default_storage_class', '') },
    placementTags: json.texts('placement_tags'),
    bucketQuota: parseQuota(json, 'bucket_quota'),
    userQuota: parseQuota(json, 'user_quota'),
    tempUrlKeys: new Map(json.list('temp_url_keys').map((key) => [Number(key.integer('key')), key.raw('val')])),
    mfaIds: json.texts('mfa_ids'),
  });
}

/** @throws MalformedInput */
function maskOf(what: 'permissions' | 'caps' | 'op_mask', text: RawString): number {
  const mask = parseMask(what, text);
  if (mask === undefined) throw new MalformedInput(what, 0, 'has a word that is unknown');
  return mask;
}

function parseQuota(json: JsonReader, name: string): Quota {
  const quota = json.has(name) ? json.object(name) : undefined;
  const maxSize = quota?.integer('max_size', -1n) ?? -1n;
  return {
    enabled: quota?.flag('enabled', false) ?? false,
    checkOnRaw: quota?.flag('check_on_raw', false) ?? false,
    maxSize,
    maxObjects: quota?.integer('max_objects', -1n) ?? -1n,
  };
}

function parseBucket(json: JsonReader): Bucket {
  const bucketId = json.raw('bucket_id');
  const pools = json.has('explicit_placement') ? json.object('explicit_placement') : undefined;
  const pool = (name: string) => ({ name: pools?.raw(name, '') ?? '', ns: '' });
  const [data, dataExtra, index] = ['data_pool', 'data_extra_pool', 'index_pool'].map(pool);
  return {
    tenant: json.raw('tenant', ''),
    name: json.raw('name'),
    marker: json.raw('marker'),
    bucketId,
    explicitPlacement: data!.name === '' ? undefined : { data: data!, dataExtra: dataExtra!, index: index! },
  };
}

/** @throws MalformedInput */
export function parseEntryPoint(json: JsonReader): BucketEntryPoint {
  return {
    bucket: parseBucket(json.object('bucket')),
    owner: parseUserId(json.raw('owner')),
    created: json.time('creation_time', { sec: 0, nsec: 0 }),
    linked: json.flag('linked', false),
  };
}

/** What may be changed of an instance that is there. @throws MalformedInput */
export function parseInstanceChange(json: JsonReader, info: BucketInfo): BucketInfo {
  const given = json.object('bucket_info');
  const placement = given.raw('placement_rule', '');
  const keepsVersions = given.flag('swift_versioning', false);
  return {
    ...info,
    owner: parseUserId(given.raw('owner')),
    flags: Number(given.integer('flags', 0n)),
    placement: placement === '' ? info.placement : parsePlacementRule(placement),
    quota: parseQuota(given, 'quota'),
    requesterPays: given.flag('requester_pays', false),
    website: given.flag('has_website', false) ? info.website : undefined,
    swiftVersionsLocation: keepsVersions ? given.raw('swift_ver_location', '') : undefined,
  };
}

/** `KIND:KEY` or `KIND`. */
export function splitKey(text: RawString): { readonly kind: RawString; readonly key: RawString | undefined } {
  const colon = text.indexOf(':');
  return colon < 0 ? { kind: text, key: undefined } : { kind: text.slice(0, colon), key: text.slice(colon + 1) };
}
