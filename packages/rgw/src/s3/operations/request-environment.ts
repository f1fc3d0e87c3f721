/** What conditions of policies may ask of a request (rgw_build_iam_environment, and AWS's keys of S3). */
import { textFromRaw } from '@spirula/encoding';
import type { Environment } from '../../iam/conditions.ts';
import { readTaggingHeader } from '../documents/tagging.ts';
import { formatIsoDate } from '../http-date.ts';
import { S3Error } from '../s3-error.ts';
import type { OperationContext } from './operation.ts';

/** Who asks for what, as far as policies and ACLs want to know. */
export type AccessContext = Pick<OperationContext, 'user' | 'identity' | 'now'> & {
  readonly request: Pick<OperationContext['request'], 'http' | 'params'>;
};

/** Parameters of queries that are keys by their names. */
const PARAMETERS = ['prefix', 'delimiter', 'max-keys', 'versionId'];
/** As many tags as a request may give for its object; more are refused later on. */
const MAX_TAGS = 10;

const environments = new WeakMap<AccessContext, Environment>();

/** Made once a request. */
export function environmentOf(context: AccessContext): Environment {
  const known = environments.get(context) ?? makeEnvironment(context);
  environments.set(context, known);
  return known;
}

function makeEnvironment({ request, user, identity, now }: AccessContext): Environment {
  const { http, params } = request;
  const environment = new Map<string, readonly string[]>([
    ['aws:currenttime', [formatIsoDate(now)]],
    ['aws:epochtime', [String(now.sec)]],
    ['aws:securetransport', [String(http.secure)]],
    ['aws:sourceip', [http.remoteAddr]],
    ['aws:principaltype', [identity.role ? 'AssumedRole' : user ? 'User' : 'Anonymous']],
    ['sts:authentication', [String(identity.inSession === true)]],
  ]);
  const add = (key: string, value: string | undefined) => {
    if (value !== undefined) environment.set(key, [value]);
  };
  add('aws:referer', http.headers.get('referer'));
  add('aws:useragent', http.headers.get('user-agent'));
  add('aws:username', user && textFromRaw(user.id.id));
  if (identity.role) {
    const { id, session, issuedAt } = identity.role;
    add('aws:userid', `${id}:${session}`);
    add('aws:tokenissuetime', issuedAt);
  }
  for (const name of PARAMETERS) {
    const value = params.get(name);
    add(`s3:${name.toLowerCase()}`, value === undefined ? undefined : textFromRaw(value));
  }
  for (const [name, value] of http.headers) if (name.startsWith('x-amz-')) add(`s3:${name}`, textFromRaw(value));
  addTags(environment, http.headers.get('x-amz-tagging'));
  return environment;
}

function addTags(environment: Map<string, readonly string[]>, header: string | undefined): void {
  if (header === undefined) return;
  try {
    const tags = [...readTaggingHeader(header, MAX_TAGS)].map(([tag, value]) => [textFromRaw(tag), textFromRaw(value)]);
    for (const [tag, value] of tags) environment.set(`s3:requestobjecttag/${tag}`, [value!]);
    environment.set(
      's3:requestobjecttagkeys',
      tags.map(([tag]) => tag!),
    );
  } catch (error) {
    // The operation refuses them.
    if (!(error instanceof S3Error)) throw error;
  }
}
