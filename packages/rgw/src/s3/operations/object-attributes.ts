import { etagOf, storageClassOf } from '../../store/head.ts';
import { objectAttributesResponse, readObjectAttributes } from '../documents/object-attributes.ts';
import { formatHttpDate } from '../http-date.ts';
import { requireObjectAccess } from './access.ts';
import { decryptionOf } from './encryption.ts';
import { findBucket } from './find-bucket.ts';
import { partsOf } from './object-parts.ts';
import { isVersion, keyOf, type Operation, xmlResponse } from './operation.ts';
import { storedChecksum } from './stored-checksums.ts';
import { missingVersion, versionHeaders } from './versions.ts';

export const getObjectAttributes: Operation = {
  name: 'GetObjectAttributes',
  async run(context) {
    const { request, store } = context;
    const bucket = await findBucket(context);
    const look = await store.objects.look(bucket.info, keyOf(context));
    const { found } = look;
    if (!found) throw missingVersion(context, bucket, look);
    const { head } = found;
    requireObjectAccess(context, bucket, head, isVersion(context) ? 's3:GetObjectVersion' : 's3:GetObject');
    requireObjectAccess(context, bucket, head, 's3:GetObjectAttributes');
    // Who has no key of an object learns as little of it as by HeadObject.
    await decryptionOf(context, head.attrs);
    const document = objectAttributesResponse(readObjectAttributes(request.http.headers), {
      etag: etagOf(head),
      checksum: storedChecksum(head.attrs),
      parts: partsOf(head),
      storageClass: storageClassOf(head),
      size: head.size,
    });
    return xmlResponse(document, [['Last-Modified', formatHttpDate(head.mtime)], ...versionHeaders(found.versionId)]);
  },
};
