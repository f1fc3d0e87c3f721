import { expect, test } from 'vitest';
import { ConfigMap, configKey, parseTarget } from './config-map.ts';

const TYPES = new Map([
  ['osd', 0],
  ['host', 1],
  ['rack', 3],
  ['root', 11],
]);
const OSD3 = { type: 'osd', id: '3' };
const NOWHERE = { crush: new Map(), deviceClass: '' };
const PLACE = {
  crush: new Map([
    ['host', 'a'],
    ['rack', 'r1'],
  ]),
  deviceClass: 'ssd',
};

function valueFor(stored: Record<string, string>, entity = OSD3, place = PLACE) {
  return new ConfigMap(Object.entries(stored)).valuesFor(entity, place, TYPES).get('osd_max_backfills')?.value;
}

test('one daemon before its type before everyone', () => {
  const all = { 'global/osd_max_backfills': '1', 'osd/osd_max_backfills': '2', 'osd.3/osd_max_backfills': '3' };

  expect(valueFor(all)).toBe('3');
  expect(valueFor(all, { type: 'osd', id: '4' })).toBe('2');
  expect(valueFor(all, { type: 'mon', id: 'a' })).toBe('1');
});

test('within a section the narrowest mask wins, whatever the order of keys', () => {
  const masks = {
    'osd/class:ssd/osd_max_backfills': '2',
    'osd/host:a/osd_max_backfills': '4',
    'osd/osd_max_backfills': '1',
    'osd/rack:r1/osd_max_backfills': '3',
  };

  expect(valueFor(masks)).toBe('4');
  expect(valueFor(masks, OSD3, { crush: new Map([['rack', 'r1']]), deviceClass: 'ssd' })).toBe('3');
  expect(valueFor(masks, OSD3, { crush: new Map(), deviceClass: 'ssd' })).toBe('2');
  expect(valueFor(masks, OSD3, NOWHERE)).toBe('1');
});

test('what holds for client.a.b may be set for client.a', () => {
  const entity = { type: 'client', id: 'a.b' };

  expect(valueFor({ 'client.a/osd_max_backfills': '5' }, entity)).toBe('5');
  expect(valueFor({ 'client.a.b.c/osd_max_backfills': '5' }, entity)).toBeUndefined();
});

test('targets', () => {
  expect(configKey(parseTarget('osd/class:ssd/host:a')!, 'debug_ms')).toBe('osd/host:a/class:ssd/debug_ms');
  expect(configKey(parseTarget('rack:r1')!, 'debug_ms')).toBe('global/rack:r1/debug_ms');
  expect(parseTarget('foo.7')).toBeUndefined();
});

test('everyone comes first in a dump, then each type and its daemons', () => {
  const map = new ConfigMap(
    ['osd.1/debug_ms', 'osd/debug_ms', 'mgr/mgr/balancer/active', 'global/debug_ms', 'mon.a/nosuch', 'mon/fsid'].map(
      (key) => [key, '1'],
    ),
  );

  expect(map.all().map(({ section, name, level }) => `${section} ${name} ${level}`)).toEqual([
    'global debug_ms advanced',
    'mon.a nosuch unknown',
    'mgr mgr/balancer/active advanced',
    'osd debug_ms advanced',
    'osd.1 debug_ms advanced',
  ]);
});
