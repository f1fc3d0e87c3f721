import { describe, expect, test } from 'vitest';
import { type LifecycleRule, NO_EXPIRATION } from '../formats/lifecycle.ts';
import { actionFor, announcedEnd, isDue, type LifecycleVersion } from './due.ts';

const DAY = 86_400;
const NOON = { sec: 1000 * DAY + DAY / 2, nsec: 0 };
const days = (count: number) => ({ days: String(count), date: '' });
const clock = { now: NOON, debugInterval: undefined };
/** So many days before noon. */
const ago = (count: number) => ({ sec: NOON.sec - count * DAY, nsec: 0 });

const rule: LifecycleRule = {
  id: 'rule',
  status: 'Enabled',
  prefix: '',
  filter: { prefix: '', tags: new Map() },
  expiration: NO_EXPIRATION,
  noncurrentExpiration: NO_EXPIRATION,
  multipartExpiration: NO_EXPIRATION,
  expireDeleteMarkers: false,
  transitions: new Map(),
  noncurrentTransitions: new Map(),
};
const version: LifecycleVersion = {
  name: 'logs/1',
  mtime: ago(10),
  isLatest: true,
  isDeleteMarker: false,
  noncurrentSince: undefined,
  isAlone: true,
  storageClass: 'STANDARD',
};

test.each([
  ['days are counted from midnight: not yet', ago(3), days(3), undefined, false],
  ['days are counted from midnight: now', ago(3.5), days(3), undefined, true],
  ['a day may be ten seconds: not yet', { sec: NOON.sec - 29, nsec: 0 }, days(3), 10, false],
  ['a day may be ten seconds: now', { sec: NOON.sec - 30, nsec: 0 }, days(3), 10, true],
  ['a date that has come', ago(0), { days: '', date: '1972-09-27T00:00:00Z' }, undefined, true],
  ['a date to come', ago(0), { days: '', date: '1972-09-28' }, undefined, false],
  ['nothing', ago(1000), NO_EXPIRATION, undefined, false],
])('%s', (_, since, expiration, debugInterval, due) => {
  expect(isDue(since, expiration, { now: NOON, debugInterval })).toBe(due);
});

describe('what a rule wants', () => {
  const old = { isLatest: false, isAlone: false, mtime: ago(50) };
  const marker = { isDeleteMarker: true, isAlone: true };

  test.each<[string, Partial<LifecycleRule>, Partial<LifecycleVersion>, 'expire' | 'remove' | undefined]>([
    ['the current object ends', { expiration: days(5) }, {}, 'expire'],
    ['it is too young', { expiration: days(10) }, {}, undefined],
    ['the rule is off', { expiration: days(5), status: 'Disabled' }, {}, undefined],
    ['another prefix', { expiration: days(5), prefix: 'pics/' }, {}, undefined],
    ['its prefix', { expiration: days(5), filter: { prefix: 'logs/', tags: new Map() } }, {}, 'expire'],
    ['its tags', { expiration: days(5), filter: { prefix: '', tags: new Map([['a', '1']]) } }, {}, 'expire'],
    ['other tags', { expiration: days(5), filter: { prefix: '', tags: new Map([['a', '2']]) } }, {}, undefined],
    ['an old version stays', { expiration: days(5) }, { ...old, noncurrentSince: ago(40) }, undefined],
    ['an old version goes', { noncurrentExpiration: days(5) }, { ...old, noncurrentSince: ago(10) }, 'remove'],
    ['it is not old for long', { noncurrentExpiration: days(5) }, { ...old, noncurrentSince: ago(2) }, undefined],
    ['a marker that hides nothing goes', { expireDeleteMarkers: true }, marker, 'remove'],
    ['or when it is due', { expiration: days(5) }, marker, 'remove'],
    ['one that hides something stays', { expireDeleteMarkers: true }, { ...marker, isAlone: false }, undefined],
  ])('%s', async (_, ruled, found, action) => {
    const tags = new Map([
      ['a', '1'],
      ['b', '2'],
    ]);

    const wanted = await actionFor([{ ...rule, ...ruled }], { ...version, ...found }, clock, async () => tags);

    expect(wanted?.action).toBe(action);
  });
});

describe('where a rule moves to', () => {
  const moving = (...given: readonly (readonly [string, { days: string; date: string }])[]) =>
    new Map(given.map(([storageClass, time]) => [storageClass, { ...time, storageClass }]));
  const old = { isLatest: false, isAlone: false, mtime: ago(50), noncurrentSince: ago(10) };
  const past = { days: '', date: '1972-09-26' };

  test.each<[string, readonly Partial<LifecycleRule>[], Partial<LifecycleVersion>, string | undefined]>([
    ['when it is due', [{ transitions: moving(['WARM', days(5)]) }], {}, 'WARM'],
    ['not before', [{ transitions: moving(['WARM', days(10)]) }], {}, undefined],
    [
      'where it is already, it stays',
      [{ transitions: moving(['WARM', days(5)]) }],
      { storageClass: 'WARM' },
      undefined,
    ],
    ['of several, where it was due last', [{ transitions: moving(['A', days(7)], ['B', days(3)]) }], {}, 'A'],
    [
      'also of several rules',
      [{ transitions: moving(['A', days(3)]) }, { transitions: moving(['B', days(7)]) }],
      {},
      'B',
    ],
    [
      'it does not go back',
      [{ transitions: moving(['A', days(3)], ['B', days(7)]) }],
      { storageClass: 'B' },
      undefined,
    ],
    ['a date that has come', [{ transitions: moving(['A', days(8)]) }, { transitions: moving(['B', past]) }], {}, 'B'],
    ['an old version, by when it became old', [{ noncurrentTransitions: moving(['A', days(5)]) }], old, 'A'],
    ['and not by the rules of current ones', [{ transitions: moving(['A', days(5)]) }], old, undefined],
    ['a delete marker, nowhere', [{ transitions: moving(['A', days(5)]) }], { isDeleteMarker: true }, undefined],
    ['what ends, nowhere', [{ transitions: moving(['A', days(5)]) }, { expiration: days(5) }], {}, 'expire'],
    [
      'other tags, nowhere',
      [{ transitions: moving(['A', days(5)]), filter: { prefix: '', tags: new Map([['a', '2']]) } }],
      {},
      undefined,
    ],
  ])('%s', async (_, ruled, found, expected) => {
    const rules = ruled.map((each) => ({ ...rule, ...each }));
    const tags = new Map([['a', '1']]);

    const wanted = await actionFor(rules, { ...version, ...found }, clock, async () => tags);

    const action = wanted?.action;
    expect(typeof action === 'object' ? action.transition : action).toBe(expected);
  });
});

test('the earliest end is announced, at a midnight', () => {
  const rules = [
    { ...rule, id: 'late', expiration: days(9) },
    { ...rule, id: 'early', expiration: days(2) },
    { ...rule, id: 'other', prefix: 'pics/', expiration: days(1) },
  ];

  const end = announcedEnd(rules, { name: 'logs/1', mtime: NOON, tags: new Map() });

  expect([end?.rule.id, end?.at.sec]).toEqual(['early', 1003 * DAY]);
});
