/** Where a request for a page of a web site leads (RGWBucketWebsiteConf::should_redirect, get_effective_key). */
import type { RawString } from '@spirula/encoding';
import type { Redirect, RoutingRule, Website } from '../formats/website.ts';
import { urlEncode } from '../s3/percent-encoding.ts';

const MOVED_PERMANENTLY = 301;

export interface RedirectTo {
  readonly status: number;
  readonly location: string;
}

/** How the request came here: what a redirect that says nothing else keeps. */
export interface AskedAt {
  readonly protocol: 'http' | 'https';
  /** As the header says it, with a port. */
  readonly host: string;
}

/**
 * Undefined: it stays here.
 *
 * @param key what rules are about: of a page that is asked for the one that it stands for; of an error, as it was asked for
 * @param asked the key as it was asked for
 * @param status of the error; 0: there is none yet
 */
export function redirectOf(
  { redirectAll, routingRules }: Website,
  key: RawString,
  asked: RawString,
  status: number,
  at: AskedAt,
): RedirectTo | undefined {
  if (redirectAll.hostname !== '') return { status: MOVED_PERMANENTLY, location: urlOf(redirectAll, asked, at) };
  const rule = routingRules.find(
    ({ keyPrefixEquals, httpErrorCodeEquals }) => key.startsWith(keyPrefixEquals) && httpErrorCodeEquals === status,
  );
  if (!rule) return undefined;
  const { redirect } = rule;
  return { status: redirect.httpCode || MOVED_PERMANENTLY, location: urlOf(redirect, newKey(rule, asked), at) };
}

function newKey({ keyPrefixEquals, replaceKeyPrefixWith, replaceKeyWith }: RoutingRule, asked: RawString): RawString {
  if (replaceKeyPrefixWith !== '') return replaceKeyPrefixWith + asked.slice(keyPrefixEquals.length);
  return replaceKeyWith !== '' ? replaceKeyWith : asked;
}

function urlOf({ protocol, hostname }: Redirect, key: RawString, at: AskedAt): string {
  const scheme = protocol === '' ? at.protocol : protocol;
  return `${scheme}://${hostname === '' ? at.host : hostname}/${urlEncode(key, true)}`;
}

/** The object that a page is: of what ends like a folder, or is no object, the index document in it. */
export function pageOf({ indexDocument }: Website, asked: RawString, isObject: boolean): RawString {
  if (asked === '' || asked.endsWith('/')) return asked + indexDocument;
  return isObject ? asked : `${asked}/${indexDocument}`;
}
