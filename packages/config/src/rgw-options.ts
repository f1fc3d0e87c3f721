import { bool, int, str, uint } from './option.ts';

/** What object gateways read. */
export const RGW_OPTIONS = {
  rgw_dns_name: str('', 'the name of object gateways: hosts below it are buckets', { services: ['rgw'] }),
  rgw_dns_s3website_name: str('', 'the name of web sites: hosts below it are buckets, and show pages', {
    services: ['rgw'],
    seeAlso: ['rgw_enable_static_website'],
  }),
  rgw_enable_static_website: bool(false, 'whether buckets can be made web sites (`?website`)', {
    services: ['rgw'],
    seeAlso: ['rgw_dns_s3website_name', 'rgw_enable_apis'],
  }),
  rgw_enable_apis: str(
    's3, s3website, swift, swift_auth, admin, sts, iam, notifications',
    'what gateways serve: without `s3website` no pages of web sites; with it before `s3`, nothing but these',
    { services: ['rgw'] },
  ),
  rgw_gc_processor_period: int(3600, 'time between looks for garbage that is due, in seconds', { services: ['rgw'] }),
  rgw_gc_obj_min_wait: int(7200, "how long an object's old data stay for who has begun to read them, in seconds", {
    services: ['rgw'],
  }),
  rgw_crypt_require_ssl: bool(true, 'whether requests with keys, or about encrypted objects, must come over TLS', {
    services: ['rgw'],
  }),
  rgw_crypt_default_encryption_key: str('', 'a key of 256 bits, in base64, for all that is not encrypted otherwise', {
    level: 'dev',
    services: ['rgw'],
  }),
  rgw_crypt_s3_kms_backend: str('barbican', 'where the keys of SSE-KMS are; only `testing` is there', {
    values: ['barbican', 'vault', 'testing', 'kmip'],
    services: ['rgw'],
  }),
  rgw_crypt_s3_kms_encryption_keys: str('', 'keys for tests of SSE-KMS: `id=key` with spaces between, keys in base64', {
    level: 'dev',
    services: ['rgw'],
  }),
  rgw_objexp_gc_interval: int(600, 'time between looks for objects that are to be removed, in seconds', {
    services: ['rgw'],
  }),
  rgw_objexp_hints_num_shards: int(127, 'in how many objects it is noted which others are to be removed', {
    min: 1,
    services: ['rgw'],
  }),
  rgw_swift_versioning_enabled: bool(false, 'whether containers of Swift may keep what is overwritten in them', {
    services: ['rgw'],
  }),
  rgw_swift_account_in_url: bool(false, 'whether URLs of Swift name an account: `/swift/v1/AUTH_user/container`', {
    services: ['rgw'],
  }),
  rgw_s3_auth_use_sts: bool(false, 'whether tokens of sessions (STS) are heeded', { services: ['rgw'] }),
  rgw_s3_auth_use_keystone: bool(false, 'whether access keys are good that Keystone has (EC2 credentials)', {
    services: ['rgw'],
  }),
  rgw_s3_auth_order: str('sts, external, local', 'who is asked first whose an access key is: Keystone is external', {
    services: ['rgw'],
  }),
  rgw_sts_key: str('sts', 'what tokens of sessions are encrypted with: 16 characters', { services: ['rgw'] }),
  rgw_sts_max_session_duration: uint(43_200, 'longest session of a user (GetSessionToken), in seconds', {
    services: ['rgw'],
  }),
  rgw_sts_min_session_duration: uint(900, 'shortest session in a role (AssumeRole), in seconds', { services: ['rgw'] }),
  rgw_enable_usage_log: bool(false, 'whether requests are counted, by user, bucket and what they do', {
    services: ['rgw'],
  }),
  rgw_usage_log_flush_threshold: int(1024, 'how many counts are kept before they are written to the usage log', {
    services: ['rgw'],
  }),
  rgw_usage_log_tick_interval: int(30, 'time between writes of the usage log, in seconds', { services: ['rgw'] }),
  rgw_enable_ops_log: bool(false, 'whether requests to buckets are logged, each with who, what and how long', {
    services: ['rgw'],
    seeAlso: ['rgw_ops_log_rados', 'rgw_log_object_name', 'rgw_log_nonexistent_bucket'],
  }),
  rgw_ops_log_rados: bool(true, 'whether the ops log is kept in RADOS', {
    services: ['rgw'],
    seeAlso: ['rgw_enable_ops_log'],
  }),
  rgw_log_object_name: str('%Y-%m-%d-%H-%i-%n', 'names of the objects of the ops log; %i: bucket id, %n: bucket', {
    services: ['rgw'],
    seeAlso: ['rgw_enable_ops_log'],
  }),
  rgw_log_nonexistent_bucket: bool(false, 'whether requests to buckets that are not there are logged', {
    services: ['rgw'],
    seeAlso: ['rgw_enable_ops_log'],
  }),
  rgw_keystone_url: str(
    '',
    'where Keystone is, such as `http://keystone:5000`; empty: nobody is asked whose a token is',
    {
      services: ['rgw'],
    },
  ),
  rgw_keystone_api_version: int(2, 'version of its API; only 3 is there', { services: ['rgw'] }),
  rgw_keystone_admin_user: str('', 'as whom the gateway asks Keystone', { services: ['rgw'] }),
  rgw_keystone_admin_password: str('', 'the password of rgw_keystone_admin_user', { services: ['rgw'] }),
  rgw_keystone_admin_domain: str('', 'the domain of rgw_keystone_admin_user', { services: ['rgw'] }),
  rgw_keystone_admin_project: str('', 'the project for which the gateway asks', { services: ['rgw'] }),
  rgw_keystone_accepted_roles: str('Member, admin', 'who has none of these roles is not let in', { services: ['rgw'] }),
  rgw_keystone_accepted_admin_roles: str('', 'who has one of these roles may do everything', { services: ['rgw'] }),
  rgw_keystone_token_cache_size: int(10_000, 'how many tokens are remembered until they end', {
    min: 0,
    services: ['rgw'],
  }),
  rgw_keystone_implicit_tenants: str('false', 'whether a user that is made for a project has a tenant of its own', {
    values: ['false', 'true', 'swift', 's3', 'both', '0', '1', 'none'],
    services: ['rgw'],
  }),
  rgw_keystone_verify_ssl: bool(true, "whether Keystone's certificate must be one that the host trusts", {
    services: ['rgw'],
  }),
  rgw_lc_debug_interval: int(-1, 'so many seconds are a day to lifecycle rules; -1: a day is one', {
    level: 'dev',
    services: ['rgw'],
  }),
  rgw_dynamic_resharding: bool(true, 'whether indexes of buckets get more shards as objects get more', {
    level: 'basic',
    services: ['rgw'],
    seeAlso: ['rgw_max_objs_per_shard', 'rgw_max_dynamic_shards'],
  }),
  rgw_max_objs_per_shard: uint(100_000, 'objects of a shard, above which an index gets more shards', {
    level: 'basic',
    services: ['rgw'],
    seeAlso: ['rgw_dynamic_resharding', 'rgw_max_dynamic_shards'],
  }),
  rgw_max_dynamic_shards: uint(1999, 'shards of an index, above which it gets no more by itself', {
    min: 1,
    services: ['rgw'],
    seeAlso: ['rgw_dynamic_resharding', 'rgw_max_objs_per_shard'],
  }),
  rgw_reshard_thread_interval: uint(600, 'time between rounds of resharding what waits for it, in seconds', {
    min: 10,
    services: ['rgw'],
  }),
  rgw_reshard_num_logs: uint(16, 'objects that hold the list of what waits to be resharded', {
    min: 1,
    services: ['rgw', 'rgw-admin'],
  }),
  rgw_reshard_bucket_lock_duration: uint(
    360,
    'how long a lock for a resharding lasts that is not renewed, in seconds',
    {
      min: 30,
      services: ['rgw', 'rgw-admin'],
    },
  ),
  rgw_reshard_batch_size: uint(64, 'entries that a resharding writes at once', {
    min: 8,
    services: ['rgw', 'rgw-admin'],
  }),
  rgw_reshard_max_aio: uint(128, 'writes of a resharding that are under way at once', {
    min: 16,
    services: ['rgw', 'rgw-admin'],
  }),
  rgw_user_quota_bucket_sync_interval: int(
    180,
    'time between counts of what buckets hold that are written to, in seconds',
    {
      services: ['rgw'],
    },
  ),
};
