import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatSpan, parseSpan } from '../span.ts';
import { scenarioSchema } from '../spec.ts';
import { FAULT_SCHEMAS, FAULT_TEXTS } from './fault.ts';

test('every kind of fault is explained', () => {
  expect(Object.keys(FAULT_TEXTS).sort()).toEqual(Object.keys(FAULT_SCHEMAS).sort());
});

test('spans are read to the microsecond, and written so that they read the same', () => {
  expect(['30', '1.5m', '200ms', '25us', '2h', '0.1s'].map(parseSpan)).toEqual([
    30_000_000, 90_000_000, 200_000, 25, 7_200_000_000, 100_000,
  ]);
  expect(['', 'soon', '-1s', '1.5.2s', '1 fortnight'].map(parseSpan)).toEqual(Array(5).fill(undefined));
  fc.assert(
    fc.property(fc.maxSafeNat(), (us) => {
      expect(parseSpan(formatSpan(us))).toBe(us);
    }),
  );
});

test.each([
  [{ fault: 'crash', daemons: 'osd.1' }, 'one of at, every and when says when it strikes'],
  [{ fault: 'crash', daemons: 'osd.1', at: '3s', every: '5s' }, 'one of at, every and when says when it strikes'],
  [{ fault: 'crash', daemons: 'osd.1', at: '3s', jitter: '1s' }, 'jitter goes with every'],
  [{ fault: 'crash', daemons: 'osd.1', at: 'soon' }, 'a span of time such as 30s'],
  [{ fault: 'crash', at: '3s' }, 'whom it is for: a name such as osd.2, or a list of names'],
  [{ fault: 'crash', daemons: 'osd.1', when: 'soon' }, '"soon" is no condition'],
  [{ fault: 'crush', daemons: 'osd.1', at: '3s' }, 'there is no such fault; there are: crash, '],
])('%j is refused', (entry, why) => {
  const result = scenarioSchema.safeParse({ name: 'wrong', faults: [entry] });

  expect(result.error?.issues.map(({ message }) => message).join()).toContain(why);
});
