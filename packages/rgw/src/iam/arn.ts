/** Names of resources (Amazon Resource Names): `arn:partition:service:region:account:resource`. */
import { globMatches } from './glob.ts';

export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  /** Here: the tenant. */
  readonly account: string;
  readonly resource: string;
}

/** Undefined: it is none. `*` alone is every resource. */
export function parseArn(text: string): Arn | undefined {
  if (text === '*') return { partition: '*', service: '*', region: '*', account: '*', resource: '*' };
  const match = /^arn:([^:]*):([^:]*):([^:]*):([^:]*):(.+)$/s.exec(text);
  if (!match) return undefined;
  const [, partition = '', service = '', region = '', account = '', resource = ''] = match;
  return { partition, service, region, account, resource };
}

/** Of a bucket, or of an object in it. */
export function bucketArn(tenant: string, bucket: string, key?: string): Arn {
  const resource = key === undefined ? bucket : `${bucket}/${key}`;
  return { partition: 'aws', service: 's3', region: '', account: tenant, resource };
}

/** Of a user or a role: `user/ada`, `role/path/name`. */
export function iamArn(tenant: string, resource: string): Arn {
  return { partition: 'aws', service: 'iam', region: '', account: tenant, resource };
}

/** Whether a pattern, with wildcards in any part, is for a resource. */
export function arnMatches(pattern: Arn, arn: Arn): boolean {
  return (['partition', 'service', 'region', 'account', 'resource'] as const).every((part) =>
    globMatches(pattern[part], arn[part]),
  );
}
