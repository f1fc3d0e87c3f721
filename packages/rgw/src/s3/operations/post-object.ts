/** An object from a form that a browser posts (RGWPostObj). Who posts it, and what for: `auth/post-form.ts`. */
import { bytesFromRaw, type RawString } from '@spirula/encoding';
import { invariant } from '@spirula/world';
import { EventType } from '../../notifications/event-type.ts';
import type { Authenticated } from '../auth/authenticate.ts';
import { type PostForm, postAnswer } from '../auth/post-form.ts';
import { MAX_OBJECT_TAGS, readTagging } from '../documents/tagging.ts';
import { urlEncode } from '../percent-encoding.ts';
import type { S3Request } from '../s3-request.ts';
import { storeObject } from './objects.ts';
import { headerOf, type Operation } from './operation.ts';
import { counted } from './upload-body.ts';
import { versionHeaders } from './versions.ts';

export const postObject: Operation = {
  name: 'PostObject',
  async run(context) {
    const { form, request } = context;
    invariant(form !== undefined, 'a posted form is read before it is stored');
    const { etag, versionId } = await storeObject(context, EventType.createdPost, () => counted(form.file));
    const base = `http${request.http.secure ? 's' : ''}://${headerOf(context, 'host') ?? ''}`;
    const answer = postAnswer(form.fields, { bucket: request.bucket, key: request.key, etag, base });
    return { ...answer, headers: [...answer.headers, ...versionHeaders(versionId)] };
  },
};

/** Headers of the form's own request that say nothing of the object: no field stands for them. */
const ofTheRequest = ['host', 'origin', 'referer', 'transfer-encoding', 'user-agent'];

/** The same upload as a PUT would have it: the form's fields are its headers. */
export function requestOfForm(request: S3Request, form: PostForm): { request: S3Request; auth: Authenticated } {
  const headers = new Map<string, string>();
  for (const [field, value] of form.fields) headers.set(...headerOfField(field, value));
  for (const name of ofTheRequest) {
    const value = request.http.headers.get(name);
    if (value === undefined) headers.delete(name);
    else headers.set(name, value);
  }
  const { accessKey, key, file } = form;
  return {
    request: { ...request, key, http: { ...request.http, headers } },
    auth: { accessKey, body: file, decodedLength: undefined, trailers: () => new Map() },
  };
}

/** Most fields are named as headers are. @throws S3Error MalformedXML, InvalidTag */
function headerOfField(field: string, value: RawString): [name: string, value: RawString] {
  if (field === 'acl') return ['x-amz-acl', value];
  if (field !== 'tagging') return [field, value];
  const tags = [...readTagging(bytesFromRaw(value), MAX_OBJECT_TAGS)];
  return ['x-amz-tagging', tags.map((tag) => tag.map((text) => urlEncode(text, false)).join('=')).join('&')];
}
