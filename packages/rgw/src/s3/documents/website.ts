/** A bucket as a web site: the document (RGWBucketWebsiteConf and what it is made of, rgw_website.cc). */
import type { Bytes, RawString } from '@spirula/encoding';
import type { Redirect, RoutingRule, Website } from '../../formats/website.ts';
import { s3Error } from '../s3-errors.ts';
import { childNamed, childrenNamed, childText, malformed, readXml, type XmlElement } from '../xml-reader.ts';
import { element, s3Root, type XmlNode, xmlDocument } from '../xml-writer.ts';

/** rgw_website_routing_rules_max_num */
const MAX_RULES = 50;
const MAX_TEXT = 1024;

/** @throws S3Error MalformedXML, InvalidArgument */
export function readWebsiteConfiguration(document: Bytes): Website {
  if (document.length === 0) throw s3Error('InvalidArgument', 'The request needs a WebsiteConfiguration');
  const root = readXml(document, 'WebsiteConfiguration');
  const all = childNamed(root, 'RedirectAllRequestsTo');
  if (all) {
    const redirectAll = readRedirect(all, 0);
    if (redirectAll.hostname === '') throw s3Error('InvalidArgument', 'RedirectAllRequestsTo needs HostName');
    return { ...NO_WEBSITE, redirectAll };
  }
  const index = childNamed(root, 'IndexDocument');
  const indexDocument = index ? textOf(index, 'Suffix') : '';
  if (indexDocument === '') {
    const needed = 'A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty';
    throw s3Error('InvalidArgument', needed);
  }
  if (indexDocument.includes('/')) throw s3Error('InvalidArgument', 'The Suffix of IndexDocument has no slash');
  const error = childNamed(root, 'ErrorDocument');
  const errorDocument = error ? textOf(error, 'Key') : '';
  if (error && errorDocument === '') throw s3Error('InvalidArgument', 'ErrorDocument needs Key');
  const rules = childNamed(root, 'RoutingRules');
  const routingRules = rules ? childrenNamed(rules, 'RoutingRule').map(readRule) : [];
  if (routingRules.length > MAX_RULES) throw s3Error('InvalidArgument', `There are at most ${MAX_RULES} RoutingRules`);
  return { ...NO_WEBSITE, indexDocument, errorDocument, routingRules };
}

const NO_REDIRECT: Redirect = { protocol: '', hostname: '', httpCode: 0 };
const NO_WEBSITE: Website = {
  redirectAll: NO_REDIRECT,
  indexDocument: '',
  errorDocument: '',
  routingRules: [],
  subdirMarker: '',
  listingCss: '',
  listingEnabled: false,
};

function textOf(parent: XmlElement, name: string): RawString {
  const text = childText(parent, name) ?? '';
  if (text.length > MAX_TEXT) throw s3Error('InvalidArgument', `${name} is too long`);
  return text;
}

function readRedirect(parent: XmlElement, httpCode: number): Redirect {
  const protocol = textOf(parent, 'Protocol');
  if (protocol !== '' && protocol !== 'http' && protocol !== 'https') {
    throw s3Error('InvalidArgument', 'Protocol is http or https');
  }
  const hostname = textOf(parent, 'HostName');
  // It becomes part of a header.
  if (!/^[A-Za-z0-9.:[\]_-]*$/.test(hostname)) throw s3Error('InvalidArgument', 'HostName is no name of a host');
  return { protocol, hostname, httpCode };
}

function readRule(rule: XmlElement): RoutingRule {
  const condition = childNamed(rule, 'Condition');
  const redirect = childNamed(rule, 'Redirect');
  if (!redirect) throw malformed('a RoutingRule needs Redirect');
  const replaceKeyPrefixWith = textOf(redirect, 'ReplaceKeyPrefixWith');
  const replaceKeyWith = textOf(redirect, 'ReplaceKeyWith');
  if (replaceKeyPrefixWith !== '' && replaceKeyWith !== '') {
    throw s3Error('InvalidArgument', 'A Redirect replaces the key, or its prefix');
  }
  return {
    keyPrefixEquals: condition ? textOf(condition, 'KeyPrefixEquals') : '',
    httpErrorCodeEquals: condition ? readCode(condition, 'HttpErrorCodeReturnedEquals', 400, 599) : 0,
    redirect: readRedirect(redirect, readCode(redirect, 'HttpRedirectCode', 301, 399)),
    replaceKeyPrefixWith,
    replaceKeyWith,
  };
}

/** 0: it is not there. */
function readCode(parent: XmlElement, name: string, low: number, high: number): number {
  const text = textOf(parent, name).trim();
  if (text === '') return 0;
  const code = /^\d{3}$/.test(text) ? Number(text) : 0;
  if (code < low || code > high) throw s3Error('InvalidArgument', `${name} is from ${low} to ${high}`);
  return code;
}

export function websiteConfiguration(website: Website): Bytes {
  return xmlDocument(s3Root('WebsiteConfiguration', partsOf(website)));
}

function partsOf({ redirectAll, indexDocument, errorDocument, routingRules }: Website): (XmlNode | undefined)[] {
  if (redirectAll.hostname !== '') {
    const { hostname, protocol } = redirectAll;
    return [element('RedirectAllRequestsTo', [element('HostName', hostname), given('Protocol', protocol)])];
  }
  return [
    indexDocument === '' ? undefined : element('IndexDocument', [element('Suffix', indexDocument)]),
    errorDocument === '' ? undefined : element('ErrorDocument', [element('Key', errorDocument)]),
    routingRules.length === 0 ? undefined : element('RoutingRules', routingRules.map(ruleElement)),
  ];
}

function ruleElement(rule: RoutingRule): XmlNode {
  const { keyPrefixEquals, httpErrorCodeEquals, redirect, replaceKeyPrefixWith, replaceKeyWith } = rule;
  const condition = [
    given('KeyPrefixEquals', keyPrefixEquals),
    code('HttpErrorCodeReturnedEquals', httpErrorCodeEquals),
  ];
  return element('RoutingRule', [
    condition.some((part) => part !== undefined) ? element('Condition', condition) : undefined,
    element('Redirect', [
      given('Protocol', redirect.protocol),
      given('HostName', redirect.hostname),
      code('HttpRedirectCode', redirect.httpCode),
      given('ReplaceKeyPrefixWith', replaceKeyPrefixWith),
      given('ReplaceKeyWith', replaceKeyWith),
    ]),
  ]);
}

function given(name: string, text: RawString): XmlNode | undefined {
  return text === '' ? undefined : element(name, text);
}

function code(name: string, value: number): XmlNode | undefined {
  return value === 0 ? undefined : element(name, value);
}
