import { expect, test } from 'vitest';
import { type ClassCall, type OsdAsk, OsdCaps } from './osd-caps.ts';

const ask = (some: Partial<OsdAsk>): OsdAsk => ({
  ...{ pool: 'p', namespace: '', applications: new Map(), object: 'o', reads: false, writes: false, calls: [] },
  ...some,
});
const read = (some: Partial<OsdAsk> = {}) => ask({ reads: true, ...some });
const write = (some: Partial<OsdAsk> = {}) => ask({ writes: true, ...some });
const call = (some: Partial<ClassCall> = {}) => ({
  ...{ className: 'lock', method: 'lock', reads: true, writes: true, isListed: true },
  ...some,
});
const calls = (...all: ClassCall[]) => ask({ calls: all });
const applications = new Map([['cephfs', new Map([['data', 'fs']])]]);
const READER = call({ writes: false });
const OTHER = call({ className: 'rbd', method: 'get_id' });

test.each([
  ['allow *', write({ calls: [call({ isListed: false })] }), true],
  ['allow r', read(), true],
  ['allow r', write(), false],
  ['allow w', ask({ reads: true, writes: true }), false],
  // Unlike at a monitor one grant must do.
  ['allow r, allow w', ask({ reads: true, writes: true }), false],
  ['allow rw pool=p', read(), true],
  ['allow rw pool=q', read(), false],
  ['allow rw pool=q, allow r pool=p', read(), true],
  ['allow r namespace=n', read({ namespace: 'n' }), true],
  ['allow r namespace=n', read(), false],
  ['allow r namespace=""', read(), true],
  ['allow r namespace=""', read({ namespace: 'n' }), false],
  ['allow r namespace=a*', read({ namespace: 'abc' }), true],
  ['allow r namespace=a*', read({ namespace: 'b' }), false],
  ['allow r object_prefix ab', read({ object: 'abc' }), true],
  ['allow r object_prefix ab', read({ object: 'cab' }), false],
  // What is about a whole PG has no name.
  ['allow r object_prefix ab', read({ object: '' }), false],
  ['allow rw tag cephfs data=fs', write({ applications }), true],
  ['allow rw tag cephfs data=other', write({ applications }), false],
  ['allow rw tag cephfs metadata=fs', write({ applications }), false],
  ['allow rw tag cephfs data=*', write({ applications }), true],
  ['allow rw tag cephfs *=fs', write({ applications }), true],
  ['allow rw tag cephfs *=other', write({ applications }), false],
  ['allow rw tag cephfs *=*', write({ applications: new Map([['cephfs', new Map()]]) }), true],
  ['allow rw tag cephfs *=*', write(), false],
  ['allow rw namespace=n tag cephfs data=fs', write({ applications }), false],
  ['allow rw', calls(call()), false],
  ['allow x', calls(call()), true],
  ['allow x', calls(call({ isListed: false })), false],
  ['allow class-read', calls(READER), true],
  ['allow class-read', calls(call()), false],
  ['allow class-read class-write', calls(call()), true],
  ['allow class lock', calls(call({ isListed: false })), true],
  ['allow class lock lock', calls(call()), true],
  ['allow class lock unlock', calls(call()), false],
  ['allow class rbd', calls(call()), false],
  // Several grants may each allow some of the calls.
  ['allow class lock, allow class rbd', calls(call(), OTHER), true],
  ['allow class lock', calls(call(), OTHER), false],
  ['allow class lock', read({ calls: [call()] }), false],
  ['profile rbd pool=p', write({ calls: [OTHER] }), true],
  ['profile rbd pool=q', write(), false],
  ['profile rbd pool=q', calls(call({ ...READER, className: 'rbd' })), false],
  ['profile rbd pool=q', ask({ object: 'rbd_children', calls: [READER] }), true],
  ['profile rbd pool=q', read({ object: 'rbd_info' }), true],
  ['profile rbd pool=p namespace=n', calls(call({ className: 'rbd', method: 'metadata_list' })), true],
  ['profile rbd-read-only', write(), false],
  ['profile rbd-read-only', ask({ object: 'rbd_header.1', calls: [{ ...OTHER, method: 'child_attach' }] }), true],
  ['profile rbd-read-only', ask({ object: 'other', calls: [{ ...OTHER, method: 'child_attach' }] }), false],
  ['profile read-write', write(), true],
  ['profile nosuch', read(), false],
] as const)('%s: %j is allowed: %j', (caps, asked, expected) => {
  expect(OsdCaps.parse(caps).isCapable(asked, undefined)).toBe(expected);
});

test.each([
  ['allow *', true, true],
  ['allow r, allow *', true, true],
  ['allow rwx', false, false],
  ['allow * pool=p', false, false],
  // Ceph asks only for the star where an OSD itself is commanded, not from where.
  ['allow * network 10.0.0.0/8', true, false],
])('%s: all is granted: %j, nothing need be asked: %j', (text, allowsAll, isUnlimited) => {
  expect(OsdCaps.parse(text)).toMatchObject({ allowsAll, isUnlimited });
});
