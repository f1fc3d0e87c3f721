import { isVersioned } from '../../formats/bucket-info.ts';
import { OpMask } from '../../formats/user-info.ts';
import { NO_CONDITIONS } from '../conditions.ts';
import { type DeleteOutcome, deleteResult, readDelete } from '../documents/delete-objects.ts';
import { S3Error } from '../s3-error.ts';
import { requireBucketAccess, requireOpMask } from './access.ts';
import { findBucket } from './find-bucket.ts';
import { notifyingOfRemoval } from './notifying.ts';
import { lockCheck } from './object-lock.ts';
import { type Operation, xmlResponse } from './operation.ts';
import { readDocument } from './read-document.ts';
import { markerOwner } from './versions.ts';
import { removalCheck } from './write-checks.ts';

/** Removals under way. */
const AT_ONCE = 16;
/** A thousand keys of a thousand bytes, and what is around them. */
const MAX_DOCUMENT_BYTES = 2 << 20;

export const deleteObjects: Operation = {
  name: 'DeleteObjects',
  async run(context) {
    const { user, store } = context;
    const bucket = await findBucket(context);
    requireOpMask(user, OpMask.delete);
    const { quiet, objects } = readDelete(await readDocument(context, MAX_DOCUMENT_BYTES));
    const outcomes: DeleteOutcome[] = new Array(objects.length);
    let next = 0;
    const work = async () => {
      while (next < objects.length) {
        const at = next++;
        const { key, versionId, expected } = objects[at]!;
        try {
          const action = versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion';
          requireBucketAccess(context, bucket, action, key);
          const named = { name: key, instance: versionId ?? '', ns: '' };
          const check = removalCheck(NO_CONDITIONS, expected);
          const unlocked = lockCheck(context, bucket, named.instance, check);
          const removed = await notifyingOfRemoval(context, bucket, named, isVersioned(bucket.info), () =>
            store.objects.remove(bucket.info, named, markerOwner(context), unlocked),
          );
          const deleteMarkerVersionId = removed.isDeleteMarker ? removed.versionId : undefined;
          outcomes[at] = { kind: 'deleted', key, versionId, deleteMarkerVersionId };
        } catch (error) {
          if (!(error instanceof S3Error)) throw error;
          outcomes[at] = { kind: 'failed', key, versionId, code: error.code, message: error.message };
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, objects.length) }, work));
    return xmlResponse(deleteResult(outcomes, quiet));
  },
};
