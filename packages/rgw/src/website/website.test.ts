import { makeConfig } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import type { RoutingRule, Website } from '../formats/website.ts';
import { hostNamesOf, isWebsiteHost } from './hosts.ts';
import { pageOf, redirectOf } from './routing.ts';

describe('hosts', () => {
  const hosts = (options: Parameters<typeof makeConfig>[0]) => hostNamesOf(makeConfig(options));
  const NAMES = { rgw_dns_name: 's3.example.com', rgw_dns_s3website_name: 'example.com' };

  test('those below the name of web sites show pages; of names that fit the longest counts', () => {
    const names = hosts(NAMES);

    expect(
      ['site.example.com', 'Site.Example.Com:80', 'example.com'].map((host) => isWebsiteHost(host, names)),
    ).toEqual([true, true, true]);
    expect(
      ['b.s3.example.com', 's3.example.com:7480', 'notexample.com', '127.0.0.1'].map((host) =>
        isWebsiteHost(host, names),
      ),
    ).toEqual([false, false, false, false]);
  });

  test('no API of web sites, no pages; it alone, or first, nothing else', () => {
    expect(isWebsiteHost('site.example.com', hosts({ ...NAMES, rgw_enable_apis: 's3, swift' }))).toBe(false);
    expect(isWebsiteHost('127.0.0.1', hosts({ rgw_enable_apis: 's3website, s3' }))).toBe(true);
    expect(isWebsiteHost('127.0.0.1', hosts({}))).toBe(false);
  });
});

describe('routing', () => {
  const redirect = { protocol: '', hostname: '', httpCode: 0 };
  const rule = (given: Partial<RoutingRule>): RoutingRule => ({
    keyPrefixEquals: '',
    httpErrorCodeEquals: 0,
    redirect,
    replaceKeyPrefixWith: '',
    replaceKeyWith: '',
    ...given,
  });
  const site = (...routingRules: RoutingRule[]): Website => ({
    redirectAll: redirect,
    indexDocument: 'index.html',
    errorDocument: '',
    routingRules,
    subdirMarker: '',
    listingCss: '',
    listingEnabled: false,
  });
  const at = { protocol: 'http', host: 'site.example.com:8080' } as const;

  test('a folder, and what is no object, stand for the index document in them', () => {
    expect(['', 'a/', 'a'].map((key) => pageOf(site(), key, false))).toEqual([
      'index.html',
      'a/index.html',
      'a/index.html',
    ]);
    expect(pageOf(site(), 'a', true)).toBe('a');
  });

  test('the first rule counts whose prefix and status are those that there are', () => {
    const rules = site(
      rule({ keyPrefixEquals: 'docs/', replaceKeyPrefixWith: 'documents/' }),
      rule({
        httpErrorCodeEquals: 404,
        redirect: { protocol: 'https', hostname: 'other', httpCode: 302 },
        replaceKeyWith: 'none.html',
      }),
    );

    expect(redirectOf(rules, 'docs/a b', 'docs/a b', 0, at)).toEqual({
      status: 301,
      location: 'http://site.example.com:8080/documents/a%20b',
    });
    expect(redirectOf(rules, 'x', 'x', 404, at)).toEqual({ status: 302, location: 'https://other/none.html' });
    expect(redirectOf(rules, 'x', 'x', 403, at)).toBeUndefined();
    expect(redirectOf(rules, 'x', 'x', 0, at)).toBeUndefined();
  });

  test('what a key has in it ends no header', () => {
    const all = { ...site(), redirectAll: { ...redirect, hostname: 'other' } };

    expect(redirectOf(all, 'a\r\nb: c', 'a\r\nb: c', 0, at)?.location).toBe('http://other/a%0D%0Ab%3A%20c');
  });
});
