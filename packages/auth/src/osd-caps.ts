/**
 * What a session may do at an OSD (osd/OSDCap.cc).
 *
 *   allow rw pool=images namespace=a object_prefix rbd_, allow class lock, allow rw tag cephfs data=fs, profile rbd pool=images
 */
import type { EntityAddr } from '@spirula/encoding';
import { type CapsNetwork, parseCapsNetwork } from './caps-network.ts';
import { ANY, CapsScanner, grantList, MalformedCaps, READ, WRITE } from './caps-scanner.ts';

/** What methods of object classes need, beside READ and WRITE; `x` is both. */
const CLASS_READ = 8;
const CLASS_WRITE = 16;

/** One or several objects of a pool. */
interface Scope {
  readonly pool: string | undefined;
  /** Undefined: all of them. With `*` at its end all that begin so. */
  readonly namespace: string | undefined;
  /** Asked of the pool's application metadata; `*` is any key, or any value. */
  readonly tag: { readonly application: string; readonly key: string; readonly value: string } | undefined;
  readonly objectPrefix: string | undefined;
}

interface Spec {
  readonly allow: number;
  /** Methods of one class, whatever they need; or one of them. */
  readonly className: string | undefined;
  readonly method: string | undefined;
}

interface Allowed {
  readonly scope: Scope;
  readonly spec: Spec;
}

interface OsdGrant {
  /** One, or what a profile stands for. */
  readonly allowed: readonly Allowed[];
  readonly network: string | undefined;
  readonly within: CapsNetwork | undefined;
}

/** Application -> key -> value, as a pool's `application metadata`. */
export type Applications = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** A method of an object class that is to be called. */
export interface ClassCall {
  readonly className: string;
  readonly method: string;
  readonly reads: boolean;
  readonly writes: boolean;
  /** Whether blanket permissions reach the class (osd_class_default_list). */
  readonly isListed: boolean;
}

/** What is asked for. */
export interface OsdAsk {
  readonly pool: string;
  readonly namespace: string;
  readonly applications: Applications;
  /** Name of the object, or its locator key when it has one; empty for what is about a whole PG. */
  readonly object: string;
  readonly reads: boolean;
  readonly writes: boolean;
  readonly calls: readonly ClassCall[];
}

/** Parsed once a session. */
export class OsdCaps {
  /** `allow *`. */
  static readonly everything = OsdCaps.#of([allowEverything()]);
  /** Of who has none. */
  static readonly nothing = new OsdCaps([]);
  readonly #grants: readonly OsdGrant[];
  /** Whether nothing need be asked: everything is allowed from everywhere. */
  readonly isUnlimited: boolean;
  /** As Ceph asks for commands to an OSD itself: whether `*` is granted for all objects, from wherever. */
  readonly allowsAll: boolean;

  private constructor(grants: readonly OsdGrant[]) {
    this.#grants = grants;
    const allowing = grants.filter(({ allowed }) => allowed.some(isEverything));
    this.allowsAll = allowing.length > 0;
    this.isUnlimited = allowing.some(({ network }) => network === undefined);
  }

  static #of(allowed: readonly Allowed[]): OsdCaps {
    return new OsdCaps([{ allowed, network: undefined, within: undefined }]);
  }

  /** @throws MalformedCaps */
  static parse(text: string): OsdCaps {
    return new OsdCaps(parseGrants(text));
  }

  /**
   * Whether something grants to write to all of a pool; undefined: to all pools. Tags do not count, as monitors do not look
   * at them where they ask this (is_osd_writable).
   */
  mayWriteTo(pool: string | undefined): boolean {
    return this.#grants.some(({ allowed }) =>
      allowed.some(({ scope, spec }) => {
        if ((spec.allow & WRITE) === 0) return false;
        return isAnywhere(scope) || (scope.pool !== undefined && scope.pool === pool);
      }),
    );
  }

  /** Whether one grant allows to read and write as needed; calls may be allowed by several. */
  isCapable(ask: OsdAsk, addr: EntityAddr | undefined): boolean {
    const allowedCalls = ask.calls.map(() => false);
    return this.#grants.some(
      ({ allowed, network, within }) =>
        (network === undefined || (addr !== undefined && within?.(addr) === true)) &&
        allowed.some((each) => allows(each, ask, allowedCalls)),
    );
  }
}

function allowEverything(): Allowed {
  return {
    scope: { pool: undefined, namespace: undefined, tag: undefined, objectPrefix: undefined },
    spec: { allow: ANY, className: undefined, method: undefined },
  };
}

function isAnywhere({ pool, namespace, tag, objectPrefix }: Scope): boolean {
  return pool === undefined && namespace === undefined && tag === undefined && objectPrefix === undefined;
}

function isEverything({ scope, spec }: Allowed): boolean {
  return isAnywhere(scope) && spec.allow === ANY;
}

/** OSDCapGrant::is_capable. What is found of the calls is kept for the next grant. */
function allows({ scope, spec }: Allowed, ask: OsdAsk, allowedCalls: boolean[]): boolean {
  if (!isWithin(scope, ask)) return false;
  const { allow } = spec;
  if ((ask.reads && (allow & READ) === 0) || (ask.writes && (allow & WRITE) === 0)) return false;
  if (ask.calls.length === 0 || allow === ANY) return true;
  for (const [i, call] of ask.calls.entries()) {
    const isNamed =
      spec.className !== undefined &&
      spec.className === call.className &&
      (spec.method === undefined || spec.method === call.method);
    const isReached =
      call.isListed && (!call.reads || (allow & CLASS_READ) !== 0) && (!call.writes || (allow & CLASS_WRITE) !== 0);
    if (isNamed || isReached) allowedCalls[i] = true;
  }
  return allowedCalls.every((each) => each);
}

function isWithin({ pool, namespace, tag, objectPrefix }: Scope, ask: OsdAsk): boolean {
  if (pool !== undefined && pool !== ask.pool) return false;
  if (namespace !== undefined && !matchesNamespace(namespace, ask.namespace)) return false;
  if (tag !== undefined && !matchesTag(tag, ask.applications)) return false;
  return objectPrefix === undefined || ask.object.startsWith(objectPrefix);
}

function matchesNamespace(pattern: string, namespace: string): boolean {
  return pattern.endsWith('*') ? namespace.startsWith(pattern.slice(0, -1)) : pattern === namespace;
}

function matchesTag({ application, key, value }: NonNullable<Scope['tag']>, applications: Applications): boolean {
  const metadata = applications.get(application);
  if (metadata === undefined) return false;
  if (key === '*') return value === '*' || [...metadata.values()].includes(value);
  const found = metadata.get(key);
  return found !== undefined && (value === '*' || found === value);
}

// Grammar

/** @throws MalformedCaps where `auth` commands refuse caps. */
function parseGrants(text: string): readonly OsdGrant[] {
  const scanner = new CapsScanner(text);
  // Around the whole Ceph skips all white space.
  scanner.match(/[\t-\r ]+/y);
  const grants = grantList(scanner, grant, /[;,]/y);
  if (grants !== undefined) scanner.match(/[\t-\r ]+/y);
  if (grants === undefined || scanner.rest !== '') {
    const problem = `osd capability parse failed, stopped at '${scanner.rest}' of '${text}'`;
    throw new MalformedCaps('osd', scanner.at, problem);
  }
  return grants;
}

function grant(scanner: CapsScanner): OsdGrant | undefined {
  scanner.match(/[ \t]*/y);
  const allowed =
    scanner.attempt(() => {
      const spec = scanner.literal('allow') ? capSpec(scanner) : undefined;
      return spec && [{ spec, scope: scope(scanner) }];
    }) ??
    scanner.attempt(() => {
      const where = scanner.literal('allow') ? scope(scanner) : undefined;
      const spec = where && capSpec(scanner);
      return spec && [{ spec, scope: where }];
    }) ??
    scanner.attempt(() => profile(scanner));
  if (allowed === undefined) return undefined;
  const network = networkOf(scanner);
  scanner.match(/[ \t]*/y);
  return { allowed, network, within: network === undefined ? undefined : parseCapsNetwork(network) };
}

/** `rwx class-read class-write`, `*`, or `class NAME [METHOD]`. */
function capSpec(scanner: CapsScanner): Spec | undefined {
  const allow = scanner.attempt(() => rwx(scanner));
  if (allow !== undefined) return { allow, className: undefined, method: undefined };
  const className = scanner.attempt(() =>
    keyword(scanner, 'class') && spaces(scanner) ? scanner.string() : undefined,
  );
  if (className === undefined) return undefined;
  const method = scanner.attempt(() => (spaces(scanner) ? scanner.string() : undefined));
  return { allow: 0, className, method };
}

function rwx(scanner: CapsScanner): number | undefined {
  if (scanner.match(/[\t-\r ]+(?:\*|all)/y) !== undefined) return ANY;
  let allow = 0;
  const letters = scanner.match(/[\t-\r ]+(?=[rwx])(r)?(w)?(x)?/y);
  if (letters?.[1]) allow |= READ;
  if (letters?.[2]) allow |= WRITE;
  if (letters?.[3]) allow |= CLASS_READ | CLASS_WRITE;
  if (scanner.match(/[\t-\r ]+class-read/y) !== undefined) allow |= CLASS_READ;
  if (scanner.match(/[\t-\r ]+class-write/y) !== undefined) allow |= CLASS_WRITE;
  return allow === 0 ? undefined : allow;
}

/** Where: a tag, or pool, namespace and prefix of the object's name, each or none of them. Matches nothing, too. */
function scope(scanner: CapsScanner): Scope {
  const anywhere = { pool: undefined, namespace: undefined, tag: undefined, objectPrefix: undefined };
  const tag = scanner.attempt(() => poolTag(scanner));
  if (tag !== undefined) return { ...anywhere, tag };
  const tagged = scanner.attempt(() => {
    const namespace = namespaceOf(scanner);
    const inside = namespace === undefined ? undefined : poolTag(scanner);
    return inside && { ...anywhere, namespace, tag: inside };
  });
  if (tagged !== undefined) return tagged;
  const pool = poolOf(scanner);
  const namespace = scanner.attempt(() => namespaceOf(scanner));
  const objectPrefix = scanner.attempt(() =>
    keyword(scanner, 'object_prefix') && spaces(scanner) ? scanner.string() : undefined,
  );
  return { ...anywhere, pool, namespace, objectPrefix };
}

function poolTag(scanner: CapsScanner): Scope['tag'] {
  if (!keyword(scanner, 'tag') || !spaces(scanner)) return undefined;
  const application = scanner.string();
  if (application === undefined || !spaces(scanner)) return undefined;
  const key = wildcardOr(scanner);
  if (key === undefined || scanner.match(/[\t-\r ]*=[\t-\r ]*/y) === undefined) return undefined;
  const value = wildcardOr(scanner);
  return value === undefined ? undefined : { application, key, value };
}

function wildcardOr(scanner: CapsScanner): string | undefined {
  return scanner.literal('*') || scanner.literal('all') ? '*' : scanner.string();
}

function poolOf(scanner: CapsScanner): string | undefined {
  return scanner.attempt(() => (keyword(scanner, 'pool') && assignment(scanner) ? scanner.string() : undefined));
}

/** May be empty, in quotes; a star may follow. */
function namespaceOf(scanner: CapsScanner): string | undefined {
  if (!keyword(scanner, 'namespace') || !assignment(scanner)) return undefined;
  const found = scanner.match(/"([^"]*)"|'([^']*)'|([a-zA-Z0-9_./-]+)/y);
  if (found === undefined) return undefined;
  const name = found[1] ?? found[2] ?? found[3]!;
  return scanner.literal('*') ? `${name}*` : name;
}

function profile(scanner: CapsScanner): readonly Allowed[] | undefined {
  if (!scanner.literal('profile') || !assignment(scanner)) return undefined;
  const name = scanner.string();
  if (name === undefined) return undefined;
  const pool = poolOf(scanner);
  return expandProfile(
    name,
    pool,
    scanner.attempt(() => namespaceOf(scanner)),
  );
}

function networkOf(scanner: CapsScanner): string | undefined {
  return scanner.attempt(() =>
    keyword(scanner, 'network') && spaces(scanner) ? scanner.match(/[/.:a-fA-F0-9[\]]+/y)?.[0] : undefined,
  );
}

/** A word after white space of any kind. */
function keyword(scanner: CapsScanner, word: string): boolean {
  return spaces(scanner) && scanner.literal(word);
}

function assignment(scanner: CapsScanner): boolean {
  return scanner.literal('=') || spaces(scanner);
}

function spaces(scanner: CapsScanner): boolean {
  return scanner.match(/[\t-\r ]+/y) !== undefined;
}

/** OSDCapGrant::expand_profile. A profile that is not known stands for nothing. */
function expandProfile(name: string, pool: string | undefined, namespace: string | undefined): readonly Allowed[] {
  const scope: Scope = { pool, namespace, tag: undefined, objectPrefix: undefined };
  const grant = (where: Scope, allow: number, className?: string, method?: string): Allowed => ({
    scope: where,
    spec: { allow, className, method },
  });
  const everywhere = { ...scope, pool: undefined, namespace: undefined };
  switch (name) {
    case 'read-only':
      return [grant(scope, READ)];
    case 'read-write':
      return [grant(scope, READ | WRITE)];
    case 'rbd':
      return [
        grant({ ...everywhere, objectPrefix: 'rbd_info' }, READ),
        grant({ ...everywhere, objectPrefix: 'rbd_children' }, CLASS_READ),
        grant({ ...everywhere, objectPrefix: 'rbd_mirroring' }, CLASS_READ),
        grant({ ...scope, namespace: undefined }, 0, 'rbd', 'metadata_list'),
        grant(scope, READ | WRITE | CLASS_READ | CLASS_WRITE),
      ];
    case 'rbd-read-only': {
      const headers = { ...scope, objectPrefix: 'rbd_header.' };
      return [
        grant(scope, READ | CLASS_READ),
        grant(headers, 0, 'rbd', 'child_attach'),
        grant(headers, 0, 'rbd', 'child_detach'),
      ];
    }
    default:
      return [];
  }
}
