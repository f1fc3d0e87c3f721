import { fromHex } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { decoded, encoded } from '../formats/encoded.ts';
import { decodeOpsLogEntry, encodeOpsLogEntry, type OpsLogEntry } from '../formats/ops-log-entry.ts';
import { logObjectName } from './ops-log.ts';

/** As radosgw 16.2.15 appended it for `PUT /mps`. */
const RECORDED = [
  '0e05fd0100000000000003000000616461030000006d707311340e6b4894f61e090000003132372e302e302e310300000061',
  '6461010000002d0d0000006372656174655f6275636b657411000000505554202f6d707320485454502f312e310300000032',
  '303000000000000000000000000000000000000000000000000001093d00a8000000426f746f332f312e34332e3131206d64',
  '2f426f746f636f726523312e34332e31312075612f322e31206f732f6c696e757823362e31382e34342d66632d7636353720',
  '6d642f61726368237838365f3634206c616e672f707974686f6e23332e31312e37206d642f7079696d706c2343507974686f',
  '6e206d2f622c4e2c5a2c442c65206366672f72657472792d6d6f6465236c656761637920426f746f636f72652f312e34332e',
  '31310000000000000000000000002b00000062393130623061622d343439622d343934302d386239382d6564313765663262',
  '623066632e343131332e3402010d000000010000002d000000000000000002010c0000000000000000000000000000000201',
  '0f000000000000000300000061646100000000000000002f0000007478303030303065326361653163363630333134666666',
  '2d303036623065333431312d313030662d64656661756c740000000001000000060000006164616b6579000000000001010c',
  '000000000000000000000000000000',
].join('');

const entry: OpsLogEntry = {
  objectOwner: { tenant: '', ns: '', id: '' },
  bucketOwner: { tenant: 't', ns: '', id: 'ada' },
  bucket: 't/photos',
  bucketId: 'zone.1.2',
  time: { sec: 1_796_092_945, nsec: 519_476_296 },
  remoteAddr: '127.0.0.1',
  user: 't$ada',
  key: { name: 'cat', instance: '', ns: '' },
  operation: 'put_obj',
  uri: 'PUT /photos/cat HTTP/1.1',
  httpStatus: '200',
  errorCode: '',
  bytesSent: 0n,
  bytesReceived: 1000n,
  objectSize: 1000n,
  totalTime: { sec: 0, nsec: 4_000_000 },
  userAgent: 'test',
  referrer: '',
  headers: new Map([['HTTP_X_FORWARDED_FOR', 'x']]),
  requestId: 'tx1',
  tokenClaims: [],
  identityType: 1,
  accessKey: 'key',
  subuser: '',
  temporaryUrl: false,
};

test('an entry that is written and read is the same', () => {
  expect(decoded(decodeOpsLogEntry, encoded(encodeOpsLogEntry, entry))).toEqual(entry);
});

test('what radosgw wrote is read, and written the same', () => {
  const bytes = fromHex(RECORDED);
  const read = decoded(decodeOpsLogEntry, bytes);

  expect(read).toMatchObject({
    bucket: 'mps',
    bucketOwner: { id: 'ada' },
    operation: 'create_bucket',
    uri: 'PUT /mps HTTP/1.1',
    totalTime: { sec: 0, nsec: 4_000_001 },
    key: { name: '-' },
    identityType: 1,
    accessKey: 'adakey',
  });
  expect(encoded(encodeOpsLogEntry, read)).toEqual(bytes);
});

test('objects are named by hour, bucket id and bucket', () => {
  expect(logObjectName('%Y-%m-%d-%H-%i-%n', entry)).toBe('2026-12-01-02-zone.1.2-t/photos');
  expect(logObjectName('%y %I %k %M %% %z', entry)).toBe('26 03 2 42 % %z');
});
