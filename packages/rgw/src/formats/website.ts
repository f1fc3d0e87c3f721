/** A bucket served as a web site (RGWBucketWebsiteConf, rgw_website.h). */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';

export interface Redirect {
  readonly protocol: RawString;
  readonly hostname: RawString;
  /** 0: the usual one. */
  readonly httpCode: number;
}

export interface RoutingRule {
  readonly keyPrefixEquals: RawString;
  readonly httpErrorCodeEquals: number;
  readonly redirect: Redirect;
  readonly replaceKeyPrefixWith: RawString;
  readonly replaceKeyWith: RawString;
}

export interface Website {
  readonly redirectAll: Redirect;
  readonly indexDocument: RawString;
  readonly errorDocument: RawString;
  readonly routingRules: readonly RoutingRule[];
  /** Of Swift's static web. */
  readonly subdirMarker: RawString;
  readonly listingCss: RawString;
  readonly listingEnabled: boolean;
}

/** Least bytes of a rule: four structs, five strings, two numbers. */
const RULE_BYTES = 4 * 6 + 5 * 4 + 2 * 2;

function encodeRedirect(to: Encoder, { protocol, hostname, httpCode }: Redirect): void {
  to.struct(1, 1, () => {
    to.rawString(protocol);
    to.rawString(hostname);
    to.u16(httpCode);
  });
}

function decodeRedirect(from: Decoder): Redirect {
  return from.struct('redirect', 1, () => ({
    protocol: from.rawString('protocol'),
    hostname: from.rawString('hostname'),
    httpCode: from.u16('redirect code'),
  }));
}

function encodeRule(to: Encoder, rule: RoutingRule): void {
  to.struct(1, 1, () => {
    to.struct(1, 1, () => {
      to.rawString(rule.keyPrefixEquals);
      to.u16(rule.httpErrorCodeEquals);
    });
    to.struct(1, 1, () => {
      encodeRedirect(to, rule.redirect);
      to.rawString(rule.replaceKeyPrefixWith);
      to.rawString(rule.replaceKeyWith);
    });
  });
}

function decodeRule(from: Decoder): RoutingRule {
  return from.struct('routing rule', 1, () => {
    const condition = from.struct('condition', 1, () => ({
      keyPrefixEquals: from.rawString('key prefix'),
      httpErrorCodeEquals: from.u16('error code'),
    }));
    const target = from.struct('redirect', 1, () => ({
      redirect: decodeRedirect(from),
      replaceKeyPrefixWith: from.rawString('replace key prefix with'),
      replaceKeyWith: from.rawString('replace key with'),
    }));
    return { ...condition, ...target };
  });
}

export function encodeWebsite(to: Encoder, website: Website): void {
  to.struct(2, 1, () => {
    to.rawString(website.indexDocument);
    to.rawString(website.errorDocument);
    to.struct(1, 1, () => to.list(website.routingRules, (rule) => encodeRule(to, rule)));
    encodeRedirect(to, website.redirectAll);
    to.rawString(website.subdirMarker);
    to.rawString(website.listingCss);
    to.bool(website.listingEnabled);
  });
}

/** @throws MalformedInput */
export function decodeWebsite(from: Decoder): Website {
  return from.struct('website', 2, (version) => ({
    indexDocument: from.rawString('index document'),
    errorDocument: from.rawString('error document'),
    routingRules: from.struct('routing rules', 1, () => from.list('rules', RULE_BYTES, () => decodeRule(from))),
    redirectAll: decodeRedirect(from),
    subdirMarker: version >= 2 ? from.rawString('subdir marker') : '',
    listingCss: version >= 2 ? from.rawString('listing css') : '',
    listingEnabled: version >= 2 && from.bool('listing enabled'),
  }));
}
