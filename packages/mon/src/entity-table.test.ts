import { type EntityAuth, KEY_BYTES } from '@spirula/auth';
import type { Bytes } from '@spirula/encoding';
import { type KeyValue, KvOverlay } from '@spirula/world';
import { expect, test } from 'vitest';
import { EntityTable } from './entity-table.ts';
import { firstEntities } from './first-entities.ts';
import { MonStore, MonTransaction } from './mon-store.ts';

const entity = (byte: number, ...caps: [service: 'mon' | 'osd', text: string][]): EntityAuth => ({
  key: { created: { sec: 1, nsec: 2 }, secret: new Uint8Array(KEY_BYTES).fill(byte) },
  caps: new Map(caps),
});

function emptyDisk(): KeyValue {
  const entries = new KvOverlay('stands-alone');
  return {
    get: (key) => entries.get(key) as Bytes | undefined,
    range: (range) => entries.range(range),
    submit: (batch) => entries.apply(batch),
  };
}

function commit(disk: KeyValue, table: EntityTable): void {
  const transaction = new MonTransaction();
  table.encodePending(transaction);
  disk.submit(transaction.toBatch(), 1);
}

test('what was committed is what a monitor that starts finds, and nothing before that', () => {
  const disk = emptyDisk();
  const table = new EntityTable(new MonStore(disk));
  const rbd = entity(1, ['mon', 'profile rbd'], ['osd', 'profile rbd pool=images']);
  table.set('client.rbd', rbd);
  table.set('client.gone', entity(2));
  expect([...table.all.keys(), table.pending('client.rbd')]).toEqual([rbd]);
  commit(disk, table);
  table.refresh();
  table.set('client.gone', undefined);
  commit(disk, table);

  const restarted = new EntityTable(new MonStore(disk));
  restarted.refresh();
  table.refresh();
  expect(restarted.all).toEqual(new Map([['client.rbd', rbd]]));
  expect(table.all).toEqual(restarted.all);
  expect(restarted.version).toBe(2);
});

test('a new cluster has the entities of its keyring but the monitors own, and keys for what is to be added', () => {
  const admin = entity(1, ['mon', 'allow r']);
  const first = firstEntities(
    new Map([
      ['mon.', entity(2)],
      ['client.admin', admin],
    ]),
    () => entity(3).key,
  );

  expect(first.get('client.admin')).toBe(admin);
  expect(first.has('mon.')).toBe(false);
  expect(first.get('client.bootstrap-osd')).toEqual(entity(3, ['mon', 'allow profile bootstrap-osd']));
  expect(first.size).toBe(7);
});
