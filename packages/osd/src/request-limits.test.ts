import { builtinClasses, ClassRegistry, type ObjectClass, rawMethod } from '@spirula/cls';
import { EMPTY, Errno } from '@spirula/encoding';
import { callOp, NOSNAP, OsdFlag, type OsdOp, OsdOpCode, type OsdOpMessage, plainOp } from '@spirula/messages';
import { makeConfig } from '@spirula/world';
import { expect, test } from 'vitest';
import { checkRequest } from './request-limits.ts';

const pure: ObjectClass = { name: 'pure', methods: { neither: rawMethod(0, () => ({ code: 0, output: EMPTY })) } };
const classes = new ClassRegistry([...builtinClasses, pure], { loadList: 'hello otp pure', defaultList: '' });
const stat = plainOp(OsdOpCode.stat);
const request = (ops: readonly OsdOp[], flags = 0) =>
  ({ oid: 'obj', locator: { key: '', nspace: '' }, snapid: NOSNAP, flags, ops }) as unknown as OsdOpMessage;
const check = (...ops: OsdOp[]) => checkRequest(request(ops), makeConfig(), classes);

test('a class that may not be loaded is not permitted, whatever stands before it', () => {
  expect(check(stat, callOp('lock', 'get_info'))).toBe(Errno.EPERM);
  expect(check(stat, callOp('nope', 'method'))).toBe(Errno.EPERM);
  expect(check(stat)).toBe(0);
});

test('a class that is not there is not supported, nor a method that its class has not', () => {
  expect(check(callOp('otp', 'otp_set'))).toBe(Errno.EOPNOTSUPP);
  expect(check(callOp('hello', 'nope'))).toBe(Errno.EOPNOTSUPP);
  expect(check(callOp('hello', 'constructor'))).toBe(Errno.EOPNOTSUPP);
  expect(check(callOp('hello', 'say_hello'))).toBe(0);
});

test('names longer than what is there are not valid, nor a method alone that neither reads nor writes', () => {
  const call = callOp('hello', 'say_hello');

  expect(check({ ...call, input: call.input.subarray(0, 4) })).toBe(Errno.EINVAL);
  expect(check(callOp('pure', 'neither'))).toBe(Errno.EINVAL);
  expect(check(stat, callOp('pure', 'neither'))).toBe(0);
});

test('operations are not run at once, though there is a flag for it', () => {
  expect(checkRequest(request([stat], OsdFlag.parallelexec), makeConfig(), classes)).toBe(Errno.EINVAL);
});
