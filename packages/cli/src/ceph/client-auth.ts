import { existsSync, readFileSync } from 'node:fs';
import { type CryptoKey, parseCryptoKey, parseEntityName } from '@spirula/auth';
import { type EntityName, MalformedInput } from '@spirula/encoding';
import { readKeyringFile } from '../cluster/cluster-keys.ts';
import { explainSystemError, UserError } from '../cluster/user-error.ts';
import type { CephConf } from './ceph-conf.ts';

/** Who a client is, and its secret key; none for auth none. */
export interface ClientAuth {
  readonly entity: EntityName;
  readonly key: CryptoKey | undefined;
}

/** The option's default in Ceph. */
const DEFAULT_METHODS = 'cephx, none';
const DEFAULT_KEYRINGS =
  '/etc/ceph/$cluster.$name.keyring,/etc/ceph/$cluster.keyring,/etc/ceph/keyring,/etc/ceph/keyring.bin';

/** Whom the command line means: `-n client.x`, `--id x`. @throws UserError */
export function clientName(options: ReadonlyMap<string, string>): EntityName {
  const name = options.get('name') ?? `client.${options.get('id') ?? 'admin'}`;
  const entity = parseEntityName(name);
  if (entity === undefined) throw new UserError(`error parsing '${name}': expected string of the form TYPE.ID`);
  return entity;
}

/**
 * Finds a client's key as Ceph does (KeyRing::from_ceph_context): `--key`, then `--keyfile`, else its entry in the first
 * keyring there is of those that `--keyring` or the conf name. Without one it may still go by auth none, where the conf allows it.
 *
 * @throws UserError when it must authenticate and has no key, or a file does not hold what it should.
 */
export function findClientAuth(conf: CephConf, options: ReadonlyMap<string, string>): ClientAuth {
  const entity = clientName(options);
  const name = `${entity.type}.${entity.id}`;
  const option = (each: string) => options.get(each) ?? conf.get(each, name);
  const methods = (option('auth_supported') || option('auth_client_required') || DEFAULT_METHODS).split(/[\s,;]+/);
  if (!methods.includes('cephx')) return { entity, key: undefined };

  const key = option('key');
  if (key !== undefined && key !== '') return { entity, key: readKey(key, '--key') };
  const keyfile = option('keyfile');
  if (keyfile !== undefined && keyfile !== '') return { entity, key: readKey(readText(keyfile), keyfile) };
  const paths = expand(option('keyring') ?? DEFAULT_KEYRINGS, entity, options.get('cluster') ?? 'ceph');
  const path = paths.split(/[\s,;]+/).find((each) => each !== '' && existsSync(each));
  const found = path === undefined ? undefined : readKeyringFile(path).get(name)?.key;
  if (found === undefined && !methods.includes('none')) {
    const problem = path === undefined ? `unable to find a keyring on ${paths}` : `${path} has no key for ${name}`;
    throw new UserError(`${problem}\n[errno 2] RADOS object not found (error connecting to the cluster)`);
  }
  return { entity, key: found };
}

/** Metavariables as in Ceph's conf. */
function expand(text: string, { type, id }: EntityName, cluster: string): string {
  const values: Readonly<Record<string, string>> = { name: `${type}.${id}`, type, id, cluster };
  return text.replaceAll(
    /\$(name|type|id|cluster)\b|\$\{(name|type|id|cluster)\}/g,
    (_, plain, braced) => values[plain ?? braced]!,
  );
}

function readKey(text: string, source: string): CryptoKey {
  try {
    return parseCryptoKey(text);
  } catch (error) {
    if (!(error instanceof MalformedInput)) throw error;
    throw new UserError(
      `${source}: failed to decode key\n[errno 22] RADOS invalid argument (error connecting to the cluster)`,
    );
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw explainSystemError(error, path);
  }
}
