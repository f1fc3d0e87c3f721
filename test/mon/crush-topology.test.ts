/** What hangs where in the CRUSH map, and its rules; answers as recorded from Ceph 16.2.15 (numbers of buckets apart). */
import { encodeCrushMap, itemByName, itemWeight, locationOf } from '@spirula/crush';
import { beforeEach, describe, expect, test } from 'vitest';
import { MonCluster } from './mon-cluster.ts';

const ONE = 0x10000;

let cluster: MonCluster;

beforeEach(() => {
  cluster = new MonCluster().start();
  cluster.addOsds(3);
});

type Said = readonly [code: number, status: string];

function say(prefix: string, args: Readonly<Record<string, unknown>>): Said {
  const { code, status } = cluster.command({ prefix: `osd crush ${prefix}`, ...args });
  return [code, status];
}

const crush = () => cluster.osdMap.crush;
const idOf = (name: string) => itemByName(crush(), name)!;
const weightOf = (name: string) => itemWeight(crush(), idOf(name)) / ONE;
const placeOf = (name: string) => Object.fromEntries(locationOf(crush(), idOf(name)));

describe('osd crush reweight', () => {
  test('changes a weight, cut to 16.16, and those of the buckets above', () => {
    expect(say('reweight', { name: 'osd.0', weight: 0.5 })).toEqual([
      0,
      "reweighted item id 0 name 'osd.0' to 0.5 in crush map",
    ]);
    expect([weightOf('osd.0'), weightOf('host0'), crush().buckets[0]!.weight / ONE]).toEqual([0.5, 0.5, 2.5]);
    expect(say('reweight', { name: 'osd.0', weight: 0.123456789 })[1]).toBe(
      "reweighted item id 0 name 'osd.0' to 0.123457 in crush map",
    );
    expect(itemWeight(crush(), 0)).toBe(8090);
  });

  test('is for devices that are there, and for weights that fit', () => {
    expect(say('reweight', { name: 'osd.9', weight: 1 })).toEqual([
      -2,
      "device 'osd.9' does not appear in the crush map",
    ]);
    expect(say('reweight', { name: 'host0', weight: 1 })).toEqual([
      -22,
      "device 'host0' is not a leaf in the crush map",
    ]);
    expect(say('reweight', { name: 'osd.0', weight: -1 })).toEqual([-75, '(75) Value too large for defined data type']);
  });

  test('of a subtree is of all devices below', () => {
    expect(say('reweight-subtree', { name: 'default', weight: 2 })).toEqual([
      0,
      "reweighted subtree id -1 name 'default' to 2 in crush map",
    ]);
    expect(['osd.0', 'osd.1', 'osd.2'].map(weightOf)).toEqual([2, 2, 2]);
    expect(say('reweight-subtree', { name: 'host9', weight: 2 })).toEqual([
      -2,
      "device 'host9' does not appear in the crush map",
    ]);
    expect(say('reweight-subtree', { name: 'osd.0', weight: 2 })).toEqual([
      -22,
      "device 'osd.0' is not a subtree in the crush map",
    ]);
  });
});

describe('osd crush add-bucket', () => {
  test('adds a root, or a bucket at a place; does nothing when there is one of that name', () => {
    expect(say('add-bucket', { name: 'rack1', type: 'rack' })).toEqual([
      0,
      'added bucket rack1 type rack to crush map',
    ]);
    expect(say('add-bucket', { name: 'rack1', type: 'host' })).toEqual([0, "bucket 'rack1' already exists"]);
    expect(say('add-bucket', { name: 'rackx', type: 'nope' })).toEqual([-22, "type 'nope' does not exist"]);
    expect(say('add-bucket', { name: 'rack2', type: 'rack', args: ['root=default'] })).toEqual([
      0,
      'added bucket rack2 type rack to location {root=default}',
    ]);
    expect(say('add-bucket', { name: 'hostq', type: 'host', args: ['root=default', 'rack=rack2'] })).toEqual([
      0,
      'added bucket hostq type host to location {rack=rack2,root=default}',
    ]);
    expect(placeOf('hostq')).toEqual({ rack: 'rack2', root: 'default' });
    expect(placeOf('rack1')).toEqual({});
  });
});

describe('osd crush move', () => {
  beforeEach(() => {
    say('add-bucket', { name: 'rack1', type: 'rack' });
  });

  test('takes a bucket, with all below it, elsewhere; says so when it stands there', () => {
    const moved = `item id ${idOf('rack1')} name 'rack1' to location {root=default} in crush map`;
    expect(say('move', { name: 'rack1', args: ['root=default'] })).toEqual([0, `moved ${moved}`]);
    expect(say('move', { name: 'rack1', args: ['root=default'] })).toEqual([0, `no need to move ${moved}`]);
    expect(say('move', { name: 'host0', args: ['rack=rack1'] })[1]).toMatch(/^moved item id -\d+ name 'host0'/);
    expect(say('move', { name: 'host0', args: ['rack=rack1', 'root=default'] })[1]).toMatch(
      /^no need to move item id -\d+ name 'host0' to location \{rack=rack1,root=default\} in crush map$/,
    );
    expect(placeOf('osd.0')).toEqual({ host: 'host0', rack: 'rack1', root: 'default' });
    expect(weightOf('rack1')).toBe(1);
  });

  test('makes the buckets that are missing, and keeps the weight of an OSD', () => {
    say('reweight', { name: 'osd.2', weight: 0.25 });
    expect(say('move', { name: 'osd.2', args: ['host=hostnew', 'rack=rack1'] })).toEqual([
      0,
      "moved item id 2 name 'osd.2' to location {host=hostnew,rack=rack1} in crush map",
    ]);
    expect([placeOf('osd.2'), weightOf('osd.2'), weightOf('host2')]).toEqual([
      { host: 'hostnew', rack: 'rack1' },
      0.25,
      0,
    ]);
    say('move', { name: 'host1', args: ['rack=rack77'] });
    expect(placeOf('osd.1')).toEqual({ host: 'host1', rack: 'rack77' });
  });

  test('refuses what is not there, what would be a circle, and places that are none', () => {
    say('move', { name: 'host0', args: ['rack=rack1'] });
    const before = encodeCrushMap(crush());

    expect(say('move', { name: 'host9', args: ['rack=rack1'] })).toEqual([-2, 'item host9 does not exist']);
    expect(say('move', { name: 'rack1', args: ['host=host0'] })).toEqual([
      -40,
      '(40) Too many levels of symbolic links',
    ]);
    for (const args of [['rack=rack1'], ['foo=bar'], ['rack']]) {
      expect(say('move', { name: 'rack1', args })).toEqual([-22, '(22) Invalid argument']);
    }
    expect(encodeCrushMap(crush())).toEqual(before);
  });
});

describe.each(['rm', 'remove'])('osd crush %s', (verb) => {
  test('takes OSDs and empty buckets away; once more is no error', () => {
    expect(say(verb, { name: 'host2' })).toEqual([-39, '(39) Directory not empty']);
    expect(say(verb, { name: 'osd.2' })).toEqual([0, "removed item id 2 name 'osd.2' from crush map"]);
    expect(say(verb, { name: 'osd.2' })).toEqual([0, "device 'osd.2' does not appear in the crush map"]);
    expect(say(verb, { name: 'host2' })).toEqual([0, `removed item id ${-4} name 'host2' from crush map`]);
    expect(crush().buckets[0]!.weight).toBe(2 * ONE);
    expect(itemByName(crush(), 'osd.2')).toBeUndefined();
  });

  test('of a place is for what stands below it', () => {
    expect(say(verb, { name: 'osd.1', ancestor: 'host0' })).toEqual([0, 'item 1 does not appear in that position']);
    expect(say(verb, { name: 'osd.1', ancestor: 'nope' })).toEqual([
      -2,
      "ancestor item 'nope' does not appear in the crush map",
    ]);
    expect(say(verb, { name: 'osd.1', ancestor: 'default' })).toEqual([
      0,
      "removed item id 1 name 'osd.1' from crush map",
    ]);
  });

  test('leaves a root that a rule takes', () => {
    for (const osd of [0, 1, 2]) {
      say(verb, { name: `osd.${osd}` });
      say(verb, { name: `host${osd}` });
    }
    expect(say(verb, { name: 'default' })).toEqual([-16, '(16) Device or resource busy']);
  });
});

describe('osd crush rule', () => {
  const create = (args: Readonly<Record<string, unknown>>) => say('rule create-replicated', args);

  test('create-replicated makes a rule; one of that name is kept, whatever it says', () => {
    expect(create({ name: 'r1', root: 'default', type: 'host' })).toEqual([0, '']);
    expect(create({ name: 'r1', root: 'default', type: 'osd' })).toEqual([0, 'rule r1 already exists']);
    expect(cluster.json('osd crush rule dump', { name: 'r1' })).toEqual({
      rule_id: 1,
      rule_name: 'r1',
      ruleset: 1,
      type: 1,
      min_size: 1,
      max_size: 10,
      steps: [
        { op: 'take', item: -1, item_name: 'default' },
        { op: 'chooseleaf_firstn', num: 0, type: 'host' },
        { op: 'emit' },
      ],
    });
  });

  test('is what a pool is placed by, once the pool is told its name', () => {
    create({ name: 'by-osd', root: 'default', type: 'osd' });
    cluster.command({ prefix: 'osd pool create', pool: 'p', pg_num: 4, pgp_num: 4 });
    const set = (val: string): Said => {
      const { code, status } = cluster.command({ prefix: 'osd pool set', pool: 'p', var: 'crush_rule', val });
      return [code, status];
    };

    expect(set('by-osd')).toEqual([0, 'set pool 1 crush_rule to by-osd']);
    expect(cluster.json('osd pool get', { pool: 'p', var: 'crush_rule' }).crush_rule).toBe('by-osd');
    expect(set('nope')).toEqual([-2, 'crush rule nope does not exist']);
    expect(set('0')).toEqual([-2, 'crush rule 0 does not exist']);
    expect(set('replicated_rule')).toEqual([0, 'set pool 1 crush_rule to replicated_rule']);
  });

  test('create-replicated wants a root, a type and a class that there are', () => {
    expect(create({ name: 'r2', root: 'nope', type: 'host' })).toEqual([-2, 'root item nope does not exist']);
    expect(create({ name: 'r2', root: 'default', type: 'nope' })).toEqual([-22, 'unknown type nope']);
    expect(create({ name: 'r2', root: 'default', type: 'osd', class: 'ssd' })).toEqual([
      -22,
      'device class ssd does not exist',
    ]);
    say('set-device-class', { class: 'ssd', ids: ['0'] });
    expect(create({ name: 'r2', root: 'default', type: 'osd', class: 'ssd' })).toEqual([0, '']);
    expect(cluster.json('osd crush rule dump', { name: 'r2' }).steps[0].item_name).toBe('default~ssd');
  });

  test('rm takes a rule away that no pool uses; once more is no error', () => {
    create({ name: 'r1', root: 'default', type: 'host' });
    cluster.succeed({ prefix: 'osd pool create', pool: 'data', pg_num: 8 });

    expect(say('rule rm', { name: 'replicated_rule' })).toEqual([-16, 'crush ruleset replicated_rule 0 is in use']);
    expect(say('rule rm', { name: 'r1' })).toEqual([0, '']);
    expect(say('rule rm', { name: 'r1' })).toEqual([0, 'rule r1 does not exist']);
    expect(cluster.json('osd crush rule ls')).toEqual(['replicated_rule']);
  });
});
