import { AddrType, bytesFromRaw, EMPTY } from '@spirula/encoding';
import { expect, test } from 'vitest';
import {
  decodeNotifyAck,
  decodeNotifyOutcome,
  decodeNotifyRequest,
  decodeWatchItems,
  encodeNotifyAck,
  encodeNotifyOutcome,
  encodeNotifyRequest,
  encodeWatchItems,
} from './watch-notify.ts';

const huge = 2n ** 64n - 1n;

test('a notify and its acknowledgement are read as they were written', () => {
  const request = { timeoutSeconds: 10, payload: bytesFromRaw('hello') };
  const ack = { notifyId: huge, cookie: 7n, reply: bytesFromRaw('seen') };

  expect(decodeNotifyRequest(encodeNotifyRequest(request))).toEqual(request);
  expect(decodeNotifyAck(encodeNotifyAck(ack))).toEqual(ack);
});

test('an acknowledgement without a reply has an empty one', () => {
  const bare = encodeNotifyAck({ notifyId: 1n, cookie: 2n, reply: EMPTY }).subarray(0, 16);

  expect(decodeNotifyAck(bare)).toEqual({ notifyId: 1n, cookie: 2n, reply: EMPTY });
});

test('what became of a notify is read as it was written, and nothing is eight zeros', () => {
  const outcome = {
    acks: [
      { gid: 4117n, cookie: 1n, reply: bytesFromRaw('a') },
      { gid: 4117n, cookie: huge, reply: EMPTY },
    ],
    timedOut: [{ gid: 4118n, cookie: 3n }],
  };

  expect(decodeNotifyOutcome(encodeNotifyOutcome(outcome))).toEqual(outcome);
  expect(encodeNotifyOutcome({ acks: [], timedOut: [] })).toEqual(new Uint8Array(8));
});

test('those who watch are listed as they were written', () => {
  const addr = { type: AddrType.any, nonce: 5, family: 2, ip: '10.0.0.1', port: 0 } as const;
  const items = [{ entityType: 8, entityNum: 4117n, cookie: huge, timeoutSeconds: 30, addr }];

  expect(decodeWatchItems(encodeWatchItems(items))).toEqual(items);
  expect(encodeWatchItems([])).toEqual(new Uint8Array([1, 1, 4, 0, 0, 0, 0, 0, 0, 0]));
});
