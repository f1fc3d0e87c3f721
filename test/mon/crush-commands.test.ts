/** Device classes and the trees that show them; forms as of Ceph 16.2.15. */
import { beforeEach, expect, test } from 'vitest';
import { MonCluster } from './mon-cluster.ts';

let cluster: MonCluster;

beforeEach(() => {
  cluster = new MonCluster().start();
  cluster.addOsds(3);
});

const setClass = (name: string, ...ids: string[]) =>
  cluster.command({ prefix: 'osd crush set-device-class', class: name, ids });
const removeClass = (...ids: string[]) => cluster.command({ prefix: 'osd crush rm-device-class', ids });

test('a class is given, shown, kept against another, and taken away', () => {
  expect(setClass('ssd', 'osd.0', '1')).toMatchObject({ code: 0, status: "set osd(s) 0,1 to class 'ssd'" });
  expect(cluster.json('osd crush class ls')).toEqual(['ssd']);
  expect(cluster.json('osd crush class ls-osd', { class: 'ssd' })).toEqual([0, 1]);
  expect(setClass('hdd', '0')).toMatchObject({
    code: -16,
    status:
      "osd.0 has already bound to class 'ssd', can not reset class to 'hdd'; " +
      "use 'ceph osd crush rm-device-class <id>' to remove old class first",
  });
  expect(setClass('ssd', '0')).toMatchObject({
    code: 0,
    status:
      "osd.0 already set to class ssd. set-device-class item id 0 name 'osd.0' device_class 'ssd': no change. " +
      "set osd(s)  to class 'ssd'",
  });
  expect(removeClass('all')).toMatchObject({
    code: 0,
    status: 'osd.2 belongs to no class, done removing class of osd(s): 0,1',
  });
  expect(cluster.json('osd crush class ls')).toEqual([]);
});

test('OSDs that are none are named', () => {
  expect(setClass('ssd', 'osd.77')).toMatchObject({
    code: 0,
    status: "osd.77 does not exist. set osd(s)  to class 'ssd'",
  });
  expect(removeClass('0', 'foo', '1')).toMatchObject({
    code: -22,
    status: `Expected option value to be integer, got 'foo', unable to parse osd id:"foo". `,
  });
});

test('the tree shows classes, and the trees of classes when asked to', () => {
  setClass('ssd', 'all');
  const tree = cluster.json('osd tree').nodes as { id: number; name: string; device_class?: string }[];
  const shadows = cluster.json('osd crush tree', { shadow: '--show-shadow' }).nodes as typeof tree;

  expect(tree.filter(({ id }) => id >= 0).map((node) => node.device_class)).toEqual(['ssd', 'ssd', 'ssd']);
  expect(tree.some(({ name }) => name.includes('~'))).toBe(false);
  expect(shadows[0]).toMatchObject({ name: 'default~ssd', device_class: 'ssd' });
  expect(shadows.filter(({ name }) => name.endsWith('~ssd'))).toHaveLength(4);
});

test('an OSD that is set elsewhere, or unlinked and put back, keeps its class; one that is removed does not', () => {
  setClass('ssd', '0', '1');
  cluster.command({ prefix: 'osd crush add-bucket', name: 'other', type: 'host' });
  const place = { id: 0, weight: 1, args: ['root=default', 'host=other'] };

  cluster.command({ prefix: 'osd crush set', ...place });
  expect(cluster.json('osd crush class ls-osd', { class: 'ssd' })).toEqual([0, 1]);
  cluster.command({ prefix: 'osd crush unlink', name: 'osd.0' });
  cluster.command({ prefix: 'osd crush add', ...place });
  expect(cluster.json('osd crush class ls-osd', { class: 'ssd' })).toEqual([0, 1]);
  cluster.command({ prefix: 'osd crush rm', name: 'osd.0' });
  cluster.command({ prefix: 'osd crush add', ...place });
  expect(cluster.json('osd crush class ls-osd', { class: 'ssd' })).toEqual([1]);
});
