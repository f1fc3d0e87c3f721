import { expect, test } from 'vitest';
import { MonLeaseWatch, type MonView } from './mon-lease-watch.ts';

const LEASE = 10;

function view(name: string, fields: Partial<MonView>): MonView {
  const rank = name.charCodeAt(0) - 'a'.charCodeAt(0);
  return { name, rank, role: 'peon', epoch: 4, quorum: [0, 1, 2], lastCommitted: 1, readable: true, ...fields };
}

const leader = view('a', { role: 'leader' });

function watch(...others: MonView[]) {
  return new MonLeaseWatch(() => [leader, ...others], 3, LEASE);
}

test('a leader that all of its quorum acknowledges may go on', () => {
  const leases = watch();
  leases.check(leader, 0);
  for (const now of [5, 10, 15, 20, 25]) {
    for (const from of [1, 2]) leases.heard(0, from, 4, now);

    expect(leases.check(leader, now)).toBeUndefined();
  }
});

test('a leader that would serve when one of its quorum was not heard for too long is told', () => {
  const leases = watch();
  leases.check(leader, 0);
  leases.heard(0, 1, 4, 8);
  // Of another election.
  leases.heard(0, 2, 2, 8);
  expect(leases.check(leader, 10)).toBeUndefined();

  expect(leases.check({ ...leader, readable: false }, 11)).toBeUndefined();
  expect(leases.check(leader, 11)).toMatch(/^mon\.a leads, and has not heard the monitor of rank 2 for/);
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
  const minority = view('b', { role: 'leader', epoch: 6, quorum: [1] });

  expect(watch().check(minority, 1)).toBe('mon.b leads 1 of 3 monitors');
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
    leases.check({ ...leader, quorum: [0, 1] }, 0);

    expect(leases.check({ ...leader, quorum: [0, 1], lastCommitted: 2 }, 1)).toBe(problem);
  }
});
