import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCryptoKey } from './crypto-key.ts';
import type { CapsService } from './entity-auth.ts';
import { formatKeyring, MalformedKeyring, parseKeyring } from './keyring.ts';

// As ceph-authtool of Ceph 16.2.15 made it.
const KEY = 'AQCXqAxrktQYMhAA0gcTUBEtU6s/zAH+zugG+g==';
const key = parseCryptoKey(KEY);

/** Caps of the one entity of a keyring with these lines in it. */
function capsOf(...lines: string[]): Record<string, string> {
  const keyring = parseKeyring(`[client.a]\nkey = ${KEY}\n${lines.join('\n')}\n`);
  return Object.fromEntries(keyring.get('client.a')!.caps);
}

test('a keyring as `ceph auth export` prints it is read and written back, entities in the order of Ceph', () => {
  const text = [
    `[osd.0]\n\tkey = ${KEY}\n\tcaps mgr = "allow profile osd"\n\tcaps osd = "allow *"\n`,
    `[client.a b]\n\tkey = ${KEY}\n\tcaps mon = "allow command \\"auth get\\" with a=b"\n`,
    `[client.admin]\n\tkey = ${KEY}\n`,
    `[mgr.x]\n\tkey = ${KEY}\n\tcaps mds = "allow *"\n`,
  ];

  expect(formatKeyring(parseKeyring(text.toReversed().join('')))).toBe(text.join(''));
});

// Each as ceph-authtool --list reads it.
test.each([
  [
    'plain text up to a comment',
    ['caps mon = allow r # note', 'caps osd=a=b  =  c   '],
    { mon: 'allow r', osd: 'a=b  =  c' },
  ],
  [
    'either kind of quotes',
    [`caps mon = 'allow r'`, 'caps osd = "allow rwx" ; note'],
    { mon: 'allow r', osd: 'allow rwx' },
  ],
  [
    'quotes inside',
    [`caps mon = allow command 'auth get'`, 'caps osd = x"a b"'],
    { mon: "allow command 'auth get'", osd: 'x"a b"' },
  ],
  ['escaped characters', ['caps mon = a\\#b', 'caps osd = "a\\\\b\\nc\\""'], { mon: 'a#b', osd: 'a\\bnc"' }],
  ['a line that goes on', ['caps mon = a\\', ' b'], { mon: 'a b' }],
  ['an underscore for a space', ['caps_osd = allow rwx'], { osd: 'allow rwx' }],
  ['nothing', ['caps mon ='], { mon: '' }],
  ['the last of two values', ['caps osd = allow w', '[client.a]', 'caps osd = allow rw'], { osd: 'allow rw' }],
  ['the number that old keyrings have', ['auid = 3'], {}],
])('%s: read as Ceph does', (_, lines, caps) => {
  expect(capsOf(...lines)).toEqual(caps);
});

test('comments, empty lines, options and sections without settings are no entities', () => {
  expect([
    ...parseKeyring(`# a\n; b\n\nx = y\n[global]\nfoo = bar\n[client.b]\r\n[client.a]\r\nkey=${KEY}\r\n`).keys(),
  ]).toEqual(['client.a']);
});

test.each([
  ['a heading that does not end', '[client.a\n', 1, 'cannot parse buffer'],
  ['a line without a value', `[client.a]\nkey = ${KEY}\ncaps mon\n`, 3, 'cannot parse buffer'],
  ['a quote that does not end', `[client.a]\nkey = ${KEY}\n\ncaps mon = "a b\n`, 4, 'cannot parse buffer'],
  ['text behind a quote', `[client.a]\ncaps mon = "a" b\n`, 2, 'cannot parse buffer'],
  ['a name that is none', `[foo]\nkey = ${KEY}\n`, 1, 'bad entity name in keyring: foo'],
  ['a key that is none', '[client.a]\nkey = zzz\n', 2, 'error setting modifier for [client.a] type=key val=zzz'],
  [
    'an unknown setting',
    `[client.a]\nkey = ${KEY}\nbla=3\n`,
    3,
    'error setting modifier for [client.a] type=bla val=3',
  ],
])('%s is refused, with its line', (_, text, line, reason) => {
  expect(() => parseKeyring(text)).toThrow(expect.objectContaining({ name: 'MalformedInput', line, reason }));
});

test('an entity without a key is refused: nobody could prove to be it', () => {
  expect(() => parseKeyring('[client.a]\ncaps mon = allow r\n')).toThrow(MalformedKeyring);
});

test('whatever caps say, they come back from the text', () => {
  const word = fc.string({
    unit: fc.constantFrom('a', ' ', '"', "'", '#', ';', '=', '[', ']', '*', ','),
    maxLength: 12,
  });
  const caps = fc.dictionary(fc.constantFrom('mon', 'osd', 'mgr', 'mds'), word, { noNullPrototype: true });

  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('client.a', 'osd.1', 'mgr.x'), caps), (entities) => {
      const keyring = new Map(
        Object.entries(entities).map(([name, each]) => [
          name,
          { key, caps: new Map(Object.entries(each) as [CapsService, string][]) },
        ]),
      );
      expect(parseKeyring(formatKeyring(keyring))).toEqual(keyring);
    }),
  );
});
