/** A request to the administrators' interface (RESTArgs, rgw_rest.cc). */
import { type RawString, textFromRaw } from '@spirula/encoding';
import { parseUserId, type UserId } from '../../formats/user-id.ts';
import type { UserInfo } from '../../formats/user-info.ts';
import { readShortBody } from '../../s3/xml-reader.ts';
import type { Admin } from '../admin.ts';
import type { Node } from '../document.ts';
import { RestError } from './rest-error.ts';

/** What a request gives; undefined: nothing is told. */
export interface RestAnswer {
  /** Of the XML document. */
  readonly root: string;
  readonly node: Node;
}

export interface RestContext {
  readonly admin: Admin;
  readonly params: ReadonlyMap<RawString, RawString>;
  /** Behind `/admin/metadata/`. */
  readonly section: RawString;
  readonly caller: UserInfo;
  readonly body: AsyncIterable<Uint8Array>;
}

type Cap = readonly [type: string, access: 'read' | 'write'];

export interface RestRoute {
  /** What the caller must be allowed, and whether to read it or to write; it may be for the parameters to say. */
  readonly cap: Cap | ((params: ReadonlyMap<RawString, RawString>) => Cap);
  run(context: RestContext): Promise<RestAnswer | undefined>;
}

const MAX_BODY_BYTES = 1024;

/** @throws RestError the parameters name nothing that there is */
export function capOf({ cap }: RestRoute, params: ReadonlyMap<RawString, RawString>): Cap {
  return typeof cap === 'function' ? cap(params) : cap;
}

export function answer(root: string, node: Node): RestAnswer {
  return { root, node };
}

/** Undefined: it is not given. */
export function rawArg({ params }: RestContext, name: string): RawString | undefined {
  return params.get(name);
}

/** As text; '' is as if it were not given. */
export function textArg({ params }: RestContext, name: string): string | undefined {
  const raw = params.get(name) ?? '';
  return raw === '' ? undefined : textFromRaw(raw);
}

/** `name` alone is true. @throws RestError InvalidArgument */
export function flagArg({ params }: RestContext, name: string, otherwise: boolean): boolean {
  const text = params.get(name);
  if (text === undefined) return otherwise;
  if (text === '' || /^(true|1)$/i.test(text)) return true;
  if (/^(false|0)$/i.test(text)) return false;
  throw new RestError('InvalidArgument', `${name} is neither true nor false`);
}

/** @throws RestError InvalidArgument */
export function numberArg({ params }: RestContext, name: string): bigint | undefined {
  const text = params.get(name) ?? '';
  if (text === '') return undefined;
  if (!/^-?\d{1,18}$/.test(text)) throw new RestError('InvalidArgument', `${name} is no number`);
  return BigInt(text);
}

export function userArg(context: RestContext): UserId | undefined {
  const uid = rawArg(context, 'uid') ?? '';
  return uid === '' ? undefined : parseUserId(uid);
}

/** `tenant/name`, or a name. Undefined: none is given. */
export function bucketArg(context: RestContext): [tenant: RawString, name: RawString] | undefined {
  const given = rawArg(context, 'bucket') ?? '';
  if (given === '') return undefined;
  const slash = given.indexOf('/');
  return slash < 0 ? ['', given] : [given.slice(0, slash), given.slice(slash + 1)];
}

/** @throws RestError InvalidArgument */
export function requireBucketArg(context: RestContext): [tenant: RawString, name: RawString] {
  const bucket = bucketArg(context);
  if (!bucket) throw new RestError('InvalidArgument', 'bucket is missing');
  return bucket;
}

/** The members of a JSON object that is the body. Undefined: there is no body. @throws RestError InvalidArgument */
export async function jsonBody({ body }: RestContext): Promise<Readonly<Record<string, unknown>> | undefined> {
  const text = new TextDecoder().decode(await readShortBody(body, MAX_BODY_BYTES));
  if (text.trim() === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RestError('InvalidArgument', 'The body is no JSON object');
  }
  return value as Record<string, unknown>;
}
