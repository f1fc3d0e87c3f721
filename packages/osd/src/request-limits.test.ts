import { EMPTY, Errno } from '@spirula/encoding';
import { callOp, NOSNAP, OsdOpCode, type OsdOpMessage, plainOp } from '@spirula/messages';
import { makeConfig } from '@spirula/world';
import { expect, test } from 'vitest';
import { checkRequest } from './request-limits.ts';

const request = (ops: OsdOpMessage['ops']) =>
  ({ oid: 'obj', locator: { key: '', nspace: '' }, snapid: NOSNAP, ops }) as unknown as OsdOpMessage;

test('a method of a class is not permitted, whatever stands before it', () => {
  const ops = [plainOp(OsdOpCode.stat), callOp('nope', 'method', EMPTY)];

  expect(checkRequest(request(ops), makeConfig())).toBe(Errno.EPERM);
  expect(checkRequest(request(ops.slice(0, 1)), makeConfig())).toBe(0);
});
