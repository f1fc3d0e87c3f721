import { type Bytes, MalformedInput, toHex } from '@spirula/encoding';
import { describe, expect, test } from 'vitest';
import { readCaptures } from '../../../test/src/captures.ts';
import { decodeMessage } from './codec.ts';
import { copyFromArgs, copyFromInput, copyFromOp } from './copy-from.ts';
import { type OsdOp, OsdOpCode } from './osd-op.ts';
import {
  allocHintArgs,
  allocHintOp,
  assertVerArgs,
  assertVerOp,
  callArgs,
  callOp,
  extentArgs,
  extentOp,
  notifyArgs,
  notifyOp,
  pgnlsArgs,
  pgnlsOp,
  plainOp,
  rollbackArgs,
  rollbackOp,
  watchArgs,
  watchOp,
  writesameArgs,
  writesameOp,
  xattrArgs,
  xattrOp,
} from './osd-op-args.ts';

/** The ops of all requests in a recording that was kept whole. */
function recordedOps(...names: string[]): OsdOp[] {
  return names.flatMap(readCaptures).flatMap(({ bytes, summary, whole }) => {
    if (!whole || !summary.startsWith('OSD_OP(')) return [];
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const length = (i: number) => (i < bytes[1]! ? view.getUint32(2 + 6 * i, true) : 0);
    const front = 32 + 41 + 4;
    const data = front + length(1);
    const segment = (at: number, size: number): Bytes => bytes.subarray(at, at + size);
    const message = decodeMessage({
      code: 42,
      version: 8,
      compat: 3,
      tid: 1n,
      front: segment(front, length(1)),
      middle: new Uint8Array(0),
      data: segment(data, length(3)),
    });
    return message.type === 'osd_op' ? message.ops : [];
  });
}

function rebuild(op: OsdOp): OsdOp {
  switch (op.code) {
    case OsdOpCode.write:
    case OsdOpCode.writefull:
    case OsdOpCode.append:
    case OsdOpCode.truncate:
    case OsdOpCode.read:
    case OsdOpCode.sparseRead: {
      const { offset, length } = extentArgs(op);
      return extentOp(op.code, offset, length, op.input, op.flags);
    }
    case OsdOpCode.getxattr:
    case OsdOpCode.setxattr:
    case OsdOpCode.rmxattr: {
      const { name, value } = xattrArgs(op);
      return xattrOp(op.code, name, value);
    }
    case OsdOpCode.call: {
      const { cls, method, input } = callArgs(op);
      return callOp(cls, method, input);
    }
    case OsdOpCode.watch:
      return watchOp(watchArgs(op));
    case OsdOpCode.notify:
      return notifyOp(op.code, notifyArgs(op).cookie, op.input);
    case OsdOpCode.rollback:
      return rollbackOp(rollbackArgs(op).snapid);
    case OsdOpCode.setAllocHint:
      return allocHintOp(allocHintArgs(op));
    case OsdOpCode.copyFrom:
      return { ...copyFromOp(copyFromArgs(op), copyFromInput(op)), flags: op.flags };
    case OsdOpCode.pgnls: {
      const { count, startEpoch } = pgnlsArgs(op);
      return pgnlsOp(count, startEpoch, op.input);
    }
    default:
      return plainOp(op.code, op.input, op.flags);
  }
}

test('ops built from what is read of recorded ones are the same', () => {
  const ops = recordedOps(
    '04-osd-omap',
    '05-osd-xattr',
    '06-osd-pgnls',
    '07-watch-notify',
    '08-cls-lock',
    '09-poolop-and-misc',
    '11-rbd-create',
  );

  expect(new Set(ops.map((op) => op.code)).size).toBeGreaterThan(15);
  for (const op of ops) {
    const again = rebuild(op);
    expect([again.code, toHex(again.args), toHex(again.input)]).toEqual([op.code, toHex(op.args), toHex(op.input)]);
  }
});

describe('arguments without a recording', () => {
  test('say what was built', () => {
    expect(assertVerArgs(assertVerOp(7))).toEqual({ version: 7 });
    expect(writesameArgs(writesameOp(4096, 8192, new Uint8Array(512)))).toEqual({
      offset: 4096,
      length: 8192,
      dataLength: 512,
    });
  });

  test('a name longer than the payload is refused', () => {
    const op = { ...xattrOp(OsdOpCode.getxattr, 'user.name'), input: new Uint8Array(3) };

    expect(() => xattrArgs(op)).toThrow(MalformedInput);
    expect(() => callArgs({ ...callOp('rbd', 'get_size'), input: new Uint8Array(2) })).toThrow(MalformedInput);
  });
});
