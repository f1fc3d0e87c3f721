/**
 * What a session may do at a monitor (mon/MonCap.cc).
 *
 *   allow rw, allow service osd r, allow command "config-key get" with key prefix rbd/, profile osd network 10.0.0.0/8
 */
import type { EntityAddr, EntityName } from '@spirula/encoding';
import { type Constraints, constraints, NO_CONSTRAINTS, satisfies } from './caps-constraint.ts';
import { type CapsNetwork, parseCapsNetwork } from './caps-network.ts';
import { ANY, CapsScanner, EXECUTE, grantList, MalformedCaps, permissions, READ, WRITE } from './caps-scanner.ts';
import { type ProfileGrant, profileGrants } from './mon-profiles.ts';

interface MonGrant {
  /** Holds for all (blanket), for a service, for a command, or for what a profile stands for. */
  readonly scope:
    | { readonly name: 'all' }
    | { readonly name: 'fileSystem'; readonly fileSystem: string }
    | { readonly name: 'service'; readonly service: string }
    | { readonly name: 'command'; readonly command: string; readonly args: Constraints }
    | { readonly name: 'profile'; readonly profile: string };
  readonly allow: number;
  readonly network: string | undefined;
}

const EVERYTHING = READ | WRITE | EXECUTE;

/** What is asked for. */
export interface MonAsk {
  /** Service that a message or command belongs to: `mon`, `osd`, `auth` … */
  readonly service: string;
  /** Its first words; empty for messages that are no commands. */
  readonly command?: string;
  readonly args?: ReadonlyMap<string, string>;
  /** Bits of READ, WRITE, EXECUTE. */
  readonly needs: number;
}

const NO_ARGS: ReadonlyMap<string, string> = new Map();

interface Held {
  readonly grant: MonGrant;
  readonly within: CapsNetwork | undefined;
  readonly profile: readonly ProfileGrant[];
}

/** Parsed once a session; asking allocates nothing where everything is allowed. */
export class MonCaps {
  /** `allow *`. */
  static readonly everything = new MonCaps([everythingGrant()], { type: 'client', id: '' });
  /** Of who has none. */
  static readonly nothing = new MonCaps([], { type: 'client', id: '' });
  readonly #held: readonly Held[];

  private constructor(grants: readonly MonGrant[], entity: EntityName) {
    this.#held = grants.map((grant) => ({
      grant,
      within: grant.network === undefined ? undefined : parseCapsNetwork(grant.network),
      profile: grant.scope.name === 'profile' ? profileGrants(grant.scope.profile, entity) : [],
    }));
  }

  /** @throws MalformedCaps */
  static parse(text: string, entity: EntityName): MonCaps {
    return new MonCaps(parseGrants(text), entity);
  }

  /** Whether all that is needed is allowed, by one grant or by several together. */
  isCapable({ service, command = '', args = NO_ARGS, needs }: MonAsk, addr: EntityAddr | undefined): boolean {
    let allowed = 0;
    for (const { grant, within, profile } of this.#held) {
      if (grant.network !== undefined && (addr === undefined || within?.(addr) !== true)) continue;
      if (grant.scope.name === 'all' && grant.allow === ANY) return true;
      if (grant.scope.name === 'profile') {
        for (const each of profile) allowed |= allowedBy(each, service, command, args);
      } else {
        allowed |= allowedBy(grant, service, command, args);
      }
      if ((allowed & needs) === needs) return true;
    }
    return false;
  }
}

function everythingGrant(): MonGrant {
  return { scope: { name: 'all' }, allow: ANY, network: undefined };
}

function allowedBy(
  { scope, allow }: Pick<MonGrant, 'scope' | 'allow'>,
  service: string,
  command: string,
  args: ReadonlyMap<string, string>,
): number {
  switch (scope.name) {
    case 'service':
      return scope.service === service ? allow : 0;
    case 'command':
      return scope.command === command && satisfies(args, scope.args) ? EVERYTHING : 0;
    case 'all':
    case 'fileSystem':
      // Keys of config-key may be secrets: blanket permissions do not reach them.
      return service === 'config-key' ? 0 : allow;
    default:
      return 0;
  }
}

/** @throws MalformedCaps where `auth` commands refuse caps. */
function parseGrants(text: string): readonly MonGrant[] {
  const scanner = new CapsScanner(text);
  const grants = grantList(scanner, grant, / *[;,] */y);
  if (grants !== undefined && scanner.rest === '') return grants;
  const stopped = scanner.rest === '' ? 'end' : `'${scanner.rest}'`;
  throw new MalformedCaps('mon', scanner.at, `mon capability parse failed, stopped at ${stopped} of '${text}'`);
}

function grant(scanner: CapsScanner): MonGrant | undefined {
  scanner.spaces();
  const found =
    scanner.attempt(() => blanketGrant(scanner)) ??
    scanner.attempt(() => profileGrant(scanner)) ??
    scanner.attempt(() => serviceGrant(scanner)) ??
    scanner.attempt(() => commandGrant(scanner));
  if (found !== undefined) scanner.spaces();
  return found;
}

function blanketGrant(scanner: CapsScanner): MonGrant | undefined {
  if (!scanner.literal('allow') || !scanner.spaces()) return undefined;
  const allow = permissions(scanner);
  if (allow === undefined) return undefined;
  const network = scanner.network();
  const fileSystem = scanner.attempt(() =>
    scanner.spaces() && scanner.literal('fsname') && scanner.assignment()
      ? scanner.match(/[a-zA-Z0-9_.-]+/y)?.[0]
      : undefined,
  );
  const scope = fileSystem === undefined ? ({ name: 'all' } as const) : ({ name: 'fileSystem', fileSystem } as const);
  return { scope, allow, network };
}

function profileGrant(scanner: CapsScanner): MonGrant | undefined {
  scanner.match(/allow[ \n\t]+/y);
  if (!scanner.literal('profile') || !scanner.assignment()) return undefined;
  const profile = scanner.string();
  if (profile === undefined) return undefined;
  return { scope: { name: 'profile', profile }, allow: 0, network: scanner.network() };
}

function serviceGrant(scanner: CapsScanner): MonGrant | undefined {
  const service = keyword(scanner, 'service');
  if (service === undefined || !scanner.spaces()) return undefined;
  const allow = permissions(scanner);
  return allow === undefined ? undefined : { scope: { name: 'service', service }, allow, network: scanner.network() };
}

function commandGrant(scanner: CapsScanner): MonGrant | undefined {
  const command = keyword(scanner, 'command');
  if (command === undefined) return undefined;
  const args = scanner.attempt(() =>
    scanner.spaces() && scanner.literal('with') && scanner.spaces() ? constraints(scanner, false) : undefined,
  );
  const scope = { name: 'command', command, args: args ?? NO_CONSTRAINTS } as const;
  return { scope, allow: 0, network: scanner.network() };
}

/** `allow KEYWORD=STRING`. */
function keyword(scanner: CapsScanner, word: string): string | undefined {
  return scanner.literal('allow') && scanner.spaces() && scanner.literal(word) && scanner.assignment()
    ? scanner.string()
    : undefined;
}
