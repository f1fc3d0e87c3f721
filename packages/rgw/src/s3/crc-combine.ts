/** CRCs of what is put together from parts, from the CRCs of the parts and their lengths, without the data. */

/** A CRC whose polynomial, start and end are those of its standard; bits are reflected in all of them. */
export interface CrcShape {
  readonly width: 32 | 64;
  /** Reflected: the highest bit is the constant term. */
  readonly polynomial: bigint;
}

export const crcShapes = {
  crc32: { width: 32, polynomial: 0xedb88320n },
  crc32c: { width: 32, polynomial: 0x82f63b78n },
  crc64nvme: { width: 64, polynomial: 0x9a6c9329ac4bc9b5n },
} as const satisfies Record<string, CrcShape>;

/**
 * The CRC of `a` followed by `b`, which is `lengthOfB` bytes long. As zlib's crc32_combine: appending n bytes multiplies the CRC by
 * x^8n modulo the polynomial, and start and end values cancel out.
 */
export function combineCrcs(shape: CrcShape, a: bigint, b: bigint, lengthOfB: number): bigint {
  return multiply(shape, a, powerOfX(shape, 8n * BigInt(lengthOfB))) ^ b;
}

/** Product of two polynomials over GF(2), reflected: the highest bit is x^0. */
function multiply({ width, polynomial }: CrcShape, a: bigint, b: bigint): bigint {
  let product = 0n;
  for (let bit = 1n << BigInt(width - 1); bit !== 0n; bit >>= 1n) {
    if ((a & bit) !== 0n) product ^= b;
    b = (b & 1n) === 0n ? b >> 1n : (b >> 1n) ^ polynomial;
  }
  return product;
}

/** x^exponent modulo the polynomial, by squaring. */
function powerOfX(shape: CrcShape, exponent: bigint): bigint {
  const one = 1n << BigInt(shape.width - 1);
  let power = one;
  let square = one >> 1n;
  for (let left = exponent; left !== 0n; left >>= 1n) {
    if ((left & 1n) !== 0n) power = multiply(shape, power, square);
    square = multiply(shape, square, square);
  }
  return power;
}
