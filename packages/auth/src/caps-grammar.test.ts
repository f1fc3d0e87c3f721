/** What is capabilities and what is not, as Ceph 16.2.15's `auth get-or-create` took these texts or refused them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MalformedCaps } from './caps-scanner.ts';
import type { CapsService } from './entity-auth.ts';
import { checkMdsCaps } from './mds-caps.ts';
import { MgrCaps } from './mgr-caps.ts';
import { MonCaps } from './mon-caps.ts';
import { OsdCaps } from './osd-caps.ts';

const parse: Readonly<Record<CapsService, (text: string) => unknown>> = {
  mon: (text) => MonCaps.parse(text, { type: 'client', id: 'a' }),
  osd: (text) => OsdCaps.parse(text),
  mgr: (text) => MgrCaps.parse(text),
  mds: (text) => checkMdsCaps(text),
};

const accepted: Readonly<Record<CapsService, readonly string[]>> = {
  mon: [
    'allow *',
    'allow all',
    'allow rwx, allow r;allow x',
    'allow rx',
    ' \tallow r\n',
    'allow r network 10.0.0.0/8',
    'allow r network bad',
    'profile osd',
    'allow profile=osd network ::1/64',
    'profile nosuch',
    'allow service osd rw',
    'allow service="a b" *',
    'allow command "auth get" with entity prefix client. key=x k regex "^a.*$"',
    'allow r fsname=cephfs',
    'allow r , allow w',
    'allow r\n, allow w',
    'allow r\t;\tallow w',
  ],
  osd: [
    'allow *',
    'allow all',
    'allow rwx class-read',
    'allow class-read',
    'allow class-read class-write',
    'allow rw pool=x namespace=n object_prefix p',
    'allow pool x rw',
    'allow rw namespace=""',
    'allow rw namespace=a*',
    'allow class foo',
    'allow class foo bar pool=x',
    'allow pool=x class foo bar',
    'allow rw tag cephfs data=fs',
    'allow rw tag cephfs *=*',
    'allow rw tag cephfs all = all',
    'allow rw namespace=n tag rbd a=b',
    'profile rbd',
    'profile rbd pool=images namespace=a',
    'profile=rbd-read-only pool images network 10.0.0.0/8',
    ' allow r ;allow w\n',
  ],
  mgr: [
    'allow r',
    'allow *',
    'allow service pg rw',
    'allow module foo with a = b rw',
    'allow command "crash post" with a prefix b',
    'profile rbd pool=x namespace=y',
    'profile osd',
  ],
  mds: [
    'allow',
    'allow *',
    'allow rw',
    'allow rwps',
    'allow rw path=/a/b',
    "allow rw path='/a b' uid=1 gids=1,2",
    'allow r fsname=fs path=/a root_squash',
    'allow rw root_squash',
    'allow r, allow rw path=/bar',
    'allow rw network 10.0.0.0/8',
    ' allow r ',
  ],
};

const refused: readonly (readonly [service: CapsService, text: string, where: string])[] = [
  ['mon', 'allow wr', 'r'],
  ['mon', 'allow xr', 'r'],
  ['mon', 'allow', 'allow'],
  ['mon', 'allow foo', 'allow foo'],
  ['mon', '', 'end'],
  ['mon', 'allow r network nonsense', 'network nonsense'],
  ['mon', 'allow service osd', 'allow service osd'],
  ['mon', 'allow command foo with', 'with'],
  ['mon', 'allow command foo with a', 'with a'],
  ['mon', 'allow command foo with a = b', 'with a = b'],
  ['mon', "allow command 'x", "allow command 'x"],
  ['mon', 'allow rw fsname a/b', '/b'],
  ['mon', 'allow r,', ','],
  ['osd', 'allow class-write class-read', 'class-read'],
  ['osd', 'allow rw pool x object_prefix p namespace n', 'namespace n'],
  ['osd', 'allow rw namespace=*', 'namespace=*'],
  ['osd', 'allow class foo pool=x', '=x'],
  ['osd', 'allow rw pool=x tag rbd a=b', 'tag rbd a=b'],
  ['osd', 'allow rw tag rbd', 'tag rbd'],
  ['osd', 'allow profile rbd', 'allow profile rbd'],
  ['osd', 'allow rw network 10.0.0.0/8 pool=x', 'pool=x'],
  ['osd', 'allow rw auid 3', 'auid 3'],
  ['osd', 'allow r\n;allow w', ';allow w'],
  ['osd', 'allow', 'allow'],
  ['osd', 'allow r w', 'w'],
  ['osd', 'allowr', 'allowr'],
  ['mgr', 'allow module foo', 'allow module foo'],
  ['mgr', 'allow r x', 'x'],
  ['mds', 'allow rwsp', 'p'],
  ['mds', 'allow rw uid=4294967296', 'uid=4294967296'],
  ['mds', 'allow rw uid=1 path=/a', 'path=/a'],
  ['mds', 'allow rw path', 'path'],
  ['mds', 'allow w', 'allow w'],
  ['mds', 'profile x', 'profile x'],
];

test.each(Object.entries(accepted))('caps for %s that Ceph takes', (service, texts) => {
  for (const text of texts) expect(() => parse[service as CapsService](text), text).not.toThrow();
});

test.each(refused)('%s %j is refused where Ceph stops: %j', (service, text, where) => {
  const stopped = where === 'end' ? 'end' : `'${where}'`;
  const message = `${service} capability parse failed, stopped at ${stopped} of '${text}'`;

  expect(() => parse[service](text)).toThrow(expect.objectContaining({ name: 'MalformedInput', message }));
});

test.each([
  ['profile rbd image=x', "profile 'rbd' does not recognize key 'image'"],
  ['profile nosuch', "unrecognized profile 'nosuch'"],
  ['profile crash, profile bogus, profile worse', "unrecognized profile 'bogus'unrecognized profile 'worse'"],
])('a manager knows its profiles: %j is refused', (text, problem) => {
  expect(() => MgrCaps.parse(text)).toThrow(`mgr capability parse failed during profile evaluation: ${problem}`);
});

test('whatever the text is, it is parsed or refused as caps are', () => {
  const words = fc.constantFrom(
    'allow',
    ' ',
    ',',
    'r',
    'w',
    '*',
    'profile',
    'rbd',
    'pool',
    '=',
    'x',
    '"',
    'class',
    'tag',
  );
  fc.assert(
    fc.property(
      fc.constantFrom<CapsService>('mon', 'osd', 'mgr', 'mds'),
      fc.string({ unit: words }),
      (service, text) => {
        try {
          parse[service](text);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedCaps);
        }
      },
    ),
  );
});
