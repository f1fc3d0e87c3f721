/** `X-Container-Meta-Web-Index` and its kin: what a container shows as a web site (filter_out_website, rgw_op.cc). */
import type { Bytes, RawString } from '@spirula/encoding';
import type { Website } from '../formats/website.ts';
import { attrText, USER_META_PREFIX } from '../store/object-attrs.ts';
import type { SwiftHeaders } from './swift-context.ts';

export const NO_WEBSITE: Website = {
  redirectAll: { protocol: '', hostname: '', httpCode: 0 },
  indexDocument: '',
  errorDocument: '',
  routingRules: [],
  subdirMarker: '',
  listingCss: '',
  listingEnabled: false,
};

const TEXTS = [
  ['Web-Index', 'indexDocument'],
  ['Web-Error', 'errorDocument'],
  ['Web-Directory-Type', 'subdirMarker'],
  ['Web-Listings-CSS', 'listingCss'],
] as const;
const LISTINGS = 'Web-Listings';

/** The site from now on, when the metadata that a request sets say so; they are kept as no metadata then. `''`: there is none. */
export function takeWebsite(
  changes: Map<RawString, Bytes | undefined>,
  before: Website | undefined,
): Website | '' | undefined {
  const taken = (header: string): RawString | undefined => {
    const attr = USER_META_PREFIX + header.toLowerCase();
    if (!changes.has(attr)) return undefined;
    const value = changes.get(attr);
    changes.set(attr, undefined);
    return value ? attrText(value) : '';
  };
  const texts = TEXTS.map(([header, field]) => [field, taken(header)] as const).filter(
    ([, text]) => text !== undefined,
  );
  const listings = taken(LISTINGS);
  if (texts.length === 0 && listings === undefined) return undefined;
  const site: Website = {
    ...(before ?? NO_WEBSITE),
    ...Object.fromEntries(texts),
    // Taken away it is off; radosgw leaves it on then.
    ...(listings !== undefined && { listingEnabled: /^true$/i.test(listings) }),
  };
  return isEmpty(site) ? '' : site;
}

/** RGWBucketWebsiteConf::is_empty */
function isEmpty({ redirectAll, routingRules, listingEnabled, ...site }: Website): boolean {
  const isBare = TEXTS.every(([, field]) => site[field] === '') && !listingEnabled;
  return isBare && routingRules.length === 0 && redirectAll.hostname === '';
}

export function websiteHeaders(website: Website | undefined): SwiftHeaders {
  if (!website) return [];
  return [
    ...TEXTS.flatMap(([header, field]) =>
      website[field] === '' ? [] : [[`X-Container-Meta-${header}`, website[field]] as const],
    ),
    ...(website.listingEnabled ? [[`X-Container-Meta-${LISTINGS}`, 'true'] as const] : []),
  ];
}
