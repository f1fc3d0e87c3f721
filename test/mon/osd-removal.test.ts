/** The end of OSDs, and who takes their numbers; answers and states as recorded from Ceph 16.2.15. */
import { osdExists } from '@spirula/maps';
import { beforeEach, describe, expect, test } from 'vitest';
import { MonCluster, type ToyOsd } from './mon-cluster.ts';

const SURE = { yes_i_really_mean_it: true };
const UNSURE =
  "Are you SURE?  Did you verify with 'ceph osd safe-to-destroy'?  This will mean real, permanent data loss, as well as " +
  'deletion of cephx and lockbox keys. Pass --yes-i-really-mean-it if you really do.';

let cluster: MonCluster;
let osds: ToyOsd[];

beforeEach(() => {
  cluster = new MonCluster().start();
  osds = cluster.addOsds(3);
});

type Said = readonly [code: number, status: string, text: string];

function say(prefix: string, args: Readonly<Record<string, unknown>> = {}): Said {
  const { code, status, text } = cluster.command({ prefix: `osd ${prefix}`, ...args });
  return [code, status, text];
}

function stop(id: number): void {
  osds[id]!.place.process.crash();
  cluster.succeed({ prefix: 'osd down', ids: [String(id)] });
}

const uuid = (n: number) => `00000000-0000-0000-0000-${String(n).padStart(12, '0')}`;
const shown = (id: number) => cluster.json('osd dump').osds.find(({ osd }: { osd: number }) => osd === id);

describe('an OSD that is purged', () => {
  test('is gone from the map and from CRUSH; once more is no error', () => {
    expect(say('purge-actual', { id: 2, ...SURE })).toEqual([-16, 'osd.2 is not `down`.', '']);
    stop(2);
    expect(say('purge-actual', { id: 2 })).toEqual([-1, UNSURE, '']);
    expect(say('purge-actual', { id: 2, ...SURE })).toEqual([0, 'purged osd.2', '']);

    expect(osdExists(cluster.osdMap, 2)).toBe(false);
    expect([...cluster.osdMap.crush.names.keys()]).not.toContain(2);
    expect(cluster.osdMap.maxOsd).toBe(3);
    expect(say('purge-actual', { id: 2, ...SURE })).toEqual([0, 'osd.2 does not exist', '']);
  });

  test('leaves its number to the next, which starts with nothing of the old', () => {
    stop(2);
    say('purge-actual', { id: 2, ...SURE });

    expect(say('new', { uuid: uuid(77) })).toEqual([0, '', '2\n']);
    expect(shown(2)).toMatchObject({ uuid: uuid(77), up: 0, in: 1, up_from: 0, down_at: 0, state: ['exists', 'new'] });
  });

  test('and was about to boot stays away', () => {
    stop(2);
    osds[2]!.place.process.start();
    osds[2]!.boot();
    // In one proposal with the boot, whichever comes first.
    say('purge-actual', { id: 2, ...SURE });
    if (osdExists(cluster.osdMap, 2)) return;
    cluster.run(5);

    expect(osdExists(cluster.osdMap, 2)).toBe(false);
  });
});

describe('an OSD that is destroyed', () => {
  test('keeps its number and its place until another takes them', () => {
    stop(2);
    const { up_from, down_at } = shown(2);
    expect(say('destroy-actual', { id: 2, ...SURE })).toEqual([0, 'destroyed osd.2', '']);
    expect(say('destroy-actual', { id: 2, ...SURE })).toEqual([0, 'destroyed osd.2', '']);
    expect(shown(2)).toMatchObject({ uuid: uuid(0), in: 1, up_from, down_at, state: ['destroyed', 'exists'] });
    expect(cluster.json('osd tree').nodes.find(({ id }: { id: number }) => id === 2).status).toBe('destroyed');

    expect(say('new', { uuid: uuid(31), id: 2 })).toEqual([0, '', '2\n']);
    expect(shown(2)).toMatchObject({ uuid: uuid(31), in: 1, up_from, down_at, state: ['exists', 'new'] });
    expect(say('new', { uuid: uuid(31), id: 2 })).toEqual([0, '', '2\n']);
  });

  test('does not come back by booting', () => {
    stop(2);
    say('destroy-actual', { id: 2, ...SURE });
    osds[2]!.place.process.start();
    osds[2]!.boot();
    cluster.run(5);

    expect(osds[2]!.isUp).toBe(false);
  });
});

test('purge-new takes away only who never started', () => {
  say('new', { uuid: uuid(40) });
  stop(2);

  expect(say('purge-new', { id: 2, ...SURE })).toEqual([-1, 'osd.2 is not new', '']);
  expect(say('purge-new', { id: 0, ...SURE })).toEqual([-16, 'osd.0 is not `down`.', '']);
  expect(say('purge-new', { id: 3, ...SURE })).toEqual([0, 'purged osd.3', '']);
  expect(osdExists(cluster.osdMap, 3)).toBe(false);
});

test('one of the same number and another identity is not registered, nor one identity under two numbers', () => {
  expect(say('new', { uuid: uuid(77), id: 2 })).toEqual([
    -22,
    `id 2 already in use and does not match uuid ${uuid(77)}`,
    '',
  ]);
  expect(say('new', { uuid: uuid(1), id: 2 })).toEqual([-17, `uuid ${uuid(1)} already in use for different id 0`, '']);
  expect(say('new', { uuid: 'nope', id: 2 })).toEqual([-22, "invalid UUID value 'nope'.", '']);
  expect(say('new', { uuid: uuid(50), id: 50 })).toEqual([0, '', '50\n']);
  expect(cluster.osdMap.maxOsd).toBe(51);
  expect(say('new', { uuid: uuid(51) })).toEqual([0, '', '3\n']);
});

test('what only a lost OSD has is given up as of the epoch in which it went down', () => {
  const unsure =
    'are you SURE?  this might mean real, permanent data loss.  pass --yes-i-really-mean-it if you really do.';
  expect(say('lost', { id: 77 })).toEqual([-1, unsure, '']);
  expect(say('lost', { id: 77, ...SURE })).toEqual([-2, 'osd.77 does not exist', '']);
  expect(say('lost', { id: 2, ...SURE })).toEqual([-16, 'osd.2 is not down', '']);
  stop(2);
  const { downAt } = cluster.osdMap.osdInfo[2]!;

  expect(say('lost', { id: 2, ...SURE })).toEqual([0, `marked osd lost in epoch ${downAt}`, '']);
  expect(cluster.osdMap.osdInfo[2]!.lostAt).toBe(downAt);
});

test('rm forgets an OSD that is down and leaves its place', () => {
  expect(say('rm', { ids: ['2'] })).toEqual([-16, 'osd.2 is still up; must be down before removal. ', '']);
  expect(say('rm', { ids: ['foo'] })).toEqual([
    -22,
    "Expected option value to be integer, got 'foo'invalid osd id-1",
    '',
  ]);
  stop(2);
  expect(say('rm', { ids: ['2'] })).toEqual([0, 'removed osd.2', '']);
  expect(say('rm', { ids: ['2'] })).toEqual([0, 'osd.2 does not exist. ', '']);
  expect([...cluster.osdMap.crush.names.keys()]).toContain(2);
});

test('down --definitely-dead says that the process is gone, too', () => {
  expect(say('down', { ids: ['1'], definitely_dead: true })).toEqual([0, 'marked down osd.1. ', '']);
  expect(cluster.osdMap.osdXInfo[1]!.deadEpoch).toBe(cluster.osdMap.epoch);
});
