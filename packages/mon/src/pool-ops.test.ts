/** What programs ask of pools through librados' own calls, at any monitor. */
import { Errno } from '@spirula/encoding';
import type { OsdMap } from '@spirula/maps';
import { PoolOpCode, type PoolOpMessage, type PoolOpReply } from '@spirula/messages';
import { type Peer, SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { FSID, quorum } from './three-monitors.test-support.ts';

const mons = quorum();
const peer: Peer = {
  entity: { type: 'client', id: 'admin' },
  addrs: [{ type: 2, nonce: 7, family: 2, ip: '10.0.0.1', port: 0 }],
  globalId: 5n,
  caps: undefined,
};

function ask(name: string, op: Partial<PoolOpMessage>): PoolOpReply {
  const session = mons.hear(name, peer, {
    ...{ type: 'pool_op', tid: 1n, fsid: FSID, pool: 0, op: PoolOpCode.create, snapid: 0n, name: '', crushRule: -1 },
    ...op,
  });
  mons.run(2 * SECOND);
  return mons.said.get(session)!.find((each) => each.type === 'pool_op_reply')!;
}

function map(): OsdMap {
  return mons.inspect('a').osdMap;
}

function command(args: Record<string, unknown>): void {
  mons.command('a', args);
  mons.run(2 * SECOND);
}

function idOf(pool: string): number | undefined {
  return [...map().poolNames].find(([, name]) => name === pool)?.[0];
}

test('a pool is made with the default rule, is there once, and goes by its number once pools may go', () => {
  expect(ask('b', { name: 'one' })).toMatchObject({ code: 0 });
  const id = idOf('one')!;
  expect(map().pools.get(id)).toMatchObject({ size: 3, minSize: 2, pgNum: 32, crushRule: 0 });
  const { poolMax } = map();
  expect(ask('a', { name: 'one' })).toMatchObject({ code: 0 });
  expect(map().poolMax).toBe(poolMax);

  expect(ask('c', { op: PoolOpCode.delete, pool: id })).toMatchObject({ code: Errno.EPERM });
  command({ prefix: 'config set', who: 'mon', name: 'mon_allow_pool_delete', value: 'true' });
  const gone = ask('c', { op: PoolOpCode.delete, pool: id });
  expect(gone).toMatchObject({ code: 0, epoch: map().epoch });
  expect(idOf('one')).toBeUndefined();
  // Whoever did not hear the first answer asks again.
  expect(ask('c', { op: PoolOpCode.delete, pool: id })).toMatchObject({ code: 0 });
});

test('what cannot be made is refused: a rule there is not, no name', () => {
  expect(ask('b', { name: 'two', crushRule: 77 })).toMatchObject({ code: Errno.ENOENT });
  expect(ask('b', { name: '' })).toMatchObject({ code: Errno.EINVAL });
  expect(idOf('two')).toBeUndefined();
});

test('a pool that is not to be removed stays', () => {
  ask('a', { name: 'kept' });
  const id = idOf('kept')!;
  command({ prefix: 'osd pool set', pool: 'kept', var: 'nodelete', val: 'true' });

  expect(ask('b', { op: PoolOpCode.delete, pool: id })).toMatchObject({ code: Errno.EPERM });
  expect(idOf('kept')).toBe(id);
});
