/** Which hosts show web sites (RGWREST::preprocess). */
import type { Config } from '@spirula/world';

export interface HostNames {
  /** Of the S3 API: hosts below them are buckets. */
  readonly s3: readonly string[];
  /** Of web sites: hosts below them are buckets, too. */
  readonly websites: readonly string[];
  /** There is nothing but web sites, whatever the host is called. */
  readonly onlyWebsites: boolean;
}

type HostOptions = Pick<Config, 'rgw_dns_name' | 'rgw_dns_s3website_name' | 'rgw_enable_apis'>;

/** What options say; `s3` instead of `rgw_dns_name` where somebody says so. */
export function hostNamesOf(options: HostOptions, s3: readonly string[] = namesOf(options.rgw_dns_name)): HostNames {
  const apis = namesOf(options.rgw_enable_apis);
  const websites = apis.includes('s3website') ? namesOf(options.rgw_dns_s3website_name) : [];
  const [firstS3, firstWebsite] = [apis.indexOf('s3'), apis.indexOf('s3website')];
  return { s3, websites, onlyWebsites: firstWebsite >= 0 && (firstS3 < 0 || firstWebsite < firstS3) };
}

function namesOf(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}

/** Whether a host, as the header says it, shows web sites: of names that fit, the longest counts. */
export function isWebsiteHost(header: string, { s3, websites, onlyWebsites }: HostNames): boolean {
  if (onlyWebsites) return true;
  const host = header.replace(/:\d*$/, '').toLowerCase();
  const longest = (names: readonly string[]) =>
    Math.max(-1, ...names.filter((name) => host === name || host.endsWith(`.${name}`)).map(({ length }) => length));
  return longest(websites) > longest(s3.map((name) => name.toLowerCase()));
}
