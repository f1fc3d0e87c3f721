import { expect, test } from 'vitest';
import { MonLeaseWatch, type MonView } from './mon-lease-watch.ts';

const LEASE = 10;

function view(name: string, fields: Partial<MonView>): MonView {
  return {
    name,
    role: 'peon',
    epoch: 4,
    size: 3,
    quorum: ['a', 'b', 'c'],
    lastCommitted: 1,
    readable: true,
    ...fields,
  };
}

const leader = view('a', { role: 'leader' });

function watch(...others: MonView[]) {
  return new MonLeaseWatch(() => [leader, ...others], LEASE);
}

test('a leader that all of its quorum acknowledges may go on', () => {
  const leases = watch();
  leases.check(leader, 0);
  for (const now of [5, 10, 15, 20, 25]) {
    for (const from of ['b', 'c']) leases.heard('a', from, 4, now);

    expect(leases.check(leader, now)).toBeUndefined();
  }
});

test('a leader that would serve when one of its quorum was not heard for too long is told', () => {
  const leases = watch();
  leases.check(leader, 0);
  leases.heard('a', 'b', 4, 8);
  // Of another election.
  leases.heard('a', 'c', 2, 8);
  expect(leases.check(leader, 10)).toBeUndefined();

  expect(leases.check({ ...leader, readable: false }, 11)).toBeUndefined();
  expect(leases.check(leader, 11)).toMatch(/^mon\.a leads, and has not heard mon\.c for/);
});

test('two that serve as leaders of one election are told, two that claim to are not', () => {
  const leases = watch();
  const other = view('b', { role: 'leader' });
  for (const each of [leader, other]) expect(leases.check({ ...each, readable: false }, 0)).toBeUndefined();
  expect(leases.check(leader, 1)).toBeUndefined();

  expect(leases.check({ ...other, readable: false }, 1)).toBeUndefined();
  expect(leases.check(other, 1)).toBe('mon.a and mon.b both lead in election epoch 4');
});

test('a leader without a majority is told', () => {
  const minority = view('b', { role: 'leader', epoch: 6, quorum: ['b'] });

  expect(watch().check(minority, 1)).toBe('mon.b leads 1 of 3 monitors');
});

test('a majority is one of the monitors that the leader knows of', () => {
  const pair = view('b', { role: 'leader', epoch: 6, quorum: ['b', 'd'] });

  expect(watch().check(pair, 1)).toBeUndefined();
  expect(watch().check({ ...pair, size: 4 }, 1)).toBe('mon.b leads 2 of 4 monitors');
});

test('a peon that holds a lease of another election while its leader commits is told', () => {
  const old = view('b', { epoch: 2 });
  const outside = view('c', { epoch: 2 });
  for (const [other, problem] of [
    [old, 'mon.a commits in epoch 4 while mon.b, of its quorum, holds a lease of epoch 2'],
    [{ ...old, readable: false }, undefined],
    [{ ...old, epoch: 4 }, undefined],
    // It has that version already, from who leads it now.
    [{ ...old, epoch: 6, lastCommitted: 2 }, undefined],
    [outside, undefined],
  ] as const) {
    const leases = watch(other);
    leases.check({ ...leader, quorum: ['a', 'b'] }, 0);

    expect(leases.check({ ...leader, quorum: ['a', 'b'], lastCommitted: 2 }, 1)).toBe(problem);
  }
});
