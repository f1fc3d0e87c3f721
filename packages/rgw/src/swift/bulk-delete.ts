/** `?bulk-delete`: one name a line, percent-encoded: objects, and containers that are empty then. */
import type { RawString } from '@spirula/encoding';
import type { HttpResponse } from '../http.ts';
import { BodyReader } from '../s3/auth/body-reader.ts';
import { percentDecode } from '../s3/percent-encoding.ts';
import { requireContainerAccess } from './access.ts';
import { type BulkFailure, bulkResponse, MAX_FAILURES } from './bulk.ts';
import { explain } from './explain.ts';
import { readFormat } from './listing.ts';
import { removeObject } from './remove-object.ts';
import { findContainer, type SwiftContext } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';

const MAX_LINE = 2048;

export interface BulkName {
  readonly container: RawString;
  /** '' for the container itself. */
  readonly object: RawString;
}

/** Names are taken as they come, however many there are. */
export async function bulkDelete(context: SwiftContext): Promise<HttpResponse> {
  const reader = new BodyReader(context.request.http.body);
  try {
    return bulkResponse(readFormat(context.request), await deleteAll(context, namesOf(reader)));
  } finally {
    await reader.close();
  }
}

export async function deleteAll(context: SwiftContext, names: AsyncIterable<BulkName> | Iterable<BulkName>) {
  let [deleted, missing] = [0, 0];
  const failures: BulkFailure[] = [];
  for await (const name of names) {
    try {
      await deleteOne(context, name);
      deleted += 1;
    } catch (error) {
      const { status } = explain(undefined, error, '');
      if (status === 404) missing += 1;
      else failures.push({ name: `${name.container}/${name.object}`, status });
      if (failures.length === MAX_FAILURES) break;
    }
  }
  return deleteResult(deleted, missing, failures);
}

export function deleteResult(deleted: number, missing: number, failures: readonly BulkFailure[]) {
  const isNothing = deleted === 0 && missing === 0 && failures.length === 0;
  const worst = failures.findLast(({ status }) => status !== 403)?.status ?? 400;
  return {
    counts: [
      ['Number Deleted', deleted],
      ['Number Not Found', missing],
    ] as const,
    failures,
    status: failures.length > 0 ? worst : isNothing ? 400 : 200,
    problem: isNothing ? 'Invalid bulk delete.' : '',
  };
}

async function deleteOne(context: SwiftContext, { container, object }: BulkName): Promise<void> {
  const { store } = context;
  const bucket = await findContainer(context, container);
  if (object === '') {
    await requireContainerAccess(context, bucket, 's3:DeleteBucket');
    await store.removeBucket(bucket);
    return;
  }
  await requireContainerAccess(context, bucket, 's3:DeleteObject', object);
  const key = { name: object, instance: '', ns: '' };
  if (!(await store.objects.find(bucket.info, key))) throw new SwiftError('NotFound', 'There is no such object');
  await removeObject(context, bucket, object);
}

/** @throws SwiftError BadRequest, S3Error */
async function* namesOf(reader: BodyReader): AsyncGenerator<BulkName> {
  for (let line = await reader.lastLine(MAX_LINE); line !== undefined; line = await reader.lastLine(MAX_LINE)) {
    const path = line.trim().replace(/^\/+/, '');
    if (path === '') continue;
    const slash = path.indexOf('/');
    const [container, object] = slash < 0 ? [path, ''] : [path.slice(0, slash), path.slice(slash + 1)];
    yield { container: percentDecode(container), object: percentDecode(object) };
  }
}
