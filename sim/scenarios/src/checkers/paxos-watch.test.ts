import { bytesFromRaw } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { PaxosWatch } from './paxos-watch.ts';

function mon(name: string, ...values: string[]) {
  return {
    name,
    firstCommitted: 1,
    lastCommitted: values.length,
    value: (version: number) => bytesFromRaw(values[version - 1]!),
  };
}

test('two values for one version are told, whoever commits second', () => {
  const paxos = new PaxosWatch();
  expect(paxos.check(mon('a', 'x', 'y'))).toBeUndefined();
  expect(paxos.check(mon('b', 'x'))).toBeUndefined();

  expect(paxos.check(mon('b', 'x', 'z'))).toBe('mon.b has committed another value for version 2 than mon.a');
});

test('what a monitor lost and learns again must be what it was', () => {
  const paxos = new PaxosWatch();
  paxos.check(mon('a', 'x', 'y'));
  paxos.forget('a');
  expect(paxos.check(mon('a', 'x'))).toBeUndefined();

  expect(paxos.check(mon('a', 'x', 'w'))).toBe('mon.a has committed another value for version 2 than mon.a');
});
