import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatContentRange, parseCopySourceRange, parseRange } from './byte-range.ts';
import {
  checkCopySourceConditions,
  checkExpectedState,
  checkMarkerConditions,
  checkReadConditions,
  checkWriteConditions,
  readConditions,
  readExpectedState,
} from './conditions.ts';
import {
  formatBasicDate,
  formatHttpDate,
  formatIsoDate,
  parseBasicDate,
  parseHttpDate,
  parseIsoDate,
} from './http-date.ts';
import { S3Error } from './s3-error.ts';

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof S3Error) return error.code;
    throw error;
  }
  return 'met';
}

describe('times', () => {
  test('the example of RFC 7231 in its three forms, and with a zone', () => {
    for (const text of [
      'Sun, 06 Nov 1994 08:49:37 GMT',
      'Sunday, 06-Nov-94 08:49:37 GMT',
      'Sun Nov  6 08:49:37 1994',
      'Sun, 06 Nov 1994 09:49:37 +0100',
    ]) {
      expect(parseHttpDate(text)).toBe(784111777);
    }
    expect(formatHttpDate({ sec: 784111777, nsec: 0 })).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
    expect(formatIsoDate({ sec: 784111777, nsec: 123456789 })).toBe('1994-11-06T08:49:37.123Z');
    expect(formatBasicDate({ sec: 784111777, nsec: 0 })).toBe('19941106T084937Z');
  });

  test.each([
    '',
    'now',
    'Sun, 31 Feb 1994 08:49:37 GMT',
    'Sun, 06 Xxx 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
  ])('%j is no time', (text) => {
    expect(parseHttpDate(text)).toBeUndefined();
    expect(parseIsoDate(text)).toBeUndefined();
    expect(parseBasicDate(text)).toBeUndefined();
  });

  test('every second is the same before and after, as the host formats it', () => {
    fc.assert(
      fc.property(fc.nat(4_102_444_800), fc.nat(999), (sec, millis) => {
        const host = new Date(sec * 1000 + millis);
        const time = { sec, nsec: millis * 1e6 };

        expect(formatHttpDate(time)).toBe(host.toUTCString());
        expect(formatIsoDate(time)).toBe(host.toISOString());
        expect(parseHttpDate(formatHttpDate(time))).toBe(sec);
        expect(parseIsoDate(formatIsoDate(time))).toEqual(time);
        expect(parseBasicDate(formatBasicDate(time))).toBe(sec);
      }),
    );
  });
});

describe('ranges', () => {
  test.each([
    ['bytes=0-9', { offset: 0, length: 10 }],
    ['bytes=90-', { offset: 90, length: 10 }],
    ['bytes=90-1000', { offset: 90, length: 10 }],
    ['bytes=-5', { offset: 95, length: 5 }],
    ['bytes=-500', { offset: 0, length: 100 }],
    ['Bytes = 1 - 1', { offset: 1, length: 1 }],
    ['bytes=0-1,4-5', undefined],
    ['lines=0-1', undefined],
    [undefined, undefined],
  ])('%s of 100 bytes', (header, range) => {
    expect(parseRange(header, 100)).toEqual(range);
  });

  test.each(['bytes=100-', 'bytes=100-200', 'bytes=5-4', 'bytes=-0', 'bytes=x', 'bytes=', 'bytes=1'])(
    '%s of 100 bytes is none',
    (header) => {
      expect(codeOf(() => parseRange(header, 100))).toBe('InvalidRange');
    },
  );

  test('an empty object has no range', () => {
    expect(codeOf(() => parseRange('bytes=0-', 0))).toBe('InvalidRange');
    expect(codeOf(() => parseRange('bytes=-1', 0))).toBe('InvalidRange');
  });

  test('whatever is asked for, what is given lies inside', () => {
    const bound = fc.option(fc.nat(20), { nil: '' });
    fc.assert(
      fc.property(bound, bound, fc.nat(20), (first, last, size) => {
        let range: ReturnType<typeof parseRange>;
        try {
          range = parseRange(`bytes=${first}-${last}`, size);
        } catch (error) {
          expect(error).toMatchObject({ code: 'InvalidRange' });
          return;
        }
        expect(range!.length).toBeGreaterThan(0);
        expect(range!.offset + range!.length).toBeLessThanOrEqual(size);
      }),
    );
  });

  test('the source of a copied part is given in full and lies inside', () => {
    expect(parseCopySourceRange('bytes=0-9', 10)).toEqual({ offset: 0, length: 10 });
    expect(codeOf(() => parseCopySourceRange('bytes=0-10', 10))).toBe('InvalidRange');
    for (const header of ['bytes=0-', 'bytes=-3', '0-3', 'bytes=3-2', 'bytes=0-1,2-3', '']) {
      expect(codeOf(() => parseCopySourceRange(header, 10))).toBe('InvalidArgument');
    }
  });

  test('Content-Range counts from zero and ends with the last byte', () => {
    expect(formatContentRange({ offset: 5, length: 3 }, 10)).toBe('bytes 5-7/10');
  });
});

describe('conditions', () => {
  const object = { etag: 'abc', mtime: { sec: 784111777, nsec: 500 } };
  const then = 'Sun, 06 Nov 1994 08:49:37 GMT';
  const earlier = 'Sun, 06 Nov 1994 08:49:36 GMT';

  test.each([
    [{}, 'met'],
    [{ 'if-match': '"abc"' }, 'met'],
    [{ 'if-match': 'abc' }, 'met'],
    [{ 'if-match': '"x", "abc"' }, 'met'],
    [{ 'if-match': '*' }, 'met'],
    [{ 'if-match': '"x"' }, 'PreconditionFailed'],
    [{ 'if-none-match': '"x"' }, 'met'],
    [{ 'if-none-match': 'W/"abc"' }, 'NotModified'],
    [{ 'if-none-match': '*' }, 'NotModified'],
    [{ 'if-modified-since': earlier }, 'met'],
    [{ 'if-modified-since': then }, 'NotModified'],
    [{ 'if-unmodified-since': then }, 'met'],
    [{ 'if-unmodified-since': earlier }, 'PreconditionFailed'],
    [{ 'if-match': '"abc"', 'if-unmodified-since': earlier }, 'met'],
    [{ 'if-none-match': '"x"', 'if-modified-since': then }, 'met'],
    [{ 'if-modified-since': 'soon' }, 'InvalidArgument'],
  ])('of a reader: %j', (headers, outcome) => {
    expect(codeOf(() => checkReadConditions(readConditions(new Map(Object.entries(headers))), object))).toBe(outcome);
  });

  test('on the source of a copy they have a prefix, and there is no 304', () => {
    const headers = new Map([['x-amz-copy-source-if-none-match', 'abc']]);

    expect(codeOf(() => checkReadConditions(readConditions(headers), object))).toBe('met');
    expect(codeOf(() => checkCopySourceConditions(readConditions(headers, 'x-amz-copy-source-'), object))).toBe(
      'PreconditionFailed',
    );
  });

  test.each([
    [{ 'if-none-match': '*' }, 'met', 'PreconditionFailed'],
    [{ 'if-none-match': '"x"' }, 'met', 'met'],
    [{ 'if-match': '"abc"' }, 'NoSuchKey', 'met'],
    [{ 'if-match': '"x"' }, 'NoSuchKey', 'PreconditionFailed'],
    [{ 'if-unmodified-since': earlier }, 'met', 'PreconditionFailed'],
    [{}, 'met', 'met'],
  ])('of a writer: %j with no object gives %s, with one %s', (headers, absent, present) => {
    const conditions = readConditions(new Map(Object.entries(headers)));

    expect(codeOf(() => checkWriteConditions(conditions, undefined))).toBe(absent);
    expect(codeOf(() => checkWriteConditions(conditions, object))).toBe(present);
  });
});

test('what is removed must be what its remover takes it for', () => {
  const object = { etag: 'abc', mtime: { sec: 784111777, nsec: 5 }, size: 7 };
  const check = (name: string, value: string) =>
    codeOf(() => checkExpectedState(readExpectedState(new Map([[`x-amz-if-match-${name}`, value]])), object));

  expect(check('size', '7')).toBe('met');
  expect(check('size', '0')).toBe('PreconditionFailed');
  expect(check('size', 'x')).toBe('InvalidArgument');
  expect(check('last-modified-time', 'Sun, 06 Nov 1994 08:49:37 GMT')).toBe('met');
  expect(check('last-modified-time', 'Sun, 06 Nov 1994 08:49:38 GMT')).toBe('PreconditionFailed');
  expect(codeOf(() => checkExpectedState({ etag: '"abc"' }, object))).toBe('met');
  expect(codeOf(() => checkExpectedState({ etag: 'abd' }, object))).toBe('PreconditionFailed');
});

test('a delete marker is something, and has nothing', () => {
  const check = (headers: Record<string, string>) => {
    const given = new Map(Object.entries(headers));
    return codeOf(() => checkMarkerConditions(readConditions(given), readExpectedState(given)));
  };

  expect(check({ 'if-match': '*' })).toBe('met');
  expect(check({ 'if-match': '"e"' })).toBe('PreconditionFailed');
  expect(check({ 'x-amz-if-match-size': '0' })).toBe('PreconditionFailed');
});
