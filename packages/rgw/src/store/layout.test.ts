/** Names as a radosgw 16.2.15 gave them. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ObjectKey } from '../formats/object.ts';
import {
  bucketInstanceOid,
  bucketName,
  indexOidOf,
  indexOids,
  keyToIndexName,
  keyToOid,
  oidToKey,
  radosNameOf,
  shardOf,
  userBucketsOid,
} from './layout.ts';

const marker = 'a299feab-f646-48de-ab31-b815d3f26b8c.4139.1';
const bucket = { tenant: '', name: 'plain', marker, bucketId: marker, explicitPlacement: undefined };
const key = (name: string, instance = '', ns = ''): ObjectKey => ({ name, instance, ns });

test('heads and stripes have the names that radosgw gives them', () => {
  const nameOf = (object: ObjectKey) => radosNameOf({ bucket, key: object });

  expect(nameOf(key('small'))).toEqual({ oid: `${marker}_small`, locator: '' });
  expect(nameOf(key('_under'))).toEqual({ oid: `${marker}___under`, locator: `${marker}__under` });
  expect(nameOf(key('v', 'Jz3QFZk-VvbGWJS2PmHd2UYRdojceye')).oid).toBe(`${marker}__:Jz3QFZk-VvbGWJS2PmHd2UYRdojceye_v`);
  expect(nameOf(key('v', 'null')).oid).toBe(`${marker}_v`);
  expect(nameOf(key('multi.2~H.1', '', 'multipart')).oid).toBe(`${marker}__multipart_multi.2~H.1`);
  expect(nameOf(key('_x.2~H.1', '', 'multipart'))).toEqual({ oid: `${marker}__multipart__x.2~H.1`, locator: '' });
  expect(nameOf(key('.u76_1', '', 'shadow')).oid).toBe(`${marker}__shadow_.u76_1`);
});

test('keys are in the shards in which radosgw put them', () => {
  const shards = Object.entries({
    tagged: 10,
    small: 1,
    _under: 2,
    big: 5,
    multi: 7,
    public: 8,
    pending: 9,
    v: 0,
    o: 7,
  });

  expect(shards.map(([name]) => [name, shardOf(name, 11)])).toEqual(shards);
  expect(indexOidOf(marker, 11, 'multi')).toBe(`.dir.${marker}.7`);
});

test('an index without shards is one object without a number', () => {
  expect(indexOids('id', 0)).toEqual(['.dir.id']);
  expect(indexOidOf('id', 0, 'any')).toBe('.dir.id');
  expect(indexOids('id', 2)).toEqual(['.dir.id.0', '.dir.id.1']);
});

test('a key is read back from the name it was given', () => {
  const name = fc.string({ unit: fc.constantFrom('_', ':', 'a', '/'), minLength: 1, maxLength: 5 });
  const word = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 3 });
  const keys = fc.oneof(
    fc.record({ name, instance: fc.constant(''), ns: fc.constant('') }),
    fc.record({ name, instance: word, ns: fc.constant('') }),
    fc.record({ name, instance: fc.constant(''), ns: word }),
    fc.record({ name, instance: word, ns: word }),
  );
  fc.assert(
    fc.property(keys, (each) => {
      expect(oidToKey(keyToOid(each))).toEqual(each);
    }),
  );
});

test('what is the name of no key is not taken for one', () => {
  for (const oid of ['_', '_x', '_xy']) expect(oidToKey(oid)).toBeUndefined();
});

test('an index names an object without its instance', () => {
  expect(keyToIndexName(key('_under'))).toBe('__under');
  expect(keyToIndexName(key('v', 'abc'))).toBe('v');
  expect(keyToIndexName(key('pending.2~P.meta', '', 'multipart'))).toBe('_multipart_pending.2~P.meta');
});

test('buckets and users of tenants have these in their names', () => {
  const acme = { ...bucket, tenant: 'acme', name: 'tbucket' };

  expect(bucketName(acme)).toBe('acme/tbucket');
  expect(bucketInstanceOid(acme)).toBe(`.bucket.meta.acme:tbucket:${marker}`);
  expect(bucketInstanceOid(bucket)).toBe(`.bucket.meta.plain:${marker}`);
  expect(userBucketsOid({ tenant: 'acme', ns: '', id: 'bob' })).toBe('acme$bob.buckets');
});
