import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatCryptoKey } from '@spirula/auth';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CephConf } from './ceph-conf.ts';
import { findClientAuth } from './client-auth.ts';

const keys = ['AQBApwxrTSoDCBAA432mm1NtyjJnNj0hienv5w==', 'AQBBpwxrAAAAABAA432mm1NtyjJnNj0hienv5w=='] as const;
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'spirula-keys-'));
  writeFileSync(join(dir, 'client.admin.keyring'), `[client.admin]\nkey = ${keys[0]}\n[client.x]\nkey = ${keys[1]}\n`);
  writeFileSync(join(dir, 'keyfile'), `${keys[1]}\n`);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function find(conf: string, options: Record<string, string>): string | undefined {
  const { key } = findClientAuth(CephConf.parse(conf), new Map(Object.entries(options)));
  return key && formatCryptoKey(key);
}

describe('a client’s key', () => {
  const conf = () => `[global]\nkeyring = /nowhere,${dir}/$name.keyring\nauth_client_required = cephx\n`;

  test('is its entry in the first keyring there is, named with metavariables', () => {
    expect(find(conf(), {})).toBe(keys[0]);
  });

  test('is found by --id, --name and --keyring', () => {
    expect(find(conf(), { id: 'x', keyring: `${dir}/client.admin.keyring` })).toBe(keys[1]);
    expect(find(conf(), { name: 'client.x', keyring: `${dir}/client.admin.keyring` })).toBe(keys[1]);
  });

  test('is that of --key before that of --keyfile, and of that before any keyring', () => {
    expect(find(conf(), { keyfile: `${dir}/keyfile` })).toBe(keys[1]);
    expect(find(conf(), { keyfile: `${dir}/keyfile`, key: keys[0] })).toBe(keys[0]);
  });

  test('is missed where only cephx is allowed, in the words of ceph', () => {
    const words = '[errno 2] RADOS object not found (error connecting to the cluster)';

    expect(() => find(conf(), { id: 'y' })).toThrow(
      `unable to find a keyring on /nowhere,${dir}/client.y.keyring\n${words}`,
    );
    expect(() => find(conf(), { id: 'y', keyring: `${dir}/client.admin.keyring` })).toThrow('has no key for client.y');
  });

  test('is not needed where none is allowed, and not looked for where nothing else is', () => {
    expect(find('[global]\nkeyring = /nowhere', {})).toBeUndefined();
    expect(find(`[global]\nkeyring = ${dir}/client.admin.keyring\nauth_client_required = none`, {})).toBeUndefined();
  });

  test('that cannot be decoded is refused', () => {
    expect(() => find(conf(), { key: 'nonsense' })).toThrow('failed to decode key');
  });
});
