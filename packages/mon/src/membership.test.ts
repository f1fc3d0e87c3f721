/** Monitors are removed and added while the cluster runs: who stays has one quorum and one history, who is out stops. */
import { decodeMonMap, encodeMonMap, type MonMap } from '@spirula/maps';
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { expectAlike, FSID, LATENCY, monMap, NAMES, quorum, ThreeMonitors } from './three-monitors.test-support.ts';

function remove(mons: ThreeMonitors, asked: string, name: string): void {
  mons.command(asked, { prefix: 'mon rm', name });
  mons.run(30 * SECOND);
}

function add(mons: ThreeMonitors, asked: string, name: string): void {
  mons.command(asked, { prefix: 'mon add', name, addr: `127.0.0.1:${6800 + 'abcde'.indexOf(name)}` });
  mons.run(15 * SECOND);
}

function mapAt(mons: ThreeMonitors, name: string): MonMap {
  return mons.inspect(name).monmap;
}

test.each([
  ['c', 'a'],
  ['b', 'c'],
  ['a', 'b'],
  ['a', 'a'],
])('mon.%s is removed through mon.%s, stops, and the others go on', (removed, asked) => {
  const mons = quorum();
  remove(mons, asked, removed);
  const left = NAMES.filter((name) => name !== removed);

  expect([...mons.ended]).toEqual([[removed, `mon.${removed} is not in the monitor map of epoch 2: it was removed`]]);
  mons.change(left[1]!, 3);
  mons.run(5 * SECOND);
  expectAlike(mons, left);
  for (const name of left) expect(mapAt(mons, name)).toMatchObject({ epoch: 2, ranks: left });
  expect(mapAt(mons, left[0]!).removedRanks).toEqual([NAMES.indexOf(removed)]);
});

test.each(NAMES)('mon.%s was down when it was removed, and stops when it is back', (removed) => {
  const mons = quorum();
  mons.stop(removed);
  mons.run(20 * SECOND);
  const left = NAMES.filter((name) => name !== removed);
  remove(mons, left[0]!, removed);

  mons.start(removed);
  mons.run(20 * SECOND);
  expect(mons.ended.has(removed)).toBe(true);
  expectAlike(mons, left);

  // What it knows now it knows at every start.
  mons.stop(left[0]!);
  mons.run(SECOND);
  mons.start(left[0]!);
  mons.run(20 * SECOND);
  expectAlike(mons, left);
});

test('a monitor that its own store says was removed stops at its next start', () => {
  const mons = quorum();
  remove(mons, 'a', 'c');
  mons.ended.clear();

  mons.start('c');
  mons.run(SECOND);
  expect(mons.ended.has('c')).toBe(true);
});

test('two are removed one after the other; the last one stays', () => {
  const mons = quorum();
  remove(mons, 'a', 'a');
  remove(mons, 'c', 'b');
  mons.change('c', 3);

  expectAlike(mons, ['c']);
  expect(mapAt(mons, 'c')).toMatchObject({ epoch: 3, ranks: ['c'], removedRanks: [0] });
  remove(mons, 'c', 'c');
  expect(mapAt(mons, 'c').epoch).toBe(3);
});

test('one that was down when another was removed learns of it, and joins', () => {
  const mons = quorum();
  mons.stop('c');
  mons.run(20 * SECOND);
  // The two that are left are no majority of a map they are to leave behind: mon.b must be there to agree.
  remove(mons, 'a', 'b');
  expect(mons.ended.has('b')).toBe(true);
  expect(mapAt(mons, 'a').ranks).toEqual(['a', 'c']);
  expect(mons.inspect('a').quorum).toEqual([]);

  mons.start('c');
  mons.run(30 * SECOND);
  mons.change('c', 3);
  mons.run(5 * SECOND);
  expectAlike(mons, ['a', 'c']);
});

test.each(NAMES)('mon.d is added through mon.%s, copies the store, and joins', (asked) => {
  const mons = quorum();
  mons.change('a', 30);
  add(mons, asked, 'd');
  expect(mons.inspect('a').quorum).toEqual([0, 1, 2]);

  mons.start('d', mapAt(mons, 'a'));
  mons.run(30 * SECOND);
  mons.change('b', 3);
  mons.run(5 * SECOND);
  expectAlike(mons, [...NAMES, 'd']);
  expect(mapAt(mons, 'd')).toMatchObject({ epoch: 2, ranks: [...NAMES, 'd'] });
});

test('two are added one right after the other, before either is there: both join', () => {
  const mons = quorum();
  remove(mons, 'a', 'c');
  add(mons, 'a', 'd');
  add(mons, 'a', 'e');
  // Two of four are no majority.
  expect(mons.inspect('a').quorum).toEqual([]);
  for (const name of ['d', 'e']) mons.start(name, mapAt(mons, 'a'));
  mons.run(60 * SECOND);
  mons.change('e', 3);
  mons.run(5 * SECOND);
  expectAlike(mons, ['a', 'b', 'd', 'e']);
});

test('a monitor that joined and lost its disk is not taken for a new one', () => {
  const mons = quorum();
  remove(mons, 'a', 'c');
  add(mons, 'a', 'd');
  const map = mapAt(mons, 'a');
  mons.start('d', map);
  mons.run(30 * SECOND);
  // Of three, only one of those that are left knows what mon.d accepted.
  mons.stop('b');
  mons.run(20 * SECOND);
  mons.change('a', 3);
  mons.stop('a');
  mons.stop('d');
  mons.wipe('d');
  mons.start('b');
  mons.start('d', map);
  mons.run(60 * SECOND);
  expect(mons.inspect('d').lastCommitted).toBe(0);

  mons.start('a');
  mons.run(60 * SECOND);
  expectAlike(mons, ['a', 'b', 'd']);
});

test('one that lost its disk learns of the map from a monitor that was not there in its first map, when only that one is left', () => {
  const mons = quorum();
  add(mons, 'a', 'd');
  mons.start('d', mapAt(mons, 'a'));
  mons.run(30 * SECOND);
  remove(mons, 'd', 'a');
  remove(mons, 'd', 'b');
  mons.stop('c');
  mons.wipe('c');
  mons.start('c');
  mons.run(60 * SECOND);

  expectAlike(mons, ['c', 'd']);
  expect(mapAt(mons, 'c')).toMatchObject({ epoch: 4, ranks: ['c', 'd'] });
});

test('a monitor that was started before it is added waits for it', () => {
  const mons = quorum();
  mons.start('d', monMap([...NAMES, 'd']));
  mons.run(20 * SECOND);
  expect(mons.inspect('d').lastCommitted).toBe(0);
  expect(mons.ended.size).toBe(0);

  add(mons, 'a', 'd');
  mons.run(30 * SECOND);
  expectAlike(mons, [...NAMES, 'd']);
});

test('one monitor becomes two, three, and one again', () => {
  const mons = quorum();
  remove(mons, 'a', 'c');
  remove(mons, 'a', 'b');
  expectAlike(mons, ['a']);
  for (const name of ['d', 'e']) {
    add(mons, 'a', name);
    mons.start(name, mapAt(mons, 'a'));
    mons.run(30 * SECOND);
  }
  expectAlike(mons, ['a', 'd', 'e']);
  remove(mons, 'd', 'a');
  remove(mons, 'e', 'd');
  mons.change('e', 2);
  expectAlike(mons, ['e']);
});

test('one that was down while others came and went learns of all of it', () => {
  const mons = quorum();
  add(mons, 'a', 'd');
  mons.start('d', mapAt(mons, 'a'));
  mons.run(30 * SECOND);
  mons.stop('c');
  mons.run(20 * SECOND);
  remove(mons, 'd', 'a');
  mons.command('d', { prefix: 'mon set-rank', name: 'd', rank: 0 });
  mons.run(20 * SECOND);

  mons.start('c');
  mons.run(40 * SECOND);
  expectAlike(mons, ['d', 'b', 'c']);
  expect(mapAt(mons, 'c')).toMatchObject({ epoch: 4, removedRanks: [] });
});

test('monitors that are new and whose map is not a first one found no cluster', () => {
  const mons = quorum();
  add(mons, 'a', 'd');
  const map = mapAt(mons, 'a');
  for (const name of NAMES) {
    mons.stop(name);
    mons.wipe(name);
  }
  for (const name of [...NAMES, 'd']) mons.start(name, map);
  mons.run(60 * SECOND);
  for (const name of NAMES) expect(mons.inspect(name).lastCommitted).toBe(0);
});

test.each(NAMES)('a monitor moves to another rank, as mon.%s was told to, once, and leads there', (asked) => {
  const mons = quorum();
  const session = mons.command(asked, { prefix: 'mon set-rank', name: 'c', rank: 0 });
  mons.run(20 * SECOND);
  mons.change('a', 3);
  mons.run(5 * SECOND);
  expectAlike(mons, ['c', 'a', 'b']);
  expect(mons.inspect('c').role).toBe('leader');
  expect(mapAt(mons, 'c').epoch).toBe(2);
  expect(mons.said.get(session)).toMatchObject([{ type: 'mon_command_ack', code: 0 }]);
});

test('of two changes that are asked for at once the second starts from the first', () => {
  const mons = quorum();
  mons.command('a', { prefix: 'mon set-weight', name: 'b', weight: 5 });
  mons.command('a', { prefix: 'mon set-weight', name: 'c', weight: 7 });
  mons.run(30 * SECOND);
  expect(mapAt(mons, 'b').epoch).toBe(3);
  expect(NAMES.map((name) => mapAt(mons, 'b').mons.get(name)!.weight)).toEqual([0, 5, 7]);
});

test('ids of clients are given once, whatever the ranks become', () => {
  const mons = quorum();
  const given: bigint[] = [];
  const ask = (names: readonly string[]) => {
    for (const name of names) {
      for (let i = 0; i < 5; i++) {
        const { monitor } = mons.running.get(name)!;
        const decision = monitor.authorize({ globalId: 0n, entity: { type: 'client', id: 'x' } } as never);
        expect(decision.kind).toBe('accept');
        if (decision.kind === 'accept') given.push(decision.globalId);
      }
    }
  };
  ask(NAMES);
  remove(mons, 'b', 'a');
  ask(['b', 'c']);
  add(mons, 'b', 'd');
  mons.start('d', mapAt(mons, 'b'));
  mons.run(30 * SECOND);
  ask(['b', 'c', 'd']);
  expect(new Set(given).size).toBe(given.length);
});

/** Code and words of a real monitor of 16.2.15. */
test.each([
  ['add', { name: 'a', addr: '127.0.0.1:6800' }, 0, 'mon.a at v2:127.0.0.1:6800/0 already exists'],
  ['add', { name: 'a', addr: '127.0.0.1:1234' }, -17, 'mon.a already exists at address v2:127.0.0.1:6800/0'],
  ['add', { name: 'z', addr: '127.0.0.1:6800' }, -17, 'mon.a already exists at address v2:127.0.0.1:6800/0'],
  ['add', { name: 'z', addr: '127.0.0.1' }, 0, 'adding mon.z at [v2:127.0.0.1:3300/0,v1:127.0.0.1:6789/0]'],
  ['add', { name: 'd', addr: '127.0.0.1:6803' }, 0, 'adding mon.d at v2:127.0.0.1:6803/0'],
  ['rm', { name: 'nope' }, 0, 'mon.nope does not exist or has already been removed'],
  ['rm', { name: 'c' }, 0, ''],
  ['set-rank', { name: 'c', rank: 9 }, 0, ''],
  ['set-rank', { name: 'nope', rank: 0 }, -2, 'mon.nope does not exist in monmap'],
  ['set-weight', { name: 'b', weight: 3 }, 0, ''],
  ['set-weight', { name: 'nope', weight: 3 }, -2, 'mon.nope does not exist'],
])('mon %s %o is answered as by Ceph', (verb, args, code, status) => {
  const mons = quorum();
  const session = mons.command('a', { prefix: `mon ${verb}`, ...args });
  mons.run(5 * SECOND);
  expect(mons.said.get(session)).toMatchObject([{ type: 'mon_command_ack', code, status }]);
});

test('the last monitor is not removed', () => {
  const mons = quorum();
  remove(mons, 'a', 'c');
  remove(mons, 'a', 'b');
  const session = mons.command('a', { prefix: 'mon rm', name: 'a' });
  mons.run(5 * SECOND);
  const status = 'error: refusing removal of last monitor a';
  expect(mons.said.get(session)).toMatchObject([{ type: 'mon_command_ack', code: -22, status }]);
});

test('subscribers are sent the new map', () => {
  const mons = quorum();
  const peer = { entity: { type: 'client' as const, id: 'x' }, addrs: [], globalId: 9n };
  const what = new Map([['monmap', { start: 2, once: false }]]);
  const session = mons.hear('b', peer, { type: 'mon_subscribe', what, hostname: '' });
  remove(mons, 'b', 'c');
  const maps = mons.said.get(session)!.flatMap((each) => (each.type === 'mon_map' ? [decodeMonMap(each.monmap)] : []));
  expect(maps.map(({ epoch, ranks }) => ({ epoch, ranks }))).toEqual([{ epoch: 2, ranks: ['a', 'b'] }]);
});

test.each([
  { met: [], copies: true },
  { met: [2], copies: false },
])('an empty store is filled from two who are in no quorum only when they do not know it: $met', ({ met, copies }) => {
  const mons = new ThreeMonitors();
  mons.start('c');
  mons.run(SECOND);
  for (const name of ['a', 'b']) {
    mons.say(name, 'c', {
      ...{ type: 'mon_probe', op: 'reply', fsid: FSID, name, quorum: [], standing: 'apart', met },
      ...{ firstCommitted: 1, lastCommitted: 5, monmap: encodeMonMap(monMap()) },
    });
  }
  // Nobody is there to copy from: a moment later it is given up.
  mons.run(LATENCY * 1.5);
  expect(mons.inspect('c').role).toBe(copies ? 'synchronizing' : 'probing');
});

test.each([
  { mapEpoch: 1, counts: true },
  { mapEpoch: 2, counts: false },
])('a vote is asked for only among those who have one map: $mapEpoch', ({ mapEpoch, counts }) => {
  const mons = quorum();
  const { epoch } = mons.inspect('a');
  mons.say('c', 'a', { type: 'mon_election', op: 'propose', fsid: FSID, epoch: epoch + 101, mapEpoch, quorum: [] });
  mons.run(20 * SECOND);
  expect(mons.inspect('a').epoch > epoch).toBe(counts);
});
