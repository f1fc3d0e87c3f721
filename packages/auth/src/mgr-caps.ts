/**
 * What a session may do at a manager (mgr/MgrCap.cc).
 *
 *   allow r, allow service pg rw, allow module rbd_support with pool=images r, allow command "crash post", profile rbd
 */
import type { EntityAddr } from '@spirula/encoding';
import { type Constraints, constraints, NO_CONSTRAINTS, satisfies } from './caps-constraint.ts';
import { type CapsNetwork, parseCapsNetwork } from './caps-network.ts';
import { ANY, CapsScanner, grantList, MalformedCaps, permissions, READ, WRITE } from './caps-scanner.ts';

type Scope =
  | { readonly name: 'all' }
  | { readonly name: 'service'; readonly service: string }
  | { readonly name: 'module'; readonly module: string; readonly args: Constraints }
  | { readonly name: 'command'; readonly command: string; readonly args: Constraints };

interface Allowed {
  readonly scope: Scope;
  readonly allow: number;
}

interface MgrGrant {
  /** One, or what a profile stands for. */
  readonly allowed: readonly Allowed[];
  readonly network: string | undefined;
  readonly within: CapsNetwork | undefined;
}

/** What is asked for. */
export interface MgrAsk {
  /** Service a command belongs to, `pg`, `osd` …; empty for a module's. */
  readonly service: string;
  /** The module that serves it; empty for the manager's own. */
  readonly module: string;
  /** Its first words. */
  readonly command: string;
  readonly args: ReadonlyMap<string, string>;
  /** Bits of READ, WRITE, EXECUTE. */
  readonly needs: number;
}

/** Parsed once a session. */
export class MgrCaps {
  /** `allow *`. */
  static readonly everything = new MgrCaps([
    { allowed: [{ scope: { name: 'all' }, allow: ANY }], network: undefined, within: undefined },
  ]);
  /** Of who has none. */
  static readonly nothing = new MgrCaps([]);
  readonly #grants: readonly MgrGrant[];

  private constructor(grants: readonly MgrGrant[]) {
    this.#grants = grants;
  }

  /** @throws MalformedCaps */
  static parse(text: string): MgrCaps {
    return new MgrCaps(parseGrants(text));
  }

  /** Whether `*` is granted, from wherever, as Ceph asks for what is said to the manager itself. */
  get allowsAll(): boolean {
    return this.#grants.some(({ allowed }) => allowed.some(isEverything));
  }

  /** Whether all that is needed is allowed, by one grant or by several together. */
  isCapable(ask: MgrAsk, addr: EntityAddr | undefined): boolean {
    let allowed = 0;
    for (const grant of this.#grants) {
      if (grant.network !== undefined && (addr === undefined || grant.within?.(addr) !== true)) continue;
      for (const each of grant.allowed) {
        if (isEverything(each)) return true;
        allowed |= allowedBy(each, ask);
      }
      if ((allowed & ask.needs) === ask.needs) return true;
    }
    return false;
  }
}

function isEverything({ scope, allow }: Allowed): boolean {
  return scope.name === 'all' && allow === ANY;
}

function allowedBy({ scope, allow }: Allowed, { service, module, command, args }: MgrAsk): number {
  switch (scope.name) {
    case 'all':
      return allow;
    case 'service':
      return scope.service === service ? allow : 0;
    case 'module':
      // Of a single command the module itself checks the arguments.
      return scope.module === module && (command !== '' || satisfies(args, scope.args)) ? allow : 0;
    case 'command':
      return scope.command === command && satisfies(args, scope.args) ? ANY : 0;
  }
}

/** @throws MalformedCaps where `auth` commands refuse caps. */
function parseGrants(text: string): readonly MgrGrant[] {
  const scanner = new CapsScanner(text);
  const grants = grantList(scanner, grant, / *[;,] */y);
  if (grants === undefined || scanner.rest !== '') {
    const stopped = scanner.rest === '' ? 'end' : `'${scanner.rest}'`;
    throw new MalformedCaps('mgr', scanner.at, `mgr capability parse failed, stopped at ${stopped} of '${text}'`);
  }
  const problems: string[] = [];
  const parsed = grants.map(({ meaning, network }) => ({
    allowed: 'profile' in meaning ? expandProfile(meaning, problems) : [meaning],
    network,
    within: network === undefined ? undefined : parseCapsNetwork(network),
  }));
  if (problems.length === 0) return parsed;
  const problem = `mgr capability parse failed during profile evaluation: ${problems.join('')}`;
  throw new MalformedCaps('mgr', scanner.at, problem);
}

interface Profile {
  readonly profile: string;
  readonly args: Constraints;
}

interface Parsed {
  readonly meaning: Allowed | Profile;
  readonly network: string | undefined;
}

/** Profiles of daemons that need nothing here are known, and stand for nothing. */
const EMPTY_PROFILES = ['osd', 'mds', 'rgw'];

function expandProfile({ profile, args }: Profile, problems: string[]): readonly Allowed[] {
  switch (profile) {
    case 'read-only':
      return [{ scope: { name: 'all' }, allow: READ }];
    case 'read-write':
      return [{ scope: { name: 'all' }, allow: READ | WRITE }];
    case 'crash':
      return [{ scope: { name: 'command', command: 'crash post', args: NO_CONSTRAINTS }, allow: 0 }];
    case 'rbd':
    case 'rbd-read-only': {
      const unknown = [...args.keys()].sort().find((name) => name !== 'pool' && name !== 'namespace');
      if (unknown !== undefined) {
        problems.push(`profile '${profile}' does not recognize key '${unknown}'`);
        return [];
      }
      const allow = profile === 'rbd' ? READ | WRITE : READ;
      return [{ scope: { name: 'module', module: 'rbd_support', args }, allow }];
    }
    default:
      if (!EMPTY_PROFILES.includes(profile)) problems.push(`unrecognized profile '${profile}'`);
      return [];
  }
}

function grant(scanner: CapsScanner): Parsed | undefined {
  scanner.spaces();
  const found =
    scanner.attempt(() => blanketGrant(scanner)) ??
    scanner.attempt(() => profileGrant(scanner)) ??
    scanner.attempt(() => scopedGrant(scanner, 'service')) ??
    scanner.attempt(() => scopedGrant(scanner, 'module')) ??
    scanner.attempt(() => commandGrant(scanner));
  if (found !== undefined) scanner.spaces();
  return found;
}

function blanketGrant(scanner: CapsScanner): Parsed | undefined {
  if (!scanner.literal('allow') || !scanner.spaces()) return undefined;
  const allow = permissions(scanner);
  return allow === undefined ? undefined : { meaning: { scope: { name: 'all' }, allow }, network: scanner.network() };
}

function profileGrant(scanner: CapsScanner): Parsed | undefined {
  scanner.match(/allow[ \n\t]+/y);
  if (!scanner.literal('profile') || !scanner.assignment()) return undefined;
  const profile = scanner.string();
  if (profile === undefined) return undefined;
  const args = scanner.attempt(() => (scanner.spaces() ? constraints(scanner, true) : undefined)) ?? NO_CONSTRAINTS;
  return { meaning: { profile, args }, network: scanner.network() };
}

function scopedGrant(scanner: CapsScanner, kind: 'service' | 'module'): Parsed | undefined {
  const name = keyword(scanner, kind);
  if (name === undefined) return undefined;
  const args = kind === 'module' ? withArguments(scanner) : NO_CONSTRAINTS;
  if (!scanner.spaces()) return undefined;
  const allow = permissions(scanner);
  if (allow === undefined) return undefined;
  const scope: Scope = kind === 'module' ? { name: kind, module: name, args } : { name: kind, service: name };
  return { meaning: { scope, allow }, network: scanner.network() };
}

function commandGrant(scanner: CapsScanner): Parsed | undefined {
  const command = keyword(scanner, 'command');
  if (command === undefined) return undefined;
  const scope: Scope = { name: 'command', command, args: withArguments(scanner) };
  return { meaning: { scope, allow: 0 }, network: scanner.network() };
}

function withArguments(scanner: CapsScanner): Constraints {
  return (
    scanner.attempt(() =>
      scanner.spaces() && scanner.literal('with') && scanner.spaces() ? constraints(scanner, true) : undefined,
    ) ?? NO_CONSTRAINTS
  );
}

/** `allow KEYWORD=STRING`. */
function keyword(scanner: CapsScanner, word: string): string | undefined {
  return scanner.literal('allow') && scanner.spaces() && scanner.literal(word) && scanner.assignment()
    ? scanner.string()
    : undefined;
}
