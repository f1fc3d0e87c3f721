/**
 * Policies: who may do what, as JSON says it (rgw_iam_policy.cc; AWS's grammar). Of several statements about a request one that
 * denies it decides, then one that allows it; if none is about it, ACLs do.
 */
import { KNOWN_ACTIONS } from './actions.ts';
import { type Arn, arnMatches, parseArn } from './arn.ts';
import { type Condition, type Environment, meets, parseOperator } from './conditions.ts';
import { globMatches } from './glob.ts';
import { type Caller, isOfSession, isPrincipal, type Principal, parsePrincipal, STRANGER } from './principal.ts';

type Effect = 'Allow' | 'Deny';
export type Verdict = Effect | 'pass';

/** Some, or all but some. */
interface Selection<T> {
  readonly except: boolean;
  readonly items: readonly T[];
}

const EVERYTHING: Selection<never> = { except: true, items: [] };

interface Statement {
  readonly sid: string | undefined;
  readonly effect: Effect;
  /** Undefined in policies of users and roles: they are about those. */
  readonly principals: Selection<Principal> | undefined;
  /** Principals of a policy of a user or role. */
  readonly hasIdlePrincipals: boolean;
  /** In lower case, with wildcards. */
  readonly actions: Selection<string>;
  readonly resources: Selection<Arn>;
  readonly conditions: readonly Condition[];
}

export interface Policy {
  readonly statements: readonly Statement[];
}

export interface Access {
  /** Undefined: anonymous. */
  readonly caller: Caller | undefined;
  /** Such as `s3:GetObject`. */
  readonly action: string;
  readonly resource: Arn;
  readonly environment: Environment;
}

/** A text is no policy; says what and where. */
export class MalformedPolicy extends Error {
  override readonly name = 'MalformedPolicy';
}

const VERSIONS = ['2012-10-17', '2008-10-17'];
const STATEMENT_FIELDS = [
  ...['Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction'],
  ...['Resource', 'NotResource', 'Condition'],
];

/**
 * Of a bucket, with principals; of a user (`identity`) or role, who are who it is about: radosgw heeds no principals there; of whom a
 * role trusts, with principals, and about nothing but itself.
 */
export type PolicyKind = 'bucket' | 'identity' | 'role' | 'trust';

/**
 * @param tenant whose it is: resources that name none are of this one
 * @throws MalformedPolicy
 */
export function parsePolicy(text: string, kind: PolicyKind, tenant: string): Policy {
  const policy = fieldsOf(parseJson(text), 'The policy', ['Version', 'Id', 'Statement']);
  const version = policy['Version'];
  if (version !== undefined && !VERSIONS.includes(version as string)) {
    throw new MalformedPolicy(`Version: give one of ${VERSIONS.join(', ')}`);
  }
  const given = policy['Statement'];
  const statements = Array.isArray(given) ? given : [given];
  if (given === undefined || statements.length === 0) throw new MalformedPolicy('The policy has no Statement');
  return { statements: statements.map((each, i) => parseStatement(each, `Statement ${i + 1}`, kind, tenant)) };
}

/**
 * The same of a policy that comes now. radosgw 16.2 takes, and may have kept, some that AWS refuses, as later releases do: that let in
 * all but somebody, that name principals where they are not heeded (of roles they are taken), or two statements alike.
 *
 * @throws MalformedPolicy
 */
export function parseNewPolicy(text: string, kind: PolicyKind, tenant: string): Policy {
  const policy = parsePolicy(text, kind, tenant);
  const { statements } = policy;
  if (statements.some(({ effect, principals }) => effect === 'Allow' && principals?.except === true)) {
    throw new MalformedPolicy('Allow does not go with NotPrincipal');
  }
  if (kind === 'bucket') return policy;
  if (kind === 'identity' && statements.some(({ hasIdlePrincipals }) => hasIdlePrincipals)) {
    throw new MalformedPolicy('Policies of users name no Principal');
  }
  const sids = statements.flatMap(({ sid }) => (sid ? [sid] : []));
  const twice = sids.find((sid, i) => sids.indexOf(sid) < i);
  if (twice !== undefined) throw new MalformedPolicy(`Two statements have the Sid ${twice}`);
  return policy;
}

/** What policies say of a request, taken together. */
export function evaluate(policies: readonly Policy[], access: Access): Verdict {
  let verdict: Verdict = 'pass';
  for (const { statements } of policies) {
    for (const statement of statements) {
      if (!isAbout(statement, access)) continue;
      if (statement.effect === 'Deny') return 'Deny';
      verdict = 'Allow';
    }
  }
  return verdict;
}

/** Whether what lets them in lets in this session by its name, not the role that it is of. */
export function allowsSession({ statements }: Policy, access: Access): boolean {
  return statements.some(
    (statement) =>
      statement.effect === 'Allow' &&
      isAbout(statement, access) &&
      statement.principals?.items.some((each) => isOfSession(each) && isPrincipal(each, access.caller)) === true,
  );
}

/** Keys that hold a request to somewhere or somebody: a statement for everybody with one of them is not for the public. */
const NARROWING = new Set(
  ['SourceIp', 'SourceArn', 'SourceVpc', 'SourceVpce', 'SourceOwner', 'SourceAccount', 'userid', 'username'].map(
    (key) => `aws:${key.toLowerCase()}`,
  ),
);

/** Whether it lets in everybody, as AWS's public access block sees it. */
export function isPublic({ statements }: Policy): boolean {
  return statements.some(({ effect, principals, conditions }) => {
    if (effect !== 'Allow' || !principals) return false;
    const isForAll = principals.except || principals.items.some(({ kind }) => kind === 'everybody');
    return isForAll && !conditions.some(isNarrowing);
  });
}

function isNarrowing({ operator, key, values, ifExists }: Condition): boolean {
  const isFixed = values.every((value) => !/[*?]/.test(value) && !/\/0$/.test(value));
  return NARROWING.has(key) && !ifExists && isFixed && !/Not|Null/.test(operator);
}

function isAbout({ principals, actions, resources, conditions }: Statement, access: Access): boolean {
  const { caller, resource, environment } = access;
  const action = access.action.toLowerCase();
  return (
    (principals === undefined || selects(principals, (each) => isPrincipal(each, caller))) &&
    selects(actions, (pattern) => globMatches(pattern, action)) &&
    selects(resources, (pattern) => arnMatches(pattern, resource)) &&
    conditions.every((condition) => meets(condition, environment))
  );
}

function selects<T>({ except, items }: Selection<T>, fits: (item: T) => boolean): boolean {
  return items.some(fits) !== except;
}

function parseStatement(given: unknown, where: string, kind: PolicyKind, tenant: string): Statement {
  const fields = fieldsOf(given, where, STATEMENT_FIELDS);
  const sid = fields['Sid'];
  if (sid !== undefined && typeof sid !== 'string') throw new MalformedPolicy(`${where}: Sid is a text`);
  const effect = fields['Effect'];
  if (effect !== 'Allow' && effect !== 'Deny') throw new MalformedPolicy(`${where}: Effect is Allow or Deny`);
  const isNamed = kind === 'bucket' || kind === 'trust';
  const principals = isNamed
    ? selection(fields, 'Principal', where, (value, name) => parsePrincipals(value, name, kind))
    : undefined;
  if (isNamed && !principals) throw new MalformedPolicy(`${where} has no Principal`);
  const hasIdlePrincipals = !isNamed && ('Principal' in fields || 'NotPrincipal' in fields);
  const actions = selection(fields, 'Action', where, parseActions);
  if (!actions) throw new MalformedPolicy(`${where} has no Action`);
  const named = selection(fields, 'Resource', where, (value, name) => parseResources(value, name, tenant));
  const resources = named ?? (kind === 'trust' ? EVERYTHING : undefined);
  if (!resources) throw new MalformedPolicy(`${where} has no Resource`);
  const conditions = parseConditions(fields['Condition'], `${where}: Condition`);
  return { sid, effect, principals, hasIdlePrincipals, actions, resources, conditions };
}

/** A field, or its negation: `Action` or `NotAction`. */
function selection<T>(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  where: string,
  parse: (value: unknown, name: string) => readonly T[],
): Selection<T> | undefined {
  const [some, others] = [fields[name], fields[`Not${name}`]];
  if (some !== undefined && others !== undefined) {
    throw new MalformedPolicy(`${where}: ${name} and Not${name} exclude each other`);
  }
  if (some !== undefined) return { except: false, items: parse(some, `${where}: ${name}`) };
  return others === undefined ? undefined : { except: true, items: parse(others, `${where}: Not${name}`) };
}

function parsePrincipals(value: unknown, where: string, kind: PolicyKind): readonly Principal[] {
  if (value === '*') return parseNames(['*'], where);
  const fields = fieldsOf(value, where, kind === 'trust' ? ['AWS', 'Federated', 'Service'] : ['AWS']);
  const { AWS: users, ...strangers } = fields;
  if (Object.keys(fields).length === 0) throw new MalformedPolicy(`${where} is empty`);
  for (const [name, others] of Object.entries(strangers)) textsOf(others, `${where}: ${name}`);
  return [
    ...(users === undefined ? [] : parseNames(textsOf(users, `${where}: AWS`), where)),
    ...Object.keys(strangers).map(() => STRANGER),
  ];
}

function parseNames(texts: readonly string[], where: string): readonly Principal[] {
  return texts.map((text) => {
    const principal = parsePrincipal(text);
    if (!principal) throw new MalformedPolicy(`${where}: ${text} names nobody`);
    return principal;
  });
}

function parseActions(value: unknown, where: string): readonly string[] {
  return textsOf(value, where).map((text) => {
    const pattern = text.toLowerCase();
    if (!KNOWN_ACTIONS.some((known) => globMatches(pattern, known))) {
      throw new MalformedPolicy(`${where}: there is no action ${text}`);
    }
    return pattern;
  });
}

function parseResources(value: unknown, where: string, tenant: string): readonly Arn[] {
  return textsOf(value, where).map((text) => {
    const arn = parseArn(text);
    if (!arn) throw new MalformedPolicy(`${where}: ${text} is no ARN`);
    if (arn.account === '') return { ...arn, account: tenant };
    if (arn.account !== tenant && arn.account !== '*') {
      throw new MalformedPolicy(`${where}: ${text} is of another tenant`);
    }
    return arn;
  });
}

/** `{ operator: { key: value or values } }`. */
function parseConditions(given: unknown, where: string): readonly Condition[] {
  if (given === undefined) return [];
  return Object.entries(objectOf(given, where)).flatMap(([name, keys]) => {
    const operator = parseOperator(name);
    if (!operator) throw new MalformedPolicy(`${where}: there is no operator ${name}`);
    return Object.entries(objectOf(keys, `${where}: ${name}`)).map(([key, values]) => ({
      ...operator,
      key: key
        .toLowerCase()
        .replace(/^(s3:(?:existing|request)objecttag\/).*/, (_, start) => start + key.slice(start.length)),
      values: textsOf(values, `${where}: ${name}: ${key}`),
    }));
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new MalformedPolicy(`The policy is no JSON: ${(error as Error).message}`);
  }
}

function objectOf(given: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new MalformedPolicy(`${where} is no object`);
  }
  return given as Record<string, unknown>;
}

function fieldsOf(given: unknown, where: string, names: readonly string[]): Readonly<Record<string, unknown>> {
  const fields = objectOf(given, where);
  const unknown = Object.keys(fields).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new MalformedPolicy(`${where}: there is no field ${unknown}`);
  return fields;
}

/** A text or several; numbers and truth values are texts, too. */
function textsOf(given: unknown, where: string): readonly string[] {
  const values = Array.isArray(given) ? given : [given];
  if (values.length === 0) throw new MalformedPolicy(`${where} is empty`);
  return values.map((value) => {
    if (!['string', 'number', 'boolean'].includes(typeof value)) throw new MalformedPolicy(`${where}: give texts`);
    return String(value);
  });
}
