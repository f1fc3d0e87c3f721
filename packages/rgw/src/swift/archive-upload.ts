/**
 * `?extract-archive=tar`: files of an archive become objects, folders at its top become containers (RGWBulkUploadOp, rgw_op.cc).
 *
 *   PUT /                 a/b  -->  container a, object b
 *   PUT /container        a/b  -->  object a/b
 *   PUT /container/pre    a/b  -->  object pre/a/b
 */
import type { RawString } from '@spirula/encoding';
import { type Bytes, rawFromText } from '@spirula/encoding';
import { type ArchiveEntry, type ArchiveFormat, MalformedArchive } from '../archives.ts';
import { privateAcl } from '../formats/acl.ts';
import type { HttpResponse } from '../http.ts';
import { requireAccountAccess, requireContainerAccess, requireUserAccess } from './access.ts';
import { type BulkFailure, bulkResponse, MAX_FAILURES } from './bulk.ts';
import { requireContainerName } from './container.ts';
import { explain } from './explain.ts';
import { readFormat } from './listing.ts';
import { bounded, writeObject } from './object.ts';
import { findContainer, type SwiftContext } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';
import { MAX_NAME_BYTES } from './swift-request.ts';

/** Whoever may not do one thing of an archive may do none: the rest is not tried. */
const TERMINAL: ReadonlySet<number> = new Set([401, 403]);

/** @throws SwiftError Unauthorized, BadRequest, NotImplemented, LengthRequired */
export async function extractArchive(context: SwiftContext): Promise<HttpResponse> {
  const { request, archives } = context;
  await requireAccountAccess(context, 'write');
  const format = formatOf(request.params.get('extract-archive') ?? '');
  if (!archives) throw new SwiftError('NotImplemented', 'This gateway expands no archives');
  const { headers } = request.http;
  if (!headers.has('content-length') && !/chunked/i.test(headers.get('transfer-encoding') ?? '')) {
    throw new SwiftError('LengthRequired', 'Give Content-Length');
  }
  let created = 0;
  const failures: BulkFailure[] = [];
  const fail = (name: RawString, error: unknown) => {
    failures.push({ name, status: explain(undefined, error, '').status });
  };
  let problem = '';
  try {
    for await (const entry of archives.expand(format, bounded(request.http.body))) {
      const path = rawFromText(entry.path);
      try {
        if (await storeEntry(context, path, entry)) created += 1;
      } catch (error) {
        fail(path, error);
      }
      if (failures.length === MAX_FAILURES || TERMINAL.has(failures.at(-1)?.status ?? 0)) break;
    }
  } catch (error) {
    if (!(error instanceof MalformedArchive)) throw error;
    problem = `Invalid Tar File: ${error.message}`;
  }
  const isNothing = created === 0 && failures.length === 0;
  if (isNothing && problem === '') problem = 'Invalid Tar File: No Valid Files';
  const last = failures.at(-1)?.status;
  const status = last === undefined ? (problem === '' ? 201 : 400) : TERMINAL.has(last) ? last : 400;
  return bulkResponse(readFormat(request), { counts: [['Number Files Created', created]], failures, status, problem });
}

function formatOf(text: string): ArchiveFormat {
  if (text === 'tar' || text === 'tar.gz') return text;
  if (text === 'tar.bz2')
    throw new SwiftError('NotImplemented', 'Archives are expanded from tar and tar.gz, not tar.bz2');
  throw new SwiftError('BadRequest', 'extract-archive is tar or tar.gz');
}

/** Whether an object came of it. */
async function storeEntry(context: SwiftContext, path: RawString, { kind, data }: ArchiveEntry): Promise<boolean> {
  const { container, object } = context.request;
  if (kind === 'other') return false;
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  // Names are names here, and `..` is one; but whoever takes the archive apart again would be led elsewhere.
  if (segments.includes('..') || path.includes('\0') || path.includes('\xef\xbf\xbd')) {
    throw new SwiftError('BadRequest', 'A path of an archive leads down only, and is text');
  }
  const [first = '', ...rest] = segments;
  const target = container === '' ? first : container;
  if (target === '') return false;
  if (kind === 'directory') {
    await ensureContainer(context, target);
    return false;
  }
  const prefix = object === '' || object.endsWith('/') ? object : `${object}/`;
  const name = container === '' ? rest.join('/') : prefix + segments.join('/');
  if (name === '') throw new SwiftError('BadRequest', 'A file at the top of an archive has no container');
  if (name.length > MAX_NAME_BYTES) throw new SwiftError('BadRequest', 'A name is too long');
  const bucket = container === '' ? await ensureContainer(context, target) : await findContainer(context, target);
  await requireContainerAccess(context, bucket, 's3:PutObject', name);
  await writeObject(context, bucket, name, bounded(data as AsyncIterable<Bytes>), new Map());
  return true;
}

async function ensureContainer(context: SwiftContext, name: RawString) {
  const { store, account } = context;
  requireContainerName(name);
  const found = await store.buckets.load(account!.id.tenant, name);
  if (found) return found;
  const owner = await requireUserAccess(context, 's3:CreateBucket', name);
  return await store.createBucket(owner, name, privateAcl(owner.id, owner.displayName));
}
