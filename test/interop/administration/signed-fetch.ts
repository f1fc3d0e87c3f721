import { createHash, createHmac } from 'node:crypto';

export interface Key {
  readonly accessKey: string;
  readonly secret: string;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const REGION = 'us-east-1';
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
/** radosgw signs no bodies of these requests. */
const UNSIGNED = 'UNSIGNED-PAYLOAD';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/** Sends a request signed as Amazon's fourth version has it; without a key, unsigned. `target`: names and values are not encoded yet. */
export async function signedFetch(
  endpoint: string,
  key: Key | undefined,
  method: string,
  target: string,
  body = '',
): Promise<Answer> {
  const [path = '/', query = ''] = target.split('?');
  const canonicalQuery = query
    .split('&')
    .filter((each) => each !== '')
    .map((each) => {
      const at = each.indexOf('=');
      const [name, value] = at < 0 ? [each, ''] : [each.slice(0, at), each.slice(at + 1)];
      return [encode(decodeURIComponent(name)), encode(decodeURIComponent(value))] as const;
    })
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const url = `${endpoint}${path}${canonicalQuery === '' ? '' : `?${canonicalQuery}`}`;
  const headers: Record<string, string> = {};
  if (key) {
    const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
    const host = new URL(endpoint).host;
    const scope = `${date.slice(0, 8)}/${REGION}/s3/aws4_request`;
    const signed = 'host;x-amz-content-sha256;x-amz-date';
    const canonical = [
      method,
      path,
      canonicalQuery,
      `host:${host}\nx-amz-content-sha256:${UNSIGNED}\nx-amz-date:${date}\n`,
      signed,
      UNSIGNED,
    ].join('\n');
    const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
    const signingKey = scope
      .split('/')
      .reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${key.secret}`);
    const signature = hmac(signingKey, toSign).toString('hex');
    headers['x-amz-date'] = date;
    headers['x-amz-content-sha256'] = UNSIGNED;
    headers['authorization'] =
      `AWS4-HMAC-SHA256 Credential=${key.accessKey}/${scope},SignedHeaders=${signed},Signature=${signature}`;
  }
  const response = await fetch(url, { method, headers, ...(body !== '' && { body }) });
  return { status: response.status, type: response.headers.get('content-type') ?? '', text: await response.text() };
}
