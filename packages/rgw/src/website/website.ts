/**
 * The pages of buckets that are web sites (RGWHandler_REST_S3Website). Whoever asks here is nobody in particular, and only reads:
 * what is public.
 *
 *   GET host/key --> redirect all? a rule without an error? --> the object; of a folder, its index document
 *                          `-- an error: a rule with its status? the error document? --> a page that says what is wrong
 */
import { bytesFromRaw, EMPTY, type RawString } from '@spirula/encoding';
import type { Website } from '../formats/website.ts';
import type { HttpRequest, HttpResponse } from '../http.ts';
import { findNamedBucket } from '../s3/operations/find-bucket.ts';
import { getObject, headObject } from '../s3/operations/objects.ts';
import type { OperationContext } from '../s3/operations/operation.ts';
import { S3Error } from '../s3/s3-error.ts';
import { s3Error } from '../s3/s3-errors.ts';
import { parseS3Request } from '../s3/s3-request.ts';
import type { StoredBucket } from '../store/buckets.ts';
import type { Store } from '../store/store.ts';
import { errorPage } from './error-page.ts';
import { type AskedAt, pageOf, type RedirectTo, redirectOf } from './routing.ts';

const REDIRECT_HEADER = 'x-amz-website-redirect-location';
/** Of a request for a page; an error document is told whole. */
const OF_PARTS: ReadonlySet<string> = new Set([
  'range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
]);

export interface WebsiteRequest {
  readonly http: HttpRequest;
  /** Names of the gateway below which buckets have their hosts. */
  readonly dnsNames: readonly string[];
  readonly store: Store;
  readonly requestId: string;
  readonly hostId: string;
  /** What an error is, for those who ask. */
  readonly explain: (error: unknown) => S3Error;
  /** For who reads objects: nobody in particular. */
  readonly context: Omit<OperationContext, 'request'>;
}

/** Never rejects: what goes wrong is a page. */
export async function serveWebsite(request: WebsiteRequest): Promise<HttpResponse> {
  const { http, requestId, hostId } = request;
  const site = new Site(request);
  try {
    return await site.serve();
  } catch (error) {
    const explained = request.explain(error);
    const page = errorPage(explained, { bucket: site.bucketName, requestId, hostId });
    const headers = [
      ['Content-Type', 'text/html'],
      ['Content-Length', String(page.length)],
      ...explained.headers,
    ] as const;
    return { status: explained.status, headers, body: http.method === 'HEAD' ? EMPTY : page };
  }
}

/** One request for one page. */
class Site {
  readonly #request: WebsiteRequest;
  /** As far as it is known. */
  bucketName: RawString | undefined;

  constructor(request: WebsiteRequest) {
    this.#request = request;
  }

  async serve(): Promise<HttpResponse> {
    const { http, dnsNames, store, explain } = this.#request;
    if (http.method !== 'GET' && http.method !== 'HEAD') throw s3Error('MethodNotAllowed');
    const { bucket: name, key } = parseS3Request(http, { dnsNames });
    if (name === '') throw s3Error('NoSuchBucket');
    this.bucketName = name;
    const bucket = await findNamedBucket(store, '', name);
    const { website } = bucket.info;
    if (!website) throw s3Error('NoSuchWebsiteConfiguration');
    try {
      return await this.#page(bucket, website, key);
    } catch (error) {
      const explained = explain(error);
      const to = redirectOf(website, key, key, explained.status, this.#askedAt);
      if (to) return redirection(to);
      const document = await this.#errorDocument(website, explained);
      if (document) return document;
      throw explained;
    }
  }

  async #page(bucket: StoredBucket, website: Website, asked: RawString): Promise<HttpResponse> {
    const isFolder = asked === '' || asked.endsWith('/');
    const find = () => this.#request.store.objects.find(bucket.info, { name: asked, instance: '', ns: '' });
    const key = pageOf(website, asked, !isFolder && (await find()) !== undefined);
    const to = redirectOf(website, key, asked, 0, this.#askedAt);
    return to ? redirection(to) : await this.#read(key, this.#request.http);
  }

  /** Undefined: there is none that anybody may read. */
  async #errorDocument({ errorDocument }: Website, { status }: S3Error): Promise<HttpResponse | undefined> {
    if (errorDocument === '') return undefined;
    const { http } = this.#request;
    const headers = new Map([...http.headers].filter(([name]) => !OF_PARTS.has(name)));
    try {
      return { ...(await this.#read(errorDocument, { ...http, headers })), status };
    } catch (error) {
      if (error instanceof S3Error) return undefined;
      throw error;
    }
  }

  async #read(key: RawString, http: HttpRequest): Promise<HttpResponse> {
    const operation = http.method === 'HEAD' ? headObject : getObject;
    const request = {
      http,
      bucket: this.bucketName ?? '',
      key,
      params: new Map<RawString, RawString>(),
      subresources: new Set<string>(),
      rawPath: '',
      rawQuery: '',
      bucketPath: '',
    };
    const response = await operation.run({ ...this.#request.context, request });
    const location = response.headers.find(([name]) => name === REDIRECT_HEADER)?.[1];
    return location === undefined ? response : redirection({ status: 301, location });
  }

  get #askedAt(): AskedAt {
    const { headers, secure } = this.#request.http;
    return { protocol: secure ? 'https' : 'http', host: headers.get('host') ?? '' };
  }
}

function redirection({ status, location }: RedirectTo): HttpResponse {
  const headers = [
    ['Location', location],
    ['Content-Length', '0'],
  ] as const;
  return { status, headers, body: bytesFromRaw('') };
}
