/** `/admin/bucket` (rgw_rest_bucket.cc). */
import { type RawString, textFromRaw } from '@spirula/encoding';
import { decodeAcl } from '../../formats/acl.ts';
import { formatUserId } from '../../formats/user-id.ts';
import { BucketAttr, type StoredBucket } from '../../store/buckets.ts';
import { checkBucketIndex } from '../../store/index-check.ts';
import { bucketName } from '../../store/layout.ts';
import { decodeStored } from '../../store/meta-object.ts';
import { Attr } from '../../store/object-attrs.ts';
import { aclNode } from '../acl-document.ts';
import { statsNode } from '../bucket-admin.ts';
import { list, type Node } from '../document.ts';
import { changedByBody, quotaChangeOf } from './quota-args.ts';
import { RestError } from './rest-error.ts';
import {
  answer,
  bucketArg,
  flagArg,
  jsonBody,
  type RestContext,
  type RestRoute,
  rawArg,
  requireBucketArg,
  userArg,
} from './rest-request.ts';

const READ = ['buckets', 'read'] as const;
const WRITE = ['buckets', 'write'] as const;

const info: RestRoute = {
  cap: READ,
  async run(context) {
    const { buckets } = context.admin;
    const isWithStats = flagArg(context, 'stats', false);
    const bucket = bucketArg(context);
    if (bucket) return answer('stats', (await buckets.stats(...bucket)) as Node);
    const user = userArg(context);
    const names = await buckets.list(user);
    if (!isWithStats) return answer('buckets', list('bucket', names));
    const stats: Node[] = [];
    for (const name of names) {
      const slash = name.indexOf('/');
      const tenant = slash < 0 ? (user?.tenant ?? '') : name.slice(0, slash);
      const found = await buckets.statsIfThere(tenant, name.slice(slash + 1));
      if (found) stats.push(found as Node);
    }
    return answer('buckets', list('stats', stats));
  },
};

const policy: RestRoute = {
  cap: READ,
  async run(context) {
    const bucket = await find(context);
    const name = rawArg(context, 'object') ?? '';
    if (name === '')
      return answer('policy', aclNode(storedAcl(bucketName(bucket.info.bucket), bucket.attrs.get(BucketAttr.acl))));
    const found = await context.admin.store.objects.find(bucket.info, { name, instance: '', ns: '' });
    if (!found) throw new RestError('NoSuchKey', 'There is no such object');
    return answer('policy', aclNode(storedAcl(name, found.head.attrs.get(Attr.acl))));
  },
};

const checkIndex: RestRoute = {
  cap: WRITE,
  async run(context) {
    const fix = flagArg(context, 'fix', false);
    if (flagArg(context, 'check-objects', false) && !fix) {
      throw new RestError('InvalidArgument', 'check-objects needs fix');
    }
    const { invalidParts, existing, calculated } = await checkBucketIndex(
      context.admin.store,
      await find(context),
      fix,
    );
    return answer('bucket_check', {
      invalid_multipart_entries: list('object', invalidParts.map(textFromRaw)),
      check_result: {
        existing_header: { usage: statsNode(existing) },
        calculated_header: { usage: statsNode(calculated) },
      },
    });
  },
};

const link: RestRoute = {
  cap: WRITE,
  async run(context) {
    const bucket = requireBucketArg(context);
    await find(context);
    await context.admin.buckets.link(...bucket, await knownUser(context));
    return undefined;
  },
};

const unlink: RestRoute = {
  cap: WRITE,
  async run(context) {
    const bucket = requireBucketArg(context);
    const user = userArg(context);
    if (!user) throw new RestError('InvalidArgument', 'uid is missing');
    await context.admin.buckets.unlink(...bucket, user);
    return undefined;
  },
};

const setQuota: RestRoute = {
  cap: WRITE,
  async run(context) {
    if (!context.params.has('uid')) throw new RestError('InvalidArgument', 'uid is missing');
    const bucket = requireBucketArg(context);
    const body = await jsonBody(context);
    const given = body && changedByBody(body);
    await context.admin.buckets.replaceQuota(...bucket, (quota) => given ?? quotaChangeOf(context, quota));
    return undefined;
  },
};

const remove: RestRoute = {
  cap: WRITE,
  async run(context) {
    const bucket = requireBucketArg(context);
    await find(context, 'NoSuchBucket');
    await context.admin.buckets.remove(...bucket, flagArg(context, 'purge-objects', false));
    return undefined;
  },
};

const removeObject: RestRoute = {
  cap: WRITE,
  async run(context) {
    const { store } = context.admin;
    const { info: bucket } = await find(context);
    const key = { name: rawArg(context, 'object') ?? '', instance: '', ns: '' };
    if (!(await store.objects.find(bucket, key))) throw new RestError('NoSuchKey', 'There is no such object');
    await store.objects.remove(bucket, key, { id: formatUserId(bucket.owner), displayName: '' });
    return undefined;
  },
};

/** By method, then by what the query names first of these; '' none. */
export const bucketRoutes = {
  GET: { '': info, policy, index: checkIndex },
  PUT: { '': link, quota: setQuota },
  POST: { '': unlink },
  DELETE: { '': remove, object: removeObject },
} as const;

/** @throws RestError InvalidArgument when none is named */
async function find(context: RestContext, missing: 'NoSuchKey' | 'NoSuchBucket' = 'NoSuchKey'): Promise<StoredBucket> {
  const bucket = await context.admin.store.buckets.load(...requireBucketArg(context));
  if (!bucket) throw new RestError(missing, 'There is no such bucket');
  return bucket;
}

async function knownUser(context: RestContext) {
  const id = userArg(context);
  if (!id) throw new RestError('InvalidArgument', 'uid is missing');
  if (!(await context.admin.store.users.load(id))) throw new RestError('NoSuchKey', 'There is no such user');
  return id;
}

function storedAcl(of: RawString, value: Uint8Array | undefined) {
  if (!value) throw new RestError('NoSuchKey', `${textFromRaw(of)} has no ACL`);
  return decodeStored(of, value, decodeAcl);
}
