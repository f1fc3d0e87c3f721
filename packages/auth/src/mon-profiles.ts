/** What profiles stand for at a monitor (MonCapGrant::expand_profile). A profile that is not known stands for nothing. */
import type { EntityName } from '@spirula/encoding';
import { type Constraint, type Constraints, NO_CONSTRAINTS } from './caps-constraint.ts';
import { EXECUTE, READ, WRITE } from './caps-scanner.ts';

export interface ProfileGrant {
  readonly scope:
    | { readonly name: 'all' }
    | { readonly name: 'service'; readonly service: string }
    | { readonly name: 'command'; readonly command: string; readonly args: Constraints };
  readonly allow: number;
}

const R = READ;
const W = WRITE;
const RW = READ | WRITE;
const RWX = READ | WRITE | EXECUTE;

const all = (allow: number): ProfileGrant => ({ scope: { name: 'all' }, allow });
const service = (name: string, allow: number): ProfileGrant => ({ scope: { name: 'service', service: name }, allow });
const equal = (value: string): Constraint => ({ kind: 'equal', value });
const prefix = (value: string): Constraint => ({ kind: 'prefix', value });
const regex = (value: string): Constraint => ({ kind: 'regex', value });

function command(name: string, args: Readonly<Record<string, Constraint>> = {}): ProfileGrant {
  const entries = Object.entries(args);
  return {
    scope: { name: 'command', command: name, args: entries.length === 0 ? NO_CONSTRAINTS : new Map(entries) },
    allow: 0,
  };
}

/** The maps that clients read. */
const READ_MAPS = [service('mon', R), service('osd', R), service('pg', R)];
/** One client instance by address and nonce, as who breaks its lock gives it. */
const ONE_INSTANCE = regex('^[^/]+/[0-9]+$');
const BLOCKLIST_ADD = command('osd blocklist', { blocklistop: equal('add'), addr: ONE_INSTANCE });
const BLACKLIST_ADD = command('osd blacklist', { blacklistop: equal('add'), addr: ONE_INSTANCE });
const READ_TO_BOOTSTRAP = [service('mon', R), service('osd', R), command('mon getmap')];

const RBD_OSD_CAPS = regex(`^([ ,]*profile(=|[ ]+)['"]?rbd[^ ,'"]*['"]?([ ]+pool(=|[ ]+)['"]?[^,'"]+['"]?)?)+$`);

function bootstrap(entity: string, caps: Readonly<Record<string, Constraint>>): ProfileGrant {
  return command('auth get-or-create', { entity: prefix(entity), ...caps });
}

function bootstrapRbd(monCaps: string): readonly ProfileGrant[] {
  return [service('mon', R), bootstrap('client.', { caps_mon: equal(monCaps), caps_osd: RBD_OSD_CAPS })];
}

const profiles: Readonly<Record<string, readonly ProfileGrant[]>> = {
  'read-only': [all(R)],
  'read-write': [all(RW)],
  mon: [service('mon', RWX), service('log', RWX)],
  osd: [
    service('osd', RWX),
    service('mon', R),
    service('pg', RW),
    service('log', W),
    command('config set', { name: regex('osd_mclock_max_capacity_iops_(hdd|ssd)') }),
  ],
  mds: [
    service('mds', RWX),
    service('mon', R),
    service('osd', R),
    command('osd pool rmsnap'),
    command('osd blocklist'),
    command('osd blacklist'),
    service('log', W),
  ],
  mgr: [
    service('mgr', RWX),
    service('log', RW),
    service('mon', RW),
    service('mds', RW),
    service('fs', RW),
    service('osd', RW),
    service('auth', RWX),
    service('config-key', RW),
    service('config', RW),
    command('auth get-or-create'),
    command('auth caps'),
    command('auth rm'),
    command('smart'),
  ],
  'bootstrap-osd': [...READ_TO_BOOTSTRAP, command('osd new'), command('osd purge-new')],
  'bootstrap-mds': [
    ...READ_TO_BOOTSTRAP,
    bootstrap('mds.', {
      caps_mon: equal('allow profile mds'),
      caps_osd: equal('allow rwx'),
      caps_mds: equal('allow'),
    }),
  ],
  'bootstrap-mgr': [...READ_TO_BOOTSTRAP, bootstrap('mgr.', { caps_mon: equal('allow profile mgr') })],
  'bootstrap-rgw': [
    ...READ_TO_BOOTSTRAP,
    bootstrap('client.rgw.', { caps_mon: equal('allow rw'), caps_osd: equal('allow rwx') }),
  ],
  'bootstrap-rbd': bootstrapRbd('profile rbd'),
  'bootstrap-rbd-mirror': bootstrapRbd('profile rbd-mirror'),
  'fs-client': [...READ_MAPS, service('mds', R)],
  'simple-rados-client': READ_MAPS,
  'simple-rados-client-with-blocklist': [...READ_MAPS, BLOCKLIST_ADD],
  crash: [service('mon', R)],
  'cephfs-mirror': [...READ_MAPS, service('mds', R), command('config-key get', { key: prefix('cephfs/mirror/peer/') })],
  'role-definer': [service('mon', R), service('auth', RWX)],
};

/** Of every profile that begins so. */
const RBD = 'rbd';
const rbdGrants = [...READ_MAPS, BLOCKLIST_ADD, BLACKLIST_ADD];
const rbdExtras: Readonly<Record<string, readonly ProfileGrant[]>> = {
  'rbd-mirror': [command('config-key get', { key: prefix('rbd/mirror/') })],
  'rbd-mirror-peer': [
    command('config-key get', { key: regex('rbd/mirror/[^/]+') }),
    command('config-key set', { key: prefix('rbd/mirror/peer/') }),
  ],
};

/** Daemons that keep keys of their own. */
const WITH_PRIVATE_KEYS = ['mon', 'osd', 'mds', 'mgr'];

export function profileGrants(profile: string, { type, id }: EntityName): readonly ProfileGrant[] {
  if (profile.startsWith(RBD)) return [...rbdGrants, ...(ownOf(rbdExtras, profile) ?? [])];
  const grants = ownOf(profiles, profile) ?? [];
  if (!WITH_PRIVATE_KEYS.includes(profile)) return grants;
  const key = prefix(`daemon-private/${type}.${id}/`);
  const verbs = ['get', 'put', 'set', 'exists', 'delete'];
  return [...grants, ...verbs.map((verb) => command(`config-key ${verb}`, { key }))];
}

function ownOf<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
