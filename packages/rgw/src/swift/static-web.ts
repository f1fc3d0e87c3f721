/**
 * Containers as web sites (RGWSwiftWebsiteHandler, rgw_rest_swift.cc): for those who give no token, and for those who ask for it by
 * `X-Web-Mode: true`.
 *
 *   GET /c         301 to /c/          GET /c/dir     301 to /c/dir/, when `dir` is an empty object of the directories' type
 *   GET /c/        the index document, else a list as HTML, else what it is without a site
 *   GET /c/dir/    the index document in it, else a list
 *   what is refused: the object `404error.html`, where `X-Container-Meta-Web-Error` is `error.html`
 */
import { bytesFromRaw, EMPTY, type RawString } from '@spirula/encoding';
import type { Website } from '../formats/website.ts';
import type { HttpResponse } from '../http.ts';
import { formatHttpDate } from '../s3/http-date.ts';
import { percentDecode, urlEncode } from '../s3/percent-encoding.ts';
import type { StoredBucket } from '../store/buckets.ts';
import { listObjects } from '../store/listing.ts';
import { Attr, attrText } from '../store/object-attrs.ts';
import { requireContainerAccess } from './access.ts';
import { containerHeaders } from './container.ts';
import { explain } from './explain.ts';
import { MAX_LIMIT } from './listing.ts';
import { readObject } from './object.ts';
import { findContainer, type SwiftContext } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';
import { NO_WEBSITE } from './web-headers.ts';

const DIRECTORY_TYPE = 'application/directory';

/**
 * @param serve how requests are answered that are not about a site
 */
export async function serveSite(
  context: SwiftContext,
  serve: (context: SwiftContext) => Promise<HttpResponse>,
): Promise<HttpResponse> {
  if (!isForSite(context)) return await serve(context);
  const bucket = await findContainer(context);
  const website = bucket.info.website ?? NO_WEBSITE;
  try {
    return (await pageOf(context, bucket, website)) ?? (await serve(context));
  } catch (error) {
    const page = await errorPage(context, bucket, website, explain(undefined, error, '').status);
    if (page) return page;
    throw error;
  }
}

function isForSite({ user, request }: SwiftContext): boolean {
  const { method } = request.http;
  if ((method !== 'GET' && method !== 'HEAD') || (request.kind !== 'container' && request.kind !== 'object'))
    return false;
  return user === undefined || isWebMode(request);
}

function isWebMode({ http }: SwiftContext['request']): boolean {
  return /^true$/i.test(http.headers.get('x-web-mode') ?? '');
}

async function pageOf(
  context: SwiftContext,
  bucket: StoredBucket,
  website: Website,
): Promise<HttpResponse | undefined> {
  const { rawPath, kind, object } = context.request;
  if (kind === 'object' && !(await isDirectory(context, bucket, website))) return undefined;
  const path = percentDecode(rawPath);
  if (!path.endsWith('/')) return { status: 301, headers: [['Location', `${rawPath}/`]], body: EMPTY };
  const { indexDocument, listingEnabled } = website;
  // 16.2.15 looks for the index of the container, whichever directory is asked for.
  if (indexDocument !== '' && (await find(context, bucket, indexDocument))) {
    return await readAs(context, bucket, object + indexDocument);
  }
  if (listingEnabled) return await htmlList(context, bucket, website, path);
  if (kind === 'object' || isWebMode(context.request)) throw new SwiftError('NotFound', 'There is no such page');
  return undefined;
}

/** What stands for a directory: an object of a byte at most, of the type that says so. */
async function isDirectory(context: SwiftContext, bucket: StoredBucket, { subdirMarker }: Website): Promise<boolean> {
  const found = await find(context, bucket, context.request.object.replace(/\/$/, ''));
  const type = found?.head.attrs.get(Attr.contentType);
  return type !== undefined && found!.head.size <= 1 && attrText(type) === (subdirMarker || DIRECTORY_TYPE);
}

async function find({ store }: SwiftContext, bucket: StoredBucket, name: RawString) {
  return name === '' ? undefined : await store.objects.find(bucket.info, { name, instance: '', ns: '' });
}

async function readAs(context: SwiftContext, bucket: StoredBucket, object: RawString): Promise<HttpResponse> {
  const request = { ...context.request, kind: 'object' as const, object };
  return await readObject({ ...context, request }, bucket, request.http.method === 'GET');
}

/** Undefined: there is none that may be read. */
async function errorPage(
  context: SwiftContext,
  bucket: StoredBucket,
  { errorDocument }: Website,
  status: number,
): Promise<HttpResponse | undefined> {
  if (errorDocument === '') return undefined;
  try {
    return { ...(await readAs(context, bucket, `${status}${errorDocument}`)), status };
  } catch (error) {
    // What was refused first is told of.
    if (explain(undefined, error, '').status < 500) return undefined;
    throw error;
  }
}

async function htmlList(
  context: SwiftContext,
  bucket: StoredBucket,
  { listingCss }: Website,
  path: RawString,
): Promise<HttpResponse> {
  const { object: prefix, http } = context.request;
  await requireContainerAccess(context, bucket, 's3:ListBucket');
  const directories: RawString[] = [];
  const files: string[] = [];
  const query = { prefix, delimiter: '/', after: '', ns: '', hint: MAX_LIMIT };
  for await (const entry of listObjects(context.store.objects, bucket.info, query)) {
    const name = entry.name.slice(prefix.length);
    if (entry.kind === 'prefix') directories.push(name.replace(/\/$/, ''));
    else if (name !== '')
      files.push(row('default', name, String(entry.meta.accountedSize), formatHttpDate(entry.meta.mtime)));
    if (directories.length + files.length === MAX_LIMIT) break;
  }
  const known = new Set(directories.map((name) => row('default', name, '', '').split('</td>')[0]));
  const rows = [
    ...(prefix === '' ? [] : [row('parent', '../', BLANK, BLANK)]),
    ...directories.map((name) => row('subdir', name, BLANK, BLANK)),
    // What stands for a directory is told of once.
    ...files.filter((file) => !known.has(file.split('</td>')[0])),
  ];
  const style =
    listingCss === '' ? STYLE : `<link rel="stylesheet" type="text/css" href="${urlEncode(listingCss, false)}" />`;
  const title = `Listing of ${escaped(path)}`;
  const page =
    `${DOCTYPE}<html><head><title>${title}</title>${style}</head><body><h1 id="title">${title}</h1>` +
    `<table id="listing"><tr id="heading"><th class="colname">Name</th><th class="colsize">Size</th><th class="coldate">Date</th></tr>` +
    `${rows.join('')}</table></body></html>`;
  const headers = [
    ...(await containerHeaders(context, bucket)),
    ['Content-Type', 'text/html'] as const,
    ['Content-Length', String(page.length)] as const,
  ];
  return { status: 200, headers, body: http.method === 'HEAD' ? EMPTY : bytesFromRaw(page) };
}

const DOCTYPE =
  '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3.org/TR/html4/loose.dtd">';
const BLANK = '&nbsp;';
const STYLE =
  '<style type="text/css">h1 {font-size: 1em; font-weight: bold;}th {text-align: left; padding: 0px 1em 0px 1em;}' +
  'td {padding: 0px 1em 0px 1em;}a {text-decoration: none;}</style>';

function row(kind: 'default' | 'subdir' | 'parent', name: RawString, size: string, date: string): string {
  const opening = kind === 'parent' ? '<tr id="parent" class="item">' : `<tr class="item ${kind}">`;
  const href = kind === 'parent' ? name : urlEncode(name, false);
  return `${opening}<td class="colname"><a href="${href}">${escaped(name)}</a></td><td class="colsize">${size}</td><td class="coldate">${date}</td></tr>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&apos;',
  '"': '&quot;',
};

function escaped(text: RawString): string {
  return text.replace(/[&<>'"]/g, (char) => ENTITIES[char]!);
}
