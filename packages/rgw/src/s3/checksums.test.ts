import { type Bytes, concatBytes, toHex, utf8 } from '@spirula/encoding';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../../runtime-node/src/crypto.ts';
import { inPieces, outcomeOf, readAll } from './auth/signed-request.test-support.ts';
import {
  checksumHasher,
  checksumHeader,
  compositeChecksum,
  fullObjectChecksum,
  namedAlgorithm,
  UploadChecks,
} from './checksums.ts';

const digits = utf8('123456789');
const algorithms = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'] as const;
const crcs = ['crc32', 'crc32c', 'crc64nvme'] as const;

function checksum(algorithm: (typeof algorithms)[number], bytes: Bytes): string {
  const hasher = checksumHasher(nodeCrypto, algorithm);
  hasher.update(bytes);
  return Buffer.from(hasher.digest()).toString('base64');
}

async function upload(headers: Record<string, string>, body: Bytes, trailers: Record<string, string> = {}) {
  const checks = new UploadChecks(nodeCrypto, new Map(Object.entries(headers)), {
    trailers: () => new Map(Object.entries(trailers)),
  });
  expect(toHex(await readAll(checks.passing(inPieces(body, 4))))).toBe(toHex(body));
  return checks.finish(nodeCrypto.hash('md5', body));
}

test.each([
  ['crc32', 'cbf43926'],
  ['crc32c', 'e3069283'],
  ['crc64nvme', 'ae8b14860a799888'],
  ['sha1', 'f7c3bc1d808e04732adf679965ccc34ca7ae3441'],
  ['sha256', '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'],
] as const)('the check value of %s', (algorithm, hex) => {
  const hasher = checksumHasher(nodeCrypto, algorithm);
  for (const digit of digits) hasher.update(new Uint8Array([digit]));

  expect(toHex(hasher.digest())).toBe(hex);
});

describe('an upload', () => {
  test('without a word about checksums has none', async () => {
    expect(await upload({}, digits)).toBeUndefined();
  });

  test('of a part has the checksum of its whole upload, and no other', async () => {
    const checks = new UploadChecks(nodeCrypto, new Map(), { wanted: 'crc32' });
    await readAll(checks.passing(inPieces(digits, 4)));

    expect(checks.finish(nodeCrypto.hash('md5', digits))).toEqual({
      algorithm: 'crc32',
      value: checksum('crc32', digits),
    });
    const other = new Map([['x-amz-checksum-sha1', checksum('sha1', digits)]]);
    expect(await outcomeOf(async () => new UploadChecks(nodeCrypto, other, { wanted: 'crc32' }))).toBe(
      'InvalidRequest',
    );
  });

  test.each(algorithms)('with %s in a header, or in a trailer, or to be reckoned here', async (algorithm) => {
    const value = checksum(algorithm, digits);
    const name = `x-amz-checksum-${algorithm}`;
    const outcome = { algorithm, value };

    expect(await upload({ [name]: value }, digits)).toEqual(outcome);
    expect(await upload({ 'x-amz-trailer': name }, digits, { [name]: value })).toEqual(outcome);
    expect(await upload({ 'x-amz-sdk-checksum-algorithm': algorithm.toUpperCase() }, digits)).toEqual(outcome);
    expect(checksumHeader(outcome)).toEqual([name, value]);
    expect(await outcomeOf(() => upload({ [name]: checksum(algorithm, utf8('x')) }, digits))).toBe('BadDigest');
    expect(
      await outcomeOf(() => upload({ 'x-amz-trailer': name }, digits, { [name]: checksum(algorithm, utf8('x')) })),
    ).toBe('BadDigest');
    expect(await outcomeOf(() => upload({ 'x-amz-trailer': name }, digits))).toBe('InvalidRequest');
    expect(await outcomeOf(() => upload({ [name]: 'AAAA' }, digits))).toBe('BadDigest');
  });

  test('with Content-MD5', async () => {
    const md5 = Buffer.from(nodeCrypto.hash('md5', digits)).toString('base64');

    expect(await outcomeOf(() => upload({ 'content-md5': md5 }, digits))).toBe('accepted');
    expect(await outcomeOf(() => upload({ 'content-md5': md5 }, utf8('x')))).toBe('BadDigest');
    for (const bad of ['', 'x', '!', 'YWJj', md5.slice(1)]) {
      expect(await outcomeOf(() => upload({ 'content-md5': bad }, digits))).toBe('InvalidDigest');
    }
  });

  test('with two checksums, or one that is not known, is refused', async () => {
    const both = { 'x-amz-checksum-crc32': checksum('crc32', digits), 'x-amz-checksum-sha1': checksum('sha1', digits) };

    expect(await outcomeOf(() => upload(both, digits))).toBe('InvalidRequest');
    expect(
      await outcomeOf(() =>
        upload(
          { 'x-amz-checksum-crc32': both['x-amz-checksum-crc32'], 'x-amz-trailer': 'x-amz-checksum-sha1' },
          digits,
        ),
      ),
    ).toBe('InvalidRequest');
    expect(await outcomeOf(async () => namedAlgorithm(new Map([['x-amz-checksum-algorithm', 'CRC16']])))).toBe(
      'InvalidRequest',
    );
  });
});

describe('an object of parts', () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 6 });

  test.each(crcs)('its %s is that of all its data', (algorithm) => {
    fc.assert(
      fc.property(parts, (pieces) => {
        const sums = pieces.map((piece) => ({ value: checksum(algorithm, piece), length: piece.length }));

        expect(fullObjectChecksum(algorithm, sums).value).toBe(checksum(algorithm, concatBytes(pieces)));
      }),
    );
  });

  test('parts of gigabytes are put together as quickly', () => {
    const zeros = { value: checksum('crc32', new Uint8Array(0)), length: 5 * 2 ** 30 };

    expect(fullObjectChecksum('crc32', [{ value: checksum('crc32', digits), length: 9 }, zeros]).value).toMatch(
      /^.{6}==$/,
    );
  });

  test('its composite checksum is that of the digests of its parts, with their number', () => {
    const sums = [digits, utf8('abc')].map((piece) => ({ value: checksum('sha256', piece), length: piece.length }));
    const digests = concatBytes([nodeCrypto.hash('sha256', digits), nodeCrypto.hash('sha256', utf8('abc'))]);
    const digest = Buffer.from(nodeCrypto.hash('sha256', digests)).toString('base64');

    expect(compositeChecksum(nodeCrypto, 'sha256', sums)).toEqual({ algorithm: 'sha256', value: `${digest}-2` });
  });
});
