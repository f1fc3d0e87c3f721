import { MalformedInput } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { formatCryptoKey, KEY_BYTES, parseCryptoKey } from './crypto-key.ts';

// As `ceph-authtool --gen-print-key` of Ceph 16.2.15 printed it.
const PRINTED = 'AQBApwxrTSoDCBAA432mm1NtyjJnNj0hienv5w==';

test('a key that ceph-authtool printed is read and written back', () => {
  const key = parseCryptoKey(`${PRINTED}\n`);

  expect(key.secret).toHaveLength(KEY_BYTES);
  expect(formatCryptoKey(key)).toBe(PRINTED);
});

test.each([
  ['not base64', 'AQ!'],
  ['cut short', PRINTED.slice(0, 24)],
  ['of a type that is not AES', `A${'g'}${PRINTED.slice(2)}`],
  ['with bytes behind it', `${PRINTED}AAAA`],
])('a key %s is refused', (_, text) => {
  expect(() => parseCryptoKey(text)).toThrow(MalformedInput);
});
