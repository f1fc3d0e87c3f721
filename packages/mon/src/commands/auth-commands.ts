/** `auth` commands: who may authenticate, with which key, and what each may do (AuthMonitor's commands). */
import {
  type CapsService,
  type EntityAuth,
  formatCryptoKey,
  formatKeyring,
  type Keyring,
  MalformedKeyring,
  parseEntityName,
  parseKeyring,
  sortedCaps,
  sortedEntities,
} from '@spirula/auth';
import { Errno, fromUtf8, utf8 } from '@spirula/encoding';
import { problemOfCaps } from '../caps-problem.ts';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  deprecated,
  invalid,
  type MonCommandEntry,
  output,
  refuse,
  text,
  texts,
  unchanged,
} from './command.ts';

const ENTITY = { name: 'entity', type: 'CephString' };
const ANY_ENTITY = { ...ENTITY, req: 'false' };
const CAPS = { name: 'caps', type: 'CephString', n: 'N' };
const SOME_CAPS = { ...CAPS, req: 'false' };
/** Longer names do not fit the store. */
const MAX_NAME = 256;
/** What Ceph prints for a key that is none. */
const NO_KEY = 'AAAAAAAAAAAAAAAA';

export const authCommands: readonly MonCommandEntry[] = [
  reads(['auth', 'export', ANY_ENTITY], 'print the keyring of one entity or of all', exportKeyring),
  reads(['auth', 'get', ENTITY], 'print the keyring of an entity', get),
  reads(['auth', 'get-key', ENTITY], 'print the key of an entity', printKey),
  reads(['auth', 'print-key', ENTITY], 'print the key of an entity', printKey),
  reads(['auth', 'print_key', ENTITY], 'print the key of an entity', printKey),
  deprecated(reads(['auth', 'list'], 'list all entities with keys and caps', list)),
  reads(['auth', 'ls'], 'list all entities with keys and caps', list),
  writes(['auth', 'import'], 'take in the entities of the keyring given with -i', importKeyring),
  writes(['auth', 'add', ENTITY, SOME_CAPS], 'add an entity, with a key of its own or that of the keyring given', add),
  writes(
    ['auth', 'get-or-create-key', ENTITY, SOME_CAPS],
    'print the key of an entity, new if need be',
    getOrCreateKey,
  ),
  writes(['auth', 'get-or-create', ENTITY, SOME_CAPS], 'print the keyring of an entity, new if need be', getOrCreate),
  writes(['auth', 'caps', ENTITY, CAPS], 'say anew what an entity may do', setCaps),
  deprecated(writes(['auth', 'del', ENTITY], 'remove an entity', remove)),
  writes(['auth', 'rm', ENTITY], 'remove an entity', remove),
];

type Signature = Parameters<typeof command>[0];

function reads(signature: Signature, help: string, run: MonCommandEntry['run']): MonCommandEntry {
  return command(
    signature,
    help,
    'rx',
    (args, context) => badEntity(args, 'invalid entity_auth') ?? run(args, context),
    'auth',
  );
}

function writes(signature: Signature, help: string, run: MonCommandEntry['run']): MonCommandEntry {
  return command(signature, help, 'rwx', (args, context) => badChange(args) ?? run(args, context), 'auth');
}

function badChange(args: CommandArgs): CommandOutcome | undefined {
  if (texts(args, 'caps').length % 2 !== 0) return invalid('bad capabilities request; odd number of arguments');
  return badEntity(args, undefined);
}

function badEntity(args: CommandArgs, said: string | undefined): CommandOutcome | undefined {
  const name = text(args, 'entity') ?? '';
  if (name === '' || (parseEntityName(name) !== undefined && utf8(name).length <= MAX_NAME)) return undefined;
  return invalid(said === undefined ? 'bad entity name' : `${said} ${name}`);
}

/** What commands say that do not make sense of what they were given. */
const NOT_UNDERSTOOD = invalid('');

// Reading

function printKeyring(args: CommandArgs, keyring: Keyring, status: string): CommandOutcome {
  return { ...output(args, dumpKeyring(keyring), formatKeyring(keyring)), status };
}

function dumpKeyring(keyring: Keyring) {
  return sortedEntities(keyring).map(([entity, { key, caps }]) => ({
    entity,
    key: formatCryptoKey(key),
    caps: Object.fromEntries(sortedCaps(caps)),
  }));
}

function exportKeyring(args: CommandArgs, { auth }: CommandContext): CommandOutcome {
  const name = text(args, 'entity') ?? '';
  if (name === '') return printKeyring(args, auth.entities, 'exported master keyring');
  const entity = auth.entities.get(name);
  if (entity === undefined) return refuse(Errno.ENOENT, `no key for auth(key=${NO_KEY})`);
  return printKeyring(args, new Map([[name, entity]]), `export auth(key=${formatCryptoKey(entity.key)})`);
}

function get(args: CommandArgs, { auth }: CommandContext): CommandOutcome {
  const name = text(args, 'entity') ?? '';
  if (name === '') return invalid('invalid command');
  const entity = auth.entity(name);
  if (entity === undefined) return refuse(Errno.ENOENT, `failed to find ${name} in keyring`);
  return printKeyring(args, new Map([[name, entity]]), `exported keyring for ${name}`);
}

function printKey(args: CommandArgs, { auth }: CommandContext): CommandOutcome {
  const name = text(args, 'entity') ?? '';
  const entity = auth.entity(name);
  if (entity === undefined) return refuse(Errno.ENOENT, `don't have ${name}`);
  return output(args, { key: formatCryptoKey(entity.key) }, formatCryptoKey(entity.key));
}

function list(args: CommandArgs, { auth }: CommandContext): CommandOutcome {
  const lines = sortedEntities(auth.entities).map(([name, { key, caps }]) => {
    const granted = sortedCaps(caps).map(([service, granted]) => `\tcaps: [${service}] ${granted}\n`);
    return `${name}\n\tkey: ${formatCryptoKey(key)}\n${granted.join('')}`;
  });
  const isPlain = args['format'] === undefined || args['format'] === 'plain';
  const title = lines.length > 0 ? 'installed auth entries:\n' : 'no installed auth entries!\n';
  const listed = output(args, { auth_dump: dumpKeyring(auth.entities) }, lines.join(''));
  return { ...listed, status: isPlain ? title : '' };
}

// Changing

function importKeyring(_args: CommandArgs, context: CommandContext): CommandOutcome {
  if (context.input.length === 0) return invalid('auth import: no data supplied');
  const keyring = readKeyring(context, (reason) => `error decoding keyring ${reason}: Malformed input`);
  if ('code' in keyring) return keyring;
  if ([...keyring.found.values()].some(({ caps }) => caps.size === 0)) return invalid('auth import: no caps supplied');
  for (const [name, entity] of keyring.found) context.auth.setEntity(name, entity);
  return keyring.found.size === 0 ? unchanged('imported keyring') : changed('imported keyring');
}

function readKeyring(
  { input }: CommandContext,
  describe: (reason: string) => string,
): { readonly found: Keyring } | CommandOutcome {
  try {
    return { found: parseKeyring(fromUtf8(input)) };
  } catch (error) {
    if (!(error instanceof MalformedKeyring)) throw error;
    return invalid(describe(error.reason));
  }
}

/** `mon 'allow r' osd 'allow rw'` as a map; an outcome when these are no caps. */
function readCaps(args: CommandArgs): { readonly found: EntityAuth['caps'] } | CommandOutcome {
  const words = texts(args, 'caps');
  const found = new Map<CapsService, string>();
  for (let i = 0; i < words.length; i += 2) {
    const problem = problemOfCaps(words[i]!, words[i + 1]!);
    if (problem !== undefined) return invalid(problem);
    found.set(words[i] as CapsService, words[i + 1]!);
  }
  return { found };
}

function add(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { auth, input } = context;
  const name = text(args, 'entity') ?? '';
  if (name === '') return NOT_UNDERSTOOD;
  const keyring = input.length > 0 ? readKeyring(context, () => 'error decoding keyring') : undefined;
  if (keyring !== undefined && 'code' in keyring) return keyring;
  const caps = readCaps(args);
  if ('code' in caps) return caps;
  if (auth.pending(name) !== undefined) return changed('');
  const given = keyring?.found.get(name);
  if (keyring !== undefined && given === undefined) return invalid(`key for ${name} not found in provided keyring`);
  if (given !== undefined && given.caps.size > 0 && caps.found.size > 0) {
    return invalid('caps cannot be specified both in keyring and in command');
  }
  const wanted = caps.found.size > 0 ? caps.found : (given?.caps ?? caps.found);
  const existing = auth.entities.get(name);
  if (existing !== undefined) return compareEntity(name, existing, given, wanted);
  auth.setEntity(name, { key: given?.key ?? auth.createKey(), caps: wanted });
  return changed(`added key for ${name}`);
}

/** Adding what is there: nothing is done when it is the same (AuthMonitor::exists_and_matches_entity). */
function compareEntity(
  name: string,
  existing: EntityAuth,
  given: EntityAuth | undefined,
  wanted: EntityAuth['caps'],
): CommandOutcome {
  if (given?.key.secret.some((byte, i) => byte !== existing.key.secret[i])) {
    return refuse(Errno.EEXIST, `entity ${name} exists but key does not match`);
  }
  if (wanted.size !== existing.caps.size) return invalid(`entity ${name} exists but caps do not match`);
  const other = sortedCaps(wanted).find(([service, caps]) => existing.caps.get(service) !== caps);
  return other === undefined ? unchanged('') : invalid(`entity ${name} exists but cap ${other[0]} does not match`);
}

/** The entity, as it is or about to be; new with the caps given when there is none. */
function findOrCreate(
  args: CommandArgs,
  { auth }: CommandContext,
): { readonly entity: EntityAuth; readonly isOld: boolean } | CommandOutcome {
  const name = text(args, 'entity') ?? '';
  if (name === '') return NOT_UNDERSTOOD;
  const caps = readCaps(args);
  if ('code' in caps) return caps;
  const committed = auth.entities.get(name);
  const existing = committed ?? auth.pending(name);
  if (existing === undefined) {
    const entity = { key: auth.createKey(), caps: caps.found };
    auth.setEntity(name, entity);
    return { entity, isOld: false };
  }
  const other = sortedCaps(caps.found).find(([service, wanted]) => existing.caps.get(service) !== wanted);
  if (other !== undefined) return invalid(`key for ${name} exists but cap ${other[0]} does not match`);
  return { entity: existing, isOld: committed !== undefined };
}

function getOrCreate(args: CommandArgs, context: CommandContext): CommandOutcome {
  const result = findOrCreate(args, context);
  if ('code' in result) return result;
  const { entity, isOld } = result;
  const name = text(args, 'entity')!;
  // Caps are in the JSON only.
  const plain = formatKeyring(new Map([[name, { key: entity.key, caps: new Map() }]]));
  return { ...output(args, dumpKeyring(new Map([[name, entity]])), plain), commit: !isOld };
}

function getOrCreateKey(args: CommandArgs, context: CommandContext): CommandOutcome {
  const result = findOrCreate(args, context);
  if ('code' in result) return result;
  const key = formatCryptoKey(result.entity.key);
  return { ...output(args, { key }, `${key}\n`), commit: !result.isOld };
}

function setCaps(args: CommandArgs, { auth }: CommandContext): CommandOutcome {
  const name = text(args, 'entity') ?? '';
  if (name === '') return NOT_UNDERSTOOD;
  const entity = auth.entities.get(name);
  if (entity === undefined) return refuse(Errno.ENOENT, `couldn't find entry ${name}`);
  const caps = readCaps(args);
  if ('code' in caps) return caps;
  auth.setEntity(name, { key: entity.key, caps: caps.found });
  return changed(`updated caps for ${name}`);
}

function remove(args: CommandArgs, { auth }: CommandContext): CommandOutcome {
  const name = text(args, 'entity') ?? '';
  if (name === '') return NOT_UNDERSTOOD;
  if (!auth.entities.has(name)) return unchanged(`entity ${name} does not exist`);
  auth.setEntity(name, undefined);
  return changed('updated');
}
